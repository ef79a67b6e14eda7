//! Threads: everything on their stacks, as the debug library shows it.

use crate::layout::ABSENT;
use crate::lua::stack_slot_label::{FUNCTION, HOST, TEMPORARY, VARARG};
use crate::lua::stack_slots::SlotName;
use crate::lua::thread_calls::{
    LuaCall, MEMORY_ERROR, MEMORY_ERROR_TEXT, RUN_ERROR, ThreadCalls, kept_text, line_of_error,
};
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::frames::{Frame, Frames, UNREADABLE};
use crate::native::jit::known_prototype::KnownPrototype;
use crate::native::jit::local_names::ActiveLocals;
use crate::native::jit::references::References;
use crate::native::jit::slots::SLOT;
use crate::native::jit::sweep::Sweep;
use crate::native::jit::tags::{self, Value};
use crate::native::layout_mismatch::{Failure, Swept};
use crate::native::sweep::Sweep as _;
use luasnap_heap::{CodePlace, Kind, Label, NameId, NodeId, Strength};

/// `PROTO_VARARG` in a prototype's flags.
const HAS_EXTRA_ARGUMENTS: u8 = 2;

/// What is known about the function of a frame.
#[derive(Clone, Copy)]
struct Running {
    source: NameId,
    /// Address of its prototype; 0 if it is not a Lua function.
    prototype: u64,
    /// Number of the current instruction.
    instruction: Option<u32>,
}

