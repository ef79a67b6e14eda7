//! Ids of objects that are the same in every file of one process.
//!
//! DevTools' Comparison takes objects of two files for one and the same where their ids are, and each
//! file is written without a look at the other. So an id is made of what an object keeps all its life:
//! its kind and address, a size that cannot change, the line where a function was written. Odd
//! numbers below 2^32 are too few for addresses, hence a hash.
//!
//! Two objects may want one id. Then the one at the lower address gets it and the other goes on to
//! its next wish, whichever comes first in the file: who gets what depends on the objects alone, not
//! on their order. So an id moves only when the object that was in its way comes or goes.

use crate::answer_error::Result;
use crate::heapsnapshot::contents::Contents;
use hashbrown::HashTable;
use luasnap_heap::{Heap, Kind, NodeId};

/// How many ids there are for objects: odd ones below 2^32, but for the first two.
const SPACE: u32 = (1 << 31) - 2;

/// The ids of the objects in a file.
pub(super) struct ObjectIds {
    /// By node; 0 for what is not written.
    given: Vec<u32>,
}

impl ObjectIds {
    /// The id of the synthetic root.
    pub(super) const ROOT: u32 = 1;
    /// The id of the node that holds all roots again.
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

    /// The id of a node that is written.
    #[inline]
    pub(super) fn of(&self, node: NodeId) -> u32 {
        2 * self.given[node.index()] + Self::GC_ROOTS
    }
}

/// What an object brings when it asks for an id.
#[derive(Clone, Copy)]
struct Claim {
    /// What no other object has, but for chance.
    identity: u64,
    /// The lower of two goes first.
    rank: (u64, Kind),
}

impl Claim {
    #[inline]
    fn of_object(heap: &Heap, node: NodeId) -> Claim {
        let (kind, address) = (heap.kind(node), heap.address(node));
        let lasting = match kind {
            // They grow and shrink.
            Kind::Table | Kind::Thread | Kind::Snapshot => 0,
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

    /// Its wish after so many others: a number from 1 to `space`.
    #[inline]
    fn wish(self, number: u64, space: u32) -> u32 {
        let hash = mixed(self.identity.wrapping_add(number)) >> 32;
        1 + ((hash * u64::from(space)) >> 32) as u32
    }
}

/// A number whose every bit depends on every bit of another one (the finalizer of MurmurHash3).
#[inline]
fn mixed(mut bits: u64) -> u64 {
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    bits ^ bits >> 33
}

/// Places from 1 to `space`, as they are given away: more of them than there are objects.
struct Places<C> {
    /// By object; 0 while it has none.
    given: Vec<u32>,
    /// Who has a place, to be found by it.
    retainers: HashTable<u32>,
    space: u32,
    claim: C,
}

impl<C: Fn(u32) -> Claim> Places<C> {
    /// For objects with numbers below `len`, of which `count` will ask.
    fn new(len: usize, count: usize, space: u32, claim: C) -> Result<Self> {
        let mut places = Places {
            given: Vec::new(),
            retainers: HashTable::new(),
            space,
            claim,
        };
        places.given.try_reserve_exact(len)?;
        places.given.resize(len, 0);
        places.retainers.try_reserve(count, |_| 0)?;
        Ok(places)
    }

    /// Gives an object its place. Another one may have to go on to its next wish for it.
    #[inline]
    fn give(&mut self, object: u32) {
        let (mut object, mut claim) = (object, (self.claim)(object));
        let mut number = 0;
        loop {
            let place = claim.wish(number, self.space);
            let given = &self.given;
            let retainer = self
                .retainers
                .find_mut(hash(place), |retainer| given[*retainer as usize] == place);
            let Some(retainer) = retainer else {
                self.given[object as usize] = place;
                // There is room for all.
                let given = &self.given;
                self.retainers
                    .insert_unique(hash(place), object, |object| hash(given[*object as usize]));
                return;
            };
            let retainers = (self.claim)(*retainer);
            if claim.rank < retainers.rank {
                self.given[object as usize] = place;
                object = std::mem::replace(retainer, object);
                claim = retainers;
                number = self.number_of(claim, place);
            }
            number += 1;
        }
    }

    /// Which of its wishes a place was.
    #[cold]
    fn number_of(&self, claim: Claim, place: u32) -> u64 {
        let is_place = |number: &u64| claim.wish(*number, self.space) == place;
        (0..).find(is_place).unwrap_or(0)
    }
}

/// A place as the table wants it, which looks at the highest and at the lowest bits.
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
        /// A space hardly larger than what is in it: nearly all are in each other's way.
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
                claim.wish(0, SPACE) == **place
            })
            .count();
        // 2^20 * 2^20 / 2 / 2^31 is 256, give or take a few times 16.
        let moved = (1 << 20) - first_wishes;
        assert!((150..360).contains(&moved), "{moved}");
    }
}
