//! Measures the `.heapsnapshot` export on a heap of two million objects and one of a million.
//!
//! `cargo bench -p luasnap-format --bench heapsnapshot` prints the table.

use luasnap_format::write_heapsnapshot;
use luasnap_heap::{Heap, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
use std::io::{self, Write};
use std::time::{Duration, Instant};

const TABLES: u64 = 1_000_000;

/// Counts what is written.
#[derive(Default)]
struct Counter {
    bytes: u64,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    println!("| heap | nodes | edges | file | time | nodes/s |");
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, heap) in [("records", records()), ("random", random())] {
        let (nodes, edges) = (heap.node_count(), heap.edge_count());
        let snapshot = Snapshot::new(heap);
        let mut best = Duration::MAX;
        let mut counter = Counter::default();
        for _ in 0..5 {
            let start = Instant::now();
            counter = Counter::default();
            write_heapsnapshot(&mut counter, &snapshot).expect("enough memory");
            best = best.min(start.elapsed());
        }
        println!(
            "| {name} | {nodes} | {edges} | {:.0} MB | {:.2} s | {:.1} M |",
            counter.bytes as f64 / 1e6,
            best.as_secs_f64(),
            nodes as f64 / best.as_secs_f64() / 1e6,
        );
    }
}

/// A million records `{id = 1, name = "record 1"}` in one array, each with a name of its own.
fn records() -> Heap {
    let mut builder = HeapBuilder::new();
    let list = object(&mut builder, Kind::Table, 0, 16_000_056);
    root(&mut builder, list);
    let field = builder.name(b"name").expect("enough memory");
    for at in 1..=TABLES {
        let record = object(&mut builder, Kind::Table, 2 * at, 136);
        let name = object(&mut builder, Kind::String, 2 * at + 1, 36);
        let text = builder.name(format!("record {at}").as_bytes());
        builder.set_source(name, text.expect("enough memory"));
        edge(&mut builder, list, record, Label::Index(at as i64));
        edge(&mut builder, record, name, Label::Field(field));
    }
    builder.finish().expect("enough memory")
}

/// A million tables with four references each to any of the others.
fn random() -> Heap {
    let mut builder = HeapBuilder::new();
    let nodes: Vec<NodeId> = (0..TABLES)
        .map(|at| object(&mut builder, Kind::Table, at, 120))
        .collect();
    root(&mut builder, nodes[0]);
    let mut dice = 1u64;
    for (at, &node) in nodes.iter().enumerate() {
        // The first table reaches all others. The generator is Knuth's MMIX.
        let next = nodes[(at + 1) % nodes.len()];
        edge(&mut builder, node, next, Label::Index(1));
        for index in 2..=4 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005);
            dice = dice.wrapping_add(1_442_695_040_888_963_407);
            let other = nodes[(dice >> 33) as usize % nodes.len()];
            edge(&mut builder, node, other, Label::Index(index));
        }
    }
    builder.finish().expect("enough memory")
}

fn object(builder: &mut HeapBuilder, kind: Kind, number: u64, bytes: u64) -> NodeId {
    let node = builder.node(kind, 0x5555_0000_0000 + 64 * number);
    let (node, _) = node.expect("enough memory");
    builder.set_size(node, bytes);
    node
}

fn root(builder: &mut HeapBuilder, node: NodeId) {
    let name = builder.name(b"[REGISTRY]").expect("enough memory");
    edge(builder, NodeId::ROOT, node, Label::Root(name));
}

fn edge(builder: &mut HeapBuilder, source: NodeId, target: NodeId, label: Label) {
    let added = builder.edge(source, target, label, Strength::Strong);
    added.expect("enough memory");
}
