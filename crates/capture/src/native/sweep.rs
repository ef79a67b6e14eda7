//! What the sweeps of all VMs do alike.
//!
//! Two passes. The first goes through the lists of a VM and gives each object its node and size; the
//! second goes through the nodes and gives each its references. An address that no list named is
//! never followed.

use crate::memory::memory::Memory;
use crate::native::byte_ledger::ByteLedger;
use crate::native::layout_mismatch::{Failure, LayoutMismatch, Swept};
use crate::native::own_snapshots::OwnSnapshots;
use crate::native::swept::SweptHeap;
use luasnap_heap::{Kind, Label, NodeId, Strength, SweepBuilder};

/// A sweep of some VM: what is its own, and made of that what all have.
pub(super) trait Sweep<'m>: Sized {
    type Memory: Memory + 'm;

    fn memory(&self) -> &'m Self::Memory;
    fn heap(&self) -> &SweepBuilder;
    /// What it fills.
    fn parts(&mut self) -> Parts<'_>;
    /// Gives all objects their nodes, and counts what is no object.
    fn list(&mut self) -> Swept;
    /// Proves what can be before any reference is read, ...
    fn prove(&mut self) -> Swept;
    /// ... and what can be then.
    fn prove_afterwards(&mut self) -> Swept;
    fn refer_from_root(&mut self) -> Swept;
    /// Gives a node of that kind its references; `None` where it never has any.
    fn refer_from_kind(&mut self, kind: Kind, node: NodeId, address: u64) -> Option<Swept>;
    /// Says that the table at `address` will be read soon.
    fn expect_table(&self, address: u64);
    /// Gives long strings their texts.
    fn name_long_strings(&mut self) -> Swept;
    fn close(self) -> SweptHeap;

    /// Sweeps the heap.
    fn run(mut self) -> Swept<SweptHeap> {
        let Parts { heap, ledger, .. } = self.parts();
        // Few objects are smaller than 48 bytes, and few references take less than 16.
        let total = usize::try_from(ledger.total()).unwrap_or(0);
        heap.expect_sizes(total / 48, total / 16);
        self.list()?;
        self.parts().heap.close_objects()?;
        self.prove()?;
        let Parts { heap, own, .. } = self.parts();
        own.find_markers(heap)?;
        let listed = self.heap().node_count() as u32;
        self.refer_from_root()?;
        for node in (1..listed).map(NodeId) {
            self.look_ahead(node, listed);
            self.refer_from(node)?;
        }
        self.prove_afterwards()?;
        self.name_long_strings()?;
        let Parts { heap, own, .. } = self.parts();
        own.note_markers(heap)?;
        Ok(self.close())
    }

    /// Says what the nodes after this one will need. Their order is near that of memory, but each
    /// has parts elsewhere.
    #[inline]
    fn look_ahead(&self, node: NodeId, listed: u32) {
        const FAR: u32 = 12;
        const NEAR: u32 = 6;
        let heap = self.heap();
        if node.0 + FAR < listed {
            self.memory().expect(heap.address(NodeId(node.0 + FAR)));
        }
        if node.0 + NEAR < listed {
            let near = NodeId(node.0 + NEAR);
            if heap.kind(near) == Kind::Table {
                self.expect_table(heap.address(near));
            }
        }
    }

    /// Gives a node its references. What does not fit is a reason for doubt and no more: an object
    /// that is garbage may refer to what is gone, and to what now lies in its place.
    #[inline]
    fn refer_from(&mut self, node: NodeId) -> Swept {
        let address = self.heap().address(node);
        let kind = self.heap().kind(node);
        self.parts().heap.begin_edges();
        match self.refer_from_kind(kind, node, address) {
            None => return Ok(()),
            Some(Err(Failure::LayoutMismatch(mismatch))) => {
                self.parts().ledger.doubt(node, mismatch)?
            }
            Some(other) => other?,
        }
        self.parts().heap.end_edges(node)?;
        Ok(())
    }

    /// The node of the object at `address`, to which `source` refers.
    #[inline(always)]
    fn object(&mut self, source: NodeId, address: u64) -> Swept<Option<NodeId>> {
        let found = self.heap().find(address);
        if found.is_none() {
            self.parts()
                .ledger
                .doubt(source, LayoutMismatch::UnknownReference)?;
        }
        Ok(found)
    }

    /// Adds a strong reference to the object at `address`; there is none at 0.
    #[inline]
    fn refer_to_object(&mut self, source: NodeId, address: u64, label: Label) -> Swept {
        if address != 0
            && let Some(target) = self.object(source, address)?
        {
            self.parts().heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// The same, where what is there can only be of one kind.
    #[inline]
    fn refer_to_kind(
        &mut self,
        source: NodeId,
        address: u64,
        label: Label,
        (kind, what): (Kind, &'static str),
    ) -> Swept {
        if address != 0
            && let Some(target) = self.object(source, address)?
        {
            let Parts { heap, ledger, .. } = self.parts();
            if heap.kind(target) != kind {
                ledger.doubt(source, LayoutMismatch::Kind(what))?;
            }
            heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }
}

/// What a sweep fills.
pub(super) struct Parts<'a> {
    pub(super) heap: &'a mut SweepBuilder,
    pub(super) ledger: &'a mut ByteLedger,
    pub(super) own: &'a mut OwnSnapshots,
}
