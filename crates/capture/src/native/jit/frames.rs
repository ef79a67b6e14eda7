//! The frames of a thread's stack, from the innermost outwards, as `lua_getstack` counts them.
//!
//! A frame is known by the slot before its base. That holds the link to the frame which called it;
//! its function is in the slot before that or, where references have 32 bits, in the other half of
//! the same slot. The low bits of a link are its type: it is an address in the caller's code, or the
//! distance in bytes to the other frame, further down.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::references::References;
use crate::native::jit::slots::SLOT;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};

pub(super) const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a thread");

/// `FRAME_TYPE`, `FRAME_TYPEP`: the bits of a link that tell its type.
const TYPE: u64 = 3;
const WHOLE_TYPE: u64 = 7;
/// `FRAME_LUA` (by the first mask), `FRAME_C`, `FRAME_CONT`, `FRAME_VARG`.
const CODE: u64 = 0;
const HOST: u64 = 1;
const CONTINUATION: u64 = 2;
const VARARG: u64 = 3;
/// `LJ_CONT_FFI_CALLBACK`, in place of a continuation.
const CALLBACK: u64 = 1;
/// Bytes of an instruction.
const INSTRUCTION: u64 = 4;
/// Number of the opcodes from `BC_RETM` to `BC_RET1`.
const RETURNS: u8 = 4;

/// The low bits of the address of a frame on the machine stack are flags.
const MACHINE_ADDRESS: u64 = !3;
/// Far more steps than `LUAI_MAXCCALLS` and the frames of a stack allow.
const MAX_MACHINE_STEPS: u32 = 1 << 18;

/// A frame on a thread's stack.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Address of the slot before its base.
    pub(super) at: u64,
    /// The same for the frame that it called, if there is one.
    pub(super) next: Option<u64>,
}

/// The frames of one thread.
pub(super) struct Frames<'m> {
    thread: u64,
    state: Structure<'m>,
    /// Address of the stack.
    stack: u64,
    /// Address at which the frames end: that of the host's own frame.
    bottom: u64,
    at: u64,
    next: Option<u64>,
    /// Whether the frame at `at` is only the outer half of one with extra arguments.
    is_outer_half: bool,
}

