//! Threads: everything on their stacks.

use crate::lua::private_state::{
    Vararg, has_free_slot_51, index_from_top_51, is_known_stack_51, varargs_51,
};
use crate::lua::resolve::may_assert;
use crate::lua::stack_slots::SlotName;
use crate::lua::state::{State, TYPE_FUNCTION, TYPE_STRING};
use crate::lua::thread_calls::{
    LuaCall, MEMORY_ERROR, MEMORY_ERROR_TEXT, RUN_ERROR, ThreadCalls, kept_text, line_of_error,
};
use crate::portable::frames::{Frame, Links, level_count, step_out};
use crate::portable::label_cache::is_temporary;
use crate::portable::thread_scratch::HiddenVararg;
use crate::portable::walk::{Walk, Walked, kind_of};
use crate::version::Version;
use luasnap_heap::{BuildError, CodePlace, Kind, Label, NameId, NodeId, Strength};
use std::ffi::{CStr, c_int};

/// Bytes of a thread without its stack, and of a stack slot and a call: an estimate for all
/// versions (64-bit).
const THREAD: u64 = 208;
const FRESH_SLOTS: u64 = 40;
const SLOT: u64 = 16;
const CALL: u64 = 64;

const FUNCTION: &CStr = c"(function)"; // as in `stack_slot_label`
const TEMPORARY: &CStr = c"(temporary)";
const VARARG: &CStr = c"(vararg)";

/// Offset of the payload of a 5.1 userdata, whose address identifies it (64-bit).
const USERDATA_HEADER_51: u64 = 40;

impl Walk {
    /// Walks the thread on the top.
    pub(super) fn walk_thread(&mut self, state: State, node: NodeId) -> Walked {
        if let Some(thread) = state.thread(-1) {
            self.thread.slots.clear();
            self.thread.calls = ThreadCalls::default();
            if state.environment(-1) {
                self.refer(state, Label::Environment, Strength::Strong)?;
            }
            let is_own = thread.raw() == state.raw();
            if is_own || has_room(thread)? {
                self.walk_stack(state, thread, node, is_own)?;
                self.note_thread(thread, node, is_own)?;
            }
            self.refer_to_slots()?;
        }
        Ok(())
    }

    /// Notes what a thread is doing, whose stack was walked.
    fn note_thread(&mut self, thread: State, node: NodeId, is_running: bool) -> Walked {
        let Some(status) = thread.status() else {
            return Ok(());
        };
        let status = u8::try_from(status).unwrap_or(RUN_ERROR);
        let mut note = self.thread.calls.note(node, status, Some(is_running));
        note.state.error = match status {
            MEMORY_ERROR => self.builder.name(MEMORY_ERROR_TEXT)?,
            // Whoever raised it left it on the top. What `lua_resume` returns is a copy; in LuaJIT it is
            // the text itself, which is on the stack no more once it was taken.
            RUN_ERROR if thread.top() > 0 && thread.type_of(-1) == TYPE_STRING => {
                let (text, source) = (thread.string(-1), note.state.place.source);
                let is_it = self.version != Version::LuaJit
                    || line_of_error(text, self.builder.text(source)).is_some();
                match is_it {
                    true => self.builder.name(kept_text(text))?,
                    false => NameId::EMPTY,
                }
            }
            _ => NameId::EMPTY,
        };
        self.builder.note_thread(note)
    }

    fn walk_stack(&mut self, state: State, thread: State, node: NodeId, is_own: bool) -> Walked {
        let levels = level_count(thread, &mut self.thread.record);
        let own_levels = if is_own { self.own_levels(state) } else { 0 };
        let seen = (levels - own_levels).max(0) as u32;
        self.builder.set_count(node, seen);
        let bytes = THREAD + SLOT * FRESH_SLOTS + CALL * u64::from(seen);
        self.builder.set_size(node, bytes);
        if levels == 0 {
            return self.walk_idle_stack(state, thread);
        }
        self.walk_frames(state, thread, node, own_levels, levels)
    }

    /// Walks the frames from level `first` on, and the host's.
    fn walk_frames(
        &mut self,
        state: State,
        thread: State,
        node: NodeId,
        first: c_int,
        levels: c_int,
    ) -> Walked {
        // Where all levels are our own, the host's frame is next.
        let mut level = first.min(levels - 1);
        if !thread.stack_level(level, &mut self.thread.record) {
            return Ok(());
        }
        // Find the call's field in the record now, while the record contains nothing else.
        self.thread.record.call(self.version);
        if level == first {
            self.walk_frame(state, thread, node, Frame::Function)?;
        }
        let mut links = Links::new();
        loop {
            let place = (level, levels);
            match step_out(thread, &mut self.thread.record, place, &mut links) {
                Some(Frame::Host) => return self.walk_frame(state, thread, node, Frame::Host),
                Some(Frame::Function) => {}
                // Without a trusted link, go level by level.
                None if level + 1 >= levels => return Ok(()),
                None if !thread.stack_level(level + 1, &mut self.thread.record) => return Ok(()),
                None => {}
            }
            level += 1;
            self.walk_frame(state, thread, node, Frame::Function)?;
        }
    }

