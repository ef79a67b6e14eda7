//! Snapshot files: what is read is what was written.

use crate::file_parts::Parts;
use crate::random_heap::{recipe, sample_of_everything};
use luasnap_format::{
    AnswerError, ReportOptions, SaveOptions, read_snapshot, write_json, write_report,
    write_snapshot, write_text,
};
use luasnap_heap::{
    Census, Heap, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength, decrease, increase,
};
use proptest::prelude::*;
use std::io;

/// The bytes of a file.
pub fn saved(snapshot: &Snapshot, options: SaveOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_snapshot(&mut bytes, snapshot, options).unwrap();
    bytes
}

fn loaded_again(snapshot: &Snapshot) -> Snapshot {
    read_snapshot(&saved(snapshot, SaveOptions::default())).unwrap()
}

/// Everything that a heap has, a line for each node and for each other thing.
fn listing(heap: &Heap) -> Vec<String> {
    let mut lines = Vec::new();
    for node in heap.nodes() {
        let mut line = format!(
            "{:?} {:x} {} {} {:?}",
            heap.kind(node),
            heap.address(node),
            heap.size(node),
            heap.count(node),
            heap.source_id(node)
        );
        for edge in heap.edges(node) {
            line += &format!(" {edge:?}");
        }
        lines.push(line);
    }
    let columns = heap.columns();
    let names = (0..columns.names.len()).map(|id| luasnap_heap::NameId(id as u32));
    lines.extend(names.map(|name| format!("{:?}", heap.name(name))));
    lines.push(format!("{:?} {}", columns.globals, columns.all_reached));
    lines.push(format!("{:?} {:?}", columns.runs, columns.marks));
    lines.push(format!("{:?}", columns.sparse_tables));
    lines.push(format!("{:?}", columns.threads));
    lines.push(format!("{:?}", columns.loaded_code));
    let environments = columns.environments.unwrap_or_default();
    lines.push(format!("{environments:?}"));
    lines.push(format!("{:?}", heap.provenance()));
    lines
}

fn text(
    write: impl Fn(&mut dyn io::Write, &Snapshot) -> Result<(), AnswerError>,
    snapshot: &Snapshot,
) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, snapshot).unwrap();
    out
}

/// Asserts that two snapshots have and print the same.
fn assert_same(a: &Snapshot, b: &Snapshot) {
    assert_eq!(listing(a.everything()), listing(b.everything()));
    assert_eq!(a.birthmark(), b.birthmark());
    assert_eq!(a.is_difference(), b.is_difference());
    assert_eq!(a.len(), b.len());
    for node in a.objects().unwrap().nodes() {
        assert_eq!(a.change(node), b.change(node));
        assert_eq!(a.refs(node), b.refs(node));
    }
    for write in [write_text, write_json] {
        assert_eq!(text(write, a), text(write, b));
    }
    let report = |out: &mut dyn io::Write, snapshot: &Snapshot| {
        write_report(out, snapshot, ReportOptions::default())
    };
    assert_eq!(text(report, a), text(report, b));
    let [of_a, of_b] = [a, b].map(|snapshot| Census {
        memory: 0,
        ..Census::new(snapshot).unwrap()
    });
    assert_eq!(format!("{of_a:?}"), format!("{of_b:?}"));
}

proptest! {
    #[test]
    fn a_snapshot_is_what_it_was(recipe in recipe(60)) {
        let snapshot = recipe.snapshot();
        assert_same(&snapshot, &loaded_again(&snapshot));
    }

    #[test]
    fn differences_are_what_they_were(before in recipe(30), after in recipe(30)) {
        let (a, b) = (before.snapshot(), after.snapshot());
        let (loaded_a, loaded_b) = (loaded_again(&a), loaded_again(&b));
        for (of_first, of_loaded) in [
            (increase(&a, &b).unwrap(), increase(&loaded_a, &loaded_b).unwrap()),
            (decrease(&a, &b).unwrap(), decrease(&loaded_a, &loaded_b).unwrap()),
            (increase(&b, &a).unwrap(), increase(&loaded_b, &loaded_a).unwrap()),
        ] {
            assert_same(&of_first, &of_loaded);
            assert_same(&of_first, &loaded_again(&of_first));
        }
    }
}