impl<'m> Frames<'m> {
    pub(super) fn new<M: Memory, R: References>(
        sweep: &Sweep<'m, M, R>,
        thread: u64,
        state: Structure<'m>,
    ) -> Swept<Frames<'m>> {
        let places = &sweep.layout.state;
        let (stack, base) = (R::at(state, places.stack), state.word(places.base));
        let first = stack.saturating_add(R::FRAME_SLOTS * SLOT);
        let end = stack.saturating_add(SLOT * u64::from(state.int(places.stack_size)));
        let is_inside = |slot: u64| (first..=end).contains(&slot);
        if end == u64::MAX || !is_inside(base) || !is_inside(state.word(places.top)) {
            return Err(UNREADABLE.into());
        }
        Ok(Frames {
            thread,
            state,
            stack,
            bottom: first - SLOT,
            at: base - SLOT,
            next: None,
            is_outer_half: false,
        })
    }

    /// Returns the next frame outwards.
    pub(super) fn step<M: Memory, R: References>(
        &mut self,
        sweep: &Sweep<'m, M, R>,
    ) -> Swept<Option<Frame>> {
        while self.at > self.bottom {
            let frame = Frame {
                at: self.at,
                next: self.next,
            };
            let link = sweep.link(self.at)?;
            // A frame for an error without a function has the thread in its place, and is no level.
            let is_level = !self.is_outer_half && sweep.function_of(self.at)? != self.thread;
            self.is_outer_half = link & WHOLE_TYPE == VARARG;
            self.next = Some(self.at);
            self.at = sweep.outer(self.at)?;
            if self.at < self.stack {
                return Err(UNREADABLE.into());
            }
            if is_level {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Number of the instruction at which the frame of a Lua function is, if it is known.
    pub(super) fn instruction<M: Memory, R: References>(
        &self,
        sweep: &Sweep<'m, M, R>,
        frame: Frame,
        prototype: u64,
    ) -> Swept<Option<u32>> {
        let next = match frame.next {
            None => sweep.machine_code_place(self.machine_frame(sweep), self.thread),
            Some(next) => {
                let link = sweep.link(next)?;
                match (link & TYPE, link & WHOLE_TYPE) {
                    (CODE, _) => link,
                    (_, CONTINUATION) => sweep.link(continuation::<R>(next))?,
                    _ => self.place_below_host(sweep, next)?,
                }
            }
        };
        match next {
            0 => Ok(None),
            next => sweep.instruction_before(next, prototype),
        }
    }

    fn machine_frame<M, R>(&self, sweep: &Sweep<'m, M, R>) -> u64 {
        self.state.word(sweep.layout.state.c_frame) & MACHINE_ADDRESS
    }

    /// Address in the code at which the function below the host's frame `next` is, from the machine
    /// stack; 0 if it is not known.
    fn place_below_host<M: Memory, R: References>(
        &self,
        sweep: &Sweep<'m, M, R>,
        next: u64,
    ) -> Swept<u64> {
        let mut machine = self.machine_frame(sweep);
        let mut at = self.state.word(sweep.layout.state.base) - SLOT;
        for _ in 0..MAX_MACHINE_STEPS {
            if machine == 0 {
                return Ok(0);
            }
            let results = machine.wrapping_add(u64::from(sweep.layout.c_frame.results));
            let Some(results) = sweep.memory.structure(results, 4) else {
                return Ok(0);
            };
            let results = results.int(0) as i32;
            if results < 0 && at < self.stack + u64::from(results.unsigned_abs()) {
                machine = sweep.outer_machine_frame(machine);
                continue;
            }
            if at < next {
                return Ok(sweep.machine_code_place(machine, 0));
            }
            let link = sweep.link(at)?;
            let is_callback = link & WHOLE_TYPE == CONTINUATION
                && sweep.function_of(continuation::<R>(at)) == Ok(CALLBACK);
            if link & TYPE == HOST || is_callback {
                machine = sweep.outer_machine_frame(machine);
            }
            if at <= self.bottom {
                return Ok(0);
            }
            at = sweep.outer(at)?;
        }
        Ok(0)
    }
}

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Address of what runs in a frame: a function, or the thread itself.
    pub(super) fn function_of(&self, frame: u64) -> Swept<u64> {
        let value = R::callee(self.memory, frame).ok_or(UNREADABLE)?;
        Ok(value.address())
    }

    /// The link of the frame at `frame`.
    fn link(&self, frame: u64) -> Swept<u64> {
        Ok(R::link(self.memory, frame).ok_or(UNREADABLE)?)
    }

    /// Address of the frame that called the one at `frame`, lower on the stack.
    fn outer(&self, frame: u64) -> Swept<u64> {
        let link = self.link(frame)?;
        let distance = match link & TYPE {
            // The call instruction before that address names the slot of the function.
            CODE => {
                let call = link.checked_sub(INSTRUCTION).ok_or(UNREADABLE)?;
                let call = self.memory.structure(call, 4).ok_or(UNREADABLE)?;
                SLOT * (R::FRAME_SLOTS + u64::from(call.byte(1)))
            }
            _ => link & !WHOLE_TYPE,
        };
        match frame.checked_sub(distance) {
            Some(outer) if outer < frame => Ok(outer),
            _ => Err(UNREADABLE.into()),
        }
    }

    /// Address of the outer half of a frame, which has its extra arguments; `None` if it has no
    /// outer half.
    pub(super) fn outer_half(&self, frame: u64) -> Swept<Option<u64>> {
        let link = self.link(frame)?;
        match link & WHOLE_TYPE {
            VARARG => Ok(Some(self.outer(frame)?)),
            _ => Ok(None),
        }
    }

    /// Address of the previous frame on the machine stack; 0 if there is none, or none that can be
    /// read.
    fn outer_machine_frame(&self, machine: u64) -> u64 {
        let before = machine.wrapping_add(u64::from(self.layout.c_frame.before));
        let before = self.memory.word(before).unwrap_or(0);
        before & MACHINE_ADDRESS
    }

    /// Address in the code that a frame on the machine stack keeps; 0 if it keeps none, or `thread`
    /// in its place.
    fn machine_code_place(&self, machine: u64, thread: u64) -> u64 {
        if machine == 0 {
            return 0;
        }
        let place = machine.wrapping_add(u64::from(self.layout.c_frame.code));
        let place = self.reference(place).unwrap_or(0);
        if place == thread { 0 } else { place }
    }

    /// Number of the instruction before the address `next` in a prototype's code.
    fn instruction_before(&self, next: u64, prototype: u64) -> Swept<Option<u32>> {
        let places = &self.layout.prototype;
        let code = prototype + u64::from(places.size);
        let number = |place: u64| (place.wrapping_sub(code) as i64 / INSTRUCTION as i64) as u32;
        let count = self
            .prototype(prototype)
            .ok_or(UNREADABLE)?
            .int(places.code_count);
        match number(next).wrapping_sub(1) {
            // Builds with a VM thread (`vmthref`) count that as the first instruction.
            u32::MAX if self.layout.global_state.vm_thread != ABSENT => Ok(Some(1)),
            at if at <= count => Ok(Some(at)),
            // A trace may start with the function's return, of which the trace then keeps a copy.
            _ => {
                let last = next.checked_sub(INSTRUCTION);
                let last = last.and_then(|last| self.memory.structure(last, 4));
                let is_return = last.is_some_and(|last| {
                    last.byte(0).wrapping_sub(places.first_return as u8) < RETURNS
                });
                Ok(match self.start_of_trace(next) {
                    Some(start) if is_return => Some(number(start)),
                    _ => None,
                })
            }
        }
    }
}

/// Address of the slot with the place in the code at which a continuation frame goes on. It lies
/// below the frame's own slots and is like a frame itself, with the continuation for its function.
fn continuation<R: References>(frame: u64) -> u64 {
    frame.wrapping_sub(R::FRAME_SLOTS * SLOT)
}
