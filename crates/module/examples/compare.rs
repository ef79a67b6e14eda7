//! A Lua module for the tests: `compare.differences()` captures the heap by both engines, at one
//! moment, and answers in what their `objects` views differ; nil where they do not. So does
//! `compare.differences(object, name)` with what is reachable from an object.
//!
//! They have to agree on everything but sizes: objects, edges, labels, strengths, order. Only the
//! native engine can see objects that wait for their finalizer; then it says just that.

use luasnap_capture::{Call, Error, Function, Module, Return, lua_module};
use luasnap_heap::{Engine, Heap, Kind, Label, NodeId, Snapshot};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The module.
pub static MODULE: Module = Module {
    name: "compare",
    functions: &[Function {
        name: "differences",
        body: differences,
    }],
    metamethods: &[],
};

lua_module! {
    /// Opens the module.
    luaopen_compare => crate::MODULE
}

/// Differences that are told; more would tell no more.
const MOST: usize = 20;

fn differences(call: &mut Call<'_>) -> Result<Return, Error> {
    let is_whole = call.argument_count() == 0;
    if !is_whole {
        call.root_argument(1)?;
        call.string_argument(2)?;
    }
    let capture = |engine| match is_whole {
        true => call.capture_whole(Some(engine)),
        false => call.capture_argument(Some(engine)),
    };
    let native = Snapshot::new(capture(Engine::Native)?);
    let portable = Snapshot::new(capture(Engine::Portable)?);
    if is_whole && has_pending(native.everything()) {
        return Ok(Return::Text(b"finalizers are pending".to_vec()));
    }
    let mut said = String::new();
    let (native, portable) = (objects(&native)?, objects(&portable)?);
    for key in native.by_key.keys().chain(portable.by_key.keys()) {
        match (native.by_key.get(key), portable.by_key.get(key)) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => {
                let what = format!(
                    "{key}:\n native   {}\n portable {}\n",
                    show(a, b),
                    show(b, a)
                );
                if !said.contains(&what) {
                    said.push_str(&what);
                }
            }
        }
        if said.lines().count() > MOST {
            break;
        }
    }
    if said.is_empty() && native.order != portable.order {
        let at = native.order.iter().zip(&portable.order);
        let first = at.take_while(|(a, b)| a == b).count();
        let _ = write!(
            said,
            "order, from row {first} on:\n native   {:?}\n portable {:?}",
            native.order.get(first),
            portable.order.get(first)
        );
    }
    Ok(match said.is_empty() {
        true => Return::Nothing,
        false => Return::Text(said.into_bytes()),
    })
}

/// Whether objects wait for their finalizer.
fn has_pending(heap: &Heap) -> bool {
    heap.edges(NodeId::ROOT).any(|edge| match edge.label {
        Label::Root(name) => heap.name(name) == b"[finalizer]",
        _ => false,
    })
}

/// What is only in the first.
fn show(one: Option<&Vec<String>>, other: Option<&Vec<String>>) -> String {
    let Some(one) = one else {
        return "(not there)".to_owned();
    };
    let empty = Vec::new();
    let other = other.unwrap_or(&empty);
    let mut rest = other.clone();
    let only = one
        .iter()
        .filter(|line| match rest.iter().position(|known| known == *line) {
            Some(at) => {
                rest.remove(at);
                false
            }
            None => true,
        });
    only.cloned().collect::<Vec<_>>().join(" | ")
}

struct Objects {
    by_key: BTreeMap<String, Vec<String>>,
    order: Vec<String>,
}

fn objects(snapshot: &Snapshot) -> Result<Objects, Error> {
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
