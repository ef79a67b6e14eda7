//! The first rows of a level in some order: the first pages of a long list first.

use crate::answer_error::Result;
use crate::answers::dominator_level::{LevelRows, RowId};
use crate::answers::dominator_rows::DominatorRows;
use crate::answers::row_order::RowOrder;
use std::cmp::Reverse;

/// The search for the first rows of a level in some order. A level may have ten million rows: it is gone through
/// piece by piece, and the best rows so far are there at any time.
#[derive(Debug)]
pub struct FirstRows {
    order: RowOrder,
    next: u32,
    most: usize,
    /// The best so far, and some that were not compared with them yet.
    found: Vec<(Reverse<u64>, u32)>,
}

impl FirstRows {
    /// Begins the search for the first `most` rows.
    pub fn new(order: RowOrder, most: usize) -> FirstRows {
        FirstRows {
            order,
            next: 0,
            most: most.max(1),
            found: Vec::new(),
        }
    }

    /// Looks at the next `many` rows. Returns whether there are more.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn look(&mut self, rows: &DominatorRows, level: &LevelRows, many: usize) -> Result<bool> {
        let end = level.len().min(self.next as usize + many);
        for row in self.next..end as u32 {
            let key = rows.key(level, RowId(row), self.order)?;
            if self.found.len() == 2 * self.most {
                self.found.select_nth_unstable(self.most);
                self.found.truncate(self.most);
            }
            self.found.try_reserve(1)?;
            self.found.push((Reverse(key), row));
        }
        self.next = end as u32;
        Ok(end < level.len())
    }

    /// Returns the number of rows that were looked at.
    pub fn seen(&self) -> usize {
        self.next as usize
    }

    /// Returns the first rows of those that were looked at. Ties keep the order by retained size.
    pub fn rows(&mut self) -> Vec<RowId> {
        self.found.sort_unstable();
        self.found.truncate(self.most);
        self.found.iter().map(|(_, row)| RowId(*row)).collect()
    }
}
