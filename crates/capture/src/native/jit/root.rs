//! The GC roots: what the VM itself refers to.

use crate::layout::ABSENT;
use crate::memory::memory::Memory;
use crate::native::jit::references::References;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::Swept;
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, Label, NodeId, Strength};

/// The basic types whose metatables are roots, by their tags, in the order of these roots. (`false`
/// and `true` have one metatable.)
const BASIC_TYPES: [(u16, &str); 7] = [
    (0, "[metatable:nil]"),
    (2, "[metatable:boolean]"),
    (13, "[metatable:number]"),
    (4, "[metatable:string]"),
    (3, "[metatable:light userdata]"),
    (6, "[metatable:thread]"),
    (8, "[metatable:function]"),
];

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Gives the synthetic root its references. The first is the registry.
    pub(super) fn add_edges_of_globals(&mut self) -> Swept {
        let places = &self.layout.global_state;
        self.heap.begin_edges();
        let registry = R::value(self.global.word(places.registry));
        self.root(registry.address(), "[REGISTRY]")?;
        let running = self.origin.running_thread;
        if running != 0 && running != self.main_thread {
            self.root(running, "[running]")?;
        }
        self.root(self.main_thread, "[mainthread]")?;
        for (number, name) in BASIC_TYPES {
            let place = places.roots + R::SIZE * (places.root_metatables + number);
            self.root(R::at(self.global, place), name)?;
        }
        let waiting = std::mem::take(&mut self.to_be_finalized);
        self.roots("[finalizer]", waiting)?;
        let fixed = std::mem::take(&mut self.fixed);
        self.roots("[fixed]", fixed)?;
        self.hidden_roots()?;
        self.heap.end_edges(NodeId::ROOT)?;
        self.note_globals();
        Ok(())
    }

    fn root(&mut self, address: u64, name: &'static str) -> Swept {
        let name = self.heap.intern(name.as_bytes())?;
        self.refer_to_object(NodeId::ROOT, address, Label::Root(name))
    }

    fn roots(&mut self, name: &'static str, nodes: Vec<NodeId>) -> Swept {
        let name = self.heap.intern(name.as_bytes())?;
        for node in nodes {
            self.heap.edge(node, Label::Root(name), Strength::Strong)?;
        }
        Ok(())
    }

    /// Adds what the VM refers to and no API function shows: names of metamethods, the metatable of
    /// cdata, standard files, finalizers of cdata, a thread of its own.
    fn hidden_roots(&mut self) -> Swept {
        let places = &self.layout.global_state;
        let name = self.heap.intern(b"[root]")?;
        let is_basic = |number: u16| {
            let number = number.checked_sub(places.root_metatables);
            BASIC_TYPES.iter().any(|&(basic, _)| Some(basic) == number)
        };
        let others = (0..places.root_count)
            .filter(|&number| !is_basic(number))
            .map(|number| places.roots + R::SIZE * number);
        let thread = Some(places.vm_thread).filter(|&place| place != ABSENT);
        for place in others.chain(thread) {
            let Some(node) = self.heap.find(R::at(self.global, place)) else {
                continue;
            };
            let label = match self.heap.kind(node) {
                Kind::String => Label::Root(name),
                _ => Label::Constant,
            };
            self.heap.edge(node, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// Notes the table of globals: that of the running thread, or else of the main thread.
    fn note_globals(&mut self) {
        let thread = match self.origin.running_thread {
            0 => self.main_thread,
            running => running,
        };
        let globals = self.reference(thread + u64::from(self.layout.state.globals));
        if let Some(globals) = globals.and_then(|address| self.heap.find(address)) {
            self.heap.set_globals(globals);
        }
    }
}
