//! Building a heap from a stream of nodes and edges.

use crate::address_map::AddressMap;
use crate::error::BuildError;
use crate::grow::{copied, filled, push};
use crate::heap::Heap;
use crate::kind::Kind;
use crate::label::Label;
use crate::name::{NameId, NameIndex};
use crate::node::NodeId;
use crate::strength::Strength;

/// Edges that were added one after the other and have the same source.
#[derive(Clone, Copy, Debug)]
struct Run {
    source: NodeId,
    start: u32,
}

/// Takes nodes and edges in any order and makes a [`Heap`] of them.
///
/// Nodes are numbered in the order of their coming. Edges may come in any order too; those of one
/// node keep theirs. No call leaves the builder broken, so one that failed may be dropped or
/// finished as it stands.
#[derive(Debug)]
pub struct HeapBuilder {
    heap: Heap,
    map: AddressMap,
    name_index: NameIndex,
    runs: Vec<Run>,
}

impl Default for HeapBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl HeapBuilder {
    /// A builder whose heap has only the synthetic root.
    pub fn new() -> Self {
        HeapBuilder {
            heap: Heap::with_root(),
            map: AddressMap::default(),
            name_index: NameIndex::default(),
            runs: Vec::new(),
        }
    }

    /// How many nodes there are so far, the synthetic root included.
    pub fn node_count(&self) -> usize {
        self.heap.node_count()
    }

    /// The node of `kind` at `address`, and whether it is new.
    #[inline]
    pub fn node(&mut self, kind: Kind, address: u64) -> Result<(NodeId, bool), BuildError> {
        match self.find(kind, address) {
            Some(node) => Ok((node, false)),
            None => Ok((self.add(kind, address)?, true)),
        }
    }

    /// The node of `kind` at `address`, where there is one already.
    #[inline]
    pub fn find(&self, kind: Kind, address: u64) -> Option<NodeId> {
        self.map.find(self.heap.columns(), kind, address)
    }

    fn add(&mut self, kind: Kind, address: u64) -> Result<NodeId, BuildError> {
        // Room in the map first, so that what fails leaves no node that the map does not know.
        self.map.reserve(self.heap.columns(), 1)?;
        let node = self.heap.push_node(kind, address)?;
        self.map.insert(self.heap.columns(), node)?;
        Ok(node)
    }

    /// What the node is, as [`node`](Self::node) was told.
    pub fn kind(&self, node: NodeId) -> Kind {
        self.heap.kind(node)
    }

    /// Makes the node's kind more precise (a function turned out to be a C function).
    pub fn set_kind(&mut self, node: NodeId, kind: Kind) {
        self.heap.kinds[node.index()] = kind;
    }

    /// Sets the node's [shallow size](Heap::size), in bytes.
    #[inline]
    pub fn set_size(&mut self, node: NodeId, bytes: u64) {
        self.heap.sizes[node.index()] = bytes;
    }

    /// Sets the node's [count](Heap::count).
    #[inline]
    pub fn set_count(&mut self, node: NodeId, count: u32) {
        self.heap.counts[node.index()] = count;
    }

    /// Sets the node's [source](Heap::source).
    #[inline]
    pub fn set_source(&mut self, node: NodeId, source: NameId) {
        self.heap.sources[node.index()] = source;
    }

    /// The id of a name, which is added when it is new.
    #[inline]
    pub fn name(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        self.name_index.intern(&mut self.heap.names, bytes)
    }

    /// Adds a reference.
    #[inline]
    pub fn edge(
        &mut self,
        source: NodeId,
        target: NodeId,
        label: Label,
        strength: Strength,
    ) -> Result<(), BuildError> {
        if self.runs.last().is_none_or(|run| run.source != source) {
            let start =
                u32::try_from(self.heap.edge_count()).map_err(|_| BuildError::TooManyEdges)?;
            push(&mut self.runs, Run { source, start })?;
        }
        self.heap.push_edge(target, label, strength)
    }

