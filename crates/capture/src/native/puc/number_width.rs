//! How wide a VM's numbers are, as `math.pi` and `math.maxinteger` tell.

use crate::lua::numbers::Width;
use crate::memory::memory::Memory;
use crate::native::puc::sweep::Sweep;
use crate::native::puc::tags::ValueType;

impl<M: Memory> Sweep<'_, M> {
    /// Notes the width of numbers, where the library tells that it is not the usual one. A narrow
    /// number fills the lower half of its word, and the upper half has what was there before.
    pub(super) fn find_numbers(&mut self) {
        let keys = self.number_keys;
        let math = || {
            let registry = self.global.word(self.layout().global_state.registry);
            let loaded = self.field(registry, keys.loaded)?;
            Some(self.field(loaded.1, keys.math)?.1)
        };
        let Some(math) = math() else {
            return;
        };
        if let Some((ValueType::Float, word)) = self.field(math, keys.pi)
            && f64::from_bits(word) != std::f64::consts::PI
            && f32::from_bits(word as u32) == std::f32::consts::PI
        {
            self.numbers.floats = Width::Narrow;
        }
        // A program may set both itself. As wide numbers they have upper halves of their own.
        if let Some((ValueType::Integer, most)) = self.field(math, keys.max_integer)
            && let Some((ValueType::Integer, least)) = self.field(math, keys.min_integer)
            && (most as i32, least as i32) == (i32::MAX, i32::MIN)
            && (most as i64, least as i64) != (i32::MAX.into(), i32::MIN.into())
        {
            self.numbers.integers = Width::Narrow;
        }
    }
}
