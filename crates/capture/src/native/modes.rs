//! The weak modes of tables, and whether what was taken for metatables are metatables.

use crate::lua::weak_mode::WeakMode;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use luasnap_heap::BuildError;
use rustc_hash::FxHashMap;

/// What the fields of a metatable say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fields {
    /// There are none.
    None,
    /// Some, but none for the VM or a library.
    Others,
    /// At least one is for them: a metamethod.
    Metamethods,
}

/// The modes of tables by their metatable.
#[derive(Default)]
pub(super) struct Modes {
    last: (u64, WeakMode),
    known: FxHashMap<u64, WeakMode>,
    with_metamethods: u32,
    with_others: u32,
}

impl Modes {
    /// Returns the mode that the metatable at this address gives, if it is known.
    #[inline]
    pub(super) fn get(&mut self, metatable: u64) -> Option<WeakMode> {
        if self.last.0 == metatable {
            return Some(self.last.1);
        }
        let mode = *self.known.get(&metatable)?;
        self.last = (metatable, mode);
        Some(mode)
    }

    /// Notes the mode that a metatable gives, and what its fields say. Returns the mode.
    pub(super) fn put(
        &mut self,
        metatable: u64,
        mode: WeakMode,
        fields: Fields,
    ) -> Swept<WeakMode> {
        let known = &mut self.known;
        known.try_reserve(1).map_err(|_| BuildError::OutOfMemory)?;
        known.insert(metatable, mode);
        self.last = (metatable, mode);
        match fields {
            Fields::None => {}
            Fields::Others => self.with_others += 1,
            Fields::Metamethods => self.with_metamethods += 1,
        }
        Ok(mode)
    }

    /// Verifies that what was taken for metatables are metatables. A program may have yet to fill
    /// some, but most have metamethods.
    pub(super) fn verify_objects(&self) -> Swept {
        match self.with_others > 1 && self.with_others > self.with_metamethods {
            true => Err(LayoutMismatch::Metatables.into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proved(kinds: &[Fields]) -> bool {
        let mut modes = Modes::default();
        for (address, &fields) in (1..).zip(kinds) {
            modes
                .put(address, WeakMode::default(), fields)
                .expect("memory");
        }
        modes.verify_objects().is_ok()
    }

    #[test]
    fn most_metatables_have_metamethods() {
        use Fields::{Metamethods, None, Others};
        assert!(proved(&[]));
        assert!(proved(&[None, None, None]));
        assert!(proved(&[Others]));
        assert!(proved(&[Others, Metamethods, Others, Metamethods]));
        assert!(!proved(&[Others, Others]));
        assert!(!proved(&[Others, Metamethods, Others, None]));
    }
}