impl<'m, M: Memory, R: References> Sweep<'m, M, R> {
    fn state(&self, address: u64) -> Option<Structure<'m>> {
        self.memory.structure(address, self.layout.state.size)
    }

    /// Shallow size of a thread, in bytes. The main thread is part of the global state: only its
    /// stack counts.
    pub(super) fn thread_size(&self, address: u64) -> Option<u64> {
        let places = &self.layout.state;
        let own = match address == self.main_thread {
            true => 0,
            false => u64::from(places.size),
        };
        Some(own + SLOT * u64::from(self.state(address)?.int(places.stack_size)))
    }

    pub(super) fn add_edges_of_thread(&mut self, node: NodeId, address: u64) -> Swept {
        let state = self.state(address).ok_or(UNREADABLE)?;
        let globals = R::at(state, self.layout.state.globals);
        self.refer_to_object(node, globals, Label::Environment)?;
        self.slots.clear();
        if R::at(state, self.layout.state.stack) != 0 {
            match self.walk_stack(node, address, state) {
                Ok((levels, calls)) => {
                    self.heap.set_count(node, levels);
                    self.note_thread(node, address, state, calls)?;
                }
                Err(Failure::LayoutMismatch(_)) if self.may_run(state) => {}
                Err(other) => return Err(other),
            }
            if self.may_run(state) {
                self.take_whole_stack(node, state)?;
            }
        }
        self.slots.consolidate();
        for at in 0..self.slots.len() {
            let (target, name) = self.slots.get(at);
            self.heap
                .edge(target, Label::Local(name), Strength::Strong)?;
        }
        Ok(())
    }

    /// Whether a thread may have been stopped while it ran: then machine registers say which frame
    /// is the innermost, and `base` and `top` are out of date.
    fn may_run(&self, state: Structure<'_>) -> bool {
        let places = &self.layout.state;
        let has_begun = state.word(places.c_frame) != 0;
        self.origin.is_stopped_at_any_instruction && has_begun && state.byte(places.status) == 0
    }

    /// Notes every slot of a stack, since it is not known which are in use.
    fn take_whole_stack(&mut self, node: NodeId, state: Structure<'_>) -> Swept {
        let places = &self.layout.state;
        let stack = R::at(state, places.stack);
        let end = stack.saturating_add(SLOT * u64::from(state.int(places.stack_size)));
        let unknown = self.heap.intern(b"?")?;
        let temporary = self.unnamed(TEMPORARY, unknown)?;
        let first = stack.saturating_add(R::FRAME_SLOTS * SLOT);
        self.take_all(node, first, end, temporary)?;
        // Where a frame has only one slot, that has no tag.
        let mut slot = first;
        while slot < end {
            let bits = self.memory.word(slot).ok_or(UNREADABLE)?;
            let callee = R::callee_in(bits).and_then(|callee| self.object_if_alive(callee));
            if let Some(function) = callee {
                self.slots.add(function, temporary)?;
            }
            slot += SLOT;
        }
        Ok(())
    }

    /// Notes the slots of all frames. Returns the number of levels that the debug library would
    /// count, without our own, and what they say the thread is doing.
    fn walk_stack(
        &mut self,
        node: NodeId,
        thread: u64,
        state: Structure<'m>,
    ) -> Swept<(u32, ThreadCalls)> {
        let places = &self.layout.state;
        let stack = R::at(state, places.stack);
        let [base, top] = [places.base, places.top].map(|place| state.word(place));
        let mut frames = Frames::new(self, thread, state)?;
        let mut own = match thread == self.origin.running_thread {
            true => self.origin.own_function,
            false => 0,
        };
        let (mut levels, mut outermost) = (0, None);
        let mut calls = ThreadCalls::default();
        while let Some(frame) = frames.step(self)? {
            outermost = Some(frame.at);
            let function = self.function_of(frame.at)?;
            if own != 0 && function == own {
                own = 0; // but for the innermost it is a call like others
                continue;
            }
            levels += 1;
            let running = self.running(&frames, frame, function)?;
            self.note_call(&mut calls, function, running);
            self.walk_frame(node, frame, running, top)?;
        }
        let host = self.heap.intern(HOST.as_bytes())?;
        match outermost {
            Some(outermost) => {
                let temporary = self.unnamed(TEMPORARY, host)?;
                let first = stack + R::FRAME_SLOTS * SLOT;
                self.take_all(node, first, before_frame::<R>(outermost), temporary)?;
            }
            None => self.walk_idle_stack(node, (base, top), host, &mut calls)?,
        }
        Ok((levels, calls))
    }

    /// Notes the slots of a coroutine that has not started, or is done: the body and its arguments,
    /// or nothing.
    fn walk_idle_stack(
        &mut self,
        node: NodeId,
        (base, top): (u64, u64),
        host: NameId,
        calls: &mut ThreadCalls,
    ) -> Swept {
        let mut slot = base;
        let first = self.memory.word(slot).filter(|_| slot < top);
        if let Some(function) = first.and_then(|value| R::value(value).function()) {
            let prototype = self.prototype_if_lua(function)?;
            let source = prototype.map_or(host, |prototype| prototype.source);
            calls.set_body(prototype.map(|prototype| LuaCall {
                function: self.heap.find(function),
                place: CodePlace { source, line: 0 },
                defined: prototype.line,
            }));
            let body = self.unnamed(FUNCTION, source)?;
            self.take(node, slot, body)?;
            slot += SLOT;
        }
        let temporary = self.unnamed(TEMPORARY, host)?;
        self.take_all(node, slot, top, temporary)
    }

    /// Notes a call for what the thread is doing.
    fn note_call(&self, calls: &mut ThreadCalls, function: u64, running: Running) {
        let function = self.heap.find(function);
        if running.prototype == 0 {
            return calls.add_c(function);
        }
        if !calls.wants_more() {
            return;
        }
        let line = running
            .instruction
            .map(|instruction| self.line_at(running.prototype, instruction));
        let defined = self.heap.find(running.prototype);
        calls.add(LuaCall {
            function,
            place: CodePlace {
                source: running.source,
                line: line.unwrap_or(0),
            },
            defined: defined.map_or(0, |prototype| self.heap.count(prototype)),
        });
    }

    /// Notes what a thread is doing.
    fn note_thread(
        &mut self,
        node: NodeId,
        address: u64,
        state: Structure<'_>,
        mut calls: ThreadCalls,
    ) -> Swept {
        // A thread of the VM's own, which never runs Lua code, is no coroutine.
        let vm_thread = self.layout.global_state.vm_thread;
        if vm_thread != ABSENT && R::at(self.global, vm_thread) == address {
            return Ok(());
        }
        let status = state.byte(self.layout.state.status);
        let running = self.origin.running_thread;
        let is_running = (running != 0).then_some(running == address);
        let mut error = NameId::EMPTY;
        if status == MEMORY_ERROR {
            error = self.heap.intern(MEMORY_ERROR_TEXT)?;
        } else if status == RUN_ERROR
            && let Some(call) = calls.innermost()
            && let Some((text, line)) = self.error_text(state, call.place.source)
        {
            // An error of the VM's own leaves no other trace of the line.
            if call.place.line == 0 && line >= call.defined {
                call.place.line = line;
            }
            error = self.heap.intern(kept_text(text))?;
        }
        let mut note = calls.note(node, status, is_running);
        note.state.error = error;
        Ok(self.heap.note_thread(note)?)
    }

    /// The text of the error that ended a thread, and the line that it begins with. Who resumed the
    /// thread has taken it away, but the slot behind the top keeps it until the collector passes; what
    /// is there is the text if it begins with a place in the source of the innermost function.
    fn error_text(&self, state: Structure<'_>, source: NameId) -> Option<(&'m [u8], u32)> {
        let places = &self.layout.state;
        let top = state.word(places.top);
        let end = R::at(state, places.stack) + SLOT * u64::from(state.int(places.stack_size));
        [top, top.wrapping_sub(SLOT)].into_iter().find_map(|slot| {
            if slot < state.word(places.base) || slot >= end {
                return None;
            }
            let value = R::value(self.memory.word(slot)?);
            let string = self.object_if_alive(value)?;
            if self.heap.kind(string) != Kind::String {
                return None;
            }
            let text = self.text_at(value.address())?;
            Some((text, line_of_error(text, self.heap.name(source))?))
        })
    }

    /// Returns what runs in a frame, and at which instruction.
    fn running(&mut self, frames: &Frames<'m>, frame: Frame, function: u64) -> Swept<Running> {
        let Some(prototype) = self.prototype_if_lua(function)? else {
            return Ok(Running {
                source: self.heap.intern(HOST.as_bytes())?,
                prototype: 0,
                instruction: None,
            });
        };
        Ok(Running {
            source: prototype.source,
            prototype: prototype.address,
            instruction: frames.instruction(self, frame, prototype.address)?,
        })
    }

    /// Returns the prototype of a function, if it is a Lua function.
    fn prototype_if_lua(&mut self, function: u64) -> Swept<Option<KnownPrototype<'m>>> {
        let node = self.heap.find(function);
        match node.map(|node| self.heap.kind(node)) {
            Some(Kind::LuaFunction) => self.prototype_of(function),
            _ => Ok(None),
        }
    }

    /// Notes the function of a frame, its locals, temporaries and extra arguments.
    fn walk_frame(&mut self, node: NodeId, frame: Frame, running: Running, top: u64) -> Swept {
        let function = self.unnamed(FUNCTION, running.source)?;
        let callee = R::callee(self.memory, frame.at).ok_or(UNREADABLE)?;
        self.take_value(node, callee, function)?;
        let mut slot = frame.at + SLOT;
        // The slots right before the next frame's base are not this one's.
        let limit = frame.next.map_or(top, before_frame::<R>);
        if let Some(instruction) = running.instruction {
            let names = self.local_names(running.prototype);
            for name in ActiveLocals::new(names, instruction) {
                let name = self.heap.intern(name)?;
                let name = self
                    .slot_names
                    .named(&mut self.heap, name, running.source)?;
                self.take(node, slot, name)?;
                slot += SLOT;
            }
        }
        let temporary = self.unnamed(TEMPORARY, running.source)?;
        self.take_all(node, slot, limit, temporary)?;
        match running.instruction {
            Some(_) => self.walk_extra_arguments(node, frame, running, limit),
            None => Ok(()),
        }
    }

    /// Notes the extra arguments of a call of a Lua function. They are in the outer half of its
    /// frame, once that has been set up.
    fn walk_extra_arguments(
        &mut self,
        node: NodeId,
        frame: Frame,
        running: Running,
        limit: u64,
    ) -> Swept {
        let places = &self.layout.prototype;
        let prototype = self.prototype(running.prototype).ok_or(UNREADABLE)?;
        if prototype.byte(places.flags) & HAS_EXTRA_ARGUMENTS == 0 {
            return Ok(());
        }
        let (at, limit) = match self.outer_half(frame.at)? {
            Some(outer) => (outer, before_frame::<R>(frame.at)),
            None => (frame.at, limit),
        };
        let parameters = u64::from(prototype.byte(places.parameters));
        let name = self.unnamed(VARARG, running.source)?;
        self.take_all(node, at + SLOT * (1 + parameters), limit, name)
    }

    fn take(&mut self, node: NodeId, slot: u64, name: SlotName) -> Swept {
        let value = R::value(self.memory.word(slot).ok_or(UNREADABLE)?);
        self.take_value(node, value, name)
    }

    fn take_value(&mut self, node: NodeId, value: Value, name: SlotName) -> Swept {
        let Some(address) = value.object() else {
            return Ok(());
        };
        let target = match self.origin.is_stopped_at_any_instruction {
            true => self.object_if_alive(value),
            false => self.object(node, address)?,
        };
        if let Some(target) = target {
            self.slots.add(target, name)?;
        }
        Ok(())
    }

    /// Returns the object in a slot that may be out of use, if it still exists.
    fn object_if_alive(&self, value: Value) -> Option<NodeId> {
        let found = self.heap.find(value.address())?;
        tags::agree(value, self.heap.kind(found)).then_some(found)
    }

    /// Notes the slots from `slot` up to, but not including, `limit`.
    fn take_all(&mut self, node: NodeId, slot: u64, limit: u64, name: SlotName) -> Swept {
        let mut slot = slot;
        while slot < limit {
            self.take(node, slot, name)?;
            slot += SLOT;
        }
        Ok(())
    }

    fn unnamed(&mut self, name: &'static str, source: NameId) -> Swept<SlotName> {
        self.slot_names.unnamed(&mut self.heap, name, source)
    }
}

/// Address of the first slot of the frame that is known by the slot at `frame`.
fn before_frame<R: References>(frame: u64) -> u64 {
    frame - (R::FRAME_SLOTS - 1) * SLOT
}
