//! The columns of rows: which of them fit, and how wide they are.

use crate::view::drawing::fit::{cut_end, cut_middle, pad, width};
use crate::view::drawing::palette::Palette;
use crate::view::picture::{Cells, Heads};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Widths in columns.
const SIZE: usize = 11;
const SHARE: usize = 6;
const BAR: usize = 10;
const CAME: usize = 11;
const COUNT: usize = 12;
const KIND: usize = 8;

/// The columns that fit.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    has_size: bool,
    has_share: bool,
    has_bar: bool,
    has_came: bool,
    has_count: bool,
    has_kind: bool,
    /// What is left for the name and what it is.
    rest: usize,
}

impl Columns {
    /// Returns the columns of a screen of this width.
    pub fn of(heads: &Heads<String>, columns: usize) -> Columns {
        let mut fit = Columns {
            has_size: columns >= 24,
            has_share: columns >= 60,
            has_bar: columns >= 60,
            has_came: heads.came.is_some() && columns >= 40,
            has_count: columns >= 100,
            has_kind: columns >= 100,
            rest: columns,
        };
        for (has, width) in [
            (fit.has_size, SIZE),
            (fit.has_share, SHARE),
            (fit.has_bar, BAR),
            (fit.has_came, CAME),
            (fit.has_count, COUNT),
            (fit.has_kind, KIND),
        ] {
            if has {
                fit.rest = fit.rest.saturating_sub(width + 1);
            }
        }
        fit
    }

    /// Returns the names of the columns.
    pub fn heads(&self, heads: &Heads<String>, palette: Palette) -> Line<'static> {
        let mut line = Line::default().style(palette.heads());
        let mut put = |has: bool, text: &str, columns: usize, is_right: bool| {
            if has {
                line.push_span(format!("{} ", pad(text, columns, is_right)));
            }
        };
        put(self.has_size, &heads.size, SIZE, true);
        put(self.has_share, "%", SHARE, true);
        put(self.has_bar, "", BAR, false);
        let came = heads.came.as_deref().unwrap_or_default();
        put(self.has_came, came, CAME, true);
        put(self.has_count, &heads.count, COUNT, true);
        put(self.has_kind, &heads.kind, KIND, false);
        line.push_span(pad(&heads.name, self.rest, false));
        line
    }

    /// Returns a row. A selected one has no styles of its own.
    pub fn row(&self, cells: &Cells, palette: Palette, is_selected: bool) -> Line<'static> {
        if cells.is_title {
            let title = cut_end(&cells.name, self.whole());
            return Line::styled(title, palette.crumbs());
        }
        let style = |style: Style| if is_selected { Style::new() } else { style };
        let mut line = Line::default();
        let mut put = |has: bool, text: String, of: Style| {
            if has {
                line.push_span(Span::styled(format!("{text} "), style(of)));
            }
        };
        let plain = Style::new();
        put(self.has_size, pad(&cells.size, SIZE, true), plain);
        let share = cells.share.map(|share| format!("{:.1}%", 100.0 * share));
        put(
            self.has_share,
            pad(&share.unwrap_or_default(), SHARE, true),
            plain,
        );
        put(self.has_bar, bar(cells.share), palette.bar());
        put(self.has_came, pad(&cells.came, CAME, true), palette.came());
        put(self.has_count, pad(&cells.count, COUNT, true), plain);
        put(self.has_kind, pad(cells.kind, KIND, false), palette.kind());
        // Names say more than what they name.
        let mark = if cells.is_new { "+ " } else { "" };
        let room = self.rest.saturating_sub(width(mark));
        let name = cut_middle(&luasnap_format::fit(&cells.name, room, width), room);
        let left = room.saturating_sub(width(&name) + 2);
        line.push_span(Span::styled(mark, style(palette.came())));
        line.push_span(name);
        if left > 3 && !cells.what.is_empty() {
            let what = format!("  {}", cut_end(&cells.what, left));
            line.push_span(Span::styled(what, style(palette.what())));
        }
        line
    }

    /// Returns an explanation of a key.
    pub fn help(&self, cells: &Cells, palette: Palette) -> Line<'static> {
        const KEYS: usize = 24;
        let columns = self.whole();
        if cells.what.is_empty() {
            return Line::raw(cut_end(&cells.name, columns));
        }
        let keys = pad(&cells.name, KEYS.min(columns), false);
        let what = cut_end(&cells.what, columns.saturating_sub(KEYS + 1));
        Line::from(vec![
            Span::styled(keys, palette.key()),
            Span::raw(" "),
            Span::raw(what),
        ])
    }

    /// Returns the width of the screen.
    fn whole(&self) -> usize {
        let all = [
            (self.has_size, SIZE),
            (self.has_share, SHARE),
            (self.has_bar, BAR),
            (self.has_came, CAME),
            (self.has_count, COUNT),
            (self.has_kind, KIND),
        ];
        let taken = all
            .iter()
            .filter(|column| column.0)
            .map(|column| column.1 + 1);
        self.rest + taken.sum::<usize>()
    }
}

/// Returns a bar whose length is this part of the column, in eighths of a character.
fn bar(share: Option<f64>) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let share = share.unwrap_or(0.0).clamp(0.0, 1.0);
    let eighths = (share * (BAR * 8) as f64).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    let rest = eighths % 8;
    if rest > 0 {
        bar.push(PARTS[rest]);
    }
    pad(&bar, BAR, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        for (share, expected) in [
            (None, "          "),
            (Some(0.0), "          "),
            (Some(0.5), "█████     "),
            (Some(0.56), "█████▋    "),
            (Some(1.0), "██████████"),
            (Some(7.0), "██████████"),
            (Some(f64::NAN), "          "),
        ] {
            assert_eq!(bar(share), expected, "{share:?}");
        }
    }
}
