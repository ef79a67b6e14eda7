//! Measures snapshot files: their size, and the speed of saving and opening them.
//!
//! `cargo bench -p luasnap-format` prints the table; `-- --check` fails if a target is missed;
//! `-- records` measures only one shape; `--objects N` sets the size.

use luasnap_format::{SaveOptions, open_snapshot, write_snapshot};
use luasnap_heap::{
    BuildError, Engine, Heap, Kind, Label, NodeId, Provenance, RunOrder, Snapshot, Strength,
    SweepBuilder,
};
use std::time::Instant;

/// The most bytes of the file of a million small records.
const RECORDS: usize = 12_000_000;
/// The fewest objects that are saved or opened in a second.
const SPEED: f64 = 5_000_000.0;
/// Number of runs of each measurement. The best time counts, since other processes use the machine
/// too.
const ROUNDS: usize = 5;

/// Makes a heap of a given number of objects.
type Shape = fn(u64) -> Result<Heap, BuildError>;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let check = args.iter().any(|arg| arg == "--check");
    let objects: u64 = args
        .iter()
        .position(|arg| arg == "--objects")
        .map_or(1_000_000, |at| {
            args[at + 1].parse().expect("--objects takes a number")
        });
    let shapes: [(&str, Shape); 2] = [("records", records), ("random", random)];
    let is_named = |name: &str| args.iter().any(|arg| arg == name);
    let any_named = shapes.iter().any(|(name, _)| is_named(name));

    println!("{objects} objects of each shape\n");
    println!(
        "| shape | nodes | edges | file MB | B/node | save s | M nodes/s | open s | M nodes/s |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut missed = Vec::new();
    for (name, make) in shapes {
        if any_named && !is_named(name) {
            continue;
        }
        let measured = measure(make(objects).expect("there is memory"));
        measured.print(name);
        if check {
            missed.extend(measured.misses(name, objects));
        }
    }
    for miss in &missed {
        eprintln!("missed: {miss}");
    }
    if !missed.is_empty() {
        std::process::exit(1);
    }
}

/// Measurements of a file; times in seconds.
struct Measured {
    nodes: usize,
    edges: usize,
    bytes: usize,
    save: f64,
    open: f64,
}

fn measure(heap: Heap) -> Measured {
    let (nodes, edges) = (heap.node_count(), heap.edge_count());
    let snapshot = Snapshot::new(heap);
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join("bench.luasnap");
    let mut bytes = Vec::new();
    let save = best(|| {
        bytes.clear();
        write_snapshot(&mut bytes, &snapshot, SaveOptions::default()).expect("it is saved");
    });
    std::fs::write(&path, &bytes).expect("it is written");
    let open = best(|| {
        let opened = open_snapshot(&path).expect("it is opened");
        assert_eq!(opened.everything().edge_count(), edges);
    });
    Measured {
        nodes,
        edges,
        bytes: bytes.len(),
        save,
        open,
    }
}

fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

impl Measured {
    fn print(&self, shape: &str) {
        let speed = |seconds: f64| self.nodes as f64 / seconds / 1e6;
        println!(
            "| {shape} | {} | {} | {:.2} | {:.1} | {:.3} | {:.1} | {:.3} | {:.1} |",
            self.nodes,
            self.edges,
            self.bytes as f64 / 1e6,
            self.bytes as f64 / self.nodes as f64,
            self.save,
            speed(self.save),
            self.open,
            speed(self.open),
        );
    }

    fn misses(&self, shape: &str, objects: u64) -> Vec<String> {
        let mut misses = Vec::new();
        if shape == "records" && self.bytes as u64 > RECORDS as u64 * objects / 1_000_000 {
            misses.push(format!("{shape}: the file has {} bytes", self.bytes));
        }
        for (what, seconds) in [("saved", self.save), ("opened", self.open)] {
            let speed = self.nodes as f64 / seconds;
            if speed < SPEED {
                misses.push(format!("{shape}: {speed:.0} objects a second are {what}"));
            }
        }
        misses
    }
}

/// Bytes of the chunks that the C library's `malloc` allocates for a table, for two entries of a
/// hash part and for a short string.
const TABLE: u64 = 64;
const ENTRIES: u64 = 64;
const STRING: u64 = 48;

/// Addresses as `malloc` gives them: after the last chunk, or where one was freed.
struct Memory {
    next: u64,
    freed_strings: Vec<u64>,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            next: 0x55d0_1c2f_8a10,
            freed_strings: Vec::new(),
        }
    }

    fn take(&mut self, bytes: u64) -> u64 {
        let address = self.next;
        self.next += bytes;
        address
    }

    fn string(&mut self) -> u64 {
        let freed = self.freed_strings.pop();
        freed.unwrap_or_else(|| self.take(STRING))
    }
}

