//! Waste: equal strings, and empty slots of tables.

use crate::count::census::{Census, reach_of};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::provenance::Engine;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::sparse_table::{SlotSizes, SparseTable};
use crate::reach::reach::Reach;
use crate::snapshot::Snapshot;

/// Strings in use that have the same text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RepeatedText {
    /// One of them, the first in the order of the nodes.
    pub node: NodeId,
    /// The number of strings, at least two.
    pub count: u32,
    /// Shallow size of [`node`](Self::node) in bytes. Others may have another size if the host keeps a
    /// string's text (5.5).
    pub size: u64,
    /// Bytes of all of them but the largest.
    pub lost: u64,
}

/// Strings in use whose text exists several times. Only long strings can (more than 40 bytes, in
/// PUC Lua from 5.2 on): all others exist once in a VM.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Duplicates {
    /// By text, those that waste most first.
    pub texts: Vec<RepeatedText>,
    /// The number of redundant strings: for each text, all but one.
    pub count: u64,
    /// Wasted bytes in all.
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
    /// Those that waste most first.
    pub tables: Vec<WastedSlots>,
    /// Wasted bytes in all.
    pub bytes: u64,
}

/// Wasted memory of a snapshot.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Engine, HeapBuilder, Kind, Label, NodeId, Provenance};
/// use luasnap_heap::{Snapshot, Strength, Waste};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// let mut builder = HeapBuilder::new();
/// let name = builder.name(b"_G")?;
/// for address in [0x10, 0x60] {
///     let (string, _) = builder.node(Kind::String, address)?;
///     builder.set_size(string, 70);
///     builder.set_count(string, 1); // the number of its text
///     builder.edge(NodeId::ROOT, string, Label::Root(name), Strength::Strong)?;
/// }
/// let engine = Engine::Native; // the portable one sees no strings
/// let heap = builder.finish_reached(Provenance { engine, ..Provenance::default() })?;
/// let waste = Waste::new(&Snapshot::new(heap))?;
///
/// let strings = waste.strings.expect("strings are known");
/// assert_eq!((strings.count, strings.bytes), (1, 70));
/// assert_eq!(strings.texts[0].count, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Waste {
    /// Equal strings; `None` if strings are not known: in a snapshot of the portable engine, and in a
    /// difference.
    pub strings: Option<Duplicates>,
    /// Tables with empty slots; `None` if they are not known.
    pub tables: Option<SparseTables>,
    /// What else is in the VM's memory: garbage, its own blocks, unaccounted bytes.
    pub census: Census,
}

impl Waste {
    /// Finds the waste among all objects in use of a snapshot.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
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

/// The objects in use of a heap.
struct InUse<'a> {
    heap: &'a Heap,
    /// `None` if all are.
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
        sort_by_number(&mut found.texts, |text| u64::from(text.node.0))?;
        sort_by_number(&mut found.texts, |text| !text.lost)?;
        Ok(found)
    }

    /// Returns the strings that may be equal to others, with the number of their text, ordered by that
    /// number and then by node.
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
        sort_by_number(&mut found.tables, |wasted| u64::from(wasted.table.node.0))?;
        sort_by_number(&mut found.tables, |wasted| !wasted.lost)?;
        Ok(found)
    }
}
