//! Our own snapshots in a VM's heap, and the markers that tell when they were made.

use crate::lua::snapshot_handle::Handle;
use crate::memory::memory::{Memory, Read};
use crate::native::layout_mismatch::Swept;
use crate::native::origin::Origin;
use luasnap_heap::{BuildError, Kind, NodeId, SweepBuilder};

/// A node that is ours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Own {
    node: NodeId,
    /// Its address as the API tells it: for a userdata, that of its payload.
    address: u64,
    /// Address of its marker; 0 where it has none.
    marker: u64,
}

/// Fields of a userdata.
#[derive(Clone, Copy)]
pub(super) struct Userdata {
    pub(super) metatable: u64,
    pub(super) payload: u64,
    /// Bytes of the payload.
    pub(super) len: u64,
}

/// Our own snapshots among the objects of a VM.
#[derive(Default)]
pub(super) struct OwnSnapshots {
    nodes: Vec<Own>,
}

impl OwnSnapshots {
    /// Notes a node that is ours, and the address of its marker.
    pub(super) fn add(
        &mut self,
        heap: &mut SweepBuilder,
        node: NodeId,
        address: u64,
        marker: u64,
    ) -> Swept {
        heap.set_kind(node, Kind::Snapshot);
        self.nodes.try_reserve(1).map_err(BuildError::from)?;
        self.nodes.push(Own {
            node,
            address,
            marker,
        });
        Ok(())
    }

    /// Finds the snapshots' markers, tables that are ours as well.
    pub(super) fn find_markers(&mut self, heap: &mut SweepBuilder) -> Swept {
        for at in 0..self.nodes.len() {
            let marker = self.nodes[at].marker;
            if let Some(node) = heap.find(marker)
                && heap.kind(node) == Kind::Table
            {
                self.add(heap, node, marker, 0)?;
            }
        }
        self.nodes.sort_unstable();
        Ok(())
    }

    /// Notes the places of our nodes among the other objects.
    pub(super) fn note_markers(&self, heap: &mut SweepBuilder) -> Swept {
        for own in &self.nodes {
            heap.set_address(own.node, own.address);
            heap.mark(own.node)?;
        }
        Ok(())
    }
}

impl Userdata {
    /// Whether it is one of our own snapshots.
    pub(super) fn is_own_snapshot(self, memory: &impl Memory, origin: Origin) -> bool {
        self.metatable != 0
            && self.metatable == origin.own_metatable
            && self.len == size_of::<Handle>() as u64
            && memory.word(self.payload) == Some(self.payload)
    }

    /// The address of the marker of one of our own snapshots; 0 where it has none.
    pub(super) fn marker(self, memory: &impl Memory) -> u64 {
        memory.word(self.payload + Handle::MARKER).unwrap_or(0)
    }
}
