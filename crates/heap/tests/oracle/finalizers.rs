//! Userdata with a finalizer against a naive count.

use luasnap_heap::{
    HeapBuilder, Kind, Label, NodeId, Snapshot, Strength, count_with_finalizer, increase,
};
use proptest::prelude::*;

/// Objects, each with the number of its metatable, and metatables, each with its fields.
#[derive(Clone, Debug)]
struct Recipe {
    objects: Vec<(Kind, Option<usize>)>,
    metatables: Vec<Vec<(&'static str, Kind)>>,
}

const MANY: usize = 5;

fn recipe() -> impl Strategy<Value = Recipe> {
    let kind =
        prop::sample::select(&[Kind::Userdata, Kind::Table, Kind::Snapshot, Kind::Cdata][..]);
    let objects = prop::collection::vec((kind, prop::option::of(0..MANY)), 0..20);
    let name = prop::sample::select(&["__gc", "__index", "gc"][..]);
    let value = prop::sample::select(&[Kind::CFunction, Kind::LuaFunction, Kind::Table][..]);
    let metatables = prop::collection::vec(prop::collection::vec((name, value), 0..4), MANY);
    (objects, metatables).prop_map(|(objects, metatables)| Recipe {
        objects,
        metatables,
    })
}

impl Recipe {
    /// The snapshot of the first `count` objects, with the metatables of all.
    fn snapshot(&self, count: usize) -> Snapshot {
        let mut builder = HeapBuilder::new();
        let mut address = 0;
        let mut node = |builder: &mut HeapBuilder, kind| {
            address += 16;
            builder.node(kind, address).unwrap().0
        };
        let root = Label::Root(builder.name(b"root").unwrap());
        let metatables: Vec<NodeId> = self
            .metatables
            .iter()
            .map(|fields| {
                let metatable = node(&mut builder, Kind::Table);
                builder
                    .edge(NodeId::ROOT, metatable, root, Strength::Strong)
                    .unwrap();
                for (name, kind) in fields {
                    let value = node(&mut builder, *kind);
                    let label = Label::Field(builder.name(name.as_bytes()).unwrap());
                    builder
                        .edge(metatable, value, label, Strength::Strong)
                        .unwrap();
                }
                metatable
            })
            .collect();
        for (kind, metatable) in &self.objects[..count] {
            let object = node(&mut builder, *kind);
            builder
                .edge(NodeId::ROOT, object, root, Strength::Strong)
                .unwrap();
            if let Some(metatable) = metatable {
                let metatable = metatables[*metatable];
                builder
                    .edge(object, metatable, Label::Metatable, Strength::Strong)
                    .unwrap();
            }
        }
        Snapshot::new(builder.finish().unwrap())
    }

    fn with_finalizer(&self, objects: std::ops::Range<usize>) -> u64 {
        let is_function = |kind| kind == Kind::CFunction || kind == Kind::LuaFunction;
        let has_one = |number: usize| {
            let mut fields = self.metatables[number].iter();
            fields.any(|(name, kind)| *name == "__gc" && is_function(*kind))
        };
        let objects = self.objects[objects].iter();
        let found = objects
            .filter(|(kind, metatable)| *kind == Kind::Userdata && metatable.is_some_and(has_one));
        found.count() as u64
    }
}

proptest! {
    #[test]
    fn those_with_a_finalizer_are_counted(recipe in recipe()) {
        let all = recipe.objects.len();
        let snapshot = recipe.snapshot(all);
        prop_assert_eq!(count_with_finalizer(&snapshot).unwrap(), recipe.with_finalizer(0..all));
        // Of a difference, the new ones. It has their metatables only where these are new.
        let more = increase(&recipe.snapshot(all / 2), &snapshot).unwrap();
        prop_assert!(count_with_finalizer(&more).unwrap() <= recipe.with_finalizer(all / 2..all));
    }
}

#[test]
fn an_empty_snapshot_has_none() {
    assert_eq!(count_with_finalizer(&Snapshot::empty()).unwrap(), 0);
}
