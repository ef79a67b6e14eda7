//! Snapshot files: what was written is read again, and nothing else is.

use crate::random_heap::recipe;
use luasnap_format::{SaveOptions, read_snapshot, write_json, write_snapshot, write_text};
use luasnap_heap::{Heap, Snapshot, decrease, increase};
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

/// All that a heap says, a line for each node and each thing beside.
fn told(heap: &Heap) -> Vec<String> {
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
    lines.push(format!("{:?}", heap.provenance()));
    lines
}

fn text(
    write: impl Fn(&mut dyn io::Write, &Snapshot) -> io::Result<()>,
    snapshot: &Snapshot,
) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, snapshot).unwrap();
    out
}

/// Whether two snapshots say the same, and print the same.
fn assert_same(a: &Snapshot, b: &Snapshot) {
    assert_eq!(told(a.everything()), told(b.everything()));
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
