//! The first pass: every object on a list, and its size.

use crate::memory::memory::{Memory, Read};
use crate::native::byte_ledger::note;
use crate::native::jit::references::{References, references};
use crate::native::jit::sweep::Sweep;
use crate::native::jit::tags;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use luasnap_heap::{Kind, NodeId, RunOrder};
use std::iter;

const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"an object");
/// `LJ_GC_FIXED` in an object's `marked`: never collected.
const FIXED: u8 = 1 << 5;
/// The low bits of a bucket's reference are flags of the bucket.
const ADDRESS: u64 = !7;
/// How many buckets ahead strings are prefetched.
const AHEAD: usize = 16;

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Makes a node of every object.
    pub(super) fn list_objects(&mut self) -> Swept {
        let places = &self.layout.global_state;
        self.heap.begin_run(RunOrder::Allocation)?;
        self.list_all(R::at(self.global, places.all))?;
        self.heap.begin_run(RunOrder::None)?;
        self.list_ring(R::at(self.global, places.to_be_finalized))?;
        self.list_strings()?;
        self.list_empty_string()?;
        if !self.heap.is_taken(self.main_thread) {
            self.list_object(self.main_thread)?;
        }
        Ok(())
    }

    /// Lists all objects but strings. The main thread is the oldest of them, but userdata follow
    /// it, in a run of their own.
    fn list_all(&mut self, first: u64) -> Swept {
        let mut next = first;
        while next != 0 {
            let address = next;
            next = self.list_object(address)?.1;
            if address == self.main_thread {
                self.heap.begin_run(RunOrder::Allocation)?;
            }
        }
        Ok(())
    }

    /// Lists a chain of objects. An object that is listed twice is an error, so that even a ring
    /// would come to an end.
    fn list_chain(&mut self, first: u64) -> Swept {
        let mut next = first;
        while next != 0 {
            next = self.list_object(next)?.1;
        }
        Ok(())
    }

    /// Lists the ring of userdata and cdata that wait for their finalizer, from its last.
    fn list_ring(&mut self, last: u64) -> Swept {
        if last == 0 {
            return Ok(());
        }
        let mut next = last;
        loop {
            let (node, after) = self.list_object(next)?;
            note(&mut self.to_be_finalized, node)?;
            next = after;
            if next == last {
                return Ok(());
            }
        }
    }

    /// Lists the string table.
    fn list_strings(&mut self) -> Swept {
        let places = &self.layout.global_state;
        let count = u64::from(self.global.int(places.strings_mask)) + 1;
        let buckets = self
            .memory
            .items(self.global.word(places.strings), count, R::SIZE)
            .ok_or(LayoutMismatch::Unreadable(&"the table of strings"))?;
        // Strings are in no order in memory, but their addresses are known in advance.
        let buckets = || references::<R>(buckets);
        let ahead = buckets().skip(AHEAD).chain(iter::repeat(0));
        for (number, (bucket, later)) in (0..).zip(buckets().zip(ahead)) {
            self.memory.prefetch(later & ADDRESS);
            self.heap.prefetch(later & ADDRESS);
            let mut next = bucket & ADDRESS;
            while next != 0 {
                let hash = self.hash_of(next).ok_or(UNREADABLE)?;
                if u64::from(hash) & (count - 1) != number {
                    return Err(LayoutMismatch::StringTable.into());
                }
                next = self.list_object(next)?.1;
                self.table_strings += 1;
            }
        }
        Ok(())
    }

    /// Makes a node of an object. Returns it, and the address of the next object.
    #[inline]
    fn list_object(&mut self, address: u64) -> Swept<(NodeId, u64)> {
        let header = self
            .memory
            .structure(address, R::HEADER)
            .ok_or(UNREADABLE)?;
        let (next, object_type) = (R::at(header, 0), header.byte(R::TYPE));
        let kind = tags::kind(object_type).ok_or(LayoutMismatch::UnknownType(object_type))?;
        if kind != Kind::String {
            return Ok((self.list_other(address, kind)?, next));
        }
        let node = self.list_string(address)?;
        if header.byte(R::MARKED) & FIXED != 0 {
            note(&mut self.fixed, node)?;
        }
        Ok((node, next))
    }

    /// Makes a node of an object that is not a string.
    fn list_other(&mut self, address: u64, kind: Kind) -> Swept<NodeId> {
        let (kind, size) = match kind {
            Kind::Table => (kind, self.table_size(address)),
            Kind::LuaFunction => self.function_size(address),
            Kind::Thread => (kind, self.thread_size(address)),
            Kind::Userdata => (kind, self.userdata_size(address)),
            Kind::Prototype => (kind, self.prototype_size(address)),
            Kind::Trace => (kind, self.trace_size(address)),
            Kind::Cdata => (kind, self.cdata_size(address)),
            _ => (kind, Some(u64::from(self.layout.upvalue.size))),
        };
        let size = size.ok_or(UNREADABLE)?;
        let node = self.ledger.add(&mut self.heap, kind, address, size)?;
        match kind {
            Kind::Userdata => self.note_own(node, address)?,
            // Open upvalues are on no other list.
            Kind::Thread => {
                let place = u64::from(self.layout.state.open_upvalues);
                let first = self.reference(address + place).ok_or(UNREADABLE)?;
                self.list_chain(first)?;
            }
            _ => {}
        }
        Ok(node)
    }

    /// Notes a userdata if it is one of our own snapshots.
    fn note_own(&mut self, node: NodeId, address: u64) -> Swept {
        let Some((userdata, _)) = self.userdata(address) else {
            return Ok(());
        };
        if !userdata.is_own_snapshot(self.memory, self.origin) {
            return Ok(());
        }
        let marker = userdata.marker(self.memory);
        self.own.add(&mut self.heap, node, userdata.payload, marker)
    }
}
