//! Names in the program's code. All others are data.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::reach::shortest_path_tree::ShortestPathTree;

/// The names that are constants of code in use.
pub(crate) struct KnownNames {
    /// By name.
    is_known: Vec<bool>,
}

impl KnownNames {
    /// Returns the names in a heap's code; `None` if the heap has no code, as with the portable
    /// engine.
    pub(crate) fn of(
        heap: &Heap,
        tree: &ShortestPathTree,
    ) -> Result<Option<KnownNames>, BuildError> {
        let prototypes = || {
            let is_in_use =
                |&node: &NodeId| heap.kind(node) == Kind::Prototype && tree.contains(node);
            heap.nodes().filter(is_in_use)
        };
        if prototypes().next().is_none() {
            return Ok(None);
        }
        let mut known = KnownNames {
            is_known: filled(heap.names.len(), false)?,
        };
        let constants = prototypes().flat_map(|prototype| heap.edges(prototype));
        for constant in constants.filter(|edge| edge.label == Label::Constant) {
            match heap.kind(constant.target) {
                Kind::String => known.add(heap.source_id(constant.target)),
                // LuaJIT copies tables from a template, which has their keys.
                Kind::Table => known.add_keys(heap, constant.target),
                _ => {}
            }
        }
        Ok(Some(known))
    }

    #[inline]
    pub(crate) fn contains(&self, name: NameId) -> bool {
        self.is_known[name.0 as usize]
    }

    fn add(&mut self, name: NameId) {
        self.is_known[name.0 as usize] = true;
    }

    fn add_keys(&mut self, heap: &Heap, table: NodeId) {
        for edge in heap.edges(table) {
            match edge.label {
                Label::Field(name) => self.add(name),
                Label::Key if heap.kind(edge.target) == Kind::String => {
                    self.add(heap.source_id(edge.target));
                }
                _ => {}
            }
        }
    }
}
