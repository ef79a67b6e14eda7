//! Random heaps of everything that a VM has, and their properties by the most naive methods.

use luasnap_heap::{
    Engine, Heap, Kind, Label, NodeId, Provenance, RunOrder, SlotSizes, SparseTable, Strength,
    SweepBuilder,
};
use proptest::prelude::*;
use std::collections::HashSet;

/// An edge between nodes by number; 0 is the synthetic root.
#[derive(Clone, Debug)]
pub struct Link {
    pub source: usize,
    pub target: usize,
    pub strength: Strength,
    /// Which of a few sorts of label.
    pub sort: u8,
    /// The key, if the label is an object.
    pub key: usize,
}

impl Link {
    /// Whether its label names its key.
    pub fn has_key(&self) -> bool {
        self.source != 0 && (5..9).contains(&self.sort)
    }

    /// Whether it is a reference that only the VM sees.
    pub fn is_constant(&self) -> bool {
        self.source != 0 && self.sort == 9
    }
}

/// A node's kind, size and count.
pub type Thing = (Kind, u64, u32);

#[derive(Clone, Debug)]
pub struct Everything {
    pub things: Vec<Thing>,
    pub links: Vec<Link>,
}

pub fn everything(most_nodes: usize) -> impl Strategy<Value = Everything> {
    (1..most_nodes).prop_flat_map(|count| {
        let kind = prop_oneof![
            6 => Just(Kind::Table),
            3 => Just(Kind::LuaFunction),
            1 => Just(Kind::CFunction),
            1 => Just(Kind::Thread),
            1 => Just(Kind::Userdata),
            4 => Just(Kind::Upvalue),
            3 => prop::sample::select(&Kind::ALL[..]),
        ];
        let strength = prop_oneof![
            6 => Just(Strength::Strong),
            1 => Just(Strength::WeakKey),
            1 => Just(Strength::WeakValue),
            3 => Just(Strength::Ephemeron),
        ];
        let link = (0..=count, 1..=count, strength, 0..10u8, 1..=count).prop_map(
            |(source, target, strength, sort, key)| Link {
                source,
                target,
                strength,
                sort,
                key,
            },
        );
        let size = prop_oneof![9 => 0..200u64, 1 => Just(u64::from(u32::MAX) + 7)];
        let things = prop::collection::vec((kind, size, 0..4u32), count);
        let links = prop::collection::vec(link, 0..3 * count + 3);
        (things, links).prop_map(|(things, mut links)| {
            for link in &mut links {
                // An upvalue only refers to its value, and strongly; so do roots.
                let source = link.source.checked_sub(1).map(|at| things[at].0);
                if matches!(source, None | Some(Kind::Upvalue)) {
                    link.strength = Strength::Strong;
                    link.sort = 0;
                }
            }
            Everything { things, links }
        })
    })
}

pub fn address(node: usize) -> u64 {
    0x1000 + 16 * node as u64
}

pub fn provenance() -> Provenance {
    Provenance {
        engine: Engine::Native,
        vm: "Lua 5.4".into(),
        layout: Some("5.4.6 to 5.4.9".into()),
        vm_address: 0x10,
        total: Some(1_000_000),
        blocks: vec![("global state".into(), 1000), ("strings".into(), 300)],
        slot_sizes: Some(SlotSizes {
            array: 16,
            hash: 24,
        }),
        is_whole: true,
        ..Provenance::default()
    }
}

/// Every table of three entries is sparse.
pub fn sparse_table(node: usize, &(kind, size, count): &Thing) -> Option<SparseTable> {
    (kind == Kind::Table && count == 3).then_some(SparseTable {
        node: NodeId(node as u32),
        array_slots: 8 + (size as u32 & 63),
        array_used: 1,
        hash_slots: 4,
        hash_used: 2,
    })
}

impl Everything {
    pub fn heap(&self) -> Heap {
        let mut builder = SweepBuilder::default();
        builder.begin_run(RunOrder::Allocation).unwrap();
        for (at, &(kind, size, count)) in self.things.iter().enumerate() {
            let node = builder.add(kind, address(at + 1), size).unwrap().unwrap();
            builder.set_count(node, count);
            if kind == Kind::LuaFunction {
                let source = builder.intern(format!("source{count}").as_bytes());
                builder.set_source(node, source.unwrap());
            }
        }
        for source in 0..=self.things.len() {
            builder.begin_edges();
            for (at, link) in self.links_of(source) {
                let name = builder.intern(format!("n{at}").as_bytes()).unwrap();
                let label = match link.sort {
                    _ if source == 0 => Label::Root(name),
                    _ if self.kind(source) == Kind::Upvalue => Label::Value,
                    0 => Label::Index(at as i64),
                    1 => Label::Index(-(at as i64)),
                    2 => Label::Number(at as f64 + 0.5),
                    3 => Label::Upvalue(name),
                    4 => Label::Field(name),
                    9 => Label::Constant,
                    _ => Label::Object(NodeId(link.key as u32)),
                };
                let target = NodeId(link.target as u32);
                builder.edge(target, label, link.strength).unwrap();
            }
            builder.end_edges(NodeId(source as u32)).unwrap();
        }
        for (node, thing) in (1..).zip(&self.things) {
            if let Some(table) = sparse_table(node, thing) {
                let array = (table.array_slots.into(), table.array_used);
                let hash = (table.hash_slots.into(), table.hash_used);
                builder.note_slots(table.node, array, hash).unwrap();
            }
        }
        if self.kind(1) == Kind::Table {
            builder.set_globals(NodeId(1));
        }
        builder.finish(provenance()).unwrap()
    }

