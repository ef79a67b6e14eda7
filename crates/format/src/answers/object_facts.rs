//! Objects and references one by one, for tables of a whole heap.

use crate::answer_error::Result;
use crate::labels::digits::push_address;
use crate::labels::path::push_answer_step;
use luasnap_heap::{Fingerprint, Heap, Kind, Label, NodeId, Rank, Snapshot, Strength};

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct ObjectFacts<'a> {
    /// Its number in the heap. 0 are the GC roots, which are no object.
    pub id: NodeId,
    /// Its kind.
    pub kind: Kind,
    /// Its address in the process.
    pub address: u64,
    /// The fingerprint of its group, if it is in one.
    pub group: Option<Fingerprint>,
    /// Its shallow size, in bytes.
    pub size: u64,
    /// Whether the GC roots lead to it.
    pub is_reachable: bool,
    /// What dominates it immediately; [`NodeId::ROOT`] if nothing else does, `None` if it is garbage.
    pub dominator: Option<NodeId>,
    /// The bytes that it retains; 0 if it is garbage.
    pub retained: u64,
    /// The number of objects that it retains, itself included; 0 if it is garbage.
    pub retained_count: u64,
    /// Where the shortest path by names leads to it; `None` if none does.
    pub place: Option<PathPlace>,
    /// The number of entries of a table.
    pub entries: Option<u32>,
    /// The short source of code, and the line where it begins.
    pub code: Option<(&'a [u8], u32)>,
}

/// The end of a path.
#[derive(Clone, Copy, Debug)]
pub struct PathPlace {
    /// The object before it; [`NodeId::ROOT`] where the path begins.
    pub parent: NodeId,
    /// The number of the reference that is the last step.
    pub edge: usize,
    /// The number of steps from the GC roots.
    pub distance: u32,
}

/// A reference from one object to another.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceFacts {
    /// Who refers.
    pub owner: NodeId,
    /// What is referred to.
    pub owned: NodeId,
    /// By what.
    pub label: Label,
    /// How strongly.
    pub strength: Strength,
}

/// The objects and references of a snapshot, one by one.
pub struct HeapFacts<'a> {
    snapshot: &'a Snapshot,
    /// By node: its place in the tree of paths, or [`NOWHERE`].
    ranks: Vec<u32>,
    /// By place: the number of steps from the roots.
    distances: Vec<u32>,
}

/// Stands for the place of what no path leads to.
const NOWHERE: u32 = u32::MAX;

impl<'a> HeapFacts<'a> {
    /// Finds what there is to know of every object of a whole snapshot.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
    /// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit
    /// 32-bit numbers.
    pub fn new(snapshot: &'a Snapshot) -> Result<HeapFacts<'a>> {
        snapshot.groups()?;
        snapshot.dominators()?;
        let tree = snapshot.everything_tree()?;
        let nodes = snapshot.everything().node_count();
        let mut ranks = Vec::new();
        ranks.try_reserve_exact(nodes)?;
        ranks.resize(nodes, NOWHERE);
        let mut distances: Vec<u32> = Vec::new();
        distances.try_reserve_exact(tree.len())?;
        let roots = snapshot.everything().root_range();
        // An object comes after the one above it.
        for rank in tree.ranks() {
            ranks[tree.node(rank).index()] = rank.0;
            let above = tree
                .parent(rank)
                .filter(|_| !roots.contains(&tree.edge(rank)));
            let above = above.map_or(0, |above| distances[above.index()]);
            distances.push(above.saturating_add(1));
        }
        Ok(HeapFacts {
            snapshot,
            ranks,
            distances,
        })
    }

    /// Returns all objects, garbage and the module's own snapshots included.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn objects(&self) -> Result<impl Iterator<Item = ObjectFacts<'a>> + '_> {
        let heap = self.snapshot.everything();
        let (groups, dominators) = (self.snapshot.groups()?, self.snapshot.dominators()?);
        let tree = self.snapshot.everything_tree()?;
        let roots = heap.root_range();
        let nodes = heap.nodes().filter(|node| *node != NodeId::ROOT);
        Ok(nodes.map(move |node| {
            let kind = heap.kind(node);
            let is_reachable = dominators.contains(node);
            let retained = match is_reachable {
                true => dominators.retained(node),
                false => Default::default(),
            };
            let rank = self.ranks[node.index()];
            let place = (rank != NOWHERE).then(|| {
                let edge = tree.edge(Rank(rank));
                let above = tree.parent(Rank(rank)).filter(|_| !roots.contains(&edge));
                PathPlace {
                    parent: above.map_or(NodeId::ROOT, |above| tree.node(above)),
                    edge,
                    distance: self.distances[rank as usize],
                }
            });
            let group = groups.group_of(node);
            let is_code = matches!(kind, Kind::LuaFunction | Kind::Prototype);
            ObjectFacts {
                id: node,
                kind,
                address: heap.address(node),
                group: group.map(|group| groups.groups()[group].fingerprint),
                size: heap.size(node),
                is_reachable,
                dominator: dominators.immediate(node),
                retained: retained.bytes,
                retained_count: retained.count,
                place,
                entries: (kind == Kind::Table).then(|| heap.count(node)),
                code: is_code.then(|| (heap.source(node), heap.count(node))),
            }
        }))
    }

