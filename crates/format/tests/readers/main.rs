//! Our `.heapsnapshot` files, read by the readers' own code: Chrome DevTools' worker and memlab,
//! from their packages. They must compute what we compute.
//!
//! Ignored by default, since they need node, npm and a network: `cargo test -- --ignored`.

mod heap;
mod reader;

use heap::{Exported, Graph, Row, program, random};
use luasnap_heap::{Census, Kind, NodeId, Tally};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Returns the nodes of a reader's answer. The first two are not objects.
fn nodes(answer: &Value) -> &[Value] {
    answer["nodes"].as_array().unwrap()
}

/// Returns the objects of a reader's answer, with ours.
fn objects<'a>(
    exported: &'a Exported,
    answer: &'a Value,
) -> impl Iterator<Item = (NodeId, &'a Value)> {
    assert_eq!(nodes(answer).len(), exported.nodes.len() + 2);
    exported.nodes.iter().copied().zip(&nodes(answer)[2..])
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Everything that is reachable, our own snapshots included, as the census counts it.
fn census_of(exported: &Exported) -> Tally {
    let mut all = Census::new(&exported.snapshot).unwrap().live;
    let is_own = |node: &&NodeId| exported.heap().kind(**node) == Kind::Snapshot;
    for node in exported.nodes.iter().filter(is_own) {
        all.count += 1;
        all.bytes += exported.heap().size(*node);
    }
    all
}

/// Checks everything that DevTools computes about a heap.
fn check_devtools(exported: &Exported, answer: &Value) {
    let all = exported.dominators().retained(NodeId::ROOT);
    assert_eq!(answer["problems"], json!([]));
    assert_eq!(number(&answer["total"]), all.bytes);
    assert_eq!(number(&answer["nodeCount"]), all.count + 2);
    assert_eq!(census_of(exported), all);
    let distances = exported.distances();
    for (node, found) in objects(exported, answer) {
        let retained = exported.dominators().retained(node).bytes;
        assert_eq!(number(&found["size"]), exported.heap().size(node));
        assert_eq!(number(&found["retained"]), retained, "{found}");
        assert_eq!(number(&found["distance"]), distances[&node], "{found}");
        assert_eq!(text(&found["class"]), exported.row_of(node));
    }
    let rows: BTreeMap<&str, Row> = answer["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let found = Row {
                count: number(&row["count"]),
                bytes: number(&row["size"]),
                retained: number(&row["retained"]),
            };
            (text(&row["name"]), found)
        })
        .collect();
    assert_eq!(rows, exported.rows());
}

#[test]
#[ignore = "needs node, npm and a network"]
fn devtools_computes_what_we_do() {
    let exported = program();
    let answer = reader::devtools("devtools-program", &exported, None);
    check_devtools(&exported, &answer);
    for seed in 1..=4 {
        let exported = random(seed, 700);
        let answer = reader::devtools(&format!("devtools-{seed}"), &exported, None);
        check_devtools(&exported, &answer);
    }
}

#[test]
#[ignore = "needs node, npm and a network"]
fn memlab_computes_what_we_do() {
    for (name, exported) in [
        ("memlab-program", program()),
        ("memlab-1", random(1, 700)),
        ("memlab-2", random(2, 700)),
    ] {
        let answer = reader::memlab(name, &exported);
        let total = number(&nodes(&answer)[0]["retained"]);
        let root = exported.dominators().retained(NodeId::ROOT);
        assert_eq!(total, root.bytes);
        let mut ids = HashMap::from([(NodeId::ROOT, 1)]);
        ids.extend(objects(&exported, &answer).map(|(node, found)| (node, number(&found["id"]))));
        for (node, found) in objects(&exported, &answer) {
            let dominator = exported.dominators().immediate(node).unwrap();
            let retained = exported.dominators().retained(node).bytes;
            assert_eq!(number(&found["size"]), exported.heap().size(node));
            assert_eq!(number(&found["retained"]), retained, "{found}");
            assert_eq!(number(&found["dominator"]), ids[&dominator], "{found}");
        }
    }
}

/// Returns the only node with a name.
fn named<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let found: Vec<_> = nodes(answer)
        .iter()
        .filter(|node| node["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

/// Returns the node to which another one refers by a name.
fn held<'a>(answer: &'a Value, retainer: &Value, name: &str) -> &'a Value {
    let references = retainer["edges"].as_array().unwrap();
    let reference = references.iter().find(|edge| edge["name"] == name);
    let id = &reference.unwrap_or_else(|| panic!("{name} in {retainer}"))["id"];
    nodes(answer).iter().find(|node| node["id"] == *id).unwrap()
}

/// Returns how DevTools shows the references to a node, with the names of its retainers.
fn retainers(answer: &Value, node: &Value) -> BTreeSet<(String, String)> {
    let by_id = |id: &Value| nodes(answer).iter().find(|node| node["id"] == *id);
    let retainers = node["retainers"].as_array().unwrap().iter();
    retainers
        .map(|edge| {
            let retainer = by_id(&edge["id"]).unwrap();
            (
                text(&edge["shown"]).to_owned(),
                text(&retainer["name"]).to_owned(),
            )
        })
        .collect()
}

