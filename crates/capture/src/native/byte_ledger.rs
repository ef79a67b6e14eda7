//! The bytes that a sweep has found so far: in the end they have to add up to the VM's own total.

use crate::native::foreign_objects::ForeignObject;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::swept::SweptHeap;
use luasnap_heap::{BuildError, Kind, NodeId, SlotSizes, SweepBuilder};
use std::borrow::Cow;

/// The bytes that a sweep found, and the objects that contradict its layout.
pub(super) struct ByteLedger {
    /// The VM's own count of its bytes.
    total: u64,
    found: u64,
    blocks: Vec<(Cow<'static, str>, u64)>,
    /// Objects that do not read as they should, each with what is wrong with it.
    doubtful: Vec<(NodeId, LayoutMismatch)>,
}

impl ByteLedger {
    /// The ledger of a VM that says it holds `total` bytes.
    pub(super) fn new(total: u64) -> ByteLedger {
        ByteLedger {
            total,
            found: 0,
            blocks: Vec::new(),
            doubtful: Vec::new(),
        }
    }

    /// The VM's own count of its bytes.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Adds an object, and counts its bytes. Returns its node.
    #[inline]
    pub(super) fn add(
        &mut self,
        heap: &mut SweepBuilder,
        kind: Kind,
        address: u64,
        size: u64,
    ) -> Swept<NodeId> {
        self.count(size)?;
        Ok(heap
            .add(kind, address, size)?
            .ok_or(LayoutMismatch::BrokenList)?)
    }

    /// Bytes of the total that were not found yet.
    pub(super) fn missing(&self) -> u64 {
        self.total - self.found
    }

    /// Counts bytes that were found.
    #[inline]
    pub(super) fn count(&mut self, bytes: u64) -> Swept {
        self.found = self.found.saturating_add(bytes);
        if self.found > self.total {
            return Err(LayoutMismatch::TooLarge { total: self.total }.into());
        }
        Ok(())
    }

    /// Counts a block of the VM's memory that is not an object.
    pub(super) fn block(&mut self, name: &'static str, bytes: u64) -> Swept {
        self.count(bytes)?;
        self.blocks.try_reserve(1).map_err(BuildError::from)?;
        self.blocks.push((name.into(), bytes));
        Ok(())
    }

    /// Notes that an object does not read as it should. Garbage need not: it may refer to what is
    /// gone.
    #[cold]
    pub(super) fn doubt(&mut self, node: NodeId, mismatch: LayoutMismatch) -> Swept {
        match self.doubtful.last() {
            Some(&(last, _)) if last == node => Ok(()),
            _ => note(&mut self.doubtful, (node, mismatch)),
        }
    }

    /// Returns what was found, with its heap, in whose tables slots have these sizes, and the objects of other VMs to
    /// which it refers.
    pub(super) fn close(
        self,
        heap: SweepBuilder,
        slot_sizes: SlotSizes,
        tells_apart: bool,
        foreign: Option<Vec<ForeignObject>>,
    ) -> SweptHeap {
        SweptHeap {
            heap,
            slot_sizes,
            tells_apart,
            total: self.total,
            found: self.found,
            blocks: self.blocks,
            foreign,
            doubtful: self.doubtful,
        }
    }
}

/// Notes a node, or something about one.
pub(super) fn note<T>(nodes: &mut Vec<T>, node: T) -> Swept {
    nodes.try_reserve(1).map_err(BuildError::from)?;
    nodes.push(node);
    Ok(())
}
