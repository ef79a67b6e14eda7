//! Random object graphs, and their properties by the most naive methods.

use luasnap_heap::{Heap, HeapBuilder, Kind, Label, NodeId, Rank, ShortestPathTree, Strength};
use proptest::prelude::*;

/// An edge between nodes by number; 0 is the synthetic root.
#[derive(Clone, Debug)]
pub struct Link {
    pub source: usize,
    pub target: usize,
    pub strength: Strength,
    /// Which of a few sorts of label; for ephemerons mostly an object.
    pub sort: u8,
    /// The key of an ephemeron.
    pub key: usize,
}

impl Link {
    /// Whether it is an ephemeron whose label names its key.
    pub fn has_key(&self) -> bool {
        self.strength == Strength::Ephemeron && self.source != 0 && self.sort != 0
    }
}

/// A graph: each node's kind and count, and the edges.
#[derive(Clone, Debug)]
pub struct Graph {
    pub nodes: Vec<(Kind, u32)>,
    pub links: Vec<Link>,
}

pub fn graph(most_nodes: usize, ephemerons: bool) -> impl Strategy<Value = Graph> {
    (1..most_nodes).prop_flat_map(move |count| {
        let kind = prop_oneof![
            4 => Just(Kind::Table),
            1 => Just(Kind::LuaFunction),
            1 => Just(Kind::Userdata),
            1 => Just(Kind::Thread),
        ];
        let strength = prop_oneof![
            6 => Just(Strength::Strong),
            1 => Just(Strength::WeakKey),
            1 => Just(Strength::WeakValue),
            3 => Just(if ephemerons { Strength::Ephemeron } else { Strength::Strong }),
        ];
        let link = (0..=count, 1..=count, strength, 0..8u8, 1..=count).prop_map(
            |(source, target, strength, sort, key)| Link {
                source,
                target,
                strength,
                sort,
                key,
            },
        );
        let nodes = prop::collection::vec((kind, 0..4u32), count);
        let links = prop::collection::vec(link, 0..3 * count + 3);
        (nodes, links).prop_map(|(nodes, links)| Graph { nodes, links })
    })
}

impl Graph {
    /// Returns the heap, with its edges added in the given order.
    pub fn heap(&self, order: impl Iterator<Item = usize>) -> Heap {
        let mut builder = HeapBuilder::new();
        for (at, &(kind, count)) in self.nodes.iter().enumerate() {
            let (node, _) = builder.node(kind, address(at + 1)).unwrap();
            builder.set_count(node, count);
        }
        for at in order {
            let link = &self.links[at];
            let label = self.label(&mut builder, at);
            let (source, target) = (NodeId(link.source as u32), NodeId(link.target as u32));
            builder.edge(source, target, label, link.strength).unwrap();
        }
        builder.finish().unwrap()
    }

    /// Returns the heap as the native engine has it: functions that have one object as an upvalue share the upvalue.
    pub fn heap_with_upvalues(&self) -> Heap {
        let mut builder = HeapBuilder::new();
        for (at, &(kind, count)) in self.nodes.iter().enumerate() {
            let (node, _) = builder.node(kind, address(at + 1)).unwrap();
            builder.set_count(node, count);
        }
        for at in 0..self.links.len() {
            let link = &self.links[at];
            let label = self.label(&mut builder, at);
            let (source, target) = (NodeId(link.source as u32), NodeId(link.target as u32));
            let is_upvalue =
                matches!(label, Label::Upvalue(_)) && link.strength == Strength::Strong;
            let target = match is_upvalue {
                true => {
                    let place = address(self.nodes.len() + 1 + link.target);
                    let (upvalue, is_new) = builder.node(Kind::Upvalue, place).unwrap();
                    if is_new {
                        builder
                            .edge(upvalue, target, Label::Value, Strength::Strong)
                            .unwrap();
                    }
                    upvalue
                }
                false => target,
            };
            builder.edge(source, target, label, link.strength).unwrap();
        }
        builder.finish().unwrap()
    }

    /// Returns the label of an edge, which no other edge has.
    fn label(&self, builder: &mut HeapBuilder, at: usize) -> Label {
        let link = &self.links[at];
        let name = match self.weight(link) {
            _ if self.is_registry(link) => "[REGISTRY]".to_owned(),
            2 => format!("(n{at})"),
            _ if link.sort == 4 && link.key.is_multiple_of(2) => format!("(u{at})"),
            _ => format!("n{at}"),
        };
        let name = builder.name(name.as_bytes()).unwrap();
        match (link.source, link.strength, link.sort) {
            (0, ..) => Label::Root(name),
            (_, Strength::Ephemeron, 0) => Label::Index(at as i64),
            (_, Strength::Ephemeron, _) => Label::Object(NodeId(link.key as u32)),
            (.., 0) => Label::Index(-(at as i64)),
            (.., 1) => Label::Index(at as i64),
            (.., 2) => Label::Number(at as f64 + 0.5),
            (.., 3) => Label::Address(Kind::Table, at as u64),
            (.., 4) if self.nodes[link.source - 1].0 == Kind::LuaFunction => Label::Upvalue(name),
            (.., 5) if self.nodes[link.source - 1].0 == Kind::Thread => Label::Local(name),
            _ => Label::Field(name),
        }
    }

