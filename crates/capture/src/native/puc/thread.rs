//! Threads: their sizes, and what their stacks refer to.

use crate::layout::ABSENT;
use crate::lua::stack_slots::SlotName;
use crate::lua::thread_calls::{
    LuaCall, MEMORY_ERROR, MEMORY_ERROR_TEXT, RUN_ERROR, ThreadCalls, kept_text,
};
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::Swept;
use crate::native::puc::header::{TAG, VALUE};
use crate::native::puc::stack::{StackWalk, UNREADABLE};
use crate::native::puc::sweep::Sweep;
use crate::native::puc::tags::ValueType;
use crate::native::sweep::Sweep as _;
use crate::version::Version;
use luasnap_heap::{CodePlace, Kind, Label, NameId, NodeId, Strength};

/// `EXTRA_STACK`: slots behind `stack_last`.
const EXTRA_SLOTS: u64 = 5;

impl<'m, M: Memory> Sweep<'m, M> {
    fn state(&self, address: u64) -> Option<Structure<'m>> {
        self.memory.structure(address, self.layout().state.size)
    }

    pub(super) fn call_info(&self, address: u64) -> Option<Structure<'m>> {
        self.memory.structure(address, self.layout().call.size)
    }

    /// Number of slots of a thread's stack.
    pub(super) fn slot_count(&self, state: Structure<'_>) -> u64 {
        let places = &self.layout().state;
        if state.word(places.stack) == 0 {
            return 0; // it is still being made
        }
        match places.stack_size {
            ABSENT => {
                let slots = state
                    .word(places.stack_last)
                    .wrapping_sub(state.word(places.stack));
                slots / u64::from(VALUE) + EXTRA_SLOTS
            }
            place => u64::from(state.int(place)),
        }
    }

    /// Shallow size of a thread, in bytes. The main thread is part of the global state: only its
    /// stack and its calls count.
    pub(super) fn thread_size(&self, address: u64) -> Option<u64> {
        let places = &self.layout().state;
        let state = self.state(address)?;
        let calls = match self.version() {
            Version::Lua51 => u64::from(state.int(places.calls_size)),
            _ if places.call_count == ABSENT => self.count_calls(address)?,
            Version::Lua55 => u64::from(state.int(places.call_count)),
            _ => u64::from(state.half(places.call_count)),
        };
        let own = match address == self.main_thread {
            true => 0,
            false => self.extra_space + u64::from(places.size),
        };
        let slots = u64::from(VALUE).saturating_mul(self.slot_count(state));
        let calls = u64::from(self.layout().call.size).saturating_mul(calls);
        Some(slots.saturating_add(calls).saturating_add(own))
    }

    /// 5.3 and 5.4 count a thread's `CallInfo`s in 16 bits. Where so much is missing that such a
    /// count may have wrapped around, they are counted one by one.
    pub(super) fn recount_calls(&mut self) -> Swept {
        const WRAPS: u64 = 1 << 16;
        let place = self.layout().state.call_count;
        if !matches!(self.version(), Version::Lua53 | Version::Lua54) || place == ABSENT {
            return Ok(());
        }
        let call = u64::from(self.layout().call.size);
        for node in (1..self.heap.node_count() as u32).map(NodeId) {
            if self.ledger.missing() < WRAPS * call {
                break;
            }
            if self.heap.kind(node) != Kind::Thread {
                continue;
            }
            let address = self.heap.address(node);
            let said = self.state(address).ok_or(UNREADABLE)?;
            let said = u64::from(said.half(place));
            let count = self.count_calls(address).ok_or(UNREADABLE)?;
            if count % WRAPS != said {
                return Err(UNREADABLE.into());
            }
            let more = call * (count - said);
            self.ledger.count(more)?;
            let size = self.heap.size(node);
            self.heap.set_size(node, size + more);
        }
        Ok(())
    }

    /// Number of a thread's `CallInfo`s besides the outermost, which is built in. 5.2, 5.3.0
    /// and 5.3.1 do not store it.
    fn count_calls(&self, thread: u64) -> Option<u64> {
        let outermost = thread + u64::from(self.layout().state.base_call);
        let (mut next, mut count) = (outermost, 0);
        loop {
            next = self.call_info(next)?.word(self.layout().call.next);
            if next == 0 {
                return Some(count);
            }
            count += 1;
            // More would not fit into the VM's total.
            if count * u64::from(self.layout().call.size) > self.ledger.total() {
                return None;
            }
        }
    }

    pub(super) fn add_edges_of_thread(&mut self, node: NodeId, address: u64) -> Swept {
        let state = self.state(address).ok_or(UNREADABLE)?;
        if self.layout().state.globals != ABSENT {
            let globals = state.word(self.layout().state.globals);
            self.refer_to_object(node, globals, Label::Environment)?;
        }
        self.slots.clear();
        let stack = state.word(self.layout().state.stack);
        if stack == 0 {
            return Ok(());
        }
        let mut walk = StackWalk::new(self, node, address, state);
        walk.run()?;
        let (levels, extra) = (walk.levels, std::mem::take(&mut walk.extra_arguments));
        let calls = walk.calls;
        self.heap.set_count(node, levels);
        self.note_thread(node, address, state, &calls)?;
        self.refer_to_slots()?;
        // The API of 5.1 does not show them, so they come last.
        self.slots.clear();
        for &(target, name) in extra.iter().rev() {
            let name = SlotName {
                is_temporary: false,
                name,
            };
            self.slots.add(target, name)?;
        }
        self.refer_to_slots()
    }

    /// Notes what a thread is doing.
    fn note_thread(
        &mut self,
        node: NodeId,
        address: u64,
        state: Structure<'_>,
        calls: &ThreadCalls,
    ) -> Swept {
        let status = state.byte(self.layout().state.status);
        let running = self.origin.running_thread;
        let is_running = (running != 0).then_some(running == address);
        let mut note = calls.note(node, status, is_running);
        note.state.error = match status {
            MEMORY_ERROR => self.heap.intern(MEMORY_ERROR_TEXT)?,
            RUN_ERROR => match self.error_text(state) {
                Some(text) => self.heap.intern(kept_text(text))?,
                None => NameId::EMPTY,
            },
            _ => NameId::EMPTY,
        };
        Ok(self.heap.note_thread(note)?)
    }

    /// A call of the Lua function in a slot of a stack, at this line; `None` if there is none.
    pub(super) fn lua_call_in(&self, slot: u64, source: NameId, line: u32) -> Option<LuaCall> {
        let function = self.known(self.memory.word(slot)?)?;
        if self.heap.kind(function) != Kind::LuaFunction {
            return None;
        }
        let prototype = self.known(self.prototype_of(function)?)?;
        if self.heap.kind(prototype) != Kind::Prototype {
            return None;
        }
        Some(LuaCall {
            function: Some(function),
            place: CodePlace { source, line },
            defined: self.heap.count(prototype),
        })
    }

    /// The text of the error that ended a thread: whoever raised it left it on the top. What
    /// `lua_resume` returns is a copy.
    fn error_text(&self, state: Structure<'_>) -> Option<&'m [u8]> {
        let places = &self.layout().state;
        let last = state.word(places.top).checked_sub(u64::from(VALUE))?;
        if last < state.word(places.stack) {
            return None;
        }
        let value = self.memory.structure(last, VALUE)?;
        let string = self.known(value.word(0))?;
        let is_string = self.types[usize::from(value.byte(TAG))] == ValueType::Object
            && self.heap.kind(string) == Kind::String;
        is_string.then(|| self.whole_text(string)).flatten()
    }

    /// Adds references to the objects in the noted slots.
    fn refer_to_slots(&mut self) -> Swept {
        self.slots.consolidate();
        for at in 0..self.slots.len() {
            let (target, name) = self.slots.get(at);
            self.heap
                .edge(target, Label::Local(name), Strength::Strong)?;
        }
        Ok(())
    }
}
