//! Walking a path tree depth-first, without a stack.

use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};

/// A step of a [`Walk`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visit {
    /// An object, before its children. The tree's root has depth 0.
    Enter {
        /// The object.
        rank: Rank,
        /// The number of steps below the tree's root.
        depth: u32,
    },
    /// An object, after its children.
    Leave {
        /// The object.
        rank: Rank,
        /// The number of steps below the tree's root.
        depth: u32,
    },
}

/// Visits every object of a tree: parents before children, siblings in canonical order.
///
/// Siblings have consecutive ranks, and each object knows its parent, so the walk takes no memory, however deep
/// the tree is.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    tree: &'a ShortestPathTree,
    next: Option<Visit>,
}

impl ShortestPathTree {
    /// Returns all objects depth-first.
    pub fn walk(&self) -> Walk<'_> {
        let first = Visit::Enter {
            rank: Rank::ROOT,
            depth: 0,
        };
        Walk {
            tree: self,
            next: (!self.is_empty()).then_some(first),
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Visit;

    #[inline]
    fn next(&mut self) -> Option<Visit> {
        let now = self.next?;
        self.next = match now {
            Visit::Enter { rank, depth } => {
                let children = self.tree.child_range(rank);
                Some(if children.is_empty() {
                    Visit::Leave { rank, depth }
                } else {
                    Visit::Enter {
                        rank: Rank(children.start),
                        depth: depth + 1,
                    }
                })
            }
            Visit::Leave { rank, depth } => self.tree.parent(rank).map(|parent| {
                let sibling = rank.0 + 1;
                if sibling < self.tree.child_range(parent).end {
                    Visit::Enter {
                        rank: Rank(sibling),
                        depth,
                    }
                } else {
                    Visit::Leave {
                        rank: parent,
                        depth: depth - 1,
                    }
                }
            }),
        };
        Some(now)
    }
}
