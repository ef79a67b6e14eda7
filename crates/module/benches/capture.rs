//! Measures the module in every VM and on every heap shape, as multiples of a full collection of
//! the same heap in the same run.
//!
//! `cargo bench -p snapshot` prints the table; `-- --check` fails if a target is missed; `-- 5.4
//! chain` runs only what the words name; `--objects N` sets the size.

use luasnap_hosts::{Host, Options, Vm, module_dir};
use std::path::PathBuf;

/// The heap shapes, with the longest times in full collections for a portable and for a native capture in Lua 5.4.
const SHAPES: [(&str, f64, f64); 5] = [
    ("records", 12.0, 1.5),
    ("closures", 15.0, 2.3),
    ("named", f64::INFINITY, 1.5),
    ("random", 15.0, 1.5),
    ("chain", 12.0, 2.3),
];
const ENGINES: [&str; 2] = ["native", "portable"];
/// The most memory that a native snapshot may keep, in bytes per node and per edge; twice that
/// during capture.
const KEPT: (f64, f64) = (40.0, 8.0);
/// The most extra memory while the portable engine captures, in bytes per node.
const PEAK: f64 = 100.0;
/// The longest time for `incr`, in captures by the portable and by the native engine.
const INCR: f64 = 0.3;
const NATIVE_INCR: f64 = 1.5;
/// The least speed of JSON, in MB/s.
const JSON: f64 = 150.0;

/// Measurements of one run. Memory is in bytes, times in seconds.
struct Measured {
    nodes: f64,
    edges: f64,
    collection: f64,
    capture: f64,
    peak: f64,
    kept: f64,
    incr: f64,
    json: f64,
    json_peak: f64,
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let check = args.iter().any(|arg| arg == "--check");
    let objects = args
        .iter()
        .position(|arg| arg == "--objects")
        .map_or("1000000", |at| {
            args.get(at + 1).expect("--objects takes a number")
        });
    let named = |name: &str, all: &[&str]| {
        !args.iter().any(|arg| all.contains(&arg.as_str())) || args.iter().any(|arg| arg == name)
    };
    let vms: Vec<&str> = Vm::ALL.iter().map(|vm| vm.name()).collect();
    let shapes: Vec<&str> = SHAPES.iter().map(|(shape, ..)| *shape).collect();

    println!("{objects} objects of each shape; times as multiples of a full collection\n");
    println!(
        "| VM | shape | engine | nodes | edges | full collection | capture | peak B/node | kept B/node | incr | JSON MB/s | JSON B/node |"
    );
    println!("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut missed = Vec::new();
    for vm in Vm::ALL.into_iter().filter(|vm| named(vm.name(), &vms)) {
        for (shape, portable, native) in SHAPES
            .into_iter()
            .filter(|(shape, ..)| named(shape, &shapes))
        {
            for engine in ENGINES.into_iter().filter(|name| named(name, &ENGINES)) {
                let measured = measure(vm, shape, engine, objects);
                print_row(vm, shape, engine, &measured);
                if check && vm == Vm::Lua54 {
                    missed.extend(match engine {
                        "native" => misses_of_native(shape, native, &measured),
                        _ => misses(shape, portable, &measured),
                    });
                }
            }
        }
    }
    for miss in &missed {
        eprintln!("missed: {miss}");
    }
    std::process::exit(i32::from(!missed.is_empty()));
}

fn measure(vm: Vm, shape: &str, engine: &str, objects: &str) -> Measured {
    let folder = tempfile::tempdir().expect("a folder for the JSON file");
    let options = Options {
        args: vec![
            shape.into(),
            objects.into(),
            folder.path().join("heap.json").into(),
            engine.into(),
        ],
        ..Options::modules(module_dir(&library()))
    };
    let run = Host::Plain(vm).run(include_str!("capture.lua"), &options);
    assert!(run.status.success(), "{run}");
    let line = String::from_utf8_lossy(&run.stdout).into_owned();
    let mut numbers = line
        .split_whitespace()
        .map(|word| word.parse::<f64>().expect("a number"));
    let mut next = || numbers.next().expect("nine numbers");
    Measured {
        nodes: next(),
        edges: next(),
        collection: next(),
        capture: next(),
        peak: next(),
        kept: next(),
        incr: next(),
        json: next(),
        json_peak: next(),
    }
}

/// The module, which cargo builds next to the benchmark.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("the benchmark's own path");
    program.with_file_name("libsnapshot.so")
}

fn print_row(vm: Vm, shape: &str, engine: &str, m: &Measured) {
    println!(
        "| {} | {shape} | {engine} | {:.0} | {:.0} | {:.3} s | {:.1}x | {:.0} | {:.0} | {:.1}x | {:.0} | {:.0} |",
        vm.name(),
        m.nodes,
        m.edges,
        m.collection,
        m.capture / m.collection,
        m.peak / m.nodes,
        m.kept / m.nodes,
        m.incr / m.collection,
        m.json,
        m.json_peak,
    );
}

fn misses(shape: &str, most: f64, m: &Measured) -> Vec<String> {
    let multiple = m.capture / m.collection;
    let (peak, incr) = (m.peak / m.nodes, m.incr / m.capture);
    sentences([
        (
            multiple > most,
            format!("{shape}, portable: {multiple:.1} full collections, aim {most}"),
        ),
        (
            peak > PEAK,
            format!("{shape}, portable: {peak:.0} B/node at the peak, aim {PEAK}"),
        ),
        (
            incr > INCR,
            format!("{shape}, portable: incr takes {incr:.2} of a capture, aim {INCR}"),
        ),
        (
            m.json < JSON,
            format!("{shape}: JSON at {:.0} MB/s, aim {JSON}", m.json),
        ),
    ])
}

fn misses_of_native(shape: &str, longest: f64, m: &Measured) -> Vec<String> {
    let (multiple, incr) = (m.capture / m.collection, m.incr / m.capture);
    let most = KEPT.0 * m.nodes + KEPT.1 * m.edges;
    sentences([
        (
            multiple > longest,
            format!("{shape}, native: {multiple:.1} full collections, aim {longest}"),
        ),
        (
            incr > NATIVE_INCR,
            format!("{shape}, native: incr takes {incr:.2} captures, aim {NATIVE_INCR}"),
        ),
        (
            m.kept > most,
            format!("{shape}, native: {:.2} of the aim kept", m.kept / most),
        ),
        (
            m.peak > 2.0 * most,
            format!(
                "{shape}, native: {:.2} of the aim at the peak",
                m.peak / most / 2.0
            ),
        ),
    ])
}

fn sentences<const N: usize>(checks: [(bool, String); N]) -> Vec<String> {
    checks
        .into_iter()
        .filter_map(|(missed, sentence)| missed.then_some(sentence))
        .collect()
}
