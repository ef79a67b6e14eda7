//! The contents of the file: the reachable objects, in order, and the references among them.

use crate::answer_error::{AnswerError, Result};
use luasnap_heap::{Heap, Label, NodeId, Reach, Strength, Through, prefetch};

/// The row of the node in which readers look for the GC roots. The row before it is the root's.
pub(super) const GC_ROOTS: u32 = 1;
/// Numbers per node row. A reference gives its target as the position of the row's first number.
pub(super) const NODE_FIELDS: u64 = 7;
/// The number of rows before those of the objects.
const SYNTHETIC: u32 = 2;

/// An ephemeron that keeps its value alive: by its table and its key together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Pair {
    key: NodeId,
    /// The number of the table's reference to the value.
    pub(super) edge: u32,
}

/// Which objects and references are written, and in which rows.
#[derive(Debug)]
pub(super) struct Contents {
    /// By node: its row; 0 for nodes that are not written.
    ordinals: Vec<u32>,
    row_count: u32,
    edge_count: u64,
    /// By their keys.
    pairs: Vec<Pair>,
}

impl Contents {
    pub(super) fn new(heap: &Heap) -> Result<Contents> {
        let mut contents = Contents::with_rows(heap)?;
        let roots = contents.root_count(heap) as u64;
        // The root refers to all GC roots, and to the node that refers to them again.
        let mut edge_count = 2 * roots + 1;
        let mut pairs = Vec::new();
        for node in contents.nodes() {
            for edge in contents.edges(heap, node) {
                edge_count += 1;
                note_pair(&mut pairs, heap, edge)?;
            }
        }
        pairs.sort_unstable();
        contents.edge_count = edge_count + pairs.len() as u64;
        contents.pairs = pairs;
        Ok(contents)
    }

    /// Gives every reachable object its row.
    fn with_rows(heap: &Heap) -> Result<Contents> {
        let reach = Reach::new(heap, Through::Everything)?;
        let mut ordinals = Vec::new();
        ordinals.try_reserve_exact(heap.node_count())?;
        let mut row_count = SYNTHETIC;
        for node in heap.nodes() {
            let is_written = node != NodeId::ROOT && reach.contains(node);
            ordinals.push(if is_written { row_count } else { 0 });
            row_count += u32::from(is_written);
        }
        let past_the_end = u64::from(row_count) * NODE_FIELDS;
        if u32::try_from(past_the_end).is_err() {
            return Err(AnswerError::TooMany("objects"));
        }
        Ok(Contents {
            ordinals,
            row_count,
            edge_count: 0,
            pairs: Vec::new(),
        })
    }

    /// Returns the number of rows of nodes.
    pub(super) fn row_count(&self) -> u32 {
        self.row_count
    }

    /// Returns the number of rows of references.
    pub(super) fn edge_count(&self) -> u64 {
        self.edge_count
    }

    /// Returns the number of objects that are written.
    pub(super) fn object_count(&self) -> usize {
        (self.row_count - SYNTHETIC) as usize
    }

    /// Returns the row of a node.
    #[inline]
    pub(super) fn ordinal(&self, node: NodeId) -> u32 {
        self.ordinals[node.index()]
    }

    /// Prefetches what one of the next references needs.
    #[inline]
    pub(super) fn read_ahead(&self, heap: &Heap, edge: usize) {
        let ahead = edge + 24;
        if ahead < heap.edge_count() {
            prefetch(self.ordinal(heap.target(ahead)));
        }
    }

    #[inline]
    fn has(&self, node: NodeId) -> bool {
        self.ordinal(node) != 0
    }

    /// Returns the objects that are written, in the order of their rows.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        let is_written = |(_, ordinal): &(u32, &u32)| **ordinal != 0;
        (0..)
            .zip(&self.ordinals)
            .filter(is_written)
            .map(|(node, _)| NodeId(node))
    }

    /// Returns the references of an object that are written.
    #[inline]
    pub(super) fn edges(&self, heap: &Heap, node: NodeId) -> impl Iterator<Item = usize> {
        let is_written = |edge: &usize| self.has_edge(heap, *edge);
        heap.edge_range(node).filter(is_written)
    }

    /// Returns the GC roots.
    pub(super) fn root_edges(&self, heap: &Heap) -> impl Iterator<Item = usize> {
        let is_written = |edge: &usize| self.has_edge(heap, *edge);
        heap.root_range().filter(is_written)
    }

    /// Returns the number of GC roots.
    pub(super) fn root_count(&self, heap: &Heap) -> usize {
        self.root_edges(heap).count()
    }

    /// Whether a reference of a written object is written. The target of a strong one always is.
    #[inline]
    fn has_edge(&self, heap: &Heap, edge: usize) -> bool {
        match heap.strength(edge) {
            Strength::Strong => true,
            Strength::WeakKey | Strength::WeakValue => self.has(heap.target(edge)),
            Strength::Ephemeron => match heap.label(edge) {
                Label::Object(key) => self.has(key),
                _ => true,
            },
        }
    }

    /// Returns the pairs, to be taken by key.
    pub(super) fn pairs(&self) -> Pairs<'_> {
        Pairs { rest: &self.pairs }
    }
}

fn note_pair(pairs: &mut Vec<Pair>, heap: &Heap, edge: usize) -> Result {
    if heap.strength(edge) != Strength::Ephemeron {
        return Ok(());
    }
    let Label::Object(key) = heap.label(edge) else {
        return Ok(());
    };
    if pairs.len() == pairs.capacity() {
        pairs.try_reserve(1)?;
    }
    // Edge numbers have 32 bits.
    let edge = edge as u32;
    pairs.push(Pair { key, edge });
    Ok(())
}

/// The pairs that have not been taken yet.
pub(super) struct Pairs<'a> {
    rest: &'a [Pair],
}

impl<'a> Pairs<'a> {
    /// Returns the pairs of a key. Keys must come in the order of their rows.
    #[inline]
    pub(super) fn of_key(&mut self, key: NodeId) -> &'a [Pair] {
        if self.rest.first().is_none_or(|pair| pair.key != key) {
            return &[];
        }
        let count = self.rest.iter().take_while(|pair| pair.key == key).count();
        let (found, rest) = self.rest.split_at(count);
        self.rest = rest;
        found
    }
}
