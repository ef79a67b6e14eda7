//! Measures dominators and retained sizes on heaps of several shapes.
//!
//! `cargo bench -p luasnap-heap` prints the table; `-- --check` fails if a target is missed;
//! `-- random list` measures only the shapes of these names; `--nodes N` sets the size.

#[path = "../tests/oracle/shape.rs"]
mod shape;

use luasnap_heap::{Dominators, Heap, NodeId};
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// Makes the shape with a given number of tables.
type Make = fn(u32) -> Heap;

const SHAPES: [(&str, Make); 5] = [
    ("random", shape::random),
    ("list", shape::list),
    ("star", shape::star),
    ("one-metatable", shape::one_metatable),
    ("shared-items", shape::shared_items),
];

/// The most seconds that a random heap of a million tables and one of ten million may take; other
/// sizes in proportion.
const RANDOM: (f64, f64) = (1.5, 25.0);
/// The most seconds that every other shape may take, for each million tables.
const OTHERS: f64 = 0.3;
/// The most memory at the peak, the heap itself included, in bytes per node: below ten million
/// nodes, and from there on.
const PEAK: (f64, f64) = (150.0, 120.0);
/// The most memory that is kept, in bytes per node.
const KEPT: f64 = 24.5;

/// The results of one run. Memory is in bytes, time in seconds.
struct Measured {
    nodes: f64,
    edges: f64,
    seconds: f64,
    /// For the retained size of every hundredth node, as one set.
    set: f64,
    peak: f64,
    kept: f64,
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let tables = args
        .iter()
        .position(|arg| arg == "--nodes")
        .map_or(1_000_000, |at| {
            let number = args.get(at + 1).and_then(|number| number.parse().ok());
            number.expect("--nodes takes a number")
        });
    if args.first().is_some_and(|arg| arg == "--measure") {
        return measure(&args[1], tables);
    }
    let is_shape = |arg: &String| SHAPES.iter().any(|(name, _)| name == arg);
    let check = args.iter().any(|arg| arg == "--check");
    println!(
        "| shape | nodes | edges | time | a set | peak with the heap | peak B/node | kept B/node |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut missed = Vec::new();
    for (name, _) in SHAPES {
        if args.iter().any(is_shape) && !args.iter().any(|arg| arg == name) {
            continue;
        }
        let measured = in_own_process(name, tables);
        print_row(name, &measured);
        if check {
            missed.extend(misses(name, &measured));
        }
    }
    for miss in &missed {
        eprintln!("missed: {miss}");
    }
    std::process::exit(i32::from(!missed.is_empty()));
}

/// Measures in a separate process, so that no shape benefits from memory that another one left. As
/// in the programs that use this crate, large columns have huge pages if the system has them: there
/// through an allocator, which needs `unsafe`, here through a setting of glibc.
fn in_own_process(name: &str, tables: u32) -> Measured {
    let program = std::env::current_exe().expect("the benchmark's own path");
    let run = Command::new(program)
        .env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
        .args(["--measure", name, "--nodes", &tables.to_string()])
        .output()
        .expect("the benchmark runs itself");
    assert!(run.status.success(), "{run:?}");
    let line = String::from_utf8_lossy(&run.stdout).into_owned();
    let mut numbers = line
        .split_whitespace()
        .map(|word| word.parse::<f64>().expect("a number"));
    let mut next = || numbers.next().expect("six numbers");
    Measured {
        nodes: next(),
        edges: next(),
        seconds: next(),
        set: next(),
        peak: next(),
        kept: next(),
    }
}

fn measure(name: &str, tables: u32) {
    let (_, make) = SHAPES
        .iter()
        .find(|shape| shape.0 == name)
        .expect("a shape");
    let heap = make(tables);
    forget_peak();
    let dominators = Dominators::new(&heap).expect("enough memory");
    let (peak, kept) = (peak(), dominators.memory());
    let members: Vec<NodeId> = heap.nodes().skip(50).step_by(100).collect();
    let set = quickest(|| {
        let retained = dominators.retained_by(&heap, &members);
        black_box(retained.expect("enough memory"));
    });
    drop(dominators);
    let seconds = quickest(|| {
        black_box(Dominators::new(&heap).expect("enough memory"));
    });
    let (nodes, edges) = (heap.node_count(), heap.edge_count());
    println!("{nodes} {edges} {seconds} {set} {peak} {kept}");
}

/// Returns the seconds of the quickest of some runs, which is affected least by other programs.
fn quickest(mut run: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        if started.elapsed() > Duration::from_secs(20) {
            break;
        }
    }
    best
}

/// Resets the kernel's record of the process's peak memory.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a Linux that can forget the peak");
}

/// Returns the process's peak memory since then, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| 1024 * kilobytes)
}

fn print_row(name: &str, m: &Measured) {
    println!(
        "| {name} | {:.0} | {:.0} | {:.3} s | {:.3} s | {:.0} MB | {:.0} | {:.1} |",
        m.nodes,
        m.edges,
        m.seconds,
        m.set,
        m.peak / 1e6,
        m.peak / m.nodes,
        m.kept / m.nodes,
    );
}

fn misses(name: &str, m: &Measured) -> Vec<String> {
    let millions = m.nodes / 1e6;
    let (seconds, peak) = match (name, millions < 10.0) {
        ("random", true) => (RANDOM.0 * millions, PEAK.0),
        ("random", false) => (RANDOM.1 * millions / 10.0, PEAK.1),
        (_, _) => (OTHERS * millions, PEAK.0),
    };
    let checks = [
        (m.seconds, seconds, "seconds"),
        (m.peak / m.nodes, peak, "B/node at the peak"),
        (m.kept / m.nodes, KEPT, "B/node kept"),
    ];
    checks
        .into_iter()
        .filter(|(found, most, _)| found > most)
        .map(|(found, most, of)| format!("{name}: {found:.2} {of}, aim {most:.2}"))
        .collect()
}
