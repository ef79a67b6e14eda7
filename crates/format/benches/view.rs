//! Measures what `luasnap view` asks for at a key: each answer's first rows are to be there in a tenth of a second.
//!
//! `cargo bench -p luasnap-format --bench view` prints the table; `-- --check` fails if the aim is missed;
//! `-- functions` measures only one shape; `--objects N` sets the size.

#[path = "../../heap/tests/oracle/shape.rs"]
#[allow(dead_code, reason = "the oracles' tests have more shapes")]
mod shape;

use luasnap_format::{
    DominatorLevel, DominatorRows, FirstRows, LevelRows, NameSearch, RowId, RowOrder, RowTarget,
};
use luasnap_heap::{Heap, Kind, Label, NodeId, Provenance, Snapshot, Strength, SweepBuilder};
use std::hint::black_box;
use std::time::Instant;

/// The most seconds until the first rows are there.
const AIM: f64 = 0.1;
/// The number of rows on a screen.
const SCREEN: usize = 60;
/// The numbers of rows and objects between two looks at the clock, as in the view.
const ROWS: usize = 20_000;
const OBJECTS: usize = 50_000;
/// The number of rows that the view finds first.
const FIRST: usize = 2_000;

/// Makes a heap of a given number of objects.
type Make = fn(u32) -> Heap;

const SHAPES: [(&str, Make); 6] = [
    ("star", shape::star),
    ("list", shape::list),
    ("one-metatable", shape::one_metatable),
    ("shared-items", shape::shared_items),
    ("random", shape::random),
    ("functions", functions),
];

