//! Ids of objects that are the same in every file of one process.
//!
//! DevTools' Comparison matches objects of two files by their ids, and each file is written without the other.
//! So an id is made of what an object has in both: its kind, address and size, the line where a function is defined.
//! A table that grew has another one: Comparison never looks at sizes of the same id, and shows it as deleted with the
//! old size and new with the new one. Stacks grow and shrink all the time, so theirs does not count. Odd numbers
//! below 2^32 are too few for addresses, hence a hash.
//!
//! If two objects want the same id, the one at the lower address gets it and the other takes its
//! next choice, whichever comes first in the file: ids depend on the objects, not on their order.
//! So an id changes only if the object that was in its way comes or goes.

use crate::answer_error::Result;
use crate::heapsnapshot::contents::Contents;
use hashbrown::HashTable;
use luasnap_heap::{Heap, Kind, NodeId};

/// The number of ids for objects: odd ones below 2^32, without the first two.
const SPACE: u32 = (1 << 31) - 2;

/// The ids of the objects in a file.
pub(super) struct ObjectIds {
    /// By node; 0 for nodes that are not written.
    given: Vec<u32>,
}

impl ObjectIds {
    /// The id of the synthetic root.
    pub(super) const ROOT: u32 = 1;
    /// The id of the node that refers to all GC roots again.
    pub(super) const GC_ROOTS: u32 = 3;

    pub(super) fn new(heap: &Heap, contents: &Contents) -> Result<ObjectIds> {
        let claim = |node: u32| Claim::of_object(heap, NodeId(node));
        let mut places = Places::new(heap.node_count(), contents.object_count(), SPACE, claim)?;
        for node in contents.nodes() {
            places.give(node.0);
        }
        Ok(ObjectIds {
            given: places.given,
        })
    }

    /// Returns the id of a node that is written.
    #[inline]
    pub(super) fn of(&self, node: NodeId) -> u32 {
        2 * self.given[node.index()] + Self::GC_ROOTS
    }
}

/// An object's claim to an id.
#[derive(Clone, Copy)]
struct Claim {
    /// A hash that tells the object from all others.
    identity: u64,
    /// The lower rank wins.
    rank: (u64, Kind),
}

impl Claim {
    #[inline]
    fn of_object(heap: &Heap, node: NodeId) -> Claim {
        let (kind, address) = (heap.kind(node), heap.address(node));
        let lasting = match kind {
            // Their sizes change without meaning anything.
            Kind::Thread | Kind::Snapshot => 0,
            Kind::LuaFunction | Kind::Prototype => {
                heap.size(node) << 24 ^ u64::from(heap.count(node))
            }
            _ => heap.size(node),
        };
        Claim {
            identity: mixed(address ^ (kind as u64) << 56) ^ mixed(lasting),
            rank: (address, kind),
        }
    }

    /// Returns choice number `number`: a place from 1 to `space`.
    #[inline]
    fn choice(self, number: u64, space: u32) -> u32 {
        let hash = mixed(self.identity.wrapping_add(number)) >> 32;
        1 + ((hash * u64::from(space)) >> 32) as u32
    }
}

/// Returns a number whose every bit depends on every bit of `bits` (the finalizer of MurmurHash3).
#[inline]
fn mixed(mut bits: u64) -> u64 {
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    bits ^ bits >> 33
}

/// The assigned places, from 1 to `space`. There are more places than objects.
struct Places<C> {
    /// By object; 0 for none yet.
    given: Vec<u32>,
    /// The owners of places, by place.
    owners: HashTable<u32>,
    space: u32,
    claim: C,
}

impl<C: Fn(u32) -> Claim> Places<C> {
    /// Makes room for `count` objects with numbers below `len`.
    fn new(len: usize, count: usize, space: u32, claim: C) -> Result<Self> {
        let mut places = Places {
            given: Vec::new(),
            owners: HashTable::new(),
            space,
            claim,
        };
        places.given.try_reserve_exact(len)?;
        places.given.resize(len, 0);
        places.owners.try_reserve(count, |_| 0)?;
        Ok(places)
    }

