//! From an object's address to its node, for one who names every object before any reference.
//!
//! A slot for each 16 bytes of the regions that have objects: no object is smaller, so no two
//! start in one slot. Objects that were allocated together are met together and find their slots
//! in the cache; nothing is hashed but the region, and that seldom, since the last ones are known.

use crate::error::BuildError;
use crate::grow::filled;
use crate::node::NodeId;
use std::cell::Cell;
use std::hint::black_box;

/// log2 of a region's bytes.
const REGION: u32 = 20;
/// log2 of the bytes that share a slot.
const GRANULE: u32 = 4;
/// Slots of a region.
const SLOTS: usize = 1 << (REGION - GRANULE);
/// In a slot: the object starts in the second half of it. Objects are aligned to 8 bytes.
const SECOND_HALF: u32 = 1 << 31;

/// Finds nodes by the address of the object.
#[derive(Debug, Default)]
pub(crate) struct RegionMap {
    /// The slots of each region, one after the other.
    slots: Vec<u32>,
    /// Open addressing: a region's number and one more than its place among the regions.
    index: Vec<(u64, u32)>,
    /// Regions that were asked for last and their places, by the number's last bits.
    recent: Recent,
}

/// Regions that were asked for last.
#[derive(Debug)]
struct Recent([Cell<(u64, u32)>; RECENT]);

const RECENT: usize = 64;

impl Default for Recent {
    fn default() -> Self {
        Recent([const { Cell::new((0, 0)) }; RECENT])
    }
}

fn slot(address: u64) -> usize {
    (address >> GRANULE) as usize & (SLOTS - 1)
}

fn entry(address: u64, node: NodeId) -> u32 {
    node.0 | ((address >> 3) as u32 & 1) << 31
}

impl RegionMap {
    /// The node of the object at `address`.
    #[inline(always)]
    pub(crate) fn find(&self, address: u64) -> Option<NodeId> {
        let region = self.region(address >> REGION)?;
        let found = self.slots[region * SLOTS + slot(address)];
        let node = NodeId(found & !SECOND_HALF);
        let is_it = node != NodeId::ROOT && found == entry(address, node) && address & 7 == 0;
        is_it.then_some(node)
    }

    /// Begins to fetch from memory what [`find`](Self::find) will need.
    #[inline]
    pub(crate) fn expect(&self, address: u64) {
        if let Some(region) = self.region(address >> REGION) {
            black_box(self.slots[region * SLOTS + slot(address)]);
        }
    }

    /// Adds an object. False when one starts there already, or the address can be none.
    #[inline]
    pub(crate) fn insert(&mut self, address: u64, node: NodeId) -> Result<bool, BuildError> {
        if address & 7 != 0 || address == 0 {
            return Ok(false);
        }
        if node.0 & SECOND_HALF != 0 {
            return Err(BuildError::TooManyNodes);
        }
        let region = match self.region(address >> REGION) {
            Some(region) => region,
            None => self.add_region(address >> REGION)?,
        };
        let slot = &mut self.slots[region * SLOTS + slot(address)];
        let is_free = *slot == 0;
        if is_free {
            *slot = entry(address, node);
        }
        Ok(is_free)
    }

    /// Where a region is.
    #[inline(always)]
    fn region(&self, number: u64) -> Option<usize> {
        let recent = &self.recent.0[number as usize % RECENT];
        let (known, place) = recent.get();
        if known == number && place != 0 {
            return Some(place as usize - 1);
        }
        let place = self.look_up(number)?;
        recent.set((number, place));
        Some(place as usize - 1)
    }

    #[inline(never)]
    fn look_up(&self, number: u64) -> Option<u32> {
        let mask = self.index.len().checked_sub(1)?;
        let mut at = hash(number) & mask;
        loop {
            match self.index[at] {
                (_, 0) => return None,
                (known, place) if known == number => return Some(place),
                _ => at = (at + 1) & mask,
            }
        }
    }

    #[cold]
    fn add_region(&mut self, number: u64) -> Result<usize, BuildError> {
        let count = self.slots.len() / SLOTS;
        if count * 2 >= self.index.len() {
            self.grow_index()?;
        }
        self.slots.try_reserve(SLOTS)?;
        self.slots.resize(self.slots.len() + SLOTS, 0);
        let place = count as u32 + 1;
        put(&mut self.index, number, place);
        self.recent.0[number as usize % RECENT].set((number, place));
        Ok(place as usize - 1)
    }

    fn grow_index(&mut self) -> Result<(), BuildError> {
        let mut larger = filled((self.index.len() * 2).max(64), (0, 0))?;
        for &(number, place) in self.index.iter().filter(|entry| entry.1 != 0) {
            put(&mut larger, number, place);
        }
        self.index = larger;
        Ok(())
    }
}

fn hash(number: u64) -> usize {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}

fn put(index: &mut [(u64, u32)], number: u64, place: u32) {
    let mask = index.len() - 1;
    let mut at = hash(number) & mask;
    while index[at].1 != 0 {
        at = (at + 1) & mask;
    }
    index[at] = (number, place);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_answers_as_a_hash_map_does(
            starts in proptest::collection::vec((0u64..3, 1u64..2000, any::<bool>()), 0..600),
            asked in proptest::collection::vec((0u64..4, 0u64..32000), 0..600),
        ) {
            let base = |area: u64| area * 0x1234_5678_9000 + 0x5555_0000_0000;
            let mut map = RegionMap::default();
            let mut oracle = HashMap::new();
            for (number, (area, granule, half)) in (1u32..).zip(starts) {
                let address = base(area) + granule * 16 * 640 + u64::from(half) * 8;
                let taken = oracle.contains_key(&address) || oracle.contains_key(&(address ^ 8));
                let added = map.insert(address, NodeId(number)).unwrap();
                prop_assert_eq!(added, !taken);
                if added {
                    oracle.insert(address, NodeId(number));
                }
            }
            for &address in oracle.keys() {
                for near in [address, address ^ 8, address + 1, address + 4, address + 16] {
                    prop_assert_eq!(map.find(near), oracle.get(&near).copied());
                }
            }
            for (area, offset) in asked {
                let address = base(area) + offset * 512;
                prop_assert_eq!(map.find(address), oracle.get(&address).copied());
            }
        }
    }

    #[test]
    fn what_can_be_no_object_is_none() {
        let mut map = RegionMap::default();
        assert_eq!(map.find(0), None);
        assert!(!map.insert(0, NodeId(1)).unwrap());
        assert!(!map.insert(0x1004, NodeId(1)).unwrap());
        assert!(map.insert(u64::MAX - 7, NodeId(1)).unwrap());
        assert_eq!(map.find(u64::MAX - 7), Some(NodeId(1)));
        assert_eq!(
            map.insert(0x1000, NodeId(1 << 31)),
            Err(BuildError::TooManyNodes)
        );
    }
}
