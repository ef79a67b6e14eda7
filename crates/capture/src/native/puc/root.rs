//! The GC roots: what the VM itself refers to.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read};
use crate::native::layout_mismatch::Swept;
use crate::native::puc::sweep::Sweep;
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Label, NodeId, Strength};

/// The basic types whose metatables are roots, by their numbers in the C API, in the order of these
/// roots.
const BASIC_TYPES: [(u16, &str); 7] = [
    (0, "[metatable:nil]"),
    (1, "[metatable:boolean]"),
    (3, "[metatable:number]"),
    (4, "[metatable:string]"),
    (2, "[metatable:light userdata]"),
    (8, "[metatable:thread]"),
    (6, "[metatable:function]"),
];

/// `LUA_RIDX_GLOBALS`.
const GLOBALS: u64 = 2;

impl<M: Memory> Sweep<'_, M> {
    /// Gives the synthetic root its references. The first is the registry.
    pub(super) fn add_edges_of_globals(&mut self) -> Swept {
        let places = &self.layout().global_state;
        self.heap.begin_edges();
        self.root(self.global.word(places.registry), "[REGISTRY]")?;
        let running = self.origin.running_thread;
        if running != 0 && running != self.main_thread {
            self.root(running, "[running]")?;
        }
        self.root(self.main_thread, "[mainthread]")?;
        for (number, name) in BASIC_TYPES {
            self.root(self.global.word(places.metatables + 8 * number), name)?;
        }
        self.roots("[finalizer]", |sweep| {
            std::mem::take(&mut sweep.to_be_finalized)
        })?;
        self.roots("[fixed]", |sweep| std::mem::take(&mut sweep.fixed))?;
        self.heap.end_edges(NodeId::ROOT)?;
        self.note_globals();
        Ok(())
    }

    fn root(&mut self, address: u64, name: &'static str) -> Swept {
        let name = self.heap.intern(name.as_bytes())?;
        self.refer_to_object(NodeId::ROOT, address, Label::Root(name))
    }

    fn roots(&mut self, name: &'static str, take: impl FnOnce(&mut Self) -> Vec<NodeId>) -> Swept {
        let name = self.heap.intern(name.as_bytes())?;
        for node in take(self) {
            self.heap.edge(node, Label::Root(name), Strength::Strong)?;
        }
        Ok(())
    }

    /// Notes the table of globals: in 5.1 that of the running thread, or else of the main thread;
    /// later that in the registry.
    fn note_globals(&mut self) {
        let globals = match self.layout().state.globals {
            ABSENT => {
                let registry = self.global.word(self.layout().global_state.registry);
                self.integer_field(registry, GLOBALS)
            }
            place => {
                let thread = match self.origin.running_thread {
                    0 => self.main_thread,
                    running => running,
                };
                self.memory.word(thread + u64::from(place))
            }
        };
        if let Some(globals) = globals.and_then(|address| self.heap.find(address)) {
            self.heap.set_globals(globals);
        }
    }
}
