//! A heap as lines of text, for the examples, so that the results of two engines can be compared.

use luasnap_heap::{BuildError, Heap, Kind, Label, NodeId, Snapshot};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The `objects` view of a snapshot.
pub struct Objects {
    /// By object: its properties, and its edges.
    pub by_key: BTreeMap<String, Vec<String>>,
    /// The objects in the order in which they are shown.
    pub order: Vec<String>,
}

/// Returns the `objects` view of a snapshot.
pub fn objects(snapshot: &Snapshot) -> Result<Objects, BuildError> {
    let (heap, tree) = (snapshot.objects()?, snapshot.tree()?);
    let mut by_key = BTreeMap::new();
    for node in heap.nodes() {
        let mut edges: Vec<String> = heap
            .edges(node)
            .map(|edge| {
                let target = key(heap, edge.target);
                let label = label(heap, edge.label);
                format!("{label} -> {target} {:?}", edge.strength)
            })
            .collect();
        edges.sort();
        let (kind, source) = (heap.kind(node), String::from_utf8_lossy(heap.source(node)));
        let mut lines = vec![format!(
            "{kind:?} count {} source {source} refs {} globals {}",
            heap.count(node),
            tree.refs(node),
            heap.globals() == Some(node),
        )];
        lines.append(&mut edges);
        by_key.insert(key(heap, node), lines);
    }
    let row = |rank| {
        let step = label(heap, heap.label(tree.edge(rank)));
        format!("{} by {step}", key(heap, tree.node(rank)))
    };
    Ok(Objects {
        by_key,
        order: tree.ranks().map(row).collect(),
    })
}

/// An object's kind and address.
fn key(heap: &Heap, node: NodeId) -> String {
    object(heap.kind(node), heap.address(node))
}

fn object(kind: Kind, address: u64) -> String {
    format!("{}:{address:#x}", kind.type_name())
}

fn label(heap: &Heap, label: Label) -> String {
    let name = |name| String::from_utf8_lossy(heap.name(name)).into_owned();
    match label {
        Label::Field(id) => format!("field {:?}", name(id)),
        Label::Upvalue(id) => format!("upvalue {:?}", name(id)),
        Label::Local(id) => format!("local {:?}", name(id)),
        Label::Root(id) => format!("root {:?}", name(id)),
        Label::Object(key) => format!("object {}", object(heap.kind(key), heap.address(key))),
        Label::Address(kind, address) => format!("object {}", object(kind, address)),
        other => format!("{other:?}"),
    }
}

/// A snapshot for `cargo xtask mutants`: the `objects` view, with a line that begins with `object`
/// for each property and edge, and with `row` for the order; then a line that begins with `raw` for
/// each object of the VM: its kind, address, shallow size, and for a string its text in
/// hexadecimal.
#[allow(dead_code, reason = "not every example has a use for it")]
pub fn lines(snapshot: &Snapshot) -> Result<String, BuildError> {
    let mut said = String::new();
    let objects = objects(snapshot)?;
    for (key, facts) in &objects.by_key {
        for fact in facts {
            let _ = writeln!(said, "object {key} {}", fact.escape_default());
        }
    }
    for row in &objects.order {
        let _ = writeln!(said, "row {}", row.escape_default());
    }
    let heap = snapshot.everything();
    for node in heap.nodes().skip(1) {
        let (kind, size) = (heap.kind(node), heap.size(node));
        // A C function without an object, for which the VM has no memory.
        if kind == Kind::CFunction && size == 0 {
            continue;
        }
        let _ = write!(said, "raw {kind:?} {:#x} {size}", heap.address(node));
        if kind == Kind::String {
            said.push(' ');
            for byte in heap.source(node) {
                let _ = write!(said, "{byte:02x}");
            }
        }
        said.push('\n');
    }
    Ok(said)
}
