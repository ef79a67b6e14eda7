//! What keys mean.

use crate::view::cursor::Move;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a user wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Selects another row.
    Move(Move),
    /// Goes into the selected row.
    Open,
    /// Goes up in the tree.
    Up,
    /// Goes back to where one was, and cancels what is under way.
    Back,
    Groups,
    Path,
    Retainers,
    Suspects,
    Search,
    Order,
    Difference,
    Help,
    Quit,
    /// Stops the program, as a shell's user does.
    Suspend,
    /// Draws everything again.
    Redraw,
}

/// A key in a line that is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    Character(char),
    Erase,
    EraseAll,
    Finish,
    GiveUp,
}

/// Returns the command of a key; `None` if it has none.
pub fn command(key: KeyEvent) -> Option<Command> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Command::Quit),
            KeyCode::Char('z') => Some(Command::Suspend),
            KeyCode::Char('l') => Some(Command::Redraw),
            // Some terminals send it for Backspace.
            KeyCode::Char('h') => Some(Command::Up),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Up | KeyCode::Char('k') => Command::Move(Move::Up),
        KeyCode::Down | KeyCode::Char('j') => Command::Move(Move::Down),
        KeyCode::PageUp => Command::Move(Move::PageUp),
        KeyCode::PageDown | KeyCode::Char(' ') => Command::Move(Move::PageDown),
        KeyCode::Home => Command::Move(Move::Home),
        KeyCode::End => Command::Move(Move::End),
        KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') => Command::Open,
        KeyCode::Left | KeyCode::Backspace | KeyCode::Char('h') => Command::Up,
        KeyCode::Esc => Command::Back,
        KeyCode::Char('g') => Command::Groups,
        KeyCode::Char('p') => Command::Path,
        KeyCode::Char('r') => Command::Retainers,
        KeyCode::Char('s') => Command::Suspects,
        KeyCode::Char('/') => Command::Search,
        KeyCode::Char('o') => Command::Order,
        KeyCode::Char('d') => Command::Difference,
        KeyCode::Char('?') | KeyCode::F(1) => Command::Help,
        KeyCode::Char('q') => Command::Quit,
        _ => return None,
    })
}

/// Returns what a key does to a line that is typed; `None` if nothing.
pub fn typed(key: KeyEvent) -> Option<Typed> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Typed::GiveUp),
            KeyCode::Char('u') => Some(Typed::EraseAll),
            KeyCode::Char('h') => Some(Typed::Erase),
            _ => None,
        };
    }
    match key.code {
        KeyCode::Char(character) => Some(Typed::Character(character)),
        KeyCode::Backspace => Some(Typed::Erase),
        KeyCode::Enter => Some(Typed::Finish),
        KeyCode::Esc => Some(Typed::GiveUp),
        _ => None,
    }
}
