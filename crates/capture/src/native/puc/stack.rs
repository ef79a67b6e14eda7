//! The calls on a thread's stack: functions, locals, temporaries and extra arguments, as the debug
//! library shows them.

use crate::layout::ABSENT;
use crate::lua::stack_slot_label::{FUNCTION, HOST, TEMPORARY, VARARG};
use crate::lua::stack_slots::SlotName;
use crate::lua::thread_calls::ThreadCalls;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::puc::header::{TAG, VALUE};
use crate::native::puc::sweep::Sweep;
use crate::native::puc::tags::{self, ValueType};
use crate::native::puc::whose::Whose;
use crate::native::sweep::Sweep as _;
use crate::version::Version;
use luasnap_heap::{BuildError, Kind, NameId, NodeId};

pub(super) const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a thread");

/// `PF_VAHID` in a prototype's `flag` (5.5): extra arguments are before the function.
pub(super) const HIDDEN_ARGUMENTS: u8 = 1;

/// Bytes of an instruction.
const INSTRUCTION: u64 = 4;

/// A call on a thread's stack.
#[derive(Clone, Copy)]
pub(super) struct Call {
    /// Address of its `CallInfo`.
    pub(super) address: u64,
    /// The slot of its function.
    pub(super) function: u64,
    /// Its first own slot.
    pub(super) base: u64,
    /// The slot after its last.
    limit: u64,
}

/// What is known about the function of a call.
#[derive(Clone, Copy)]
pub(super) struct Running {
    pub(super) source: NameId,
    /// Address of its prototype; 0 if it is not a Lua function.
    pub(super) prototype: u64,
    /// Whose that is.
    pub(super) whose: Whose,
    /// Number of the current instruction.
    pub(super) pc: i64,
}

/// A walk over the calls of one thread, from the innermost outwards.
pub(super) struct StackWalk<'s, 'm, M> {
    pub(super) sweep: &'s mut Sweep<'m, M>,
    node: NodeId,
    thread: u64,
    pub(super) state: Structure<'m>,
    stack: u64,
    end: u64,
    /// Number of slots of the stack.
    pub(super) slots: u64,
    pub(super) top: u64,
    /// Number of levels that the debug library would count, without our own.
    pub(super) levels: u32,
    /// What they say the thread is doing.
    pub(super) calls: ThreadCalls,
    /// Extra arguments of 5.1.
    pub(super) extra_arguments: Vec<(NodeId, NameId)>,
}

impl<'s, 'm, M: Memory> StackWalk<'s, 'm, M> {
    pub(super) fn new(
        sweep: &'s mut Sweep<'m, M>,
        node: NodeId,
        thread: u64,
        state: Structure<'m>,
    ) -> Self {
        let places = &sweep.layout().state;
        let slots = sweep.slot_count(state);
        let stack = state.word(places.stack);
        StackWalk {
            node,
            thread,
            state,
            stack,
            end: stack.wrapping_add(u64::from(VALUE).saturating_mul(slots)),
            slots,
            top: state.word(places.top),
            levels: 0,
            calls: ThreadCalls::default(),
            extra_arguments: Vec::new(),
            sweep,
        }
    }

    pub(super) fn run(&mut self) -> Swept {
        if self.top < self.stack || self.top > self.end {
            return Err(UNREADABLE.into());
        }
        let mut call = self.state.word(self.sweep.layout().state.call);
        self.verify_base(call)?;
        let outermost = self.outermost();
        let origin = self.sweep.origin;
        let mut is_own = self.thread == origin.running_thread && origin.own_function != 0;
        if call == outermost {
            return self.idle(outermost);
        }
        let mut limit = self.innermost_limit(call)?;
        // There are no more calls than slots: each has one for its function.
        for _ in 0..=self.slots {
            let at = self.call(call, limit)?;
            if call == outermost {
                return self.host_call(at);
            }
            if is_own {
                // The only call whose function is known beforehand.
                is_own = false;
                if !self.is_own_call(at) {
                    return Err(UNREADABLE.into());
                }
            } else {
                self.function_call(at)?;
            }
            limit = at.function;
            call = self.outer(call)?;
        }
        Err(UNREADABLE.into())
    }

    /// Returns the slot after the last that the innermost call may use. A Lua function does not
    /// keep `top` up to date, but it uses no more slots than it said when it was called.
    fn innermost_limit(&mut self, call: u64) -> Swept<u64> {
        if !self.sweep.origin.is_stopped_at_any_instruction {
            return Ok(self.top);
        }
        let info = self.sweep.call_info(call).ok_or(UNREADABLE)?;
        let said = info.word(self.sweep.layout().call.top);
        let function = self.call(call, self.top)?.function;
        Ok(match self.function_at(function)? {
            Some((_, true)) => said.clamp(self.top, self.end),
            _ => self.top,
        })
    }

