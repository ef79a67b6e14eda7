//! Rows in words, kept while they may be on the screen: what a table of millions of entries is takes a while to say.

use crate::failure::Result;
use crate::view::picture::Cells;
use std::collections::HashMap;

/// The most rows that are kept.
const MOST: usize = 1_000;

/// Rows in words, by their places in the list.
#[derive(Default)]
pub struct Labels {
    rows: HashMap<usize, Cells>,
}

impl Labels {
    /// Returns the row at a place, which is made if it is not there.
    pub fn row(&mut self, at: usize, make: impl FnOnce() -> Result<Cells>) -> Result<Cells> {
        if let Some(cells) = self.rows.get(&at) {
            return Ok(cells.clone());
        }
        let cells = make()?;
        if self.rows.len() == MOST {
            self.rows.clear();
        }
        self.rows.insert(at, cells.clone());
        Ok(cells)
    }

    /// Forgets all rows, since the list is another one.
    pub fn clear(&mut self) {
        self.rows.clear();
    }
}
