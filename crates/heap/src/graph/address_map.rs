//! Finding nodes by address.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;

/// Places in a bucket: as many as fit a cache line, since a heap is too large for the caches and each
/// look-up costs the lines that it touches.
const PLACES: usize = 5;

/// A cache line of addresses with their nodes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    keys: [u64; PLACES],
    nodes: [u32; PLACES],
    used: u32,
}

const EMPTY: Bucket = Bucket {
    keys: [0; PLACES],
    nodes: [0; PLACES],
    used: 0,
};

/// Finds nodes by address.
///
/// A userdata is known by the address of its payload. If the payload is empty, the next object may
/// start there, so userdata and other objects are told apart.
#[derive(Clone, Debug, Default)]
pub struct AddressMap {
    buckets: Vec<Bucket>,
    len: usize,
}

/// No object is at address 0, and none in the upper half of the address space.
#[inline]
fn key(kind: Kind, address: u64) -> u64 {
    address | u64::from(kind == Kind::Userdata) << 63
}

/// log2 of the bytes of address space whose objects share a few buckets. Objects that were
/// allocated together are met together, and so find their buckets in the cache.
const BLOCK: u32 = 10;
/// Number of buckets over which a block spreads: a block full of the smallest objects (56 bytes and
/// malloc's 8) fills four fifths of them.
const SPREAD: u64 = 4;

/// Returns the first bucket in which to look. Ascending hashes have ascending buckets, whatever the number
/// of buckets, so that growing reads and writes in order. The multiplier is the 64-bit golden ratio.
#[inline]
fn home(key: u64, buckets: usize) -> usize {
    let hash = (key >> BLOCK).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let block = ((u128::from(hash) * buckets as u128) >> 64) as usize;
    let within = key & ((1 << BLOCK) - 1);
    let bucket = block + ((within * SPREAD) >> BLOCK) as usize;
    if bucket >= buckets {
        bucket - buckets
    } else {
        bucket
    }
}

impl AddressMap {
    /// Returns a map with room for `nodes` nodes.
    pub(crate) fn with_room_for(nodes: usize) -> Result<AddressMap, BuildError> {
        let buckets = filled(buckets_for(nodes), EMPTY)?;
        Ok(AddressMap { buckets, len: 0 })
    }

    /// Returns the node at `address`, if there is one; userdata and all other kinds are told apart.
    #[inline]
    pub(crate) fn find(&self, kind: Kind, address: u64) -> Option<NodeId> {
        if self.buckets.is_empty() {
            return None;
        }
        let key = key(kind, address);
        let mut at = home(key, self.buckets.len());
        loop {
            let bucket = &self.buckets[at];
            if let Some(place) = bucket.keys.iter().position(|&known| known == key) {
                return Some(NodeId(bucket.nodes[place]));
            }
            if bucket.used < PLACES as u32 {
                return None;
            }
            at = if at + 1 == self.buckets.len() {
                0
            } else {
                at + 1
            };
        }
    }

    /// Prefetches what [`find`](Self::find) will need.
    #[inline]
    pub(crate) fn prefetch(&self, kind: Kind, address: u64) {
        if !self.buckets.is_empty() {
            prefetch(self.buckets[home(key(kind, address), self.buckets.len())].used);
        }
    }

    /// Adds a node that [`find`](Self::find) does not know yet.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        kind: Kind,
        address: u64,
        node: NodeId,
    ) -> Result<(), BuildError> {
        if self.len * 4 >= self.buckets.len() * PLACES * 3 {
            self.grow()?;
        }
        place(&mut self.buckets, key(kind, address), node.0);
        self.len += 1;
        Ok(())
    }

    #[cold]
    fn grow(&mut self) -> Result<(), BuildError> {
        let mut larger = filled(buckets_for((self.len + self.len / 2).max(64)), EMPTY)?;
        for bucket in &self.buckets {
            for place_in in 0..bucket.used as usize {
                place(&mut larger, bucket.keys[place_in], bucket.nodes[place_in]);
            }
        }
        self.buckets = larger;
        Ok(())
    }
}

/// Returns the number of buckets for `nodes` nodes, three quarters full.
fn buckets_for(nodes: usize) -> usize {
    nodes * 4 / (PLACES * 3) + SPREAD as usize
}

fn place(buckets: &mut [Bucket], key: u64, node: u32) {
    let mut at = home(key, buckets.len());
    while buckets[at].used == PLACES as u32 {
        at = if at + 1 == buckets.len() { 0 } else { at + 1 };
    }
    let bucket = &mut buckets[at];
    bucket.keys[bucket.used as usize] = key;
    bucket.nodes[bucket.used as usize] = node;
    bucket.used += 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_answers_as_a_hash_map_does(
            addresses in proptest::collection::vec((1u64..400, any::<bool>()), 0..600),
        ) {
            let mut map = AddressMap::default();
            let mut oracle = HashMap::new();
            for (number, (address, userdata)) in addresses.into_iter().enumerate() {
                let kind = if userdata { Kind::Userdata } else { Kind::Table };
                let known = map.find(kind, address * 8);
                prop_assert_eq!(known, oracle.get(&(userdata, address)).copied());
                if known.is_none() {
                    let node = NodeId(number as u32);
                    map.insert(kind, address * 8, node).unwrap();
                    oracle.insert((userdata, address), node);
                }
            }
        }
    }

    #[test]
    fn a_bucket_is_a_cache_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }
}