    /// Returns all references, by the object that refers; those of the GC roots come first.
    pub fn references(&self) -> impl Iterator<Item = ReferenceFacts> + '_ {
        let heap = self.snapshot.everything();
        heap.nodes().flat_map(move |owner| {
            heap.edges(owner).map(move |edge| ReferenceFacts {
                owner,
                owned: edge.target,
                label: edge.label,
                strength: edge.strength,
            })
        })
    }

    /// Appends a step of a path as people see it: `sessions`, `[7]`, `["a.b"]`.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn push_step(&self, out: &mut Vec<u8>, edge: usize) -> Result {
        let label = self.heap().label(edge);
        push_answer_step(out, self.heap(), label, &mut Vec::new())
    }

    /// Returns the heap.
    pub fn heap(&self) -> &'a Heap {
        self.snapshot.everything()
    }
}

impl ReferenceFacts {
    /// Returns what sort of step the reference is, in a word of data.
    pub fn step(&self) -> &'static str {
        match self.label {
            Label::Field(_) => "field",
            Label::Index(_) => "index",
            Label::Number(_) => "number",
            Label::Boolean(_) => "boolean",
            Label::Object(_) => "object_key",
            Label::Address(..) => "address_key",
            Label::Key => "key",
            Label::Metatable => "metatable",
            Label::UserValue(_) => "user_value",
            Label::Environment => "environment",
            Label::Upvalue(_) => "upvalue",
            Label::Local(_) => "local",
            Label::Root(_) => "root",
            Label::Prototype => "prototype",
            Label::Constant => "constant",
            Label::DebugName => "debug_name",
            Label::Value => "value",
            Label::Trace => "trace",
        }
    }

    /// Returns the number in the step: an integer key, the number of a user value, or the [id](ObjectFacts::id) of the object that is
    /// the key.
    pub fn number(&self) -> Option<i64> {
        match self.label {
            Label::Index(index) => Some(index),
            Label::UserValue(number) => Some(number.into()),
            Label::Object(key) => Some(i64::from(key.0)),
            _ => None,
        }
    }

    /// Returns the text of a step that has neither a [name](Label::name) nor a [number](Self::number): a key that is
    /// `true`, `false`, a fraction or an address.
    pub fn key_text(&self) -> Option<String> {
        match self.label {
            Label::Number(number) => Some(format!("{number:?}")),
            Label::Boolean(value) => Some(value.to_string()),
            Label::Address(kind, address) => {
                let mut text = format!("{}:", kind.type_name()).into_bytes();
                push_address(&mut text, address);
                String::from_utf8(text).ok()
            }
            _ => None,
        }
    }
}
