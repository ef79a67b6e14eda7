//! Verifies that the fields of calls mean what the layout says.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::puc::header::{TAG, VALUE};
use crate::native::puc::stack::{Call, HIDDEN_ARGUMENTS, Running, StackWalk, UNREADABLE};
use crate::native::puc::tags::ValueType;
use crate::version::Version;

impl<M: Memory> StackWalk<'_, '_, M> {
    /// Verifies that `base` is before `top`, and that of the innermost call (5.1): the two could have changed
    /// places. `lua_yield` alone moves it, to the values that it returns.
    pub(super) fn verify_base(&self, call: u64) -> Swept {
        const OK: u8 = 0;
        let places = &self.sweep.layout().state;
        if places.base == ABSENT {
            return Ok(());
        }
        let base = self.state.word(places.base);
        let info = self.sweep.call_info(call).ok_or(UNREADABLE)?;
        let is_moved = self.state.byte(places.status) != OK;
        let is_right =
            base <= self.top && (is_moved || base == info.word(self.sweep.layout().call.base));
        match is_right {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind(&"where a call begins").into()),
        }
    }

    /// Verifies that a call's arguments are where its function's parameters say: extra ones are
    /// before its first own slot.
    pub(super) fn verify_arguments(
        &self,
        call: Call,
        running: Running,
        prototype: Structure<'_>,
    ) -> Swept {
        let places = &self.sweep.layout().prototype;
        let parameters = u64::from(prototype.byte(places.parameters));
        let flags = prototype.byte(places.flags);
        let fits = match self.sweep.version() {
            Version::Lua51 | Version::Lua52 | Version::Lua53 => {
                let before = call.base.wrapping_sub(call.function);
                let slots = before / u64::from(VALUE);
                let is_whole = before.is_multiple_of(u64::from(VALUE)) && slots <= self.slots;
                // Arguments bound to parameters were moved away from there.
                let mut moved = 1..slots.min(parameters + 1);
                is_whole
                    && match flags {
                        0 => slots == 1,
                        _ => slots >= 1 && moved.all(|slot| self.is_nil(call, slot)),
                    }
            }
            version => {
                let moves = match version {
                    Version::Lua55 => flags & HIDDEN_ARGUMENTS != 0,
                    _ => flags != 0,
                };
                // The first instruction of such a function moves it.
                if !moves || running.pc < 1 {
                    return Ok(());
                }
                let info = self.sweep.call_info(call.address).ok_or(UNREADABLE)?;
                let extra = u64::from(info.int(self.sweep.layout().call.extra_arguments));
                self.sweep
                    .has_moved(call.function, extra.saturating_add(parameters))
            }
        };
        match fits {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind(&"what a call was given").into()),
        }
    }

    /// Whether a slot behind a call's function is nil.
    fn is_nil(&self, call: Call, slot: u64) -> bool {
        let address = call.function.wrapping_add(u64::from(VALUE) * slot);
        let value = self.sweep.memory.structure(address, VALUE);
        value.is_some_and(|value| self.sweep.types[usize::from(value.byte(TAG))] == ValueType::Nil)
    }
}
