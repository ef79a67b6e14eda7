//! The modes of tables.

use super::misfit::Swept;
use crate::mode::Mode;
use luasnap_heap::BuildError;
use rustc_hash::FxHashMap;

/// The modes of tables by their metatable.
#[derive(Default)]
pub(super) struct Modes {
    last: (u64, Mode),
    known: FxHashMap<u64, Mode>,
}

impl Modes {
    /// The mode that the metatable at this address gives, where that is known.
    #[inline]
    pub(super) fn get(&mut self, metatable: u64) -> Option<Mode> {
        if self.last.0 == metatable {
            return Some(self.last.1);
        }
        let mode = *self.known.get(&metatable)?;
        self.last = (metatable, mode);
        Some(mode)
    }

    /// Notes the mode that a metatable gives.
    pub(super) fn put(&mut self, metatable: u64, mode: Mode) -> Swept<Mode> {
        let known = &mut self.known;
        known.try_reserve(1).map_err(|_| BuildError::OutOfMemory)?;
        known.insert(metatable, mode);
        self.last = (metatable, mode);
        Ok(mode)
    }
}
