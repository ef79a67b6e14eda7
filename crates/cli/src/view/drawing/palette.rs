//! Colours, sparingly; none where the user wants none.

use ratatui::style::{Color, Modifier, Style};

/// The styles of the parts of the screen.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Whether there are colours, not only bold, dim and reversed text.
    pub has_colors: bool,
}

impl Palette {
    fn colored(self, color: Color) -> Style {
        match self.has_colors {
            true => Style::new().fg(color),
            false => Style::new(),
        }
    }

    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn crumbs(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn heads(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    pub fn bar(self) -> Style {
        self.colored(Color::Cyan)
    }

    pub fn kind(self) -> Style {
        self.colored(Color::Green)
    }

    /// What came, and what is new.
    pub fn came(self) -> Style {
        self.colored(Color::Red)
    }

    /// What an object is, behind its name.
    pub fn what(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub fn status(self) -> Style {
        self.colored(Color::Yellow)
    }

    pub fn key(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}