    fn outermost(&self) -> u64 {
        let place = self.sweep.layout().state.base_call;
        match self.sweep.version() {
            Version::Lua51 => self.state.word(place),
            _ => self.thread + u64::from(place),
        }
    }

    /// Address of the `CallInfo` of a call's caller.
    fn outer(&self, call: u64) -> Swept<u64> {
        let places = &self.sweep.layout().call;
        if self.sweep.version() == Version::Lua51 {
            return Ok(call.wrapping_sub(u64::from(places.size)));
        }
        let info = self.sweep.call_info(call).ok_or(UNREADABLE)?;
        Ok(info.word(places.previous))
    }

    fn call(&self, address: u64, limit: u64) -> Swept<Call> {
        let places = &self.sweep.layout().call;
        let info = self.sweep.call_info(address).ok_or(UNREADABLE)?;
        // In 5.2.0 it is among what only calls of C functions have.
        let only_of_c = self.sweep.version() == Version::Lua52 && places.extra > places.base;
        let has_extra = places.extra != ABSENT
            && self.yields(address)
            && !(only_of_c && self.sweep.is_lua_call(info));
        let function = match has_extra {
            // The debug library corrects it as well.
            true => self.stack.wrapping_add(info.word(places.extra)),
            false => info.word(places.function),
        };
        // It may be behind `limit`: a Lua function does not keep `top` up to date.
        if function < self.stack || function >= self.end {
            return Err(UNREADABLE.into());
        }
        let has_base = match self.sweep.version() {
            Version::Lua51 => true,
            Version::Lua52 | Version::Lua53 => self.sweep.is_lua_call(info),
            _ => false,
        };
        let base = match has_base {
            true => info.word(places.base),
            false => function.wrapping_add(u64::from(VALUE)),
        };
        Ok(Call {
            address,
            function,
            base,
            limit,
        })
    }

    /// Whether this is the call in which the thread has yielded.
    fn yields(&self, call: u64) -> bool {
        const YIELD: u8 = 1; // LUA_YIELD
        let places = &self.sweep.layout().state;
        self.state.byte(places.status) == YIELD && self.state.word(places.call) == call
    }

    fn is_own_call(&self, call: Call) -> bool {
        self.sweep.memory.word(call.function) == Some(self.sweep.origin.own_function)
    }

    /// Notes the slots of a coroutine that has not started, or is done: the body and its arguments,
    /// or nothing.
    fn idle(&mut self, outermost: u64) -> Swept {
        let call = self.call(outermost, self.top)?;
        let host = self.sweep.heap.intern(HOST.as_bytes())?;
        let temporary = self.unnamed(TEMPORARY, host)?;
        let mut slot = call.base;
        if slot < call.limit
            && let Some((source, _)) = self.function_at(slot)?
        {
            let body = self.unnamed(FUNCTION, source)?;
            self.take(slot, body)?;
            self.calls.set_body(self.sweep.lua_call_in(slot, source, 0));
            slot = slot.wrapping_add(u64::from(VALUE));
        }
        self.take_all(slot, call.limit, temporary)
    }

    /// Notes the slots of the host's own frame, which has no function.
    fn host_call(&mut self, call: Call) -> Swept {
        let host = self.sweep.heap.intern(HOST.as_bytes())?;
        let temporary = self.unnamed(TEMPORARY, host)?;
        self.take_all(call.base, call.limit, temporary)
    }

    /// Notes the function of a call, its locals, temporaries and extra arguments.
    fn function_call(&mut self, call: Call) -> Swept {
        self.levels = self.levels.saturating_add(1);
        let running = self.running(call)?;
        self.note_call(call, running);
        let function = self.unnamed(FUNCTION, running.source)?;
        self.take(call.function, function)?;
        let mut slot = call.base;
        self.named_locals(running, &mut slot)?;
        let temporary = self.unnamed(TEMPORARY, running.source)?;
        self.take_all(slot, call.limit, temporary)?;
        if running.prototype != 0 {
            self.extra_arguments(call, running)?;
        }
        Ok(())
    }

    /// Notes a call for what the thread is doing.
    fn note_call(&mut self, call: Call, running: Running) {
        if running.prototype == 0 {
            let function = self.sweep.memory.word(call.function);
            let function = function.and_then(|address| self.sweep.heap.find(address));
            self.calls.add_c(function);
        } else if self.calls.wants_more() {
            let whose = running.whose;
            let prototype = self.sweep.prototype(whose, running.prototype);
            let line = prototype.map_or(0, |prototype| {
                self.sweep.line_at(whose, prototype, running.pc)
            });
            let source = running.source;
            if let Some(call) = self.sweep.lua_call_in(call.function, source, line) {
                self.calls.add(call);
            }
        }
    }

