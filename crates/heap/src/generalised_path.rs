//! Generalised chains: how objects are held, with one step for the many that are held alike.
//!
//! A step under a number or an object becomes `[*]`. A step under a name becomes `*` where an
//! object holds many by name and this name is nothing but data: names that the program's code has
//! in it stay. Where the code is not known (the portable engine does not see it), what has a large
//! part of the bytes keeps its name instead. A step that comes again soon (a list's `next`, a
//! tree's `children`) leads back to where it was, so a list is one path however long it is.

use crate::chain::{ChainTree, Rank};
use crate::error::BuildError;
use crate::fingerprint::{Fingerprint, Ink};
use crate::grow::{filled, held, push};
use crate::heap::Heap;
use crate::kind::Kind;
use crate::known_name::KnownNames;
use crate::label::Label;
use crate::name::NameId;
use crate::node::NodeId;
use crate::snapshot::{Change, Snapshot};
use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// Objects that hold more than this many by name may be caches.
const MANY_NAMES: u32 = 16;
/// Among many, what has at least this part of the bytes keeps its own name.
const LARGE_PART: u64 = 16;
/// How often a snapshot is gone through because something was found too late.
const MOST_ROUNDS: usize = 4;
/// How far up a step looks for its like.
const LOOK_BACK: usize = 4;
/// How many `[*]` in a row stay apart: enough for a matrix.
const NESTED_INDICES: usize = 3;

/// A generalised chain of a [`Paths`]: an index, valid in it alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct PathId(pub(crate) u32);

/// A step of a generalised chain.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum GroupStep {
    /// A number, a boolean or an object as a key: `[*]`.
    AnyKey,
    /// One name of many: `*`.
    AnyName,
    /// A number as a key of the registry, as `luaL_ref` gives them out: `[ref]`.
    Reference,
    /// The table of globals, where the chain starts anew: how it hangs in the registry tells
    /// nobody anything.
    Globals,
    /// The table of loaded modules, where the chain starts anew as well.
    Loaded,
    /// A step as it is.
    Exact(Label),
}

impl GroupStep {
    /// Whether it stands for several.
    pub fn is_general(self) -> bool {
        matches!(
            self,
            GroupStep::AnyKey | GroupStep::AnyName | GroupStep::Reference
        )
    }
}

/// Where the chains that people read start, though on the shortest way they go on to the registry.
#[derive(Clone, Copy, Debug)]
pub struct ChainStarts {
    globals: Option<NodeId>,
    registry: Option<NodeId>,
    main_thread: Option<(NodeId, Label)>,
}

impl ChainStarts {
    /// The starts of a heap's chains: the table of globals, that of loaded modules, and the main
    /// thread. How these hang in the registry tells nobody anything.
    pub fn of(heap: &Heap) -> ChainStarts {
        let root = |name: &[u8]| {
            let is_it = |label| matches!(label, Label::Root(id) if heap.name(id) == name);
            let mut roots = heap.root_range().map(|edge| heap.edge(edge));
            let edge = roots.find(|edge| is_it(edge.label))?;
            Some((edge.target, edge.label))
        };
        ChainStarts {
            globals: heap.globals,
            registry: root(b"[REGISTRY]").map(|(node, _)| node),
            main_thread: root(b"[mainthread]"),
        }
    }

    /// The registry, where it is a root.
    pub(crate) fn registry(&self) -> Option<NodeId> {
        self.registry
    }

    /// The step that an object is by itself, if it is one at which chains start.
    pub fn step(&self, heap: &Heap, tree: &ChainTree, rank: Rank) -> Option<GroupStep> {
        let node = tree.node(rank);
        if self.globals == Some(node) {
            return Some(GroupStep::Globals);
        }
        if let Some((_, label)) = self.main_thread.filter(|(thread, _)| *thread == node) {
            return Some(GroupStep::Exact(label));
        }
        let parent = tree.parent(rank).map(|parent| tree.node(parent))?;
        let is_loaded = self.registry == Some(parent)
            && matches!(heap.label(tree.edge(rank)), Label::Field(id) if heap.name(id) == b"_LOADED");
        is_loaded.then_some(GroupStep::Loaded)
    }
}

/// Which kinds of objects an object holds many of by name, a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct KindSet(u16);

