//! The canonical order of the references of one object.
//!
//! The order of entries in hash tables differs from run to run; printed output must not.

use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::prefetch::read_block;
use std::cmp::Ordering;

/// The sort key of an edge: cheap to compare, and nearly always enough.
#[derive(Clone, Copy)]
struct SortKey {
    prefix: u64,
    edge: u32,
    class: u8,
}

/// Puts edges into canonical order: numbers by value, string keys by bytes, booleans, keys that
/// are objects by address, objects that are keys themselves, upvalues and locals by name, metatable, user
/// values, environment, roots in their own order, what only the VM sees. Equal labels keep their order.
#[derive(Default)]
pub(crate) struct LabelOrder {
    keys: Vec<SortKey>,
}

/// So many names, and all of few, are looked at to guess what all have in common.
const SAMPLED: usize = 64;

/// A table that has a string key refers to the string, too. So many edges from a sampled one on are looked at for a
/// name.
const NEAR: usize = 8;

/// The memory for so many keys is kept for the next sort.
const KEPT: usize = 1 << 16;

/// Below this many edges a search for a common prefix of their names does not pay off.
const MANY: usize = 32;

impl LabelOrder {
    /// Sorts edges of one object.
    pub(crate) fn sort(&mut self, heap: &Heap, edges: &mut [u32]) -> Result<(), BuildError> {
        let skip = match edges.len() < MANY {
            true => 0,
            false => {
                let (sampled, count) = sample(heap, edges);
                common_prefix(heap, sampled[..count].iter().copied())
            }
        };
        if !self.take_keys(heap, edges, skip)? {
            let skip = common_prefix(heap, edges.iter().copied());
            self.take_keys(heap, edges, skip)?;
        }
        self.keys.sort_unstable_by(|a, b| {
            (a.class, a.prefix)
                .cmp(&(b.class, b.prefix))
                .then_with(|| break_tie(heap, a.edge, b.edge))
                .then(a.edge.cmp(&b.edge))
        });
        for (edge, key) in edges.iter_mut().zip(&self.keys) {
            *edge = key.edge;
        }
        if self.keys.len() > KEPT {
            self.keys = Vec::new();
        }
        Ok(())
    }

    /// Takes the sort keys of edges, without the first `skip` bytes of string keys. Returns whether all string keys have
    /// these in common; otherwise the keys are of no use.
    fn take_keys(&mut self, heap: &Heap, edges: &[u32], skip: usize) -> Result<bool, BuildError> {
        self.keys.clear();
        self.keys.try_reserve(edges.len())?;
        let mut common: Option<&[u8]> = None;
        let name = |edge: u32| match heap.label(edge as usize) {
            Label::Field(name) => Some(heap.name(name)),
            _ => None,
        };
        for (place, &edge) in edges.iter().enumerate() {
            if skip > 0 {
                read_block(place, edges.len(), |at| {
                    let first = name(edges[at]).and_then(|name| name.first());
                    first.copied().map_or(0, u32::from)
                });
                let name = name(edge);
                match (common, name) {
                    (_, None) => {}
                    (Some(common), Some(name)) if !name.starts_with(common) => return Ok(false),
                    (Some(_), Some(_)) => {}
                    (None, Some(name)) => match name.get(..skip) {
                        Some(first) => common = Some(first),
                        None => return Ok(false),
                    },
                }
            }
            let (class, prefix) = sort_key(heap, edge, skip);
            self.keys.push(SortKey {
                prefix,
                edge,
                class,
            });
        }
        Ok(true)
    }
}

/// Whether edges `a` and `b` of the same object, found in this order, are in canonical order.
#[inline]
pub(crate) fn in_order(heap: &Heap, a: u32, b: u32) -> bool {
    match (heap.label(a as usize), heap.label(b as usize)) {
        (Label::Index(a), Label::Index(b)) => a <= b,
        _ => {
            let order = sort_key(heap, a, 0).cmp(&sort_key(heap, b, 0));
            order.then_with(|| break_tie(heap, a, b)) != Ordering::Greater
        }
    }
}

