//! Two ways to the same result, compared on random heaps: in the order of memory, and as a search finds things.

use crate::build::walk_builder::HeapBuilder;
use crate::compare::difference::{decrease, increase};
use crate::dominators::contraction::Contraction;
use crate::dominators::dominator_tree::Dominators;
use crate::dominators::holding_edges::HoldingEdges;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::strength::Strength;
use crate::reach::path_levels::PathLevels;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::reach::weak_step::WeakSteps;
use crate::snapshot::Snapshot;

/// What a random heap is like.
#[derive(Clone, Copy, Debug)]
struct Likeness {
    /// The number of its nodes, the synthetic root not counted.
    nodes: u32,
    /// How many more references there are for each hundred nodes.
    shared: u32,
    /// Whether there are ephemerons.
    ephemerons: bool,
}

impl Likeness {
    /// All sorts, some hundreds of heaps.
    fn all() -> impl Iterator<Item = (Likeness, u64)> {
        let sizes = [1, 2, 3, 8, 40, 300];
        let shares = [0, 3, 10, 30, 100, 300];
        let likenesses = sizes.into_iter().flat_map(move |nodes| {
            shares.into_iter().flat_map(move |shared| {
                [false, true].map(|ephemerons| Likeness {
                    nodes,
                    shared,
                    ephemerons,
                })
            })
        });
        likenesses.flat_map(|like| (1..12).map(move |seed| (like, seed)))
    }

    /// Makes such a heap. Most nodes are held by one with a higher id, as in a VM.
    fn heap(self, seed: u64) -> Heap {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = move |end: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as u32 % end.max(1)
        };
        let kinds = [
            Kind::Table,
            Kind::Table,
            Kind::LuaFunction,
            Kind::Thread,
            Kind::String,
            Kind::Upvalue,
        ];
        let mut builder = HeapBuilder::new();
        for at in 1..=u64::from(self.nodes) {
            let kind = kinds[below(kinds.len() as u32) as usize];
            let (node, _) = builder.node(kind, 16 * at).expect("there is memory");
            builder.set_size(node, 1 + u64::from(below(100)));
            builder.set_count(node, below(4));
            if kind == Kind::Table && below(8) == 0 {
                builder.set_globals(node);
            }
            if kind == Kind::LuaFunction {
                let source = format!("@file{}.lua", below(3));
                let source = builder.name(source.as_bytes()).expect("there is memory");
                builder.set_source(node, source);
            }
        }
        let mut edges: Vec<(u32, u32)> = vec![(0, self.nodes)];
        for node in 1..=self.nodes {
            let holder = match below(20) {
                0 => below(self.nodes + 1),
                1 => 0,
                _ => node + 1 + below((self.nodes - node).min(6)),
            };
            edges.push((if holder > self.nodes { 0 } else { holder }, node));
        }
        for _ in 0..self.nodes * self.shared / 100 {
            edges.push((below(self.nodes + 1), 1 + below(self.nodes)));
        }
        // Leaves have no references of their own.
        edges.retain(|(source, _)| source % 3 != 1 || *source == self.nodes);
        for (source, target) in edges {
            let name = match below(24) {
                0 => "(temporary)".to_owned(),
                1 | 2 => "_ENV".to_owned(),
                3 => String::new(),
                _ if source == 0 && target == self.nodes => "[REGISTRY]".to_owned(),
                _ => format!("n{}", below(9)),
            };
            let name = builder.name(name.as_bytes()).expect("there is memory");
            let key = NodeId(1 + below(self.nodes));
            let is_ephemeron = self.ephemerons && source != 0 && below(8) == 0;
            let (label, strength) = match below(7) {
                _ if source == 0 => (Label::Root(name), Strength::Strong),
                _ if is_ephemeron => (Label::Object(key), Strength::Ephemeron),
                0 => (Label::Index(below(50).into()), Strength::Strong),
                1 => (Label::Local(name), Strength::Strong),
                2 => (Label::Key, Strength::WeakKey),
                3 => (Label::Upvalue(name), Strength::Strong),
                _ => (Label::Field(name), Strength::Strong),
            };
            builder
                .edge(NodeId(source), NodeId(target), label, strength)
                .expect("there is memory");
        }
        builder.finish().expect("there is memory")
    }
}