impl KindSet {
    /// Many of whatever kinds, together.
    const MIXED: KindSet = KindSet(1 << Kind::Root as u16);

    fn of(kind: Kind) -> KindSet {
        KindSet(1 << kind as u16)
    }

    fn add(&mut self, other: KindSet) {
        self.0 |= other.0;
    }

    fn has_all(self, others: KindSet) -> bool {
        self.0 & others.0 == others.0
    }

    fn has(self, other: KindSet) -> bool {
        self.0 & other.0 != 0
    }
}

/// What is to be generalised, by the fingerprints of paths, so that several snapshots can be
/// grouped alike.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Generality {
    /// What holds many by name.
    many: FxHashMap<Fingerprint, KindSet>,
    /// What keeps its name among many.
    large: FxHashSet<Fingerprint>,
}

impl Generality {
    /// Adds what another one has; answers whether that was anything new.
    pub(crate) fn add(&mut self, other: &Generality) -> Result<bool, BuildError> {
        let reserved = self.many.try_reserve(other.many.len());
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        let reserved = self.large.try_reserve(other.large.len());
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        let mut is_new = false;
        for (&path, &kinds) in &other.many {
            let known = self.many.entry(path).or_default();
            let before = *known;
            known.add(kinds);
            is_new |= *known != before;
        }
        for &path in &other.large {
            is_new |= self.large.insert(path);
        }
        Ok(is_new)
    }

    /// Bytes of memory that it holds.
    pub(crate) fn memory(&self) -> usize {
        self.many.capacity() * size_of::<(Fingerprint, KindSet)>()
            + self.large.capacity() * size_of::<Fingerprint>()
    }

    fn note_many(&mut self, path: Fingerprint, kinds: KindSet) -> Result<(), BuildError> {
        let reserved = self.many.try_reserve(1);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.many.entry(path).or_default().add(kinds);
        Ok(())
    }

    fn note_large(&mut self, path: Fingerprint) -> Result<(), BuildError> {
        let reserved = self.large.try_reserve(1);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.large.insert(path);
        Ok(())
    }
}

/// A path: the one above it and a step.
#[derive(Clone, Copy, Debug)]
struct Path {
    fingerprint: Fingerprint,
    step: GroupStep,
    parent: Option<PathId>,
    kind: Kind,
    /// Whether the step or one above it stands for several.
    general: bool,
    /// What the objects at this path hold many of.
    many: KindSet,
}

/// Generalised chains, each once.
#[derive(Debug, Default)]
pub struct Paths {
    paths: Vec<Path>,
    index: HashTable<u32>,
}