/// Seconds.
struct Measured {
    rows: usize,
    /// For what is derived once, besides trees and groups.
    derive: f64,
    memory: f64,
    /// A first page, or the last one of the level with most rows: the slowest.
    open: f64,
    /// Going up from the last row.
    up: f64,
    /// The path to the deepest object.
    path: f64,
    /// The first piece of each order, the slowest; and all of them.
    order: (f64, f64),
    /// Likewise for a search of what is nowhere.
    search: (f64, f64),
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let objects: u32 = args
        .iter()
        .position(|arg| arg == "--objects")
        .map_or(1_000_000, |at| {
            args[at + 1].parse().expect("--objects takes a number")
        });
    let is_named = |name: &str| args.iter().any(|arg| arg == name);
    let any_named = SHAPES.iter().any(|(name, _)| is_named(name));
    println!("{objects} objects of each shape\n");
    println!(
        "| shape | most rows | derived | B/node | page | up | path | order: first, all | search: first, all |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut missed = Vec::new();
    for (name, make) in SHAPES {
        if any_named && !is_named(name) {
            continue;
        }
        let measured = measure(make(objects));
        println!(
            "| {name} | {} | {:.2} s | {:.1} | {:.4} s | {:.4} s | {:.4} s | {:.4} s, {:.2} s | {:.4} s, {:.2} s |",
            measured.rows,
            measured.derive,
            measured.memory,
            measured.open,
            measured.up,
            measured.path,
            measured.order.0,
            measured.order.1,
            measured.search.0,
            measured.search.1,
        );
        let keys = [
            ("page", measured.open),
            ("up", measured.up),
            ("path", measured.path),
            ("order", measured.order.0),
            ("search", measured.search.0),
        ];
        let late = keys.into_iter().filter(|(_, seconds)| *seconds > AIM);
        missed.extend(late.map(|(key, seconds)| format!("{name}: {key} takes {seconds:.2} s")));
    }
    for miss in &missed {
        eprintln!("missed: {miss}");
    }
    if args.iter().any(|arg| arg == "--check") && !missed.is_empty() {
        std::process::exit(1);
    }
}

/// One table refers to all functions, each of a line of its own: no two are of one group.
fn functions(count: u32) -> Heap {
    let mut builder = SweepBuilder::default();
    let source = builder.intern(b"long.lua").expect("enough memory");
    for at in 1..=u64::from(count) {
        let kind = if at == 1 {
            Kind::Table
        } else {
            Kind::LuaFunction
        };
        let size = 40 + at % 1000;
        let node = builder
            .add(kind, 0x1000 + 64 * at, size)
            .expect("enough memory");
        let node = node.expect("no address is given twice");
        if at > 1 {
            builder.set_source(node, source);
            builder.set_count(node, at as u32);
        }
    }
    builder.begin_edges();
    let root = builder.intern(b"[REGISTRY]").expect("enough memory");
    let done = builder.edge(NodeId(1), Label::Root(root), Strength::Strong);
    done.and_then(|()| builder.end_edges(NodeId::ROOT))
        .expect("enough memory");
    builder.begin_edges();
    for at in 2..=count {
        let label = Label::Index(i64::from(at));
        builder
            .edge(NodeId(at), label, Strength::Strong)
            .expect("enough memory");
    }
    builder.end_edges(NodeId(1)).expect("enough memory");
    builder
        .finish(Provenance::default())
        .expect("enough memory")
}

fn measure(heap: Heap) -> Measured {
    let nodes = heap.node_count();
    let snapshot = Snapshot::new(heap);
    snapshot.groups().expect("enough memory");
    let (tree, derive) = timed(|| DominatorRows::new(&snapshot).expect("enough memory"));
    let (level, slowest) = largest_level(&tree);
    let (rows, opened) = timed(|| {
        let rows = tree.level(level).expect("enough memory");
        page(&tree, &rows, 0);
        rows
    });
    let last = rows.len().saturating_sub(SCREEN);
    let (_, end) = timed(|| page(&tree, &rows, last));
    let order =
        [RowOrder::Shallow, RowOrder::Count, RowOrder::Name].map(|by| ordered(&tree, &rows, by));
    let shortest = snapshot.everything_tree().expect("enough memory");
    let deepest = shortest
        .ranks()
        .next_back()
        .map_or(NodeId::ROOT, |rank| shortest.node(rank));
    Measured {
        rows: rows.len(),
        derive,
        memory: tree.memory() as f64 / nodes as f64,
        open: opened.max(end).max(slowest),
        up: timed(|| up(&tree, &rows)).1,
        path: timed(|| {
            let path = tree.path(deepest).expect("enough memory");
            for node in path.iter().rev().take(SCREEN) {
                black_box(tree.step(*node).expect("enough memory"));
            }
        })
        .1,
        order: (
            order.iter().map(|(first, _)| *first).fold(0.0, f64::max),
            order.iter().map(|(_, all)| *all).sum(),
        ),
        search: searched(&snapshot),
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = run();
    (result, start.elapsed().as_secs_f64())
}

/// Returns the level with most rows, and how long the slowest first page of all took.
fn largest_level(tree: &DominatorRows) -> (DominatorLevel, f64) {
    let mut slowest = 0.0;
    let mut largest = (0, DominatorLevel::TOP);
    let mut open = vec![DominatorLevel::TOP];
    // The largest is near the top in all shapes, or there is none that is large.
    for _ in 0..1000 {
        let Some(level) = open.pop() else { break };
        let (rows, seconds) = timed(|| {
            let rows = tree.level(level).expect("enough memory");
            page(tree, &rows, 0);
            rows
        });
        slowest = f64::max(slowest, seconds);
        if rows.len() > largest.0 {
            largest = (rows.len(), level);
        }
        for at in 0..3 {
            let Some(row) = rows.by_retained(at) else {
                break;
            };
            let target = tree.target(&rows, row).expect("enough memory");
            open.extend(tree.below(level.above(), target).expect("enough memory"));
        }
    }
    (largest.1, slowest)
}

fn page(tree: &DominatorRows, rows: &LevelRows, from: usize) {
    let shown = (from..from + SCREEN).map_while(|at| rows.by_retained(at));
    label(tree, rows, shown);
}

fn label(tree: &DominatorRows, rows: &LevelRows, shown: impl Iterator<Item = RowId>) {
    for row in shown {
        black_box(tree.row(rows, row).expect("enough memory"));
    }
}

/// Goes up from the last row, and finds the row that one came from.
fn up(tree: &DominatorRows, rows: &LevelRows) {
    let last = rows.by_retained(rows.len() - 1).expect("there are rows");
    if let RowTarget::Object(node) = tree.target(rows, last).expect("enough memory") {
        let (level, target) = tree
            .listed(node)
            .expect("enough memory")
            .expect("it has one");
        let above = tree.level(level).expect("enough memory");
        let row = tree.find(&above, target).expect("enough memory");
        let at = above.place_by_retained(row.expect("it is there"));
        page(tree, &above, at.saturating_sub(SCREEN));
    }
}

/// Returns the time until the first rows in an order are there, and until they are right.
fn ordered(tree: &DominatorRows, rows: &LevelRows, by: RowOrder) -> (f64, f64) {
    let start = Instant::now();
    let mut found = FirstRows::new(by, FIRST);
    let mut is_more = found.look(tree, rows, ROWS).expect("enough memory");
    label(tree, rows, found.rows().into_iter().take(SCREEN));
    let first = start.elapsed().as_secs_f64();
    while is_more {
        is_more = found.look(tree, rows, ROWS).expect("enough memory");
    }
    label(tree, rows, found.rows().into_iter().take(SCREEN));
    (first, start.elapsed().as_secs_f64())
}

/// Returns the time of the first piece of a search, and of all of it.
fn searched(snapshot: &Snapshot) -> (f64, f64) {
    let start = Instant::now();
    let mut search = NameSearch::new(b"nowhere");
    let mut found = Vec::new();
    // The word itself, the groups, objects.
    let mut first = 0.0;
    let mut pieces = 0;
    while search
        .look(snapshot, OBJECTS, &mut found)
        .expect("enough memory")
    {
        pieces += 1;
        if pieces == 3 {
            first = start.elapsed().as_secs_f64();
        }
    }
    let all = start.elapsed().as_secs_f64();
    (if pieces < 3 { all } else { first }, all)
}
