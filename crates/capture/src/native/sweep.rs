//! What the sweeps of all VMs have in common.
//!
//! Two passes. The first goes through the lists of a VM and gives each object its node and size;
//! the second goes through the nodes and gives each its references. An address that is on no list
//! is never followed.

use crate::memory::memory::Memory;
use crate::native::byte_ledger::ByteLedger;
use crate::native::layout_mismatch::{Failure, LayoutMismatch, Swept, What};
use crate::native::own_snapshots::OwnSnapshots;
use crate::native::swept::SweptHeap;
use luasnap_heap::{Kind, Label, Listed, NodeId, Strength, SweepBuilder};

/// How many nodes are looked at together.
const BLOCK: usize = 8;

/// A sweep of a VM: the required methods are those of its family, the provided ones are common to
/// all.
pub(super) trait Sweep<'m>: Sized {
    type Memory: Memory + 'm;

    fn memory(&self) -> &'m Self::Memory;
    fn heap(&self) -> &SweepBuilder;
    /// The parts that the sweep fills.
    fn parts(&mut self) -> Parts<'_>;
    /// Gives all objects their nodes, and counts the memory that is not objects.
    fn list(&mut self) -> Swept;
    /// Verifies what can be verified before any reference is read.
    fn verify_objects(&mut self) -> Swept;
    /// Verifies what can be verified after all references were read.
    fn verify_references(&mut self) -> Swept;
    fn add_edges_of_root(&mut self) -> Swept;
    /// Gives the nodes from 1 up to, but not including, `listed` their references.
    fn add_edges_of_listed(&mut self, listed: u32) -> Swept;
    /// Sets the texts of long strings.
    fn name_long_strings(&mut self) -> Swept;
    fn close(self) -> SweptHeap;

    /// Returns the node of the object at `address`; `None` if there is none. A VM whose objects refer to those of other
    /// VMs looks there, too.
    #[inline(always)]
    fn resolve(&mut self, address: u64) -> Swept<Option<NodeId>> {
        Ok(self.heap().find(address))
    }

    /// Gives the objects that are on none of the VM's lists their references.
    fn add_edges_of_unlisted(&mut self) -> Swept {
        Ok(())
    }

    /// Sweeps the heap.
    fn run(mut self) -> Swept<SweptHeap> {
        let Parts { heap, ledger, .. } = self.parts();
        // Few objects are smaller than 48 bytes, and few references take less than 16.
        let total = usize::try_from(ledger.total()).unwrap_or(0);
        heap.expect_sizes(total / 48, total / 16);
        self.list()?;
        self.parts().heap.close_objects()?;
        let listed = self.heap().node_count() as u32;
        self.verify_objects()?;
        let Parts { heap, own, .. } = self.parts();
        own.find_markers(heap)?;
        self.add_edges_of_root()?;
        self.add_edges_of_listed(listed)?;
        self.add_edges_of_unlisted()?;
        self.verify_references()?;
        self.name_long_strings()?;
        let Parts { heap, own, .. } = self.parts();
        own.note_markers(heap)?;
        Ok(self.close())
    }

    /// Gives the nodes from 1 up to `listed` their references. `prefetch_table` prefetches the parts of the table at an
    /// address; `add_edges` gives a node of a kind its references, and returns `None` for kinds that never have any.
    #[inline(always)]
    fn add_edges_of_each(
        &mut self,
        listed: u32,
        prefetch_table: impl Fn(&Self, u64),
        add_edges: impl Fn(&mut Self, Kind, NodeId, u64) -> Option<Swept>,
    ) -> Swept {
        let mut block = self.heap().block::<BLOCK>(1, listed);
        let mut next = self.heap().block::<BLOCK>(1 + BLOCK as u32, listed);
        let mut first = 1;
        while first < listed {
            // Their order is close to that in memory, but each has parts elsewhere. What is fetched now is read
            // two blocks later, and one block later where it leads to the parts of a table.
            let later = self.heap().block::<BLOCK>(first + 2 * BLOCK as u32, listed);
            for object in &later {
                self.memory().prefetch(object.address);
            }
            for object in next.iter().filter(|object| object.kind == Kind::Table) {
                prefetch_table(self, object.address);
            }
            for (node, object) in (first..listed).map(NodeId).zip(&block) {
                self.add_edges_of(node, *object, &add_edges)?;
            }
            (block, next) = (next, later);
            first += BLOCK as u32;
        }
        Ok(())
    }

    /// Gives a node its references. A misfit only makes the node doubtful: garbage may refer to an
    /// object that is gone, or to whatever is now in its place.
    #[inline(always)]
    fn add_edges_of(
        &mut self,
        node: NodeId,
        Listed { kind, address }: Listed,
        add_edges: impl Fn(&mut Self, Kind, NodeId, u64) -> Option<Swept>,
    ) -> Swept {
        self.parts().heap.begin_edges();
        match add_edges(self, kind, node, address) {
            None => return Ok(()),
            Some(Err(Failure::LayoutMismatch(mismatch))) => {
                self.parts().ledger.doubt(node, mismatch)?
            }
            Some(other) => other?,
        }
        self.parts().heap.end_edges(node)?;
        Ok(())
    }

    /// Returns the node of the object at `address`, to which `source` refers. If there is none,
    /// `source` becomes doubtful.
    #[inline(always)]
    fn object(&mut self, source: NodeId, address: u64) -> Swept<Option<NodeId>> {
        let found = self.resolve(address)?;
        if found.is_none() {
            self.parts()
                .ledger
                .doubt(source, LayoutMismatch::UnknownReference)?;
        }
        Ok(found)
    }

    /// Adds a strong reference to the object at `address`; an address of 0 is no reference.
    #[inline]
    fn refer_to_object(&mut self, source: NodeId, address: u64, label: Label) -> Swept {
        if address != 0
            && let Some(target) = self.object(source, address)?
        {
            self.parts().heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// The same for a reference that can only be to an object of one kind.
    #[inline]
    fn refer_to_kind(
        &mut self,
        source: NodeId,
        address: u64,
        label: Label,
        (kind, what): (Kind, What),
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

/// The parts that a sweep fills.
pub(super) struct Parts<'a> {
    pub(super) heap: &'a mut SweepBuilder,
    pub(super) ledger: &'a mut ByteLedger,
    pub(super) own: &'a mut OwnSnapshots,
}