    /// Whether an edge is the GC root that makes its target the registry: the first.
    fn is_registry(&self, link: &Link) -> bool {
        let first = self.links.iter().find(|link| link.source == 0);
        first.is_some_and(|first| std::ptr::eq(first, link))
    }

    /// Returns the weight of an edge as a weak step.
    pub fn weight(&self, link: &Link) -> u32 {
        let kind = |node: usize| self.nodes[node - 1].0;
        let registry = self.links.iter().find(|link| link.source == 0);
        if link.source == 0 {
            return u32::from(kind(link.target) == Kind::Thread);
        }
        if link.strength == Strength::Ephemeron {
            return 0;
        }
        match (link.sort, kind(link.source)) {
            (0 | 1, _) => u32::from(registry.is_some_and(|root| root.target == link.source)),
            // Upvalues without a name, see `label`.
            (4, Kind::LuaFunction) if link.key.is_multiple_of(2) => 1,
            (5, Kind::Thread) => 1 + u32::from(link.key.is_multiple_of(2)),
            _ => 0,
        }
    }

    /// Whether an edge keeps its target alive, if exactly the nodes in `reached` are alive.
    pub fn holds(&self, link: &Link, reached: &[bool]) -> bool {
        reached[link.source]
            && match link.strength {
                Strength::Strong => true,
                Strength::Ephemeron => !link.has_key() || reached[link.key],
                _ => false,
            }
    }

    /// Returns what is alive: the smallest set that no edge leaves.
    pub fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len() + 1];
        reached[0] = true;
        loop {
            let new: Vec<usize> = self
                .links
                .iter()
                .filter(|link| !reached[link.target] && self.holds(link, &reached))
                .map(|link| link.target)
                .collect();
            if new.is_empty() {
                return reached;
            }
            for target in new {
                reached[target] = true;
            }
        }
    }

    /// Returns the tree's root: the target of the first root that keeps anything alive.
    pub fn first_root(&self) -> Option<usize> {
        let holds = |link: &&Link| link.source == 0 && !link.strength.is_weak();
        self.links.iter().find(holds).map(|link| link.target)
    }

    /// Returns the weak steps and the steps of the best path to each node, by relaxing until nothing
    /// changes. Ephemerons of live keys count as ordinary edges.
    pub fn distances(&self) -> Vec<Option<(u32, u32)>> {
        let reached = self.reached();
        let mut distances = vec![None; self.nodes.len() + 1];
        let Some(first) = self.first_root() else {
            return distances;
        };
        distances[first] = Some((0, 0));
        loop {
            let mut changed = false;
            for link in self.links.iter().filter(|link| self.holds(link, &reached)) {
                let source = if link.source == 0 { first } else { link.source };
                let weight = self.weight(link);
                let further = |(weak, steps): (u32, u32)| (weak + weight, steps + 1);
                let Some(through) = distances[source].map(further) else {
                    continue;
                };
                if distances[link.target].is_none_or(|known| known > through) {
                    distances[link.target] = Some(through);
                    changed = true;
                }
            }
            if !changed {
                return distances;
            }
        }
    }
}

pub fn address(node: usize) -> u64 {
    0x1000 + 16 * node as u64
}

/// Returns a step in a form that can be compared between heaps.
pub fn step(heap: &Heap, label: Label) -> String {
    match label {
        Label::Field(name) | Label::Upvalue(name) | Label::Local(name) | Label::Root(name) => {
            String::from_utf8_lossy(heap.name(name)).into_owned()
        }
        Label::Object(key) => format!("{:?}", Label::Address(heap.kind(key), heap.address(key))),
        label => format!("{label:?}"),
    }
}

/// Returns the steps from the root to an object.
pub fn path(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Vec<String> {
    let upward = std::iter::successors(Some(rank), |rank| tree.parent(*rank));
    let mut path: Vec<_> = upward
        .map(|rank| step(heap, heap.label(tree.edge(rank))))
        .collect();
    path.reverse();
    path
}

/// Returns the tree as rows: address, depth and step of each object, depth-first.
pub fn rows(heap: &Heap, tree: &ShortestPathTree) -> Vec<(u64, u32, String)> {
    tree.walk()
        .filter_map(|visit| match visit {
            luasnap_heap::Visit::Enter { rank, depth } => Some((rank, depth)),
            luasnap_heap::Visit::Leave { .. } => None,
        })
        .map(|(rank, depth)| {
            let label = heap.label(tree.edge(rank));
            (heap.address(tree.node(rank)), depth, step(heap, label))
        })
        .collect()
}