    /// Returns what runs in a call, and at which instruction.
    fn running(&mut self, call: Call) -> Swept<Running> {
        let info = self.sweep.call_info(call.address).ok_or(UNREADABLE)?;
        let (source, is_lua) = match self.function_at(call.function)? {
            Some((source, is_lua)) => (source, is_lua),
            // Without a call of ours, nothing has verified that these are calls at all.
            None if self.sweep.origin.is_stopped_at_any_instruction => {
                return Err(UNREADABLE.into());
            }
            None => (self.sweep.heap.intern(HOST.as_bytes())?, false),
        };
        let is_lua_call = match self.sweep.version() {
            Version::Lua51 => is_lua,
            _ => self.sweep.is_lua_call(info),
        };
        if is_lua_call != is_lua {
            return Err(LayoutMismatch::Kind(&"what a call says it runs").into());
        }
        if !is_lua_call {
            return Ok(Running {
                source,
                prototype: 0,
                whose: Whose::Own,
                pc: -1,
            });
        }
        if self.sweep.version() == Version::Lua51 {
            let lost = info.int(self.sweep.layout().call.tail_calls);
            // Another number there may be -1.
            if i32::try_from(lost).is_err() {
                return Err(LayoutMismatch::Kind(&"a number of tail calls").into());
            }
            self.levels = self.levels.saturating_add(lost);
        }
        let function = self.sweep.memory.word(call.function).ok_or(UNREADABLE)?;
        let function = self.sweep.known(function).ok_or(UNREADABLE)?;
        let prototype = self.sweep.prototype_of(function).ok_or(UNREADABLE)?;
        let node = self.sweep.prototype_node(prototype)?.ok_or(UNREADABLE)?;
        let whose = self.sweep.whose(node);
        let fields = self.sweep.prototype(whose, prototype);
        let fields = fields.ok_or(UNREADABLE)?;
        let code = fields.word(self.sweep.layout().prototype.code);
        let count = u64::from(fields.int(self.sweep.layout().prototype.code_count));
        let state = &self.sweep.layout().state;
        let is_innermost = call.address == self.state.word(state.call);
        let saved = match state.saved_pc {
            ABSENT => info.word(self.sweep.layout().call.saved_pc),
            place if is_innermost => self.state.word(place),
            _ => info.word(self.sweep.layout().call.saved_pc),
        };
        let offset = saved.wrapping_sub(code);
        if !offset.is_multiple_of(INSTRUCTION) || offset / INSTRUCTION > count {
            return Err(LayoutMismatch::Kind(&"the instruction that a call is at").into());
        }
        let running = Running {
            source,
            prototype,
            whose,
            pc: (offset / INSTRUCTION) as i64 - 1,
        };
        self.verify_arguments(call, running, fields)?;
        Ok(running)
    }

    /// Returns the short source of the function in a slot, and whether it is a Lua function; `None`
    /// if there is no function.
    fn function_at(&mut self, slot: u64) -> Swept<Option<(NameId, bool)>> {
        let value = self.sweep.memory.structure(slot, VALUE).ok_or(UNREADABLE)?;
        let value_type = self.sweep.types[usize::from(value.byte(TAG))];
        let address = value.word(0);
        if value_type == ValueType::Object
            && let Some(node) = self.sweep.resolve(address)?
            && self.sweep.heap.kind(node) == Kind::LuaFunction
        {
            let prototype = self.sweep.prototype_of(node).unwrap_or(0);
            let source = match self.sweep.prototype_node(prototype)? {
                Some(node) => {
                    self.sweep.describe_prototype(node, prototype)?;
                    self.sweep.heap.source(node)
                }
                None => NameId::EMPTY,
            };
            return Ok(Some((source, true)));
        }
        let is_function = match value_type {
            ValueType::LightFunction => true,
            ValueType::Object => self
                .sweep
                .heap
                .find(address)
                .is_some_and(|node| self.sweep.heap.kind(node) == Kind::CFunction),
            _ => false,
        };
        if !is_function {
            return Ok(None);
        }
        Ok(Some((self.sweep.heap.intern(HOST.as_bytes())?, false)))
    }