/// Returns the class of an edge's label, and a number that orders most labels of that class. The first
/// `skip` bytes, which all string keys have in common, are left out.
fn sort_key(heap: &Heap, edge: u32, skip: usize) -> (u8, u64) {
    match heap.label(edge as usize) {
        Label::Index(value) => (0, ordered_bits(value as f64)),
        Label::Number(value) => (0, ordered_bits(value)),
        Label::Field(name) => (1, first_bytes(&heap.name(name)[skip..])),
        Label::Boolean(value) => (2, u64::from(value)),
        Label::Object(key) => (3, heap.address(key)),
        Label::Address(_, address) => (3, address),
        Label::Key => (4, heap.address(heap.target(edge as usize))),
        Label::Upvalue(name) => (5, first_bytes(heap.name(name))),
        Label::Local(name) => (6, first_bytes(heap.name(name))),
        Label::Metatable => (7, 0),
        Label::UserValue(number) => (8, u64::from(number)),
        Label::Environment => (9, 0),
        Label::Root(_) => (10, 0),
        Label::Prototype => (11, 0),
        Label::Constant => (12, 0),
        Label::DebugName => (13, 0),
        Label::Value => (14, 0),
        Label::Trace => (15, 0),
    }
}

/// Compares two edges with equal sort keys.
fn break_tie(heap: &Heap, a: u32, b: u32) -> Ordering {
    let names = |a: NameId, b: NameId| heap.name(a).cmp(heap.name(b));
    match (heap.label(a as usize), heap.label(b as usize)) {
        (Label::Field(a), Label::Field(b))
        | (Label::Upvalue(a), Label::Upvalue(b))
        | (Label::Local(a), Label::Local(b)) => names(a, b),
        (Label::Index(a), Label::Index(b)) => a.cmp(&b),
        (Label::Index(a), Label::Number(b)) => integer_and_float(a, b),
        (Label::Number(a), Label::Index(b)) => integer_and_float(b, a).reverse(),
        (Label::Key, Label::Key) => {
            let kind = |edge: u32| heap.kind(heap.target(edge as usize));
            kind(a).cmp(&kind(b))
        }
        (a, b) => key_kind(heap, a).cmp(&key_kind(heap, b)),
    }
}

fn key_kind(heap: &Heap, label: Label) -> Option<Kind> {
    match label {
        Label::Object(key) => Some(heap.kind(key)),
        Label::Address(kind, _) => Some(kind),
        _ => None,
    }
}

/// Compares an integer with the float to which it rounds. Among equal values the integer comes
/// first.
fn integer_and_float(integer: i64, float: f64) -> Ordering {
    // 2^63 is the only such float that is not an i64; as i128 both are exact.
    i128::from(integer)
        .cmp(&(float as i128))
        .then(Ordering::Less)
}

/// Returns bits in the order of the numbers; the two zeros are equal.
fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// Returns the first eight bytes as a number in the same order.
fn first_bytes(name: &[u8]) -> u64 {
    match name.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut padded = [0; 8];
            padded[..name.len()].copy_from_slice(name);
            u64::from_be_bytes(padded)
        }
    }
}

/// Returns edges with string keys, from all parts of `edges`, and how many these are.
fn sample(heap: &Heap, edges: &[u32]) -> ([u32; SAMPLED], usize) {
    let is_named = |edge: &&u32| matches!(heap.label(**edge as usize), Label::Field(_));
    let (mut sampled, mut count) = ([0; SAMPLED], 0);
    for at in (0..edges.len()).step_by(edges.len() / SAMPLED + 1) {
        if let Some(edge) = edges[at..].iter().take(NEAR).find(is_named) {
            sampled[count] = *edge;
            count += 1;
        }
    }
    (sampled, count)
}