    /// Assigns a place to an object. Another object may have to move to its next choice.
    #[inline]
    fn give(&mut self, object: u32) {
        let (mut object, mut claim) = (object, (self.claim)(object));
        let mut number = 0;
        loop {
            let place = claim.choice(number, self.space);
            let given = &self.given;
            let owner = self
                .owners
                .find_mut(hash(place), |owner| given[*owner as usize] == place);
            let Some(owner) = owner else {
                self.given[object as usize] = place;
                // Room for all objects is reserved.
                let given = &self.given;
                self.owners
                    .insert_unique(hash(place), object, |object| hash(given[*object as usize]));
                return;
            };
            let owners = (self.claim)(*owner);
            if claim.rank < owners.rank {
                self.given[object as usize] = place;
                object = std::mem::replace(owner, object);
                claim = owners;
                number = self.number_of(claim, place);
            }
            number += 1;
        }
    }

    /// Returns the number of the choice that led to a place.
    #[cold]
    fn number_of(&self, claim: Claim, place: u32) -> u64 {
        let is_place = |number: &u64| claim.choice(*number, self.space) == place;
        (0..).find(is_place).unwrap_or(0)
    }
}

/// Returns a hash for the hash table, which uses the highest and the lowest bits.
#[inline]
fn hash(place: u32) -> u64 {
    u64::from(place) << 32 | u64::from(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The places of objects at some addresses, in the order of the addresses.
    fn places(addresses: &[u64], space: u32) -> Vec<u32> {
        let claim = |object: u32| Claim {
            identity: mixed(addresses[object as usize]),
            rank: (addresses[object as usize], Kind::Table),
        };
        let mut places = Places::new(addresses.len(), addresses.len(), space, claim).unwrap();
        for object in 0..addresses.len() as u32 {
            places.give(object);
        }
        let mut by_address: Vec<_> = addresses.iter().zip(places.given).collect();
        by_address.sort_unstable();
        by_address.into_iter().map(|(_, place)| place).collect()
    }

    fn addresses() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::hash_set(any::<u64>(), 1..60)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
    }

    proptest! {
        /// A space hardly larger than its content, so that nearly all objects collide.
        #[test]
        fn places_are_told_apart_and_no_order_matters(mut addresses in addresses()) {
            let space = addresses.len() as u32 + 3;
            let found = places(&addresses, space);
            let mut distinct = found.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), addresses.len());
            prop_assert!(distinct.iter().all(|place| (1..=space).contains(place)));
            addresses.sort_unstable();
            prop_assert_eq!(&places(&addresses, space), &found);
            addresses.reverse();
            prop_assert_eq!(&places(&addresses, space), &found);
        }

        #[test]
        fn none_moves_but_for_one_at_a_lower_address(addresses in addresses()) {
            let mut sorted = addresses;
            sorted.sort_unstable();
            let space = sorted.len() as u32 + 3;
            let all = places(&sorted, space);
            let without_the_last = places(&sorted[..sorted.len() - 1], space);
            prop_assert_eq!(&all[..sorted.len() - 1], &without_the_last);
        }
    }

    #[test]
    fn few_of_a_million_are_in_the_way() {
        let addresses: Vec<u64> = (0..1 << 20).map(|at| 0x5555_0000_0000 + 48 * at).collect();
        let first_wishes = places(&addresses, SPACE)
            .iter()
            .zip(&addresses)
            .filter(|(place, address)| {
                let claim = Claim {
                    identity: mixed(**address),
                    rank: (0, Kind::Table),
                };
                claim.choice(0, SPACE) == **place
            })
            .count();
        // 2^20 * 2^20 / 2 / 2^31 is 256, give or take a few times 16.
        let moved = (1 << 20) - first_wishes;
        assert!((150..360).contains(&moved), "{moved}");
    }
}
