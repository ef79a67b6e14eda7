//! The references from a thread's stack: which of its slots count.
//!
//! An object in several slots of the same name counts once, since the API shows some slots twice. A
//! slot known only to be in use counts only where the object is in no named slot.

use luasnap_heap::{BuildError, NameId, NodeId};

/// A slot's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotName {
    /// Whether the slot is known only to be in use.
    pub(crate) is_temporary: bool,
    pub(crate) name: NameId,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    target: NodeId,
    name: SlotName,
    order: u32,
}

/// The slots of a thread that refer to objects, from the innermost call outwards.
#[derive(Debug, Default)]
pub(crate) struct StackSlots {
    slots: Vec<Slot>,
}

impl StackSlots {
    /// Removes all slots.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Adds a slot.
    pub(crate) fn add(&mut self, target: NodeId, name: SlotName) -> Result<(), BuildError> {
        let order = u32::try_from(self.slots.len()).map_err(|_| BuildError::TooManyEdges)?;
        self.slots.try_reserve(1)?;
        self.slots.push(Slot {
            target,
            name,
            order,
        });
        Ok(())
    }

    /// Leaves out the slots that do not count. The others keep their order.
    pub(crate) fn consolidate(&mut self) {
        let by_target = |slot: &Slot| {
            let SlotName { is_temporary, name } = slot.name;
            let name = if is_temporary { NameId::EMPTY } else { name };
            (slot.target, is_temporary, name.0, slot.order)
        };
        self.slots.sort_unstable_by_key(by_target);
        self.slots.dedup_by(|next, kept| {
            next.target == kept.target && (next.name.is_temporary || next.name == kept.name)
        });
        self.slots.sort_unstable_by_key(|slot| slot.order);
    }

    /// Number of slots.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The object in slot number `at`, and the slot's name.
    pub(crate) fn get(&self, at: usize) -> (NodeId, NameId) {
        let slot = self.slots[at];
        (slot.target, slot.name.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_count_once_and_temporary_ones_last() {
        let mut slots = StackSlots::default();
        let named = |name| SlotName {
            is_temporary: false,
            name: NameId(name),
        };
        let temporary = |name| SlotName {
            is_temporary: true,
            name: NameId(name),
        };
        for (target, name) in [
            (7, temporary(9)),
            (5, temporary(8)),
            (7, named(2)),
            (7, named(1)),
            (6, named(1)),
            (7, named(2)),
            (5, temporary(3)),
        ] {
            slots.add(NodeId(target), name).unwrap();
        }
        slots.consolidate();
        let left: Vec<_> = (0..slots.len()).map(|at| slots.get(at)).collect();
        let expected = [(5, 8), (7, 2), (7, 1), (6, 1)];
        assert_eq!(
            left,
            expected.map(|(node, name)| (NodeId(node), NameId(name)))
        );
    }
}
