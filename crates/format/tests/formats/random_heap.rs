//! Random heaps with some of everything.

use luasnap_heap::{
    Birthmark, CodePlace, CodeShape, Engine, Heap, Kind, Label, NodeId, Process, ProcessMemory,
    Provenance, RunOrder, SharedObjects, SlotSizes, Snapshot, Strength, SweepBuilder, ThreadNote,
    ThreadState, ThreadStatus,
};
use proptest::prelude::*;

/// A reference in numbers, each of which is taken modulo the number of choices.
#[derive(Clone, Debug)]
pub struct Link {
    source: usize,
    target: usize,
    strength: Strength,
    sort: u8,
    value: u64,
}

/// What a random heap is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    things: Vec<(Kind, u64, u32)>,
    links: Vec<Link>,
    fact: u64,
}

pub fn recipe(most_nodes: usize) -> impl Strategy<Value = Recipe> {
    (1..most_nodes).prop_flat_map(|count| {
        let kind = prop_oneof![
            4 => Just(Kind::Table),
            3 => Just(Kind::String),
            3 => prop::sample::select(&Kind::ALL[..]),
        ];
        let size = prop_oneof![8 => 0..200u64, 1 => (1..9u64).prop_map(|n| n << 32), 1 =>
            Just(u64::from(u32::MAX))];
        let thing = (kind, size, prop_oneof![0..4u32, any::<u32>()]);
        let strength = prop_oneof![
            5 => Just(Strength::Strong),
            1 => Just(Strength::WeakKey),
            1 => Just(Strength::WeakValue),
            1 => Just(Strength::Ephemeron),
        ];
        let value = prop_oneof![0..20u64, any::<u64>()];
        let link = (0..=count, 0..count, strength, 0..20u8, value).prop_map(
            |(source, target, strength, sort, value)| Link {
                source,
                target,
                strength,
                sort,
                value,
            },
        );
        let things = prop::collection::vec(thing, count);
        let links = prop::collection::vec(link, 0..3 * count + 3);
        (things, links, any::<u64>()).prop_map(|(things, links, fact)| Recipe {
            things,
            links,
            fact,
        })
    })
}

impl Recipe {
    /// A native heap: every kind of node, label and fact.
    pub fn heap(&self) -> Heap {
        let mut builder = SweepBuilder::default();
        builder.begin_run(RunOrder::Allocation).unwrap();
        for (at, &(kind, size, count)) in self.things.iter().enumerate() {
            if at == self.things.len() / 2 {
                builder.begin_run(RunOrder::Finalizer).unwrap();
            }
            let address = 0x7f00_0000_0000 - 16 * at as u64 - ((at as u64 & 4) << 16);
            let node = builder.add(kind, address, size).unwrap().unwrap();
            builder.set_count(node, count);
            let source = match kind {
                Kind::String => format!("text {at}"),
                Kind::LuaFunction | Kind::Prototype => format!("file{}.lua", count % 3),
                _ => String::new(),
            };
            let source = builder.intern(source.as_bytes()).unwrap();
            builder.set_source(node, source);
            if kind == Kind::Snapshot {
                builder.mark(node).unwrap();
            }
            if kind == Kind::Table && count % 3 == 1 {
                let array = (u64::from(count), count / 2);
                builder.note_slots(node, array, (64, 1)).unwrap();
            }
            if kind == Kind::Thread && count % 4 == 2 {
                let note = doing(&mut builder, node, count);
                builder.note_thread(note).unwrap();
            }
            if matches!(kind, Kind::LuaFunction | Kind::Prototype) && count % 4 == 2 {
                let shape = CodeShape::new(count / 2, count, count as u8);
                builder.note_loaded_code(node, shape).unwrap();
            }
            if kind == Kind::Table && self.fact.is_multiple_of(5) {
                builder.set_globals(node);
            }
        }
        builder.begin_run(RunOrder::None).unwrap();
        builder.light_function(0x40_1000).unwrap();
        for source in 0..=self.things.len() {
            builder.begin_edges();
            for link in self.links.iter().filter(|link| link.source == source) {
                let label = self.label(&mut builder, link);
                let target = NodeId(link.target as u32 + 1);
                builder.edge(target, label, link.strength).unwrap();
            }
            builder.end_edges(NodeId(source as u32)).unwrap();
        }
        builder.finish(self.provenance()).unwrap()
    }

