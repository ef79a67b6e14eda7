//! Leaks as rows and as words, where there are very many. `crates/module/tests/lua/leaks.lua` has the others.

use crate::fixture::Fixture;
use luasnap_format::{Allowed, GrowthAnswer, growth, leak_text, leaks};
use luasnap_heap::{Kind, Label, NodeId, Snapshot, Strength};
use luasnap_words::Language;

const CLASSES: u64 = 120;

/// A list with so many instances of each class.
fn list(instances: u64) -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x10, 0);
    let list = fixture.field(fixture.root, "list", Kind::Table, 0x20, 0);
    let named = fixture.builder.name(b"__name").unwrap();
    for class in 0..CLASSES {
        let address = 0x100_0000 * (1 + class);
        let name = format!("C{class:03}");
        let metatable = fixture.field(fixture.root, &name, Kind::Table, address, 0);
        let string = fixture.under(
            metatable,
            Label::Field(named),
            Kind::String,
            address + 16,
            0,
        );
        let source = fixture.builder.name(name.as_bytes()).unwrap();
        fixture.builder.set_source(string, source);
        for at in 1..=instances {
            let label = Label::Index((at * CLASSES + class) as i64);
            let instance = fixture.under(list, label, Kind::Table, address + 16 + 16 * at, 0);
            fixture.builder.set_size(instance, 1000 - class);
            edge(&mut fixture, instance, metatable);
        }
    }
    fixture.finish()
}

fn edge(fixture: &mut Fixture, instance: NodeId, metatable: NodeId) {
    let edge = (instance, metatable, Label::Metatable, Strength::Strong);
    fixture
        .builder
        .edge(edge.0, edge.1, edge.2, edge.3)
        .unwrap();
}

fn grown() -> GrowthAnswer {
    let snapshots = [list(1), list(2), list(3)];
    growth(&snapshots.each_ref(), usize::MAX).unwrap()
}

#[test]
fn one_cause_of_many_groups_is_one_leak_and_the_rest_is_told() {
    let (answer, allowed) = (grown(), Allowed::default());
    let found = leaks(&answer, &allowed);
    // Suspects are made of a hundred groups; each of the others is alone.
    assert_eq!(found.len(), 21);
    assert_eq!(found[0].groups.len(), 100);
    let text = leak_text(&found, &allowed, 2, Language::English);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "21 leaks in each of 2 runs:");
    assert_eq!(lines[1], "  accumulating at _G.list:");
    assert_eq!(
        lines[2],
        "    +2 table (1 a run, 2.0 KiB in all): class C000"
    );
    assert_eq!(
        lines[11],
        "    +2 table (1 a run, 1.9 KiB in all): class C009"
    );
    assert_eq!(lines[12], "    ... and 90 more groups");
    assert_eq!(lines[13], "    for example _G.list.[240]");
    assert_eq!(lines[15], "  one group:");
    assert_eq!(
        lines[16],
        "    +2 table (1 a run, 1.8 KiB in all): class C100"
    );
    assert_eq!(lines.last(), Some(&"  ... and 11 more"));
    let text = leak_text(&found, &allowed, 2, Language::Chinese);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "21 处泄漏，运行 2 次，次次如此：");
    assert_eq!(lines[1], "  积聚在 _G.list：");
    assert_eq!(
        lines[2],
        "    +2 个 table（每次 1 个，一共 2.0 KiB）：class C000"
    );
    assert_eq!(lines[12], "    ……还有 90 个组");
    assert_eq!(lines[15], "  一组：");
    assert_eq!(lines.last(), Some(&"  ……还有 11 处"));
}

#[test]
fn a_group_without_a_suspect_is_a_leak_all_the_same() {
    let answer = grown();
    let named = |at: u64| format!("class C{at:03}").into_bytes();
    let but_the_last = (0..CLASSES - 1).map(named).collect();
    let allowed = Allowed::new(but_the_last);
    let found = leaks(&answer, &allowed);
    let text = leak_text(&found, &allowed, 2, Language::English);
    let fingerprint = &found[0].groups[0].fingerprint;
    let expected = format!(
        "1 leak, in each of 2 runs:
  +2 table (1 a run, 1.7 KiB in all): class C119
  for example _G.list.[359]
  to allow it: \"{fingerprint}\""
    );
    assert_eq!(text, expected);
    let all = Allowed::new((0..CLASSES).map(named).collect());
    assert!(leaks(&answer, &all).is_empty());
}

#[test]
fn the_suspect_s_fingerprint_allows_its_groups_and_no_others() {
    let answer = grown();
    let of_suspect = answer.suspects[0].fingerprint.clone().into_bytes();
    let left = leaks(&answer, &Allowed::new(vec![of_suspect]));
    assert_eq!(left.len(), 20);
    assert!(left.iter().all(|leak| leak.suspect.is_none()));
}
