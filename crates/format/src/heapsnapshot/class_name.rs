//! What a table or userdata is an instance of: the rows of DevTools' Memory panel.

use luasnap_heap::{Heap, Kind, Label, NodeId, Snapshot};
use rustc_hash::FxHashMap;
use std::io;

/// The names of classes, by their metatables, as they are asked for.
pub(super) struct ClassNames<'a> {
    heap: &'a Heap,
    /// The string that names the class; [`NodeId::ROOT`] where none does.
    by_metatable: FxHashMap<NodeId, NodeId>,
}

impl<'a> ClassNames<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> io::Result<Self> {
        Ok(ClassNames {
            heap: snapshot.everything(),
            by_metatable: FxHashMap::default(),
        })
    }

    /// The class of a table or userdata, by its metatable's `__name`. None where it has no name.
    pub(super) fn class_name(&mut self, node: NodeId) -> io::Result<Option<&[u8]>> {
        let metatable = self
            .heap
            .edges(node)
            .find(|edge| edge.label == Label::Metatable)
            .map(|edge| edge.target);
        let Some(metatable) = metatable else {
            return Ok(None);
        };
        let name = match self.by_metatable.get(&metatable) {
            Some(name) => *name,
            None => self.learn(metatable)?,
        };
        Ok(Some(self.heap.source(name)).filter(|name| !name.is_empty()))
    }

    fn learn(&mut self, metatable: NodeId) -> io::Result<NodeId> {
        let name = name_in(self.heap, metatable).unwrap_or(NodeId::ROOT);
        self.by_metatable
            .try_reserve(1)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.by_metatable.insert(metatable, name);
        Ok(name)
    }
}

fn name_in(heap: &Heap, metatable: NodeId) -> Option<NodeId> {
    heap.edges(metatable)
        .find(|edge| match edge.label {
            Label::Field(name) => {
                heap.name(name) == b"__name" && heap.kind(edge.target) == Kind::String
            }
            _ => false,
        })
        .map(|edge| edge.target)
}