    /// Number of levels of the running thread that are the module's own.
    fn own_levels(&mut self, state: State) -> c_int {
        const MAX_OWN_LEVELS: c_int = 4;
        for level in 0..MAX_OWN_LEVELS {
            let record = &mut self.thread.record;
            if !state.stack_level(level, record) || !state.info(c"f", record) {
                break;
            }
            let own = state.pointer(-1) == self.own_function;
            state.pop(1);
            if own {
                return level + 1;
            }
        }
        0
    }

    /// A coroutine that has not started, or has finished: the body and its arguments, or nothing.
    fn walk_idle_stack(&mut self, state: State, thread: State) -> Walked {
        for index in 1..=thread.top() {
            thread.push_value(index);
            thread.move_top(state);
            let is_body = index == 1 && state.type_of(-1) == TYPE_FUNCTION;
            if !is_body {
                let label = self.host_label()?;
                self.take_slot(state, label)?;
                continue;
            }
            let is_lua = !state.is_c_function(-1);
            let label = self.body_label(state)?;
            let function = self.take_slot(state, label)?;
            let source = self
                .thread
                .sources
                .name(&mut self.builder, &self.function_record)?;
            self.thread.calls.set_body(is_lua.then_some(LuaCall {
                function,
                place: CodePlace { source, line: 0 },
                defined: self.function_record.line_defined(),
            }));
        }
        Ok(())
    }

    /// The label of the function on the top, the body of a coroutine.
    fn body_label(&mut self, state: State) -> Walked<SlotName> {
        let record = &mut self.function_record;
        state.push_value(-1);
        state.info(c">S", record);
        let (address, source) = (record.source_address(), record.short_source());
        let name = self
            .labels
            .local(&mut self.builder, FUNCTION, address, source)?;
        Ok(SlotName {
            is_temporary: false,
            name,
        })
    }

    /// The label of a slot that no function names.
    fn host_label(&mut self) -> Walked<SlotName> {
        let name = self.labels.local(&mut self.builder, TEMPORARY, 0, b"[C]")?;
        Ok(SlotName {
            is_temporary: true,
            name,
        })
    }

    /// Walks the function of the record's call, its locals, temporaries and extra arguments.
    fn walk_frame(&mut self, state: State, thread: State, node: NodeId, frame: Frame) -> Walked {
        let (mut function, mut is_lua) = (0, false);
        if frame == Frame::Function && thread.info(c"Slf", &mut self.thread.record) {
            thread.move_top(state);
            function = state.pointer(-1);
            is_lua = !state.is_c_function(-1);
            let label = self.slot_label(FUNCTION, frame)?;
            let taken = self.take_slot(state, label)?;
            self.note_call(taken, is_lua)?;
        }
        self.walk_locals(state, thread, frame, 1)?;
        match (frame, self.version) {
            (Frame::Host, _) => Ok(()),
            (Frame::Function, Version::Lua51) if is_lua => {
                self.note_varargs(thread, node, function)
            }
            (Frame::Function, Version::Lua51) => Ok(()),
            (Frame::Function, _) => self.walk_locals(state, thread, frame, -1),
        }
    }

    /// Notes the record's call for what the thread is doing.
    fn note_call(&mut self, function: Option<NodeId>, is_lua: bool) -> Walked {
        let thread = &mut self.thread;
        if !is_lua {
            thread.calls.add_c(function);
        } else if thread.calls.wants_more() {
            let source = thread.sources.name(&mut self.builder, &thread.record)?;
            thread.calls.add(LuaCall {
                function,
                place: CodePlace {
                    source,
                    line: thread.record.current_line().unwrap_or(0),
                },
                defined: thread.record.line_defined(),
            });
        }
        Ok(())
    }

    /// Walks the record's locals and temporaries (`step` 1), or its extra arguments (`step` -1).
    fn walk_locals(&mut self, state: State, thread: State, frame: Frame, step: c_int) -> Walked {
        let mut number = step;
        while let Some(name) = thread.local(&self.thread.record, number) {
            thread.move_top(state);
            if kind_of(state.type_of(-1)).is_some() {
                let label = self.slot_label(name, frame)?;
                self.take_slot(state, label)?;
            } else {
                state.pop(1);
            }
            number += step;
        }
        Ok(())
    }

    /// `NAME:SHORT_SRC` for a slot of the record's frame.
    fn slot_label(&mut self, name: &CStr, frame: Frame) -> Walked<SlotName> {
        if frame == Frame::Host {
            return self.host_label();
        }
        let record = &self.thread.record;
        let (address, source) = (record.source_address(), record.short_source());
        let is_temporary = is_temporary(name);
        let name = self
            .labels
            .local(&mut self.builder, name, address, source)?;
        Ok(SlotName { is_temporary, name })
    }