/// `for i = 1, N do t[i] = { id = i, name = "item " .. i } end`, as Lua 5.4 allocates it and the
/// native engine captures it. Each `.. i` makes a string of the number that is garbage at once; the
/// collector frees these whenever the heap has doubled.
fn records(count: u64) -> Result<Heap, BuildError> {
    let (mut memory, mut garbage) = (Memory::new(), Vec::new());
    let (id, name) = (memory.string(), memory.string());
    let list = memory.take(TABLE);
    let mut made = Vec::new();
    for number in 1..=count {
        let record = memory.take(TABLE + ENTRIES);
        garbage.push(memory.string());
        made.push((record, memory.string()));
        if number.is_power_of_two() {
            // The newest are freed first, and the last one freed is the first one used again.
            memory.freed_strings.extend(garbage.drain(..).rev());
        }
    }

    let mut builder = SweepBuilder::default();
    builder.expect_sizes(2 * count as usize + 4, 4 * count as usize + 3);
    builder.begin_run(RunOrder::Allocation)?;
    for (at, (record, text_address)) in made.iter().enumerate().rev() {
        let text = format!("item {}", at + 1);
        add_string(&mut builder, *text_address, &text)?;
        let node = add(&mut builder, Kind::Table, *record, 56 + 48)?;
        builder.set_count(node, 2);
    }
    let list = add(&mut builder, Kind::Table, list, 56 + 16 * count)?;
    builder.set_count(list, count as u32);
    let id = add_string(&mut builder, id, "id")?;
    let name = add_string(&mut builder, name, "name")?;
    let name_text = builder.source(name);
    add_root(&mut builder, list)?;
    for at in 0..count as u32 {
        builder.begin_edges();
        let (text, record) = (NodeId(2 * at + 1), NodeId(2 * at + 2));
        builder.edge(id, Label::Key, Strength::Strong)?;
        builder.edge(name, Label::Key, Strength::Strong)?;
        builder.edge(text, Label::Field(name_text), Strength::Strong)?;
        builder.end_edges(record)?;
    }
    builder.begin_edges();
    for at in 0..count {
        let record = NodeId((2 * (count - at)) as u32);
        builder.edge(record, Label::Index(at as i64 + 1), Strength::Strong)?;
    }
    builder.end_edges(list)?;
    builder.finish(provenance())
}

/// Tables with four references each to any of the others, under numbers and names.
fn random(count: u64) -> Result<Heap, BuildError> {
    let mut memory = Memory::new();
    let mut builder = SweepBuilder::default();
    builder.expect_sizes(count as usize + 1, 4 * count as usize + 1);
    builder.begin_run(RunOrder::Allocation)?;
    let addresses: Vec<u64> = (0..count).map(|_| memory.take(TABLE + ENTRIES)).collect();
    for address in addresses.into_iter().rev() {
        let node = add(&mut builder, Kind::Table, address, 56 + 48)?;
        builder.set_count(node, 4);
    }
    let name = builder.intern(b"next")?;
    add_root(&mut builder, NodeId(1))?;
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    for node in 1..=count as u32 {
        builder.begin_edges();
        for index in 0..4 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let target = NodeId((seed % count) as u32 + 1);
            let label = match index {
                0 => Label::Field(name),
                _ => Label::Index(index),
            };
            builder.edge(target, label, Strength::Strong)?;
        }
        builder.end_edges(NodeId(node))?;
    }
    builder.finish(provenance())
}

fn add(
    builder: &mut SweepBuilder,
    kind: Kind,
    address: u64,
    size: u64,
) -> Result<NodeId, BuildError> {
    let node = builder.add(kind, address, size)?;
    Ok(node.expect("no address is given twice"))
}

fn add_string(builder: &mut SweepBuilder, address: u64, text: &str) -> Result<NodeId, BuildError> {
    let node = add(builder, Kind::String, address, 24 + text.len() as u64 + 1)?;
    let name = builder.add_name(text.as_bytes())?;
    builder.set_source(node, name);
    Ok(node)
}

fn add_root(builder: &mut SweepBuilder, node: NodeId) -> Result<(), BuildError> {
    let name = builder.intern(b"[REGISTRY]")?;
    builder.begin_edges();
    builder.edge(node, Label::Root(name), Strength::Strong)?;
    builder.end_edges(NodeId::ROOT)
}

fn provenance() -> Provenance {
    Provenance {
        engine: Engine::Native,
        vm: "Lua 5.4".into(),
        is_whole: true,
        ..Provenance::default()
    }
}