    /// The whole snapshot, with its birthmark.
    pub fn snapshot(&self) -> Snapshot {
        let snapshot = Snapshot::new(self.heap());
        if self.fact.is_multiple_of(3) {
            snapshot.set_birthmark(Birthmark {
                vm_address: 0x10,
                sequence: self.fact,
                marks: [self.fact, 0x7f00_0000_0000],
            });
        }
        snapshot
    }

    fn label(&self, builder: &mut SweepBuilder, link: &Link) -> Label {
        let value = link.value;
        let mut name = || {
            builder
                .intern(format!("n{}", value % 99).as_bytes())
                .unwrap()
        };
        let node = NodeId((value % self.things.len() as u64) as u32 + 1);
        match link.sort {
            _ if link.source == 0 => Label::Root(name()),
            0 | 1 => Label::Field(name()),
            2 => Label::Index(value as i64),
            3 => Label::Number(value as f64 + 0.5),
            4 => Label::Boolean(value.is_multiple_of(2)),
            5 | 6 => Label::Object(node),
            7 => Label::Address(self.things[link.target].0, value),
            8 => Label::Key,
            9 => Label::Metatable,
            10 => Label::UserValue(value as u16),
            11 => Label::Environment,
            12 => Label::Upvalue(name()),
            13 => Label::Local(name()),
            14 => Label::Root(name()),
            15 => Label::Prototype,
            16 => Label::Constant,
            17 => Label::DebugName,
            18 => Label::Value,
            _ => Label::Trace,
        }
    }

    fn provenance(&self) -> Provenance {
        let given = |bit: u64| self.fact >> bit & 1 == 1;
        Provenance {
            engine_reason: None,
            engine: match given(0) {
                true => Engine::Native,
                false => Engine::Portable,
            },
            vm: "Lua 5.4".into(),
            layout: given(1).then(|| "5.4.6 to 5.4.9".into()),
            vm_address: 0x10,
            total: given(2).then_some(self.fact),
            blocks: match given(3) {
                true => vec![("global state".into(), 1000), ("strings".into(), 300)],
                false => Vec::new(),
            },
            is_whole: given(4),
            taken_at: given(5).then_some(self.fact),
            process: given(6).then_some(Process {
                id: 77,
                instance: self.fact,
            }),
            state_name: given(14).then(|| "agent :0000000a".into()),
            shared: given(15).then_some(SharedObjects {
                count: self.fact,
                bytes: u64::MAX,
                states: given(16).then_some(200),
            }),
            process_memory: ProcessMemory {
                resident: given(11).then_some(self.fact),
                peak_resident: given(12).then_some(u64::MAX),
                limit: given(13).then_some(0),
                snapshots: given(14).then_some(self.fact / 2),
            },
            slot_sizes: given(7).then_some(SlotSizes {
                array: 16,
                hash: 24,
            }),
        }
    }
}

/// What a thread is doing, by a number.
fn doing(builder: &mut SweepBuilder, node: NodeId, number: u32) -> ThreadNote {
    let status = ThreadStatus::ALL[number as usize / 4 % ThreadStatus::ALL.len()];
    let mut name = |text: &str| builder.intern(text.as_bytes()).unwrap();
    let place = CodePlace {
        source: name("file1.lua"),
        line: number,
    };
    let state = ThreadState {
        place,
        defined: number / 2,
        caller: CodePlace {
            source: name("file2.lua"),
            line: number.wrapping_add(1),
        },
        error: name("an error"),
        ..ThreadState::new(node, status)
    };
    // It may be of any kind, or not be there.
    let some = |number: u32| Some(NodeId(1 + number % node.0));
    ThreadNote {
        function: some(number),
        caller: some(number / 3),
        may_resume: number.is_multiple_of(8),
        c_function: some(number / 5),
        ..ThreadNote::new(state)
    }
}

/// A small snapshot whose file has every section of the first version but those of differences.
pub fn sample_of_everything() -> Snapshot {
    sample_with(4)
}

/// The same with the sections of threads and of loaded code.
pub fn sample_with_threads() -> Snapshot {
    sample_with(6)
}

fn sample_with(count: u32) -> Snapshot {
    let things = Kind::ALL.map(|kind| (kind, 40 + (kind as u64 & 1) * u64::from(u32::MAX), count));
    let links = (0..20u8).map(|sort| Link {
        source: usize::from(sort / 3),
        target: usize::from(sort) % things.len(),
        strength: Strength::Strong,
        sort,
        value: 5 + u64::from(sort) * 1_000_000_007,
    });
    let recipe = Recipe {
        things: things.to_vec(),
        links: links.collect(),
        fact: 15 * 0x7f,
    };
    recipe.snapshot()
}
