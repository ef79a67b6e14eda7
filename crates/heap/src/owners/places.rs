//! Places that belong to nobody: the registry, the globals, the loaded modules.

use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::strength::Strength;

/// The modules that come with Lua and LuaJIT.
const STANDARD: [&[u8]; 14] = [
    b"_G",
    b"bit",
    b"bit32",
    b"coroutine",
    b"debug",
    b"ffi",
    b"io",
    b"jit",
    b"math",
    b"os",
    b"package",
    b"string",
    b"table",
    b"utf8",
];
/// What these modules keep in the registry.
const OF_STANDARD: [&[u8]; 8] = [
    b"FILE*",
    b"_CLIBS",
    b"_HOOKKEY",
    b"_IO_input",
    b"_IO_output",
    b"_LOADED",
    b"_LOADLIB",
    b"_PRELOAD",
];

/// The tables from which everything hangs. That they have an object says nothing; its name in them may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) globals: Option<NodeId>,
    pub(crate) registry: Option<NodeId>,
    /// `package.loaded`.
    pub(crate) loaded: Option<NodeId>,
}

impl Places {
    pub(crate) fn of(heap: &Heap) -> Places {
        let registry = heap.root_named(b"[REGISTRY]").map(|root| root.target);
        let loaded = registry.and_then(|registry| {
            let mut fields = strong_fields(heap, registry);
            let found = fields.find(|of| heap.name(of.0) == b"_LOADED");
            found.map(|of| of.1)
        });
        Places {
            globals: heap.globals(),
            registry,
            loaded: loaded.filter(|loaded| heap.kind(*loaded) == Kind::Table),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        [self.globals, self.registry, self.loaded]
            .into_iter()
            .flatten()
    }

    /// Returns the loaded modules by their names, but for the globals.
    pub(crate) fn modules<'h>(&self, heap: &'h Heap) -> impl Iterator<Item = (&'h [u8], NodeId)> {
        let globals = self.globals;
        let fields = self.loaded.into_iter();
        let fields = fields.flat_map(move |loaded| strong_fields(heap, loaded));
        let modules = fields.filter(move |of| Some(of.1) != globals);
        modules.map(|(name, module)| (heap.name(name), module))
    }
}

/// Whether a module comes with Lua: `string`, `jit.util`.
pub(crate) fn is_standard_module(name: &[u8]) -> bool {
    let first = name.split(|byte| *byte == b'.').next();
    first.is_some_and(|first| STANDARD.contains(&first))
}

/// Whether what the registry has under this name is of a module that comes with Lua.
pub(crate) fn is_standard_entry(name: &[u8]) -> bool {
    OF_STANDARD.contains(&name) || name.starts_with(b"LOADLIB: ")
}

/// Returns what a table has under string keys.
pub(crate) fn strong_fields(
    heap: &Heap,
    table: NodeId,
) -> impl Iterator<Item = (NameId, NodeId)> + '_ {
    let edges = heap.edges(table);
    edges.filter_map(|edge| match (edge.label, edge.strength) {
        (Label::Field(name), Strength::Strong) => Some((name, edge.target)),
        _ => None,
    })
}
