//! The rounds in which the owners of all objects are found, the best evidence first.
//!
//! 1. Code is its source's, a module is its code's, a coroutine is that of the code it runs.
//! 2. What code holds itself, by upvalues, constants, environments, globals and modules, is that code's.
//! 3. What all these hold is theirs.
//! 4. What only stacks hold is that of the code in whose call it is.
//! 5. What is left and held by code without a name is that code's.
//! 6. What is left in the registry is that of the functions in it.
//! 7. What is left and held by the VM is the VM's.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::groups::coroutine::coroutine_body;
use crate::owners::constants::Constants;
use crate::owners::evidence::OwnerId;
use crate::owners::joint_owners::JointOwners;
use crate::owners::places::{Places, is_standard_entry, is_standard_module, strong_fields};
use crate::owners::sources::Sources;
use crate::owners::spread::{Spread, is_slot};
use crate::reach::environments::environment_of;
use crate::reach::reach::Reach;

pub(crate) struct Rounds<'a, 'h> {
    heap: &'h Heap,
    reach: &'a Reach,
    places: Places,
    sources: &'a mut Sources<'h>,
    spread: Spread<'a>,
}

impl<'a, 'h: 'a> Rounds<'a, 'h> {
    /// Returns the owner of each object that `reach` has, by node, and what owners there are together.
    pub(crate) fn run(
        heap: &'h Heap,
        reach: &'a Reach,
        places: Places,
        sources: &'a mut Sources<'h>,
    ) -> Result<(Vec<OwnerId>, JointOwners), BuildError> {
        let mut rounds = Rounds {
            heap,
            reach,
            places,
            sources,
            spread: Spread::new(heap, reach, &places)?,
        };
        rounds.fix_code();
        rounds.fix_modules()?;
        rounds.fix_what_the_vm_has();
        rounds.fix_threads();
        rounds.give_what_code_holds()?;
        rounds.give_what_modules_hold()?;
        rounds.give_globals()?;
        rounds.spread.settle();
        rounds.spread.spread_from_all()?;
        rounds.give_what_stacks_hold()?;
        rounds.spread.spread()?;
        rounds.give_to_unnamed_code()?;
        rounds.spread.spread()?;
        rounds.give_registry()?;
        rounds.spread.spread()?;
        rounds.give_to_the_vm()?;
        rounds.spread.spread()?;
        Ok(rounds.spread.into_owners())
    }

    fn live(&self, is_wanted: fn(Kind) -> bool) -> impl Iterator<Item = NodeId> + use<'a, 'h> {
        let (heap, reach) = (self.heap, self.reach);
        let nodes = heap.nodes().filter(move |node| is_wanted(heap.kind(*node)));
        nodes.filter(move |node| reach.contains(*node))
    }

    /// Code without a name is that of whoever holds it.
    fn fix_code(&mut self) {
        for node in self.live(is_code) {
            let owner = self.sources.of_code(node);
            if owner != OwnerId::UNNAMED {
                self.spread.fix(node, owner);
            }
        }
    }

    /// Modules that come with Lua are first: another one may have their functions in it.
    fn fix_modules(&mut self) -> Result<(), BuildError> {
        let (heap, places) = (self.heap, self.places);
        for place in places.all() {
            self.spread.fix(place, OwnerId::LUA);
        }
        if let Some(globals) = places.globals {
            self.fix_functions_in(globals, OwnerId::LUA);
        }
        for is_standard in [true, false] {
            for (name, module) in places.modules(heap) {
                if is_standard_module(name) != is_standard || !is_module(heap.kind(module)) {
                    continue;
                }
                let owner = self
                    .sources
                    .of_module(name, module, &mut self.spread.joint)?;
                self.spread.fix(module, owner);
                self.fix_functions_in(module, self.spread.of(module));
            }
        }
        Ok(())
    }

    /// C functions have no source: they are those of the module in which they are.
    fn fix_functions_in(&mut self, table: NodeId, owner: OwnerId) {
        for (_, function) in strong_fields(self.heap, table) {
            if self.heap.kind(function) == Kind::CFunction {
                self.spread.fix(function, owner);
            }
        }
    }

    fn fix_what_the_vm_has(&mut self) {
        let heap = self.heap;
        for root in heap.root_range().map(|edge| heap.edge(edge)) {
            let is_of_the_vm =
                matches!(root.label, Label::Root(name) if is_of_the_vm(heap.name(name)));
            if is_of_the_vm && heap.kind(root.target) == Kind::String {
                self.spread.fix(root.target, OwnerId::LUA);
            }
        }
        if let Some(registry) = self.places.registry {
            for (name, entry) in strong_fields(heap, registry) {
                if is_standard_entry(heap.name(name)) && heap.kind(entry) == Kind::Table {
                    self.spread.fix(entry, OwnerId::LUA);
                }
            }
        }
    }

    fn fix_threads(&mut self) {
        for thread in self.live(|kind| kind == Kind::Thread) {
            let owner = self.of_what_runs(thread);
            if owner != OwnerId::UNNAMED {
                self.spread.fix(thread, owner);
            }
        }
    }

    /// Returns the owner of the code that a thread runs: of the function that it was started with, or, if that
    /// is a C function, of the one at which it is.
    fn of_what_runs(&self, thread: NodeId) -> OwnerId {
        let heap = self.heap;
        let body = coroutine_body(heap, thread);
        let body = body.filter(|body| heap.kind(*body) == Kind::LuaFunction);
        match (body, heap.thread(thread)) {
            (Some(body), _) => self.sources.of_code(body),
            (None, Some(state)) => self.sources.of_source(state.place.source),
            (None, None) => OwnerId::NONE,
        }
    }

    fn give_what_code_holds(&mut self) -> Result<(), BuildError> {
        let heap = self.heap;
        for code in self.live(|kind| is_code(kind) || kind == Kind::CFunction) {
            if !self.spread.is_settled(code) {
                continue;
            }
            let owner = self.spread.of(code);
            for edge in heap.edge_range(code) {
                if self.reach.holds(heap, edge) {
                    self.spread.give(heap.target(edge), owner)?;
                }
            }
        }
        // Functions share upvalues, so their owners are known only now.
        for upvalue in self.live(|kind| kind == Kind::Upvalue) {
            let owner = self.spread.of(upvalue);
            for edge in heap.edge_range(upvalue) {
                if self.reach.holds(heap, edge) {
                    self.spread.give(heap.target(edge), owner)?;
                }
            }
        }
        Ok(())
    }

    /// What a module has under names is the module's, and that of others who took it from there.
    fn give_what_modules_hold(&mut self) -> Result<(), BuildError> {
        let heap = self.heap;
        for (_, module) in self.places.modules(heap) {
            let owner = self.spread.of(module);
            if self.spread.is_settled(module) && heap.kind(module) == Kind::Table {
                for (_, value) in strong_fields(heap, module) {
                    self.spread.give(value, owner)?;
                }
            }
        }
        Ok(())
    }

    /// A global is that of the only code that names it. If no code is known, the functions in it say whose it
    /// is. Where a host gives several scripts one environment, what is in it is global too.
    fn give_globals(&mut self) -> Result<(), BuildError> {
        let (heap, reach) = (self.heap, self.reach);
        let mut tables = Vec::new();
        if let Some(globals) = self.places.globals {
            push(&mut tables, globals)?;
        }
        self.add_shared_environments(&mut tables)?;
        let is_live = |node| reach.contains(node);
        let constants = Constants::new(
            heap,
            &tables,
            (self.sources, &mut self.spread.joint),
            is_live,
        )?;
        for &table in &tables {
            for (name, value) in strong_fields(heap, table) {
                let owner = match constants.are_known {
                    true => constants.of(name),
                    false => self
                        .sources
                        .of_functions_in(value, &mut self.spread.joint)?,
                };
                self.spread.give(value, owner)?;
            }
        }
        Ok(())
    }

    /// Makes places of environments that code of several owners has.
    fn add_shared_environments(&mut self, tables: &mut Vec<NodeId>) -> Result<(), BuildError> {
        let heap = self.heap;
        let mut found = NodeSet::with_room_for(heap.node_count())?;
        for function in self.live(|kind| kind == Kind::LuaFunction) {
            let Some(table) = environment_of(heap, function) else {
                continue;
            };
            if self.spread.of(table).is_shared() && found.insert(table) {
                self.spread.make_place(table);
                push(tables, table)?;
            }
        }
        Ok(())
    }

    fn give_what_stacks_hold(&mut self) -> Result<(), BuildError> {
        for thread in self.live(|kind| kind == Kind::Thread) {
            for (slot, value) in slots(self.heap, thread) {
                let owner = match self.sources.of_slot(slot) {
                    OwnerId::NONE | OwnerId::UNNAMED => self.spread.of(thread),
                    owner => owner,
                };
                self.spread.give(value, owner)?;
            }
        }
        Ok(())
    }

    fn give_to_unnamed_code(&mut self) -> Result<(), BuildError> {
        for code in self.live(is_code) {
            if self.sources.of_code(code) == OwnerId::UNNAMED {
                self.spread.give(code, OwnerId::UNNAMED)?;
            }
        }
        for thread in self.live(|kind| kind == Kind::Thread) {
            if self.of_what_runs(thread) == OwnerId::UNNAMED {
                self.spread.give(thread, OwnerId::UNNAMED)?;
            }
            for (slot, value) in slots(self.heap, thread) {
                if self.sources.of_slot(slot) == OwnerId::UNNAMED {
                    self.spread.give(value, OwnerId::UNNAMED)?;
                }
            }
        }
        Ok(())
    }

    fn give_registry(&mut self) -> Result<(), BuildError> {
        if let Some(registry) = self.places.registry {
            for edge in self.heap.edge_range(registry) {
                let entry = self.heap.target(edge);
                let is_live = self.reach.holds(self.heap, edge);
                if is_live && is_module(self.heap.kind(entry)) {
                    let joint = &mut self.spread.joint;
                    let owner = self.sources.of_functions_in(entry, joint)?;
                    self.spread.give(entry, owner)?;
                }
            }
        }
        Ok(())
    }

    /// The names of globals and modules, metatables of basic types, and a main thread that runs C alone.
    fn give_to_the_vm(&mut self) -> Result<(), BuildError> {
        let heap = self.heap;
        for root in heap.root_range().map(|edge| heap.edge(edge)) {
            let is_thread = heap.kind(root.target) == Kind::Thread;
            if is_thread || matches!(root.label, Label::Root(name) if is_of_the_vm(heap.name(name)))
            {
                self.spread.give(root.target, OwnerId::LUA)?;
            }
        }
        for place in self.places.all() {
            for edge in heap.edges(place) {
                let is_standard = match edge.label {
                    Label::Key => heap.kind(edge.target) == Kind::String,
                    Label::Field(name) => {
                        self.places.registry == Some(place) && is_standard_entry(heap.name(name))
                    }
                    _ => false,
                };
                if is_standard && !edge.strength.is_weak() {
                    self.spread.give(edge.target, OwnerId::LUA)?;
                }
            }
        }
        Ok(())
    }
}

fn is_code(kind: Kind) -> bool {
    matches!(kind, Kind::LuaFunction | Kind::Prototype)
}

/// Whether a value can be a module: other ones, such as `true`, say that there is none.
fn is_module(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Table | Kind::Userdata | Kind::CFunction | Kind::LuaFunction
    )
}

/// Whether the VM has what is under a root with this name.
fn is_of_the_vm(root: &[u8]) -> bool {
    root == b"[fixed]" || root == b"[root]" || root.starts_with(b"[metatable:")
}

/// Returns the slots of a thread's stack that have objects: their names, and the objects.
fn slots(heap: &Heap, thread: NodeId) -> impl Iterator<Item = (NameId, NodeId)> + '_ {
    let slots = heap.edge_range(thread).filter(|edge| is_slot(heap, *edge));
    slots.filter_map(|edge| Some((heap.label(edge).name()?, heap.target(edge))))
}
