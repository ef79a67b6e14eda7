//! Waste: memory that holds nothing, or what is there already.

use crate::count::census::{Census, reach_of};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::provenance::Engine;
use crate::graph::sparse_table::{SlotSizes, SparseTable};
use crate::reach::reach::Reach;
use crate::snapshot::Snapshot;
use std::cmp::Reverse;

/// Strings in use that have one and the same text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RepeatedText {
    /// One of them, the first in the order of the nodes.
    pub node: NodeId,
    /// How many they are, two at least.
    pub count: u32,
    /// Bytes of [`node`](Self::node). Others may have another size, where a VM lets the host keep a
    /// string's text (5.5).
    pub size: u64,
    /// Bytes of all of them but the largest.
    pub lost: u64,
}

/// Strings in use of whose text there are several. Only long strings can be (more than 40 bytes, in
/// PUC Lua from 5.2 on): all others a VM has once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Duplicates {
    /// By text, those that lose most first.
    pub texts: Vec<RepeatedText>,
    /// How many strings could be done without: of each text all but one.
    pub count: u64,
    /// Bytes lost in all.
    pub bytes: u64,
}

/// A table in use that keeps far more slots than it uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WastedSlots {
    /// The table and its slots.
    pub table: SparseTable,
    /// Bytes of the slots that are not in use, in both parts.
    pub lost: u64,
}

/// Tables in use that keep far more slots than they use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SparseTables {
    /// Those that lose most first.
    pub tables: Vec<WastedSlots>,
    /// Bytes lost in all.
    pub bytes: u64,
}

/// What a snapshot knows of memory that could be spared.
#[derive(Clone, Debug)]
pub struct Waste {
    /// Strings that are there several times; `None` where strings are not known: in a snapshot by
    /// the portable engine, or a difference.
    pub strings: Option<Duplicates>,
    /// Tables with empty slots; `None` where they are not known.
    pub tables: Option<SparseTables>,
    /// What the VM holds beyond objects in use: garbage, its own blocks, and what is not accounted
    /// for.
    pub census: Census,
}

impl Waste {
    /// Finds the waste among all that is in use in a snapshot.
    pub fn new(snapshot: &Snapshot) -> Result<Waste, BuildError> {
        let heap = snapshot.everything();
        let reach = reach_of(snapshot)?;
        let in_use = InUse {
            heap,
            reach: reach.as_ref(),
        };
        let has_strings = heap.provenance().engine == Engine::Native && !snapshot.is_difference();
        let strings = match has_strings {
            true => Some(in_use.duplicates()?),
            false => None,
        };
        let tables = match heap.provenance().slot_sizes {
            Some(sizes) => Some(in_use.sparse_tables(sizes)?),
            None => None,
        };
        Ok(Waste {
            strings,
            tables,
            census: Census::count(snapshot, reach.as_ref()),
        })
    }
}

/// What of a heap is in use.
struct InUse<'a> {
    heap: &'a Heap,
    /// `None` where all of it is.
    reach: Option<&'a Reach>,
}

impl InUse<'_> {
    fn has(&self, node: NodeId) -> bool {
        self.reach.is_none_or(|reach| reach.contains(node))
    }

    fn duplicates(&self) -> Result<Duplicates, BuildError> {
        let mut found = Duplicates::default();
        for strings in self.repeatable()?.chunk_by(|a, b| a.0 == b.0) {
            // The others may be garbage.
            if strings.len() > 1 {
                let text = self.repeated(strings);
                found.count += u64::from(text.count) - 1;
                found.bytes = found.bytes.saturating_add(text.lost);
                push(&mut found.texts, text)?;
            }
        }
        found
            .texts
            .sort_unstable_by_key(|text| (Reverse(text.lost), text.node));
        Ok(found)
    }

    /// The strings that may be there several times, each with the number of its text, by that number
    /// and then in order.
    fn repeatable(&self) -> Result<Vec<(u32, NodeId)>, BuildError> {
        let mut strings = Vec::new();
        for node in self.heap.nodes() {
            if self.heap.kind(node) != Kind::String {
                continue;
            }
            let text = self.heap.count(node);
            if text != 0 && self.has(node) {
                push(&mut strings, (text, node))?;
            }
        }
        strings.sort_unstable();
        Ok(strings)
    }

    /// Sums up the strings of one text.
    fn repeated(&self, strings: &[(u32, NodeId)]) -> RepeatedText {
        let sizes = strings.iter().map(|&(_, node)| self.heap.size(node));
        let (sum, largest) = sizes.fold((0u64, 0), |(sum, largest), size| {
            (sum.saturating_add(size), size.max(largest))
        });
        let node = strings[0].1;
        RepeatedText {
            node,
            count: strings.len() as u32, // nodes have 32 bits
            size: self.heap.size(node),
            lost: sum - largest,
        }
    }

    fn sparse_tables(&self, sizes: SlotSizes) -> Result<SparseTables, BuildError> {
        let mut found = SparseTables::default();
        for &table in self.heap.sparse_tables() {
            if self.has(table.node) {
                let lost = table.unused_bytes(sizes);
                found.bytes = found.bytes.saturating_add(lost);
                push(&mut found.tables, WastedSlots { table, lost })?;
            }
        }
        found
            .tables
            .sort_unstable_by_key(|wasted| (Reverse(wasted.lost), wasted.table.node));
        Ok(found)
    }
}
