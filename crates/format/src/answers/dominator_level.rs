//! A level of the dominator tree, and the rows on it: which there are, and in which order.

use luasnap_heap::NodeId;
use std::ops::Range;

/// A level of the dominator tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DominatorLevel {
    /// What an object dominates immediately, with many of one group as one row. [`NodeId::ROOT`] has all the rest.
    Children(NodeId),
    /// The members of one such row.
    Members {
        /// The object above.
        above: NodeId,
        /// The number of the row's fold.
        fold: usize,
    },
}

impl DominatorLevel {
    /// The uppermost level.
    pub const TOP: DominatorLevel = DominatorLevel::Children(NodeId::ROOT);

    /// Returns the object above the rows.
    pub fn above(self) -> NodeId {
        match self {
            DominatorLevel::Children(node) | DominatorLevel::Members { above: node, .. } => node,
        }
    }
}

/// A row of a level, wherever it is listed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RowId(pub(crate) u32);

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowTarget {
    /// One object.
    Object(NodeId),
    /// Many of one group: the number of their fold.
    Fold(usize),
}

/// The rows of a level, none of them in words yet.
#[derive(Clone, Debug)]
pub struct LevelRows {
    pub(super) level: DominatorLevel,
    /// The numbers of the rows of many.
    pub(super) folds: Range<usize>,
    /// The places of the folds among all rows by retained size.
    pub(super) fold_places: Vec<u32>,
    /// How many rows of one object there are.
    pub(super) rest: usize,
}

impl LevelRows {
    /// Returns the level.
    pub fn level(&self) -> DominatorLevel {
        self.level
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.folds.len() + self.rest
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the row at a place by retained size, largest first; `None` behind the last one.
    pub fn by_retained(&self, at: usize) -> Option<RowId> {
        if at >= self.len() {
            return None;
        }
        let wanted = at as u32;
        let folds_before = self.fold_places.partition_point(|place| *place < wanted);
        let is_fold = self.fold_places.get(folds_before) == Some(&wanted);
        Some(RowId(match is_fold {
            true => folds_before as u32,
            false => (self.folds.len() + at - folds_before) as u32,
        }))
    }

    /// Returns the place of a row by retained size.
    pub fn place_by_retained(&self, row: RowId) -> usize {
        let row = row.0 as usize;
        match self.fold_places.get(row) {
            Some(place) => *place as usize,
            None => {
                // Each fold before it shifts it by one.
                let at = row - self.folds.len();
                let is_before = |fold: usize| self.fold_places[fold] as usize <= at + fold;
                let (mut low, mut high) = (0, self.folds.len());
                while low < high {
                    let middle = low + (high - low) / 2;
                    match is_before(middle) {
                        true => low = middle + 1,
                        false => high = middle,
                    }
                }
                at + low
            }
        }
    }
}
