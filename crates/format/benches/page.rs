//! Measures making the page of `luasnap report`: its time, beside that of `top` on the same heap, and its size.
//!
//! `cargo bench -p luasnap-format --bench page` prints the table; `-- --check` fails if an aim is missed;
//! `-- random` measures only one shape; `--objects N` sets the size.

#[path = "../../heap/tests/oracle/shape.rs"]
#[allow(dead_code, reason = "the oracles' tests have more shapes")]
mod shape;

use luasnap_format::{Page, PageOptions, PageSnapshot, top};
use luasnap_heap::{GroupOrder, Heap, Snapshot};
use std::hint::black_box;
use std::time::Instant;

/// The most seconds that a page takes beyond `top`.
const AIM: f64 = 1.0;
/// The most bytes of a page.
const BYTES: u64 = 2 << 20;

/// Makes a heap of a given number of objects.
type Make = fn(u32) -> Heap;

const SHAPES: [(&str, Make); 5] = [
    ("star", shape::star),
    ("list", shape::list),
    ("one-metatable", shape::one_metatable),
    ("shared-items", shape::shared_items),
    ("random", shape::random),
];

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
    println!("| shape | top | page beyond it | page / top | size |");
    println!("|---|--:|--:|--:|--:|");
    let mut missed = Vec::new();
    for (name, make) in SHAPES {
        if any_named && !is_named(name) {
            continue;
        }
        let (of_top, page, bytes) = measure(make(objects));
        println!(
            "| {name} | {of_top:.2} s | {page:.2} s | {:.2} | {:.1} KB |",
            page / of_top,
            bytes as f64 / 1e3
        );
        if page > AIM {
            missed.push(format!("{name}: a page takes {page:.2} s beyond top"));
        }
        if bytes > BYTES {
            missed.push(format!("{name}: a page has {bytes} bytes"));
        }
    }
    for miss in &missed {
        eprintln!("missed: {miss}");
    }
    if args.iter().any(|arg| arg == "--check") && !missed.is_empty() {
        std::process::exit(1);
    }
}

/// Returns the seconds of `top` on a snapshot of which nothing is derived yet, those of its page after that, and the
/// page's bytes.
fn measure(heap: Heap) -> (f64, f64, u64) {
    let snapshot = Snapshot::new(heap);
    let options = PageOptions::default();
    let start = Instant::now();
    black_box(top(&snapshot, GroupOrder::Retained, options.rows).expect("enough memory"));
    let of_top = start.elapsed().as_secs_f64();
    let about = PageSnapshot {
        snapshot: &snapshot,
        name: None,
        file_bytes: None,
    };
    let start = Instant::now();
    let page = Page::new(&[about], &options).expect("a page can be made");
    (of_top, start.elapsed().as_secs_f64(), page.byte_count())
}