impl Paths {
    /// The steps of a generalised chain, the last one first.
    pub fn steps(&self, path: PathId) -> impl Iterator<Item = GroupStep> + '_ {
        std::iter::successors(Some(path), |path| self.path(*path).parent)
            .map(|path| self.path(path).step)
    }

    /// Whether a chain has a step that stands for several.
    pub fn is_general(&self, path: PathId) -> bool {
        self.path(path).general
    }

    /// The fingerprint of a chain and of what is at its end.
    pub fn fingerprint(&self, path: PathId) -> Fingerprint {
        self.path(path).fingerprint
    }

    /// Whether it is a chain of one step.
    pub(crate) fn is_start(&self, path: PathId) -> bool {
        self.path(path).parent.is_none()
    }

    /// The path of the value of an upvalue: it is held by the upvalue's name, as in the `objects`
    /// view.
    pub(crate) fn beside(
        &mut self,
        heap: &Heap,
        upvalue: PathId,
        kind: Kind,
    ) -> Result<PathId, BuildError> {
        let Path { parent, step, .. } = *self.path(upvalue);
        self.below(heap, parent, kind, step)
    }

    /// Bytes of memory that they hold.
    pub(crate) fn memory(&self) -> usize {
        held(&self.paths) + self.index.capacity() * size_of::<u32>()
    }

    fn path(&self, path: PathId) -> &Path {
        &self.paths[path.0 as usize]
    }

    /// The path of an object of some kind that is held by `step` from one at `parent`.
    pub(crate) fn below(
        &mut self,
        heap: &Heap,
        parent: Option<PathId>,
        kind: Kind,
        step: GroupStep,
    ) -> Result<PathId, BuildError> {
        if let Some(path) = parent.and_then(|parent| self.seen_above(parent, kind, step)) {
            return Ok(path);
        }
        let paths = &mut self.paths;
        let same = |path: &Path| path.parent == parent && path.kind == kind && path.step == step;
        let code = hash(parent, kind, step);
        if let Some(&at) = self.index.find(code, |&at| same(&paths[at as usize])) {
            return Ok(PathId(at));
        }
        let above = parent.map(|parent| paths[parent.0 as usize]);
        let new = paths.len() as u32;
        push(
            paths,
            Path {
                fingerprint: fingerprint(heap, above, kind, step),
                step,
                parent,
                kind,
                general: above.is_some_and(|above| above.general) || step.is_general(),
                many: KindSet::default(),
            },
        )?;
        let of = |&at: &u32| {
            let path = &paths[at as usize];
            hash(path.parent, path.kind, path.step)
        };
        let reserved = self.index.try_reserve(1, of);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.index.insert_unique(code, new, of);
        Ok(PathId(new))
    }

    /// The path, `parent` or a little above it, whose last step is the same.
    fn seen_above(&self, parent: PathId, kind: Kind, step: GroupStep) -> Option<PathId> {
        let mut above = std::iter::successors(Some(parent), |path| self.path(*path).parent);
        let same = |path: &PathId| {
            let path = self.path(*path);
            path.kind == kind && path.step == step
        };
        match step.is_general() {
            false => above.take(LOOK_BACK).find(same),
            true => {
                let nested = above.by_ref().take(NESTED_INDICES).take_while(same).count();
                (nested == NESTED_INDICES).then_some(parent)
            }
        }
    }
}

fn fingerprint(heap: &Heap, above: Option<Path>, kind: Kind, step: GroupStep) -> Fingerprint {
    let ink = Ink::new("path").kind(kind);
    let ink = match above {
        Some(above) => ink.number(above.fingerprint.0),
        None => ink,
    };
    let ink = match step {
        GroupStep::AnyKey => ink.text(b"any key"),
        GroupStep::AnyName => ink.text(b"any name"),
        GroupStep::Reference => ink.text(b"reference"),
        GroupStep::Globals => ink.text(b"globals"),
        GroupStep::Loaded => ink.text(b"loaded"),
        GroupStep::Exact(label) => ink.label(label, |name| heap.name(name)),
    };
    ink.finish()
}

fn hash(parent: Option<PathId>, kind: Kind, step: GroupStep) -> u64 {
    let (tag, value) = match step {
        GroupStep::AnyKey => (0, 0),
        GroupStep::AnyName => (1, 0),
        GroupStep::Exact(Label::Field(name)) => (2, u64::from(name.0)),
        GroupStep::Exact(Label::Upvalue(name)) => (3, u64::from(name.0)),
        GroupStep::Exact(Label::Local(name)) => (4, u64::from(name.0)),
        GroupStep::Exact(Label::Root(name)) => (5, u64::from(name.0)),
        GroupStep::Exact(Label::UserValue(number)) => (6, u64::from(number)),
        GroupStep::Exact(_) => (7, 0),
        GroupStep::Globals => (8, 0),
        GroupStep::Loaded => (9, 0),
        GroupStep::Reference => (10, 0),
    };
    let code = mix(parent.map_or(0, |path| u64::from(path.0) + 1), kind as u64);
    mix(mix(code, tag), value)
}

/// Whether so many names are many.
pub(crate) fn many_names(count: u32) -> bool {
    count > MANY_NAMES
}