    /// Notes the locals that are active at the call's instruction, and moves `slot` behind them.
    fn named_locals(&mut self, running: Running, slot: &mut u64) -> Swept {
        if running.prototype == 0 {
            return Ok(());
        }
        let places = &self.sweep.layout().prototype;
        let prototype = self.sweep.prototype(running.whose, running.prototype);
        let prototype = prototype.ok_or(UNREADABLE)?;
        let count = u64::from(prototype.int(places.local_count));
        let locals = self
            .sweep
            .items_of(
                running.whose,
                prototype.word(places.locals),
                count,
                places.local_size,
            )
            .ok_or(UNREADABLE)?;
        for local in locals.chunks_exact(usize::from(places.local_size)) {
            let local = Structure(local);
            let start = i64::from(local.int(places.local_start));
            if start > running.pc {
                break;
            }
            if running.pc < i64::from(local.int(places.local_end)) {
                let name = self.sweep.name_at(local.word(places.local_name))?;
                let name =
                    self.sweep
                        .slot_names
                        .named(&mut self.sweep.heap, name, running.source)?;
                self.take(*slot, name)?;
                *slot = slot.wrapping_add(u64::from(VALUE));
            }
        }
        Ok(())
    }

    /// Notes the extra arguments of a call of a Lua function.
    fn extra_arguments(&mut self, call: Call, running: Running) -> Swept {
        let places = self.sweep.layout();
        let prototype = self.sweep.prototype(running.whose, running.prototype);
        let prototype = prototype.ok_or(UNREADABLE)?;
        let flags = prototype.byte(places.prototype.flags);
        let size = u64::from(VALUE);
        let (first, end) = match self.sweep.version() {
            Version::Lua51 => return self.extra_arguments_51(call, running),
            Version::Lua52 | Version::Lua53 => {
                let parameters = u64::from(prototype.byte(places.prototype.parameters));
                (
                    call.function.wrapping_add(size * (parameters + 1)),
                    call.base,
                )
            }
            version => {
                let has_extra = match version {
                    Version::Lua55 => flags & HIDDEN_ARGUMENTS != 0,
                    _ => flags != 0,
                };
                let info = self.sweep.call_info(call.address).ok_or(UNREADABLE)?;
                let count = match has_extra {
                    true => u64::from(info.int(places.call.extra_arguments)),
                    false => 0,
                };
                (
                    call.function.wrapping_sub(size.saturating_mul(count)),
                    call.function,
                )
            }
        };
        if first < self.stack {
            return Err(UNREADABLE.into());
        }
        let name = self.unnamed(VARARG, running.source)?;
        self.take_all(first, end, name)
    }

    /// Notes the extra arguments of 5.1, which the API does not show. They are between the function
    /// and its base.
    fn extra_arguments_51(&mut self, call: Call, running: Running) -> Swept {
        let name = self.unnamed(VARARG, running.source)?.name;
        let mut slot = call.function.wrapping_add(u64::from(VALUE));
        while slot < call.base {
            if let Some(target) = self.object_in(slot)? {
                self.extra_arguments
                    .try_reserve(1)
                    .map_err(BuildError::from)?;
                self.extra_arguments.push((target, name));
            }
            slot = slot.wrapping_add(u64::from(VALUE));
        }
        Ok(())
    }

    /// Returns the object in a slot, if there is one.
    fn object_in(&mut self, slot: u64) -> Swept<Option<NodeId>> {
        let value = self.sweep.memory.structure(slot, VALUE).ok_or(UNREADABLE)?;
        let value_type = self.sweep.types[usize::from(value.byte(TAG))];
        if value_type == ValueType::Other {
            // A slot that is out of use may hold anything.
            return Ok(None);
        }
        if self.sweep.origin.is_stopped_at_any_instruction && value_type == ValueType::Object {
            return self.object_if_alive_in(value);
        }
        self.sweep.target(self.node, value_type, value.word(0))
    }

    /// The same for a slot that may be out of use, if its object still exists.
    fn object_if_alive_in(&mut self, value: Structure<'_>) -> Swept<Option<NodeId>> {
        let found = self.sweep.resolve(value.word(0))?;
        Ok(found.filter(|&found| tags::agree(value.byte(TAG), self.sweep.heap.kind(found))))
    }

    fn take(&mut self, slot: u64, name: SlotName) -> Swept {
        if let Some(target) = self.object_in(slot)? {
            self.sweep.slots.add(target, name)?;
        }
        Ok(())
    }

    /// Notes the slots from `slot` up to, but not including, `limit`.
    fn take_all(&mut self, slot: u64, limit: u64, name: SlotName) -> Swept {
        let mut slot = slot;
        while slot < limit {
            self.take(slot, name)?;
            slot = slot.wrapping_add(u64::from(VALUE));
        }
        Ok(())
    }

    fn unnamed(&mut self, name: &'static str, source: NameId) -> Swept<SlotName> {
        self.sweep
            .slot_names
            .unnamed(&mut self.sweep.heap, name, source)
    }
}