/// Returns the length in bytes of the common prefix of the string keys among `edges`.
fn common_prefix(heap: &Heap, edges: impl Iterator<Item = u32>) -> usize {
    let mut names = edges.filter_map(|edge| match heap.label(edge as usize) {
        Label::Field(name) => Some(heap.name(name)),
        _ => None,
    });
    let Some(first) = names.next() else { return 0 };
    let mut common = first;
    for name in names {
        if !name.starts_with(common) {
            let same = common.iter().zip(name).take_while(|(a, b)| a == b).count();
            common = &common[..same];
        }
    }
    common.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::walk_builder::HeapBuilder;
    use crate::graph::node::NodeId;
    use crate::graph::strength::Strength;

    /// Returns the labels of one node, sorted.
    fn sorted(labels: impl Fn(&mut HeapBuilder) -> Vec<Label>) -> Vec<Label> {
        let mut builder = HeapBuilder::new();
        let (table, _) = builder.node(Kind::Table, 0x10).unwrap();
        for label in labels(&mut builder) {
            builder
                .edge(table, NodeId::ROOT, label, Strength::Strong)
                .unwrap();
        }
        let heap = builder.finish().unwrap();
        let mut edges: Vec<u32> = (0..heap.edge_count() as u32).collect();
        LabelOrder::default().sort(&heap, &mut edges).unwrap();
        assert!(
            edges
                .windows(2)
                .all(|pair| in_order(&heap, pair[0], pair[1]))
        );
        edges
            .iter()
            .map(|&edge| heap.label(edge as usize))
            .collect()
    }

    #[test]
    fn numbers_order_by_exact_value() {
        let expected = vec![
            Label::Number(f64::NEG_INFINITY),
            Label::Number(-1e300),
            Label::Index(i64::MIN),
            Label::Index(-1),
            Label::Number(-0.5),
            Label::Index(0),
            Label::Number(5e-324),
            Label::Index((1 << 53) - 1),
            Label::Number(9_007_199_254_740_992.0),
            Label::Index((1 << 53) + 1),
            Label::Index((1 << 53) + 2),
            Label::Index(i64::MAX - 1),
            Label::Index(i64::MAX),
            Label::Number(9_223_372_036_854_775_808.0),
            Label::Number(f64::INFINITY),
        ];
        let mut given = expected.clone();
        given.reverse();
        assert_eq!(sorted(|_| given.clone()), expected);
        given.swap(2, 9);
        assert_eq!(sorted(|_| given.clone()), expected);
    }

    #[test]
    fn classes_order_as_the_module_says() {
        let labels = |builder: &mut HeapBuilder| {
            let name = builder.name(b"name").unwrap();
            vec![
                Label::Index(1),
                Label::Field(name),
                Label::Boolean(false),
                Label::Boolean(true),
                Label::Address(Kind::Thread, 8),
                Label::Object(NodeId(1)),
                Label::Address(Kind::Userdata, 0x10),
                Label::Key,
                Label::Upvalue(NameId::EMPTY),
                Label::Upvalue(name),
                Label::Local(name),
                Label::Metatable,
                Label::UserValue(1),
                Label::UserValue(2),
                Label::Environment,
                Label::Root(name),
            ]
        };
        let expected = labels(&mut HeapBuilder::new());
        assert_eq!(
            sorted(|builder| labels(builder).into_iter().rev().collect()),
            expected
        );
    }

    #[test]
    fn names_are_sampled_wherever_they_lie_among_other_references() {
        for others in 0..4 {
            for entries in 3 * SAMPLED..5 * SAMPLED {
                let mut builder = HeapBuilder::new();
                let (table, _) = builder.node(Kind::Table, 0x10).unwrap();
                for entry in 0..entries {
                    let name = builder.name(format!("player{entry}").as_bytes()).unwrap();
                    let labels = [Label::Key; 4];
                    for label in labels[..others].iter().copied().chain([Label::Field(name)]) {
                        builder
                            .edge(table, NodeId::ROOT, label, Strength::Strong)
                            .unwrap();
                    }
                }
                let heap = builder.finish().unwrap();
                let edges: Vec<u32> = (0..heap.edge_count() as u32).collect();
                let (sampled, count) = sample(&heap, &edges);
                let prefix = common_prefix(&heap, sampled[..count].iter().copied());
                assert_eq!(prefix, "player".len(), "{others} {entries}");
            }
        }
    }

    #[test]
    fn many_names_order_by_bytes_whatever_they_share() {
        for shared in ["", "s", "session-number-"] {
            let mut names: Vec<Vec<u8>> = (0..500)
                .map(|i| format!("{shared}{}", i * 7919 % 500).into_bytes())
                .collect();
            names.push(shared.as_bytes().to_vec());
            names.push([shared.as_bytes(), b"\0"].concat());
            names.push([shared.as_bytes(), b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"].concat());
            names.push([shared.as_bytes(), b"\xff\xff\xff\xff\xff\xff\xff\xff"].concat());
            let mut heap_names = Vec::new();
            let order = sorted(|builder| {
                names
                    .iter()
                    .map(|name| Label::Field(builder.name(name).unwrap()))
                    .collect()
            });
            let mut builder = HeapBuilder::new();
            for name in &names {
                heap_names.push((builder.name(name).unwrap(), name.clone()));
            }
            let bytes = |label: &Label| match label {
                Label::Field(id) => heap_names
                    .iter()
                    .find(|(name, _)| name == id)
                    .unwrap()
                    .1
                    .clone(),
                _ => unreachable!(),
            };
            names.sort();
            assert_eq!(order.iter().map(bytes).collect::<Vec<_>>(), names);
        }
    }
}
