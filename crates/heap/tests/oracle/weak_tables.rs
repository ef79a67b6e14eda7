//! Weak tables of which entries stay.

use luasnap_heap::{
    Kind, Label, LastingEntries, NodeId, Provenance, Snapshot, Strength, SweepBuilder,
    WhyEntriesStay, lasting_entries,
};

/// The globals, a table with three entries in a field of them, and its metatable with this mode; then what
/// the entries are, as references of nodes by their numbers. 1 is the globals, 2 the table, 3 the metatable, 4
/// the mode, 5 a string, 6 and 7 tables.
fn found(mode: &str, references: &[(u32, u32, &str, Strength)]) -> Vec<LastingEntries> {
    let mut builder = SweepBuilder::default();
    let kinds = [
        Kind::Table,
        Kind::Table,
        Kind::Table,
        Kind::String,
        Kind::String,
        Kind::Table,
        Kind::Table,
    ];
    for (at, kind) in (1..).zip(kinds) {
        let node = builder.add(kind, 0x100 * at, 40).unwrap().unwrap();
        builder.set_count(node, if node == NodeId(2) { 3 } else { 0 });
    }
    let text = builder.intern(mode.as_bytes()).unwrap();
    builder.set_source(NodeId(4), text);
    let strong = Strength::Strong;
    let fixed = [
        (0, 1, "root", strong),
        (1, 2, "cache", strong),
        (2, 3, "metatable", strong),
        (3, 4, "__mode", strong),
    ];
    for source in 0..=7 {
        builder.begin_edges();
        for &(from, to, label, strength) in fixed.iter().chain(references) {
            let name = builder.intern(label.as_bytes()).unwrap();
            let label = match label {
                "root" => Label::Root(name),
                "metatable" => Label::Metatable,
                "key" => Label::Key,
                "under 6" => Label::Object(NodeId(6)),
                _ => Label::Field(name),
            };
            if from == source {
                builder.edge(NodeId(to), label, strength).unwrap();
            }
        }
        builder.end_edges(NodeId(source)).unwrap();
    }
    let heap = builder.finish(Provenance::default()).unwrap();
    lasting_entries(&Snapshot::new(heap)).unwrap()
}

fn one(entries: u32, why: WhyEntriesStay) -> Vec<LastingEntries> {
    let node = NodeId(2);
    vec![LastingEntries { node, entries, why }]
}

const STRONG: Strength = Strength::Strong;
const WEAK: Strength = Strength::WeakKey;

#[test]
fn strings_are_never_lost() {
    let entries = [(2, 5, "key", STRONG), (2, 6, "a", STRONG)];
    assert_eq!(
        found("k", &entries),
        one(3, WhyEntriesStay::NoKeyIsAnObject)
    );
    for mode in ["v", "kv", "", "\0k"] {
        assert_eq!(found(mode, &entries), [], "{mode}");
    }
    let with_object = [(2, 5, "key", STRONG), (2, 6, "key", WEAK)];
    assert_eq!(found("k", &with_object), []);
}

#[test]
fn values_that_lead_to_their_keys_keep_them() {
    let key = (2, 6, "key", WEAK);
    let why = WhyEntriesStay::ValuesHoldKeys;
    let value = (2, 7, "under 6", STRONG);
    assert_eq!(found("k", &[key, value]), []);
    assert_eq!(
        found("k", &[key, value, (7, 6, "owner", STRONG)]),
        one(1, why)
    );
    // The value is the key.
    assert_eq!(found("k", &[key, (2, 6, "under 6", STRONG)]), one(1, why));
    // Somebody else holds the key now; the entry stays all the same.
    let other = (1, 6, "other", STRONG);
    let held = [key, value, (7, 6, "owner", STRONG), other];
    assert_eq!(found("k", &held), one(1, why));
    // Ephemerons go.
    let ephemeron = (2, 7, "under 6", Strength::Ephemeron);
    assert_eq!(found("k", &[key, ephemeron, (7, 6, "owner", STRONG)]), []);
}
