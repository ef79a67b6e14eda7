//! Weak tables that never lose entries, though they are weak.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::strength::Strength;
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;

/// Why entries of a table with weak keys stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyEntriesStay {
    /// No key is an object: strings and numbers are values, and never go.
    NoKeyIsAnObject,
    /// Their values lead to their keys. Without ephemerons, in Lua 5.1 and LuaJIT, the table keeps the
    /// values alive, and these the keys.
    ValuesHoldKeys,
}

/// A table with weak keys of which entries stay for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastingEntries {
    /// The table.
    pub node: NodeId,
    /// The number of entries that stay.
    pub entries: u32,
    /// Why.
    pub why: WhyEntriesStay,
}

/// The most references of a value that are looked at for its key.
const MOST_LOOKED_AT: usize = 64;

/// Returns the tables with weak keys, but strong values, of which entries stay for ever, in the order of
/// their nodes. Those with string keys alone are known only in heaps with strings.
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn lasting_entries(snapshot: &Snapshot) -> Result<Vec<LastingEntries>, BuildError> {
    let heap = snapshot.everything();
    let mut found = Vec::new();
    if snapshot.is_difference() {
        return Ok(found);
    }
    let mut modes: FxHashMap<NodeId, bool> = FxHashMap::default();
    for node in heap.nodes().filter(|node| heap.kind(*node) == Kind::Table) {
        let mut has_object_keys = false;
        let mut metatable = None;
        for edge in heap.edge_range(node) {
            match heap.label(edge) {
                Label::Key => has_object_keys |= heap.strength(edge) == Strength::WeakKey,
                Label::Metatable => metatable = Some(heap.target(edge)),
                _ => {}
            }
        }
        if has_object_keys {
            // With ephemerons no value is held strongly under such a key.
            if heap
                .edge_range(node)
                .any(|edge| is_strong_entry(heap, edge).is_some())
            {
                let entries = entries_that_hold_their_keys(snapshot, node)?;
                if entries > 0 {
                    let why = WhyEntriesStay::ValuesHoldKeys;
                    push(&mut found, LastingEntries { node, entries, why })?;
                }
            }
            continue;
        }
        let Some(metatable) = metatable.filter(|_| heap.count(node) > 0) else {
            continue;
        };
        let has_weak_keys = match modes.get(&metatable) {
            Some(known) => *known,
            None => {
                modes.try_reserve(1)?;
                *modes
                    .entry(metatable)
                    .or_insert(has_weak_keys(heap, metatable))
            }
        };
        if has_weak_keys && is_in_use(snapshot, node)? {
            let why = WhyEntriesStay::NoKeyIsAnObject;
            let entries = heap.count(node);
            push(&mut found, LastingEntries { node, entries, why })?;
        }
    }
    Ok(found)
}

fn is_in_use(snapshot: &Snapshot, node: NodeId) -> Result<bool, BuildError> {
    Ok(snapshot.immediate_dominators()?.immediate(node).is_some())
}

/// Whether a metatable makes keys weak, and values not: those would go by themselves.
fn has_weak_keys(heap: &Heap, metatable: NodeId) -> bool {
    let mode = mode_of(heap, metatable);
    mode.keys && !mode.values
}

/// Which references of a table are weak.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WeakMode {
    /// Those to its keys.
    pub keys: bool,
    /// Those to its values.
    pub values: bool,
}