/// Mixes a number into a hash code.
pub(crate) fn mix(code: u64, value: u64) -> u64 {
    let mixed = (code.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

/// The paths of a snapshot's objects.
pub(crate) struct PathMap {
    pub(crate) paths: Paths,
    /// By rank of the tree of everything.
    pub(crate) path_of: Vec<PathId>,
    /// What was generalised, and what would have been if it had been there.
    pub(crate) generality: Generality,
    pub(crate) known_names: Option<KnownNames>,
}

impl PathMap {
    /// Finds the paths of everything in a snapshot; `given` is generalised in any case.
    ///
    /// Where a list or a tree leads back to a path, it may turn out late that objects there hold
    /// many; then everything is gone through again.
    pub(crate) fn new(snapshot: &Snapshot, given: &Generality) -> Result<PathMap, BuildError> {
        let mut given = given.clone();
        for round in 1.. {
            let mut search = Search::new(snapshot, &given)?;
            search.run()?;
            let Search {
                mut map, too_late, ..
            } = search;
            if !too_late || round == MOST_ROUNDS {
                map.generality.add(&given)?;
                return Ok(map);
            }
            given.add(&map.generality)?;
        }
        unreachable!("the loop ends at the last round")
    }
}

/// Goes down a tree level by level.
struct Search<'a> {
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ChainTree,
    given: &'a Generality,
    map: PathMap,
    /// By rank: the bytes of the rows in the object's part of the tree. Only where names are not
    /// known.
    bytes_below: Vec<u64>,
    starts: ChainStarts,
    /// The first path that objects of the level at hand are the first to have.
    new_paths: usize,
    /// Whether objects at a path turned out to hold many when others had been placed below it.
    too_late: bool,
}

impl<'a> Search<'a> {
    fn new(snapshot: &'a Snapshot, given: &'a Generality) -> Result<Self, BuildError> {
        let tree = snapshot.everything_tree()?;
        let heap = snapshot.everything();
        let known_names = KnownNames::of(heap, tree)?;
        let bytes_below = match known_names {
            Some(_) => Vec::new(),
            None => bytes_below(snapshot, tree)?,
        };
        Ok(Search {
            snapshot,
            heap,
            tree,
            given,
            map: PathMap {
                paths: Paths::default(),
                path_of: filled(tree.len(), PathId(0))?,
                generality: Generality::default(),
                known_names,
            },
            bytes_below,
            starts: ChainStarts::of(heap),
            new_paths: 0,
            too_late: false,
        })
    }

    fn run(&mut self) -> Result<(), BuildError> {
        if self.tree.is_empty() {
            return Ok(());
        }
        let step = match self.starts.step(self.heap, self.tree, Rank::ROOT) {
            Some(start) => start,
            None => GroupStep::Exact(self.heap.label(self.tree.edge(Rank::ROOT))),
        };
        self.map.path_of[0] = self.below(None, Rank::ROOT, step)?;
        let mut level = 0..1;
        while !level.is_empty() {
            // Objects at one path are generalised alike, so all of them are counted before.
            for rank in level.clone().map(Rank) {
                self.note_many(rank)?;
            }
            self.new_paths = self.map.paths.paths.len();
            for rank in level.clone().map(Rank) {
                self.place_children(rank)?;
            }
            level = self.next_level(level);
        }
        Ok(())
    }

    fn next_level(&self, level: Range<u32>) -> Range<u32> {
        let first = self.tree.child_range(Rank(level.start));
        let last = self.tree.child_range(Rank(level.end - 1));
        first.start..last.end
    }

    /// Notes what an object holds many of by name.
    fn note_many(&mut self, rank: Rank) -> Result<(), BuildError> {
        if !many_names(self.tree.children(rank).len() as u32) {
            return Ok(());
        }
        let mut counts = [0u32; 1 + Kind::ALL.len()];
        for child in self.tree.children(rank) {
            if let Label::Field(name) = self.heap.label(self.tree.edge(child))
                && is_row(self.snapshot, self.tree.node(child))
                && let Some(kinds) = self.as_data(name, child)
            {
                counts[kinds.0.trailing_zeros() as usize] += 1;
            }
        }
        let mut many = KindSet::default();
        for (kind, _) in counts.iter().enumerate().filter(|of| many_names(*of.1)) {
            many.add(KindSet(1 << kind));
        }
        let at = self.map.path_of[rank.index()].0 as usize;
        let path = &mut self.map.paths.paths[at];
        if !path.many.has_all(many) {
            path.many.add(many);
            self.too_late |= at < self.new_paths;
        }
        if many != KindSet::default() {
            self.map.generality.note_many(path.fingerprint, many)?;
        }
        Ok(())
    }

    /// Among which the object counts that is held by `name`, if it is a name that may be data.
    fn as_data(&self, name: NameId, child: Rank) -> Option<KindSet> {
        match &self.map.known_names {
            None => Some(KindSet::MIXED),
            Some(known) if known.contains(name) => None,
            Some(_) => Some(KindSet::of(self.heap.kind(self.tree.node(child)))),
        }
    }

    fn place_children(&mut self, rank: Rank) -> Result<(), BuildError> {
        let above = self.map.path_of[rank.index()];
        for child in self.tree.children(rank) {
            let label = self.heap.label(self.tree.edge(child));
            self.map.path_of[child.index()] =
                if let Some(start) = self.starts.step(self.heap, self.tree, child) {
                    self.below(None, child, start)?
                } else if label == Label::Value {
                    let Path { parent, step, .. } = *self.map.paths.path(above);
                    self.below(parent, child, step)?
                } else {
                    let step = self.step(rank, child, label)?;
                    self.below(Some(above), child, step)?
                };
        }
        Ok(())
    }

    fn below(
        &mut self,
        parent: Option<PathId>,
        rank: Rank,
        step: GroupStep,
    ) -> Result<PathId, BuildError> {
        let kind = self.heap.kind(self.tree.node(rank));
        let paths = &mut self.map.paths;
        let known = paths.paths.len();
        let path = paths.below(self.heap, parent, kind, step)?;
        if paths.paths.len() > known
            && let Some(&many) = self.given.many.get(&paths.fingerprint(path))
        {
            paths.paths[known].many.add(many);
        }
        Ok(path)
    }

    fn step(&mut self, parent: Rank, child: Rank, label: Label) -> Result<GroupStep, BuildError> {
        Ok(match label {
            Label::Index(_) if self.starts.registry == Some(self.tree.node(parent)) => {
                GroupStep::Reference
            }
            Label::Index(_)
            | Label::Number(_)
            | Label::Boolean(_)
            | Label::Object(_)
            | Label::Address(..) => GroupStep::AnyKey,
            Label::Field(name) if self.is_one_of_many(parent, child, name)? => GroupStep::AnyName,
            label => GroupStep::Exact(label),
        })
    }

    fn is_one_of_many(
        &mut self,
        parent: Rank,
        child: Rank,
        name: NameId,
    ) -> Result<bool, BuildError> {
        let above = *self.map.paths.path(self.map.path_of[parent.index()]);
        if above.many == KindSet::default() {
            return Ok(false);
        }
        let Some(kinds) = self.as_data(name, child) else {
            return Ok(false);
        };
        if kinds == KindSet::MIXED {
            let step = GroupStep::Exact(Label::Field(name));
            let kind = self.heap.kind(self.tree.node(child));
            let exact = fingerprint(self.heap, Some(above), kind, step);
            if self.is_large_part(parent, child) {
                self.map.generality.note_large(exact)?;
                return Ok(false);
            }
            return Ok(above.many.has(kinds) && !self.given.large.contains(&exact));
        }
        Ok(above.many.has(kinds))
    }

    fn is_large_part(&self, parent: Rank, child: Rank) -> bool {
        // Each of a few is a large part; that says nothing.
        many_names(self.tree.children(parent).len() as u32)
            && self.bytes_below[child.index()]
                >= self.bytes_below[parent.index()].div_ceil(LARGE_PART)
    }
}

/// Whether an object is a row of a group: in a difference, new or gone; else everything but our own
/// snapshots.
pub(crate) fn is_row(snapshot: &Snapshot, node: NodeId) -> bool {
    match snapshot.is_difference() {
        true => matches!(snapshot.change(node), Change::New | Change::Gone),
        false => snapshot.everything().kind(node) != Kind::Snapshot,
    }
}

fn bytes_below(snapshot: &Snapshot, tree: &ChainTree) -> Result<Vec<u64>, BuildError> {
    let heap = snapshot.everything();
    let mut bytes = filled(tree.len(), 0u64)?;
    for rank in tree.ranks().rev() {
        if is_row(snapshot, tree.node(rank)) {
            // At least 1, or objects of unknown size would all be large parts.
            let size = heap.size(tree.node(rank)).max(1);
            bytes[rank.index()] = bytes[rank.index()].saturating_add(size);
        }
        if let Some(parent) = tree.parent(rank) {
            bytes[parent.index()] = bytes[parent.index()].saturating_add(bytes[rank.index()]);
        }
    }
    Ok(bytes)
}