#[test]
fn nothing_is_nothing_again() {
    assert_same(&Snapshot::empty(), &loaded_again(&Snapshot::empty()));
}

/// A file that the first version wrote, with every section but those of differences.
const GOLDEN: &[u8] = include_bytes!("golden.luasnap");

#[test]
fn a_file_of_the_first_version_is_read() {
    let snapshot = read_snapshot(GOLDEN).unwrap();
    assert_same(&snapshot, &sample_of_everything());
}

/// Another release of zstd may compress differently; the decompressed bytes stay the same.
#[test]
fn what_is_written_is_what_the_first_version_wrote() {
    let written = Parts::of(&saved(&sample_of_everything(), SaveOptions::default()));
    let mut golden = Parts::of(GOLDEN);
    golden.writer = env!("CARGO_PKG_VERSION").to_owned();
    assert_eq!(written, golden);
}

#[test]
fn the_bytes_in_the_description_are_those_of_a_file() {
    let description = include_str!("../../../../docs/luasnap-file.md");
    let is_dump = |line: &&str| {
        line.split_once("  ").is_some_and(|(offset, _)| {
            offset.len() == 8 && offset.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    let dump: Vec<String> = GOLDEN
        .chunks(16)
        .enumerate()
        .map(|(at, bytes)| {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{:08x}  {}", 16 * at, bytes.join(" "))
        })
        .collect();
    let described: Vec<&str> = description.lines().map(str::trim).filter(is_dump).collect();
    assert_eq!(described.len(), 11);
    for line in described {
        assert!(dump.iter().any(|dumped| dumped == line), "{line}");
    }
}

/// Equal numbers compress to nearly nothing; the file is padded to what they need.
#[test]
fn a_file_is_as_large_as_what_it_holds_calls_for() {
    let mut builder = HeapBuilder::new();
    for at in 1..100_000 {
        builder.node(Kind::Table, 16 * at).unwrap();
    }
    let snapshot = Snapshot::new(builder.finish().unwrap());
    let file = saved(&snapshot, SaveOptions::default());
    // 29 bytes for each node.
    let expected = (29 * 100_000 - 65_536) / 256;
    assert!(
        (expected..expected + 200).contains(&file.len()),
        "{}",
        file.len()
    );
    assert_same(&snapshot, &read_snapshot(&file).unwrap());
}

/// Several blocks of each column, with everything that can differ between blocks.
#[test]
fn large_columns_are_what_they_were() {
    let mut builder = HeapBuilder::new();
    let mut random = 1u64;
    let mut roll = |sides: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % sides
    };
    let count = 150_000;
    for at in 1..=count {
        let kind = [Kind::Table, Kind::Userdata, Kind::LuaFunction][roll(3) as usize];
        let jump = if at % 50_000 < 3 {
            roll(1 << 31) << 16
        } else {
            0
        };
        let (node, _) = builder.node(kind, 8 * (at + jump)).unwrap();
        builder.set_size(node, roll(1 << 20));
        builder.set_count(node, roll(4) as u32);
        let name = builder
            .name(format!("name {}", roll(5000)).as_bytes())
            .unwrap();
        builder.set_source(node, name);
        let label = match roll(4) {
            0 => Label::Field(name),
            1 => Label::Index(roll(1 << 30) as i64 - (1 << 29)),
            2 => Label::Object(NodeId(roll(at) as u32 + 1)),
            _ => Label::Metatable,
        };
        let source = NodeId(roll(at) as u32);
        builder.edge(source, node, label, Strength::Strong).unwrap();
        builder
            .edge(node, NodeId(1), Label::Key, Strength::WeakKey)
            .unwrap();
    }
    let snapshot = Snapshot::new(builder.finish().unwrap());
    let loaded = loaded_again(&snapshot);
    assert_eq!(listing(snapshot.everything()), listing(loaded.everything()));
}
