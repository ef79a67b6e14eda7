//! What is found in a process is what its script put there.

use crate::target::Target;
use luasnap_capture::process::{AttachOptions, Attached, FoundState, attach};
use luasnap_heap::{Census, Heap, Kind, Label, NodeId, Reach, Snapshot, Through};
use luasnap_hosts::{Host, Vm};

const SCRIPT: &str = include_str!("script.lua");

/// The one state of a process, which must have been captured.
#[track_caller]
fn only(attached: Attached) -> (FoundState, Heap) {
    let mut captures = attached.captures;
    assert_eq!(captures.len(), 1, "{captures:?}");
    let (state, heap) = captures.remove(0);
    (state, heap.unwrap_or_else(|error| panic!("{error}")))
}

/// What a table has under a string key.
fn field(heap: &Heap, table: NodeId, name: &str) -> Option<NodeId> {
    let found = heap.edges(table).find(
        |edge| matches!(edge.label, Label::Field(field) if heap.name(field) == name.as_bytes()),
    );
    Some(found?.target)
}

fn check(vm: Vm) {
    let target = Target::start(Host::Plain(vm), SCRIPT);
    for _ in 0..5 {
        let attached = attach(target.id(), AttachOptions::default()).unwrap();
        println!(
            "{:?} {} {}",
            attached.pause, attached.copied, attached.tries
        );
        let (state, heap) = only(attached);
        println!("{state:?}");
        let globals = heap.globals().expect("globals");
        let kept = field(&heap, globals, "kept").expect("kept");
        assert_eq!(heap.count(kept), 1000);
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        assert!(reach.contains(kept));
        let strings: Vec<_> = heap
            .nodes()
            .filter(|&node| heap.kind(node) == Kind::String)
            .map(|node| String::from_utf8_lossy(heap.source(node)).into_owned())
            .filter(|text| text.starts_with("on "))
            .collect();
        println!("{strings:?}");
        let census = Census::new(&Snapshot::new(heap)).unwrap();
        assert_eq!(census.unaccounted, Some(0));
    }
}

#[test]
fn all() {
    for vm in Vm::ALL {
        println!("{vm:?}");
        check(vm);
    }
}
