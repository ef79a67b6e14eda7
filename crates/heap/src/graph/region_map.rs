//! Finding nodes by address, for builders that get all objects before any reference.
//!
//! There is a bit for each 16 bytes of the regions that have objects: no object is smaller, so no
//! two start in one such place. Once all objects are known, the number of set bits before an
//! object's own is its number by address, and this number leads to its node. Both columns together
//! take a fraction of the heap's own bytes, and objects that were allocated together are neighbours
//! in both. Only regions are hashed, and seldom, since the last ones are remembered.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;
use std::cell::Cell;

/// log2 of a region's bytes.
const REGION: u32 = 20;
/// log2 of the bytes that share a place.
const GRANULE: u32 = 4;
/// log2 of the places that a word has bits for. 32 bits are counted with fewer instructions than 64 where the machine
/// has none that counts, and the number before them fits the same 8 bytes.
const WORD: u32 = 5;
/// Words of a region.
const WORDS: usize = 1 << (REGION - GRANULE - WORD);
/// The first of the bits of a node that say in which quarter of its place the object starts. Objects
/// are aligned to 8 bytes, or to 4: one of LuaJIT's is part of a structure of 32-bit numbers.
const QUARTER: u32 = 30;
/// log2 of the alignment.
const ALIGNMENT: u32 = 2;
const UNALIGNED: u64 = (1 << ALIGNMENT) - 1;

/// The starts of objects among 32 places.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    bits: u32,
    /// The number of objects in the previous words.
    before: u32,
}

impl Places {
    /// Returns the number of an object among all, by address.
    #[inline(always)]
    fn number(self, bit: u32) -> usize {
        let lower = self.bits & ((1 << bit) - 1);
        self.before as usize + lower.count_ones() as usize
    }
}

/// Finds nodes by the address of the object.
#[derive(Debug, Default)]
pub(crate) struct RegionMap {
    /// The places of each region, one after the other.
    places: Vec<Places>,
    /// The nodes, in the order of their places; empty until all objects are known.
    nodes: Vec<u32>,
    /// Open addressing: a region's number and one more than its place among the regions.
    index: Vec<(u64, u32)>,
    /// The regions that were looked up last and their first words, by the last bits of their numbers.
    recent: Recent,
}

/// The regions that were looked up last.
#[derive(Debug)]
struct Recent([Cell<(u64, usize)>; RECENT]);

const RECENT: usize = 64;

impl Default for Recent {
    fn default() -> Self {
        Recent([const { Cell::new((u64::MAX, 0)) }; RECENT]) // of no region
    }
}

/// Returns the word of its region that an address belongs to.
#[inline(always)]
fn word(address: u64) -> usize {
    (address >> (GRANULE + WORD)) as usize & (WORDS - 1)
}

/// Returns the bit of that word.
#[inline(always)]
fn bit(address: u64) -> u32 {
    (address >> GRANULE) as u32 & ((1 << WORD) - 1)
}

#[inline(always)]
fn entry(address: u64, node: NodeId) -> u32 {
    node.0 | ((address >> ALIGNMENT) as u32) << QUARTER
}

impl RegionMap {
    /// The most nodes that it can find.
    pub(crate) const MOST_NODES: usize = (1 << QUARTER) - 1;

    /// Adds an object. Returns false if one starts there already, or if no object can start there.
    #[inline]
    pub(crate) fn insert(&mut self, address: u64) -> Result<bool, BuildError> {
        if address & UNALIGNED != 0 || address == 0 {
            return Ok(false);
        }
        let region = match self.region(address >> REGION) {
            Some(region) => region,
            None => self.add_region(address >> REGION)?,
        };
        Ok(self.take(region, address))
    }

    /// The same, if the address is in a region that was looked up last.
    #[inline(always)]
    pub(crate) fn insert_nearby(&mut self, address: u64) -> Option<bool> {
        let number = address >> REGION;
        let (known, first) = self.recent.0[number as usize % RECENT].get();
        if known != number || address & UNALIGNED != 0 || address == 0 {
            return None;
        }
        Some(self.take(first, address))
    }

    /// Takes the place of an object in the region with this first word. Returns false if it is taken already.
    #[inline(always)]
    fn take(&mut self, region: usize, address: u64) -> bool {
        let bits = &mut self.places[region + word(address)].bits;
        let own = 1 << bit(address);
        let is_free = *bits & own == 0;
        *bits |= own;
        is_free
    }