    /// Pops a value that was in a slot of the thread's stack, and returns its node.
    fn take_slot(&mut self, state: State, label: SlotName) -> Walked<Option<NodeId>> {
        let Some((target, new)) = self.meet(state, -1, state.type_of(-1))? else {
            state.pop(1);
            return Ok(None);
        };
        self.thread.slots.add(target, label)?;
        self.enqueue_if(state, target, new)?;
        Ok(Some(target))
    }

    /// Keeps the extra arguments of a 5.1 frame for the end: the API cannot show them, but most of
    /// their objects are reached in other ways.
    fn note_varargs(&mut self, thread: State, node: NodeId, function: u64) -> Walked {
        let Some(index) = self.thread.record.call(self.version) else {
            return Ok(());
        };
        varargs_51(thread, index, function, &mut self.thread.varargs_here)?;
        let is_object = |vararg: &Vararg| kind_of(vararg.lua_type).is_some();
        self.thread.varargs_here.retain(is_object);
        if self.thread.varargs_here.is_empty() {
            return Ok(());
        }
        let label = self.slot_label(VARARG, Frame::Function)?;
        self.thread
            .varargs
            .try_reserve(self.thread.varargs_here.len())?;
        for &vararg in &self.thread.varargs_here {
            self.thread.varargs.push(HiddenVararg {
                thread,
                node,
                label: label.name,
                vararg,
            });
        }
        Ok(())
    }

    /// Adds the references of extra arguments of 5.1 frames. Returns true when that reached
    /// something new, which now waits to be walked.
    pub(super) fn reach_varargs(&mut self, state: State) -> Walked<bool> {
        if !self.thread.varargs.is_empty() && !self.knows_stack_51(state) {
            // An index made of what is not a slot could be any value. Missing an object is the
            // lesser evil.
            self.thread.varargs.clear();
        }
        while let Some(hidden) = self.thread.varargs.pop() {
            if let Some(target) = self.vararg_target(&hidden) {
                self.refer_to_vararg(&hidden, target)?;
                continue;
            }
            if may_assert(state.api()) {
                // It would assert on the index below.
                self.thread.varargs.clear();
                return Ok(false);
            }
            let Some(index) = index_from_top_51(hidden.thread, hidden.vararg.slot) else {
                self.thread.far_varargs.try_reserve(1)?;
                self.thread.far_varargs.push(hidden);
                continue;
            };
            hidden.thread.push_value(index);
            hidden.thread.move_top(state);
            if let Some((target, new)) = self.meet(state, -1, state.type_of(-1))? {
                self.enqueue_if(state, target, new)?;
                self.refer_to_vararg(&hidden, target)?;
            } else {
                state.pop(1);
            }
            return Ok(true);
        }
        for hidden in std::mem::take(&mut self.thread.far_varargs) {
            if let Some(target) = self.vararg_target(&hidden) {
                self.refer_to_vararg(&hidden, target)?;
            }
        }
        Ok(false)
    }

    /// Whether this 5.1's stacks are laid out as we know them, which is found out once.
    ///
    /// Uses one stack slot.
    fn knows_stack_51(&mut self, state: State) -> bool {
        *self
            .thread
            .knows_stack_51
            .get_or_insert_with(|| is_known_stack_51(state))
    }

    /// Returns the object of an extra argument; `None` where it is not known yet, or none.
    fn vararg_target(&self, hidden: &HiddenVararg) -> Option<NodeId> {
        let kind = kind_of(hidden.vararg.lua_type)?;
        let address = match kind {
            Kind::Userdata => hidden.vararg.value.wrapping_add(USERDATA_HEADER_51),
            _ => hidden.vararg.value,
        };
        self.builder.find(kind, address)
    }

    /// Adds the reference of an extra argument: as with other slots, once for each object and name.
    fn refer_to_vararg(&mut self, hidden: &HiddenVararg, target: NodeId) -> Walked {
        let known = &mut self.thread.known_varargs;
        known.try_reserve(1).map_err(|_| BuildError::OutOfMemory)?;
        if known.insert((hidden.node, target, hidden.label)) {
            let label = Label::Local(hidden.label);
            self.builder
                .edge(hidden.node, target, label, Strength::Strong)?;
        }
        Ok(())
    }

    fn refer_to_slots(&mut self) -> Walked {
        self.thread.slots.consolidate();
        for at in 0..self.thread.slots.len() {
            let (target, name) = self.thread.slots.get(at);
            self.open_edge(target, Label::Local(name), Strength::Strong)?;
        }
        Ok(())
    }
}

/// Makes sure that a value can be pushed onto a thread that is not running.
fn has_room(thread: State) -> Walked<bool> {
    match thread.version() {
        // There `lua_checkstack` raises in the other thread, which nothing would catch. Every stack
        // has five spare slots after its end anyway.
        Version::LuaJit => Ok(true),
        Version::Lua51 => Ok(!has_free_slot_51(thread) || thread.check_stack(1)),
        // `lua_checkstack` refuses where a stack has its maximum size, as after an overflow. Every
        // stack still has room for one more value; only a VM with assertions rejects it.
        _ => match thread.check_stack(1) || !may_assert(thread.api()) {
            true => Ok(true),
            false => Err(BuildError::FullStack),
        },
    }
}