#[test]
#[ignore = "needs node, npm and a network"]
fn devtools_shows_who_holds_what() {
    let answer = reader::devtools("devtools-retainers", &program(), None);
    let check = |node: &Value, expected: &[(&str, &str)]| {
        let expected = expected
            .iter()
            .map(|(shown, retainer)| ((*shown).to_owned(), (*retainer).to_owned()))
            .collect();
        assert_eq!(retainers(&answer, node), expected);
    };
    let registry = held(&answer, &nodes(&answer)[0], "[REGISTRY]");
    check(
        registry,
        &[(".[REGISTRY]", ""), (".[REGISTRY]", "(GC roots)")],
    );
    let globals = held(&answer, registry, "2");
    assert_eq!(globals["name"], "_G");
    check(globals, &[("[2]", "[REGISTRY]")]);
    let print = named(&answer, "[C] print");
    check(print, &[(".print", "_G")]);
    check(held(&answer, globals, "closure"), &[(".closure", "_G")]);
    check(named(&answer, "(upvalue)"), &[("->count", "")]);
    check(named(&answer, "coroutine"), &[(".[-3]", "_G")]);
    let live = held(&answer, globals, "live");
    check(
        live,
        &[
            (".live", "_G"),
            ("[[[1]]]", "_G.cache"),
            ("[[key]]", "_G.retainer.names"),
        ],
    );
    let near = held(&answer, globals, "near");
    let far = held(&answer, near, "value of this weak key");
    check(
        far,
        &[
            ("{value of this weak key}", "_G.near"),
            (".[table]", "_G.retainer.names"),
        ],
    );
}

#[test]
#[ignore = "needs node, npm and a network"]
fn devtools_compares_two_files() {
    let heap = |cache_bytes: u64, numbers: &mut dyn Iterator<Item = u64>| {
        let mut graph = Graph::new();
        let registry = graph.object(0, Kind::Table, 56);
        graph.root("[REGISTRY]", registry);
        let cache = graph.object(5, Kind::Table, cache_bytes);
        graph.field(registry, "cache", cache);
        let class = graph.class(registry, 1, "Session");
        for number in numbers {
            let node = match number % 3 {
                0 => graph.instance(number, Kind::Table, 100 + number, "Session"),
                1 => graph.object(number, Kind::LuaFunction, 40),
                _ => graph.object(number, Kind::Userdata, 24),
            };
            if number % 3 == 0 {
                graph.metatable(node, class);
            }
            graph.item(registry, number as i64, node);
        }
        graph.finish()
    };
    // The later one has its objects in another order, as a VM that allocates may.
    let earlier = heap(1000, &mut (10..1000));
    let later = heap(3000, &mut (500..1700).rev());
    let answer = reader::devtools("devtools-compare", &later, Some(&earlier));
    let rows = answer["comparison"].as_array().unwrap();
    let found: BTreeMap<&str, (usize, usize, u64, u64)> = rows
        .iter()
        .map(|row| {
            let ids = |name: &str| row[name].as_array().unwrap().len();
            let bytes = |name: &str| number(&row[name]);
            let row_found = (
                ids("added"),
                ids("removed"),
                bytes("addedSize"),
                bytes("removedSize"),
            );
            (text(&row["name"]), row_found)
        })
        .collect();
    let expected = |rest: u64, bytes: fn(u64) -> u64| {
        let of_class = |numbers: std::ops::Range<u64>| {
            let numbers = numbers.filter(move |number| number % 3 == rest);
            (numbers.clone().count(), numbers.map(bytes).sum())
        };
        let (added, added_bytes) = of_class(1000..1700);
        let (removed, removed_bytes) = of_class(10..500);
        (added, removed, added_bytes, removed_bytes)
    };
    let expected = BTreeMap::from([
        ("Session", expected(0, |number| 100 + number)),
        // One table that grew: as many are new as are gone, and the sizes tell.
        ("[REGISTRY].cache", (1, 1, 3000, 1000)),
        ("Function", expected(1, |_| 40)),
        ("userdata", expected(2, |_| 24)),
    ]);
    assert_eq!(found, expected);
}

#[test]
#[ignore = "needs node, npm and a network"]
fn memlab_finds_the_way_from_the_root() {
    let answer = reader::memlab("memlab-path", &program());
    let path = |name: &str| &named(&answer, name)["path"];
    assert_eq!(*path("[C] print"), json!(["[REGISTRY]", "2", "print"]));
    let through_closure = json!(["[REGISTRY]", "2", "closure", "count"]);
    assert_eq!(*path("(upvalue)"), through_closure);
    assert_eq!(*path("coroutine"), json!(["[REGISTRY]", "2", "[-3]"]));
    // memlab never looks through compiled code.
    assert_eq!(*path("a constant"), json!([]));
}