    /// Whether an object starts in the 16 bytes around `address`.
    pub(crate) fn is_taken(&self, address: u64) -> bool {
        self.region(address >> REGION)
            .is_some_and(|region| self.places[region + word(address)].bits >> bit(address) & 1 != 0)
    }

    /// Prefetches what [`insert`](Self::insert) and [`find`](Self::find) will need.
    #[inline]
    pub(crate) fn prefetch(&self, address: u64) {
        if let Some(region) = self.region(address >> REGION) {
            prefetch(self.places[region + word(address)].bits);
        }
    }

    /// Ends the list of objects: the nodes from 1 on have these addresses.
    pub(crate) fn close(&mut self, addresses: &[u64]) -> Result<(), BuildError> {
        let mut count = 0;
        for places in &mut self.places {
            places.before = count;
            count += places.bits.count_ones();
        }
        let mut nodes = filled(count as usize, 0)?;
        for (node, &address) in (1..).map(NodeId).zip(addresses) {
            if let Some(number) = self.number(address) {
                nodes[number] = entry(address, node);
            }
        }
        self.nodes = nodes;
        Ok(())
    }

    /// Returns the node of the object at `address`. Works after [`close`](Self::close).
    #[inline(always)]
    pub(crate) fn find(&self, address: u64) -> Option<NodeId> {
        let found = *self.nodes.get(self.number(address)?)?;
        let within_place = u64::from(found >> QUARTER) << ALIGNMENT;
        let node = NodeId(found & ((1 << QUARTER) - 1));
        (within_place == address & ((1 << GRANULE) - 1)).then_some(node)
    }

    /// Returns the number, by address, of the object in the 16 bytes around `address`.
    #[inline(always)]
    fn number(&self, address: u64) -> Option<usize> {
        let region = self.region(address >> REGION)?;
        let places = self.places[region + word(address)];
        let bit = bit(address);
        (places.bits >> bit & 1 != 0).then(|| places.number(bit))
    }

    /// Returns the first word of a region.
    #[inline(always)]
    fn region(&self, number: u64) -> Option<usize> {
        match self.recent.0[number as usize % RECENT].get() {
            (known, first) if known == number => Some(first),
            _ => self.look_up_and_remember(number),
        }
    }

    #[inline(never)]
    fn look_up_and_remember(&self, number: u64) -> Option<usize> {
        let first = (self.look_up(number)? as usize - 1) * WORDS;
        self.recent.0[number as usize % RECENT].set((number, first));
        Some(first)
    }

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
        let count = self.places.len() / WORDS;
        if count * 2 >= self.index.len() {
            self.grow_index()?;
        }
        self.places.try_reserve(WORDS)?;
        self.places
            .resize(self.places.len() + WORDS, Places::default());
        let place = count as u32 + 1;
        put(&mut self.index, number, place);
        let first = count * WORDS;
        self.recent.0[number as usize % RECENT].set((number, first));
        Ok(first)
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
            starts in proptest::collection::vec((0u64..3, 1u64..2000, 0u64..4), 0..600),
            asked in proptest::collection::vec((0u64..4, 0u64..32000), 0..600),
        ) {
            let base = |area: u64| area * 0x1234_5678_9000 + 0x5555_0000_0000;
            let mut map = RegionMap::default();
            let mut oracle = HashMap::new();
            let mut addresses = Vec::new();
            for (area, granule, quarter) in starts {
                let address = base(area) + granule * 16 * 640 + quarter * 4;
                let around = [address, address ^ 4, address ^ 8, address ^ 12];
                let taken = around.iter().any(|address| oracle.contains_key(address));
                prop_assert_eq!(map.is_taken(address), taken);
                let added = match map.insert_nearby(address) {
                    Some(added) => added,
                    None => map.insert(address).unwrap(),
                };
                prop_assert_eq!(added, !taken);
                if added {
                    addresses.push(address);
                    oracle.insert(address, NodeId(addresses.len() as u32));
                }
            }
            map.close(&addresses).unwrap();
            for &address in oracle.keys() {
                for near in [address, address ^ 8, address + 1, address ^ 4, address + 16] {
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
        assert!(!map.insert(0).unwrap());
        assert!(!map.insert(0x1002).unwrap());
        assert!(map.insert(u64::MAX - 7).unwrap());
        assert_eq!(map.find(u64::MAX - 7), None);
        map.close(&[u64::MAX - 7]).unwrap();
        assert_eq!(map.find(u64::MAX - 7), Some(NodeId(1)));
        assert_eq!(map.find(u64::MAX - 15), None);
    }
}