#[test]
fn wide_levels_make_no_difference() {
    let mut weak = 0;
    for (like, seed) in Likeness::all() {
        let heap = like.heap(seed);
        let narrow = ShortestPathTree::with_wide_levels(&heap, usize::MAX).unwrap();
        for least in [0, 2, heap.node_count() / 8] {
            let wide = ShortestPathTree::with_wide_levels(&heap, least).unwrap();
            assert_eq!(wide.len(), narrow.len());
            for rank in narrow.ranks() {
                assert_eq!(wide.node(rank), narrow.node(rank));
                assert_eq!(wide.parent(rank), narrow.parent(rank));
                assert_eq!(wide.edge(rank), narrow.edge(rank));
                assert_eq!(wide.child_range(rank), narrow.child_range(rank));
            }
            assert_eq!(wide.refs, narrow.refs);
        }
        let weak_steps = WeakSteps::of(&heap);
        weak += usize::from(narrow.ranks().any(|rank| {
            let parent = narrow.parent(rank);
            let source = parent.map_or(NodeId::ROOT, |parent| narrow.node(parent));
            weak_steps.weight(&heap, source, narrow.edge(rank)) > 0
        }));
    }
    assert!(weak > 100, "{weak} heaps with weak steps that matter");
}

#[test]
fn contraction_makes_no_difference() {
    let (mut contracted, mut all) = (0, 0);
    for (like, seed) in Likeness::all() {
        let heap = like.heap(seed);
        let found = Dominators::new(&heap).unwrap();
        let expected = Dominators::find(&heap, false).unwrap();
        assert_eq!(found.len(), expected.len());
        for node in heap.nodes() {
            assert_eq!(found.immediate(node), expected.immediate(node), "{node:?}");
            assert_eq!(found.retained(node), expected.retained(node), "{node:?}");
        }
        let holding = HoldingEdges::new(&heap).unwrap();
        contracted += usize::from(Contraction::new(&heap, &holding).unwrap().is_some());
        all += 1;
    }
    assert!(
        contracted > all / 3 && contracted < all,
        "{contracted} of {all}"
    );
}

/// Returns all that there is to a difference.
fn listed(difference: &Snapshot) -> Vec<String> {
    let (heap, tree) = (difference.objects().unwrap(), difference.tree().unwrap());
    let line = |rank: Rank| {
        let node = tree.node(rank);
        let name = |name| String::from_utf8_lossy(heap.name(name)).into_owned();
        let label = heap.label(tree.edge(rank));
        format!(
            "{:?} below {:?} by {label:?} {:?}, {:?} {:x} of {} and {} bytes from {:?}, {} refs, {:?}, {:?}, {}",
            node,
            tree.parent(rank),
            label.name().map(name),
            heap.kind(node),
            heap.address(node),
            heap.count(node),
            heap.size(node),
            name(heap.source_id(node)),
            tree.refs(node),
            difference.change(node),
            tree.environment(node).map(|of| name(of.chunk)),
            heap.globals() == Some(node),
        )
    };
    tree.ranks().map(line).collect()
}

#[test]
fn a_difference_is_the_same_without_the_view() {
    let (mut regular, mut all, mut environments) = (0, 0, 0);
    for (like, seed) in Likeness::all() {
        let heap = || like.heap(seed);
        let is_regular = PathLevels::new(&heap()).unwrap().is_some();
        let other = Snapshot::new(like.heap(seed + 1));
        for take in [increase, |a: &Snapshot, b: &Snapshot| decrease(b, a)] {
            let (fresh, known) = (Snapshot::new(heap()), Snapshot::new(heap()));
            known.tree().unwrap();
            let (found, expected) = (take(&other, &fresh), take(&other, &known));
            let (found, expected) = (listed(&found.unwrap()), listed(&expected.unwrap()));
            assert_eq!(found, expected, "{like:?} {seed}");
            let tells = |line: &&String| line.contains("Some(\"");
            environments += expected.iter().filter(tells).count();
            assert_eq!(fresh.knows_tree(), !is_regular && !expected.is_empty());
        }
        regular += usize::from(is_regular);
        all += 1;
    }
    assert!(regular > all / 2 && regular < all, "{regular} of {all}");
    assert!(environments > 100, "{environments} environments");
}