/// Returns which references of a table are weak: what its metatable says or, in heaps without strings, what its
/// entries show.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Strength, WeakMode};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// let mut builder = HeapBuilder::new();
/// let (cache, _) = builder.node(Kind::Table, 0x10)?;
/// let (entry, _) = builder.node(Kind::Table, 0x20)?;
/// let root = Label::Root(builder.name(b"cache")?);
/// builder.edge(NodeId::ROOT, cache, root, Strength::Strong)?;
/// builder.edge(cache, entry, Label::Index(1), Strength::WeakValue)?;
/// let heap = builder.finish()?;
/// assert_eq!(luasnap_heap::weak_mode(&heap, cache), WeakMode { keys: false, values: true });
/// # Ok(())
/// # }
/// ```
pub fn weak_mode(heap: &Heap, table: NodeId) -> WeakMode {
    let mut mode = WeakMode::default();
    for edge in heap.edge_range(table) {
        match (heap.strength(edge), heap.label(edge)) {
            (Strength::WeakKey | Strength::Ephemeron, _) => mode.keys = true,
            (Strength::WeakValue, _) => mode.values = true,
            (Strength::Strong, Label::Metatable) => {
                let said = mode_of(heap, heap.target(edge));
                mode.keys |= said.keys;
                mode.values |= said.values;
            }
            _ => {}
        }
    }
    mode
}

/// Returns what a metatable says in `__mode`.
fn mode_of(heap: &Heap, metatable: NodeId) -> WeakMode {
    let is_mode = |edge: &usize| matches!(heap.label(*edge), Label::Field(name) if heap.name(name) == b"__mode");
    let mode = heap.edge_range(metatable).find(is_mode);
    let mode = mode.map(|edge| heap.target(edge));
    let mode = mode.filter(|mode| heap.kind(*mode) == Kind::String);
    let text = mode.map_or(&b""[..], |mode| heap.source(mode));
    // The VMs read it up to the first zero byte.
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    WeakMode {
        keys: text.contains(&b'k'),
        values: text.contains(&b'v'),
    }
}

/// The key of an entry. The portable engine knows only the address of one that it meets later.
#[derive(Clone, Copy)]
enum Key {
    Node(NodeId),
    Address(Kind, u64),
}

impl Key {
    fn is(self, heap: &Heap, node: NodeId) -> bool {
        match self {
            Key::Node(key) => key == node,
            Key::Address(kind, address) => heap.kind(node) == kind && heap.address(node) == address,
        }
    }

    fn kind(self, heap: &Heap) -> Kind {
        match self {
            Key::Node(key) => heap.kind(key),
            Key::Address(kind, _) => kind,
        }
    }
}

/// Returns the key of an entry with an object as its key whose value is held strongly.
fn is_strong_entry(heap: &Heap, edge: usize) -> Option<Key> {
    let key = match heap.label(edge) {
        Label::Object(key) => Key::Node(key),
        Label::Address(kind, address) => Key::Address(kind, address),
        _ => return None,
    };
    (heap.strength(edge) == Strength::Strong).then_some(key)
}

/// Returns how many entries of a table stay because their values hold their keys: the key is only alive by
/// the table, or the value refers to it.
fn entries_that_hold_their_keys(snapshot: &Snapshot, table: NodeId) -> Result<u32, BuildError> {
    let (heap, dominators) = (snapshot.everything(), snapshot.dominators()?);
    if !dominators.contains(table) {
        return Ok(0);
    }
    let mut entries = 0;
    for edge in heap.edge_range(table) {
        if let Some(key) = is_strong_entry(heap, edge)
            && key.kind(heap) != Kind::String
            && holds(heap, dominators, table, heap.target(edge), key)
        {
            entries += 1;
        }
    }
    Ok(entries)
}

fn holds(heap: &Heap, dominators: &Dominators, table: NodeId, value: NodeId, key: Key) -> bool {
    let leads_to_key = |target: NodeId| {
        key.is(heap, target)
            || heap.kind(target) == Kind::Upvalue
                && heap
                    .edge_range(target)
                    .any(|edge| key.is(heap, heap.target(edge)))
    };
    let is_alive_by_the_table = match key {
        Key::Node(key) => {
            key != table && dominators.contains(key) && dominators.dominates(table, key)
        }
        Key::Address(..) => false,
    };
    let mut looked_at = heap.edge_range(value).take(MOST_LOOKED_AT);
    is_alive_by_the_table
        || key.is(heap, value)
        || looked_at
            .any(|edge| heap.strength(edge) == Strength::Strong && leads_to_key(heap.target(edge)))
}
