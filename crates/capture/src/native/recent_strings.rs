//! Strings that were recently met as keys and names: most tables share their keys with others.

use luasnap_heap::{NameId, NodeId};

/// A string that was met.
#[derive(Clone, Copy)]
pub(super) struct Known {
    address: u64,
    pub(super) node: NodeId,
    /// Its whole text.
    pub(super) text: NameId,
}

const PLACES: usize = 1 << 9;

/// A direct-mapped cache of strings by their addresses: each place has the last string that fell on
/// it.
pub(super) struct RecentStrings(Box<[Known; PLACES]>);

impl Default for RecentStrings {
    fn default() -> Self {
        let none = Known {
            address: 1, // of no object
            node: NodeId::ROOT,
            text: NameId::EMPTY,
        };
        RecentStrings(Box::new([none; PLACES]))
    }
}

impl RecentStrings {
    /// Returns the string at `address`, if it is known.
    #[inline(always)]
    pub(super) fn get(&self, address: u64) -> Option<Known> {
        let known = self.0[place(address)];
        (known.address == address).then_some(known)
    }

    /// Notes a string.
    #[inline]
    pub(super) fn put(&mut self, address: u64, node: NodeId, text: NameId) {
        self.0[place(address)] = Known {
            address,
            node,
            text,
        };
    }
}

/// Place of an address. Strings of a few letters are 32 bytes apart.
fn place(address: u64) -> usize {
    (address >> 5) as usize % PLACES
}
