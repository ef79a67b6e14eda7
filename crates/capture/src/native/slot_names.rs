//! The names of stack slots, each built once.

use crate::lua::stack_slot_label::StackSlotLabel;
use crate::lua::stack_slots::SlotName;
use crate::native::layout_mismatch::Swept;
use luasnap_heap::{BuildError, NameId, SweepBuilder};
use rustc_hash::FxHashMap;

/// Names of slots by their parts.
#[derive(Default)]
pub(crate) struct SlotNames {
    named: FxHashMap<(NameId, NameId), NameId>,
    unnamed: FxHashMap<(&'static str, NameId), NameId>,
}

impl SlotNames {
    /// The name of a slot that the program names.
    pub(crate) fn named(
        &mut self,
        heap: &mut SweepBuilder,
        name: NameId,
        source: NameId,
    ) -> Swept<SlotName> {
        let known = self.named.get(&(name, source)).copied();
        let name = match known {
            Some(known) => known,
            None => {
                let text = StackSlotLabel::new(heap.name(name), heap.name(source));
                let joined = heap.intern(text.bytes())?;
                let named = &mut self.named;
                named.try_reserve(1).map_err(|_| BuildError::OutOfMemory)?;
                *named.entry((name, source)).or_insert(joined)
            }
        };
        Ok(SlotName {
            is_temporary: false,
            name,
        })
    }

    /// The name of a slot that no program names.
    pub(crate) fn unnamed(
        &mut self,
        heap: &mut SweepBuilder,
        name: &'static str,
        source: NameId,
    ) -> Swept<SlotName> {
        let known = self.unnamed.get(&(name, source)).copied();
        let joined = match known {
            Some(known) => known,
            None => {
                let text = StackSlotLabel::new(name.as_bytes(), heap.name(source));
                let joined = heap.intern(text.bytes())?;
                let unnamed = &mut self.unnamed;
                unnamed
                    .try_reserve(1)
                    .map_err(|_| BuildError::OutOfMemory)?;
                *unnamed.entry((name, source)).or_insert(joined)
            }
        };
        Ok(SlotName {
            is_temporary: name == crate::lua::stack_slot_label::TEMPORARY,
            name: joined,
        })
    }
}
