//! The shapes of the code of a heap that was loaded without a name.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::loaded_code::{CodeShape, LoadedCode};
use crate::graph::node::NodeId;

impl Heap {
    /// Returns the code that was loaded without a name, in the order of its nodes. Empty if its shapes are not
    /// known, as in a file of an older luasnap.
    pub fn loaded_code(&self) -> &[LoadedCode] {
        &self.loaded_code
    }

    /// Returns the shape of a function or a prototype whose source begins as [`LOADED_SOURCE`](crate::LOADED_SOURCE), if it is known.
    pub fn shape_of_loaded_code(&self, node: NodeId) -> Option<CodeShape> {
        let found = self.loaded_code.binary_search_by_key(&node, |of| of.node);
        found.ok().map(|at| self.loaded_code[at].shape)
    }

    /// Notes the shape of code that was loaded without a name, in any order.
    pub(crate) fn note_loaded_code(
        &mut self,
        node: NodeId,
        shape: CodeShape,
    ) -> Result<(), BuildError> {
        push(&mut self.loaded_code, LoadedCode { node, shape })
    }

    /// Puts the code that was loaded without a name into the order of its nodes.
    pub(crate) fn sort_loaded_code(&mut self) {
        self.loaded_code.sort_unstable_by_key(|of| of.node);
    }
}