    /// The heap of all that was added.
    pub fn finish(self) -> Result<Heap, BuildError> {
        let HeapBuilder {
            mut heap,
            map,
            name_index,
            runs,
        } = self;
        drop((map, name_index));
        if u32::try_from(heap.targets.len()).is_err() {
            return Err(BuildError::TooManyEdges);
        }
        heap.edge_starts = edge_starts(&heap, &runs)?;
        if !runs.is_sorted_by(|a, b| a.source < b.source) {
            regroup(&heap.edge_starts, &runs, &mut heap.targets)?;
            regroup(&heap.edge_starts, &runs, &mut heap.labels)?;
        }
        heap.shrink();
        Ok(heap)
    }
}

/// The runs with the range of edges that each covers.
fn ranges<'a>(
    runs: &'a [Run],
    edges: usize,
) -> impl Iterator<Item = (NodeId, std::ops::Range<usize>)> + 'a {
    let ends = runs
        .iter()
        .skip(1)
        .map(|run| run.start as usize)
        .chain([edges]);
    runs.iter()
        .zip(ends)
        .map(|(run, end)| (run.source, run.start as usize..end))
}

/// Where the edges of each node start once they are grouped by source.
fn edge_starts(heap: &Heap, runs: &[Run]) -> Result<Vec<u32>, BuildError> {
    let mut starts = filled(heap.node_count() + 1, 0u32)?;
    for (source, range) in ranges(runs, heap.targets.len()) {
        starts[source.index() + 1] += range.len() as u32;
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    Ok(starts)
}

/// Moves each run behind the earlier ones of its source.
fn regroup<T: Copy>(starts: &[u32], runs: &[Run], column: &mut Vec<T>) -> Result<(), BuildError> {
    let mut next = copied(starts)?;
    let mut grouped = copied(column)?;
    for (source, range) in ranges(runs, column.len()) {
        let to = next[source.index()] as usize;
        next[source.index()] += range.len() as u32;
        grouped[to..to + range.len()].copy_from_slice(&column[range]);
    }
    *column = grouped;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_grouped_by_source_in_their_own_order() {
        let mut builder = HeapBuilder::new();
        let (a, _) = builder.node(Kind::Table, 0x10).unwrap();
        let (b, _) = builder.node(Kind::Table, 0x20).unwrap();
        for (source, target, index) in [
            (NodeId::ROOT, a, 0),
            (b, a, 1),
            (a, b, 2),
            (b, b, 3),
            (a, a, 4),
        ] {
            builder
                .edge(source, target, Label::Index(index), Strength::Strong)
                .unwrap();
        }
        let heap = builder.finish().unwrap();
        let labels = |node| heap.edges(node).map(|edge| edge.label).collect::<Vec<_>>();
        assert_eq!(labels(NodeId::ROOT), [Label::Index(0)]);
        assert_eq!(labels(a), [Label::Index(2), Label::Index(4)]);
        assert_eq!(labels(b), [Label::Index(1), Label::Index(3)]);
        assert_eq!(heap.edges(a).next().unwrap().target, b);
    }

    #[test]
    fn an_empty_userdata_may_end_where_another_object_starts() {
        let mut builder = HeapBuilder::new();
        let (userdata, new) = builder.node(Kind::Userdata, 0x40).unwrap();
        assert!(new);
        let (table, new) = builder.node(Kind::Table, 0x40).unwrap();
        assert!(new);
        assert_ne!(userdata, table);
        assert_eq!(
            builder.node(Kind::Userdata, 0x40).unwrap(),
            (userdata, false)
        );
        assert_eq!(builder.find(Kind::Table, 0x40), Some(table));
    }

    #[test]
    fn labels_that_do_not_fit_are_kept_beside() {
        let mut builder = HeapBuilder::new();
        let (a, _) = builder.node(Kind::Table, 0x10).unwrap();
        let labels = [
            Label::Index(-1),
            Label::Number(1.5),
            Label::Address(Kind::Userdata, 9),
        ];
        for label in labels {
            builder
                .edge(NodeId::ROOT, a, label, Strength::Ephemeron)
                .unwrap();
        }
        let heap = builder.finish().unwrap();
        for (edge, label) in heap.edges(NodeId::ROOT).zip(labels) {
            assert_eq!((edge.label, edge.strength), (label, Strength::Ephemeron));
        }
    }
}
