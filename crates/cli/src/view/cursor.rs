//! The selected row of a list, and the part of the list that is on the screen.

use std::ops::Range;

/// A place in a list of any length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// The selected row.
    pub at: usize,
    /// The first row on the screen.
    top: usize,
}

/// How the cursor moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

impl Cursor {
    /// Returns a cursor at a row.
    pub fn at(row: usize) -> Cursor {
        Cursor { at: row, top: 0 }
    }

    /// Moves in a list of `len` rows, of which `page` are on the screen.
    pub fn go(&mut self, by: Move, len: usize, page: usize) {
        let page = page.max(1);
        self.at = match by {
            Move::Up => self.at.saturating_sub(1),
            Move::Down => self.at + 1,
            Move::PageUp => self.at.saturating_sub(page),
            Move::PageDown => self.at + page,
            Move::Home => 0,
            Move::End => len,
        };
        self.at = self.at.min(len.saturating_sub(1));
    }

    /// Returns the rows on a screen that has room for `page`, the selected one among them.
    pub fn shown(&mut self, len: usize, page: usize) -> Range<usize> {
        let page = page.max(1);
        self.at = self.at.min(len.saturating_sub(1));
        let last_top = len.saturating_sub(page);
        let first = (self.at + 1).saturating_sub(page);
        self.top = self.top.clamp(first, self.at.max(first)).min(last_top);
        self.top..len.min(self.top + page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_stays_on_the_screen() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.shown(100, 10), 0..10);
        for (by, at, shown) in [
            (Move::Down, 1, 0..10),
            (Move::PageDown, 11, 2..12),
            (Move::Up, 10, 2..12),
            (Move::End, 99, 90..100),
            (Move::Down, 99, 90..100),
            (Move::PageUp, 89, 89..99),
            (Move::Home, 0, 0..10),
            (Move::Up, 0, 0..10),
        ] {
            cursor.go(by, 100, 10);
            assert_eq!((cursor.at, cursor.shown(100, 10)), (at, shown), "{by:?}");
        }
        // A list may become shorter, and a screen smaller.
        let mut cursor = Cursor::at(50);
        assert_eq!(cursor.shown(20, 10), 10..20);
        assert_eq!(cursor.shown(20, 3), 17..20);
        assert_eq!(cursor.shown(0, 10), 0..0);
        assert_eq!(cursor.shown(5, 0), 0..1);
    }
}
