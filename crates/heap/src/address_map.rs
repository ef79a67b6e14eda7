//! From an address to the node that lives there.

use crate::error::BuildError;
use crate::kind::Kind;
use crate::node::NodeId;
use hashbrown::HashTable;

/// Finds nodes by address. It holds ids alone; the addresses stay in the heap's column.
///
/// A userdata is known by the address of its payload, which for an empty payload may be where
/// the next object starts, so userdata and other objects are told apart.
#[derive(Clone, Debug, Default)]
pub struct AddressMap {
    table: HashTable<u32>,
}

/// The column pair that an [`AddressMap`] looks into.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) kinds: &'a [Kind],
    pub(crate) addresses: &'a [u64],
}

/// Objects lie 8 bytes apart at the least; the multiplier is the 64-bit golden ratio.
#[inline]
fn hash(address: u64) -> u64 {
    let mixed = (address >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

impl AddressMap {
    /// The node of `kind`'s class at `address`, where there is one.
    #[inline]
    pub(crate) fn find(&self, columns: Columns<'_>, kind: Kind, address: u64) -> Option<NodeId> {
        let userdata = kind == Kind::Userdata;
        self.table
            .find(hash(address), |&id| {
                let at = id as usize;
                columns.addresses[at] == address
                    && (columns.kinds[at] == Kind::Userdata) == userdata
            })
            .map(|&id| NodeId(id))
    }

    /// Adds a node which [`find`](Self::find) does not know yet and whose address stands in the
    /// columns already.
    #[inline]
    pub(crate) fn insert(&mut self, columns: Columns<'_>, node: NodeId) -> Result<(), BuildError> {
        self.reserve(columns, 1)?;
        let address = columns.addresses[node.index()];
        self.table.insert_unique(hash(address), node.0, |&id| {
            hash(columns.addresses[id as usize])
        });
        Ok(())
    }

    /// Makes room for `more` nodes.
    pub(crate) fn reserve(&mut self, columns: Columns<'_>, more: usize) -> Result<(), BuildError> {
        self.table
            .try_reserve(more, |&id| hash(columns.addresses[id as usize]))
            .map_err(|_| BuildError::OutOfMemory)
    }
}
