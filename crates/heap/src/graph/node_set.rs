//! A set of nodes with one bit for each: a 32nd of a column of numbers, so that more of it stays in the
//! cache.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, room};
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;

/// A set of the nodes of one heap.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// Returns the empty set, with room for `nodes` nodes.
    pub(crate) fn with_room_for(nodes: usize) -> Result<NodeSet, BuildError> {
        Ok(NodeSet {
            words: filled(nodes.div_ceil(64), 0)?,
        })
    }

    #[inline]
    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.words[node.index() / 64] >> (node.0 % 64) & 1 != 0
    }

    /// Adds a node. Returns false if it was there already.
    #[inline]
    pub(crate) fn insert(&mut self, node: NodeId) -> bool {
        let word = &mut self.words[node.index() / 64];
        let bit = 1 << (node.0 % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// How many nodes [`insert_run`](Self::insert_run) adds.
    pub(crate) const RUN: usize = 64;

    /// Adds a run of nodes, of which `first` is the first.
    #[inline]
    pub(crate) fn insert_run(&mut self, first: NodeId) {
        let (word, bit) = (first.index() / 64, first.0 % 64);
        self.words[word] |= u64::MAX << bit;
        if bit > 0 {
            self.words[word + 1] |= !(u64::MAX << bit);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, node: NodeId) {
        self.words[node.index() / 64] &= !(1 << (node.0 % 64));
    }

    /// Returns the number of nodes.
    pub(crate) fn len(&self) -> usize {
        let counts = self.words.iter().map(|word| word.count_ones() as usize);
        counts.sum()
    }

    /// Whether there are no nodes.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Adds all nodes of another set of the same heap.
    pub(crate) fn add_all(&mut self, other: &NodeSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Returns a copy.
    pub(crate) fn copied(&self) -> Result<NodeSet, BuildError> {
        let mut words = room(self.words.len())?;
        words.extend_from_slice(&self.words);
        Ok(NodeSet { words })
    }

    /// Removes what is not `kept`, and returns that.
    pub(crate) fn split_off(&mut self, kept: &NodeSet) -> Result<NodeSet, BuildError> {
        let mut words = room(self.words.len())?;
        for (word, kept) in self.words.iter_mut().zip(&kept.words) {
            words.push(*word & !kept);
            *word &= kept;
        }
        Ok(NodeSet { words })
    }

    /// Returns the nodes from the first to the last.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let rest = |word: &u64| Some(word & (word - 1)).filter(|word| *word != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), rest);
            words.map(move |word| NodeId((64 * at) as u32 + word.trailing_zeros()))
        })
    }

    /// Returns the nodes from the last to the first.
    pub(crate) fn nodes_from_last(&self) -> impl Iterator<Item = NodeId> + '_ {
        // One behind the last node that there may be; ids end before that.
        let end = NodeId((64 * self.words.len()).min(u32::MAX as usize) as u32);
        std::iter::successors(self.last_below(end), |node| self.last_below(*node))
    }

    /// Removes all nodes.
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Whether a node is in both sets, which are of one heap.
    pub(crate) fn intersects(&self, other: &NodeSet) -> bool {
        let mut both = self.words.iter().zip(&other.words);
        both.any(|(one, other)| one & other != 0)
    }

    /// Returns the last member with an id below that of `end`, which may be one behind the last node's.
    #[inline]
    pub(crate) fn last_below(&self, end: NodeId) -> Option<NodeId> {
        let mut at = end.index() / 64;
        let bits = end.0 % 64;
        let mut word = match bits {
            0 => 0,
            bits => self.words[at] & !(u64::MAX << bits),
        };
        while word == 0 {
            at = at.checked_sub(1)?;
            word = self.words[at];
        }
        Some(NodeId((64 * at) as u32 + word.ilog2()))
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.words)
    }

    /// Prefetches what a query for `node` will need.
    #[inline]
    pub(crate) fn prefetch(&self, node: NodeId) {
        prefetch(self.words[node.index() / 64]);
    }
}