    pub fn kind(&self, node: usize) -> Kind {
        match node {
            0 => Kind::Root,
            _ => self.things[node - 1].0,
        }
    }

    fn links_of(&self, source: usize) -> impl Iterator<Item = (usize, &Link)> {
        let links = self.links.iter().enumerate();
        links.filter(move |(_, link)| link.source == source)
    }

    fn holds(&self, link: &Link, reached: &HashSet<usize>) -> bool {
        match link.strength {
            Strength::Strong => true,
            Strength::Ephemeron => !link.has_key() || reached.contains(&link.key),
            Strength::WeakKey | Strength::WeakValue => false,
        }
    }

    /// Returns what the roots keep alive by edges that `may` allows: the smallest set that no such
    /// edge leaves.
    fn reached_by(&self, may: impl Fn(&Link) -> bool) -> HashSet<usize> {
        let mut reached = HashSet::from([0]);
        loop {
            let before = reached.len();
            for link in &self.links {
                if reached.contains(&link.source) && self.holds(link, &reached) && may(link) {
                    reached.insert(link.target);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    pub fn reached(&self) -> HashSet<usize> {
        self.reached_by(|_| true)
    }

    /// Returns what the roots would keep alive without `gone`.
    pub fn reached_without(&self, gone: &HashSet<usize>) -> HashSet<usize> {
        match gone.contains(&0) {
            true => HashSet::new(),
            false => self.reached_by(|link| !gone.contains(&link.target)),
        }
    }

    /// Returns the references that keep something alive among reached nodes, an ephemeron as two.
    pub fn plain_links(&self) -> Vec<(usize, usize)> {
        let reached = self.reached();
        let mut plain = Vec::new();
        for link in &self.links {
            if reached.contains(&link.source) && self.holds(link, &reached) {
                plain.push((link.source, link.target));
                if link.strength == Strength::Ephemeron && link.has_key() {
                    plain.push((link.key, link.target));
                }
            }
        }
        plain
    }

    pub fn reached_by_objects(&self) -> HashSet<usize> {
        self.reached_by(|link| {
            let (from, to) = (self.kind(link.source), self.kind(link.target));
            let is_shown = to.is_object() || (to == Kind::Upvalue && from != Kind::Upvalue);
            is_shown && !link.is_constant()
        })
    }

    /// Returns the `objects` view, one line per object.
    pub fn view(&self) -> Vec<String> {
        let reached = self.reached_by_objects();
        let is_shown = |node: usize| reached.contains(&node) && self.kind(node).is_object();
        let mut lines = Vec::new();
        for node in (0..=self.things.len()).filter(|node| *node == 0 || is_shown(*node)) {
            let (kind, size, count) = match node {
                0 => (Kind::Root, 0, 0),
                _ => self.things[node - 1],
            };
            let source = match kind {
                Kind::LuaFunction => format!("source{count}"),
                _ => String::new(),
            };
            let mut line = format!(
                "{kind:?} {:x} {size} {count} {source:?}:",
                if node == 0 { 0 } else { address(node) }
            );
            for (at, link) in self.links_of(node) {
                if link.strength == Strength::Ephemeron && !self.holds(link, &reached) {
                    continue;
                }
                if !reached.contains(&link.target) || link.is_constant() {
                    continue;
                }
                let mut targets = vec![link.target];
                if self.kind(link.target) == Kind::Upvalue {
                    let values = self.links_of(link.target).map(|(_, value)| value.target);
                    targets = values.collect();
                }
                for target in targets.into_iter().filter(|target| is_shown(*target)) {
                    let label = match link.sort {
                        _ if node == 0 => format!("Root n{at}"),
                        0 => format!("Index({at})"),
                        1 => format!("Index({})", -(at as i64)),
                        2 => format!("Number({}.5)", at),
                        3 => format!("Upvalue n{at}"),
                        4 => format!("Field n{at}"),
                        _ if is_shown(link.key) => format!("Object {:x}", address(link.key)),
                        _ => {
                            let kind = match self.kind(link.key) {
                                Kind::Snapshot => Kind::Userdata,
                                kind => kind,
                            };
                            format!("{:?}", Label::Address(kind, address(link.key)))
                        }
                    };
                    line += &format!(" {:x} {label} {:?},", address(target), link.strength);
                }
            }
            lines.push(line);
        }
        lines
    }
}

/// Returns a heap, one line per object.
pub fn listed(heap: &Heap) -> Vec<String> {
    let name = |name| String::from_utf8_lossy(heap.name(name)).into_owned();
    let line = |node| {
        let mut line = format!(
            "{:?} {:x} {} {} {:?}:",
            heap.kind(node),
            heap.address(node),
            heap.size(node),
            heap.count(node),
            String::from_utf8_lossy(heap.source(node)),
        );
        for edge in heap.edges(node) {
            let label = match edge.label {
                Label::Root(id) => format!("Root {}", name(id)),
                Label::Upvalue(id) => format!("Upvalue {}", name(id)),
                Label::Field(id) => format!("Field {}", name(id)),
                Label::Object(key) => format!("Object {:x}", heap.address(key)),
                label => format!("{label:?}"),
            };
            let target = heap.address(edge.target);
            line += &format!(" {target:x} {label} {:?},", edge.strength);
        }
        line
    };
    heap.nodes().map(line).collect()
}
