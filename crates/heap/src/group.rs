//! Groups: a snapshot's objects by what they are and by the generalised chain that holds them.
//!
//! Ten thousand entries of one cache are one finding, not ten thousand. A step under a number or
//! an object becomes `[*]`. A step under a name becomes `*` where an object holds many by name and
//! this one is no large part of them. A step that comes again soon (a list's `next`, a tree's
//! `children`) leads back to where it was, so a list is one group however long it is.

use crate::chain::{ChainTree, Rank};
use crate::error::BuildError;
use crate::grow::{filled, push};
use crate::heap::Heap;
use crate::kind::Kind;
use crate::label::Label;
use crate::name::NameId;
use crate::snapshot::{Change, Snapshot};
use hashbrown::HashTable;

/// Objects that hold more than this many by name may be caches.
const MANY_NAMES: u32 = 16;
/// Among many, what has at least this part of the bytes keeps its own name.
const LARGE_PART: u64 = 16;
/// How far up a step looks for its like.
const LOOK_BACK: usize = 4;
/// How many `[*]` in a row stay apart: enough for a matrix.
const NESTED_INDICES: usize = 3;

/// A generalised chain of a [`Groups`]: an index, valid in those groups alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct PathId(u32);

/// A step of a generalised chain.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum GroupStep {
    /// A number, a boolean or an object as a key: `[*]`.
    AnyKey,
    /// One name of many: `*`.
    AnyName,
    /// The table of globals, where the chain starts anew: how it hangs in the registry tells
    /// nobody anything.
    Globals,
    /// A step as it is.
    Exact(Label),
}

/// Objects of one kind that are held in the same way.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Group {
    /// What they are.
    pub kind: Kind,
    /// How they are held.
    pub path: PathId,
    /// Where the functions are defined, when they are Lua functions; else empty.
    pub source: NameId,
    /// The line where the functions are defined; else 0.
    pub line: u32,
    /// How many they are.
    pub count: u32,
    /// Their shallow sizes together.
    pub bytes: u64,
    /// The first of them.
    pub example: Rank,
}

/// A path: the one above it and a step.
#[derive(Clone, Copy)]
struct Path {
    parent: Option<PathId>,
    kind: Kind,
    step: GroupStep,
    /// Whether the step or one above it stands for several.
    general: bool,
}

/// The groups of a snapshot, those that hold most bytes first.
///
/// Of a difference, the objects that are new or gone; tables that grew or shrank are listed by
/// themselves.
pub struct Groups {
    groups: Vec<Group>,
    paths: Vec<Path>,
    resized: Vec<(Rank, u32)>,
}

impl Groups {
    /// Groups the objects of a snapshot.
    pub fn new(snapshot: &Snapshot) -> Result<Groups, BuildError> {
        let tree = snapshot.tree()?;
        let mut grouping = Grouping::new(snapshot, tree)?;
        for rank in tree.ranks() {
            grouping.place(rank)?;
        }
        let Grouping { mut groups, .. } = grouping;
        // Ties are broken by the first object, and those stand in canonical order.
        groups
            .groups
            .sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then(a.example.cmp(&b.example)));
        groups
            .resized
            .sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(groups)
    }

    /// The groups, those that hold most bytes first.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The tables that grew or shrank and by how many entries, most first.
    pub fn resized(&self) -> &[(Rank, u32)] {
        &self.resized
    }

    /// The steps of a generalised chain, the last one first.
    pub fn steps(&self, path: PathId) -> impl Iterator<Item = GroupStep> + '_ {
        std::iter::successors(Some(path), |path| self.path(*path).parent)
            .map(|path| self.path(path).step)
    }

    /// Whether a chain has a step that stands for several.
    pub fn is_general(&self, path: PathId) -> bool {
        self.path(path).general
    }

    fn path(&self, path: PathId) -> &Path {
        &self.paths[path.0 as usize]
    }
}

/// Groups while they are made.
struct Grouping<'a> {
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ChainTree,
    groups: Groups,
    path_index: HashTable<u32>,
    group_index: HashTable<u32>,
    /// By rank: the object's path.
    path_of: Vec<PathId>,
    /// By rank: the bytes of the rows in the object's part of the tree.
    bytes_below: Vec<u64>,
}

impl<'a> Grouping<'a> {
    fn new(snapshot: &'a Snapshot, tree: &'a ChainTree) -> Result<Self, BuildError> {
        Ok(Grouping {
            snapshot,
            heap: snapshot.objects()?,
            tree,
            groups: Groups {
                groups: Vec::new(),
                paths: Vec::new(),
                resized: Vec::new(),
            },
            path_index: HashTable::new(),
            group_index: HashTable::new(),
            path_of: filled(tree.len(), PathId(0))?,
            bytes_below: bytes_below(snapshot, tree)?,
        })
    }

    /// Puts an object where it belongs, and finds the paths of its children.
    fn place(&mut self, rank: Rank) -> Result<(), BuildError> {
        if rank == Rank::ROOT {
            let step = match self.is_globals(rank) {
                true => GroupStep::Globals,
                false => GroupStep::Exact(self.heap.label(self.tree.edge(rank))),
            };
            self.path_of[0] = self.path(None, rank, step)?;
        }
        let many = self.named_children(rank) > MANY_NAMES;
        for child in self.tree.children(rank) {
            self.path_of[child.index()] = if self.is_globals(child) {
                self.path(None, child, GroupStep::Globals)?
            } else {
                let step = self.step(rank, child, many);
                self.path(Some(self.path_of[rank.index()]), child, step)?
            };
        }
        let node = self.tree.node(rank);
        if is_row(self.snapshot, rank, self.tree) {
            self.add(rank)?;
        } else if let Change::Grew(entries) | Change::Shrank(entries) = self.snapshot.change(node) {
            push(&mut self.groups.resized, (rank, entries))?;
        }
        Ok(())
    }

    fn is_globals(&self, rank: Rank) -> bool {
        self.heap.globals == Some(self.tree.node(rank))
    }

    /// How many rows an object holds by name.
    fn named_children(&self, rank: Rank) -> u32 {
        let by_name = |child: &Rank| {
            matches!(self.heap.label(self.tree.edge(*child)), Label::Field(_))
                && is_row(self.snapshot, *child, self.tree)
        };
        self.tree.children(rank).filter(by_name).count() as u32
    }

    fn step(&self, parent: Rank, child: Rank, many: bool) -> GroupStep {
        match self.heap.label(self.tree.edge(child)) {
            Label::Index(_)
            | Label::Number(_)
            | Label::Boolean(_)
            | Label::Object(_)
            | Label::Address(..) => GroupStep::AnyKey,
            Label::Field(_) if many && !self.is_large_part(parent, child) => GroupStep::AnyName,
            label => GroupStep::Exact(label),
        }
    }

    fn is_large_part(&self, parent: Rank, child: Rank) -> bool {
        self.bytes_below[child.index()] >= self.bytes_below[parent.index()].div_ceil(LARGE_PART)
    }

    /// The path of an object that is held by `step` from one at `parent`.
    fn path(
        &mut self,
        parent: Option<PathId>,
        rank: Rank,
        step: GroupStep,
    ) -> Result<PathId, BuildError> {
        let kind = self.heap.kind(self.tree.node(rank));
        if let Some(path) = parent.and_then(|parent| self.seen_above(parent, kind, step)) {
            return Ok(path);
        }
        let paths = &mut self.groups.paths;
        let same = |path: &Path| path.parent == parent && path.kind == kind && path.step == step;
        let code = path_hash(parent, kind, step);
        if let Some(&at) = self.path_index.find(code, |&at| same(&paths[at as usize])) {
            return Ok(PathId(at));
        }
        let above = parent.is_some_and(|parent| paths[parent.0 as usize].general);
        let general = above || matches!(step, GroupStep::AnyKey | GroupStep::AnyName);
        let new = paths.len() as u32;
        push(
            paths,
            Path {
                parent,
                kind,
                step,
                general,
            },
        )?;
        let of = |&at: &u32| {
            let path = &paths[at as usize];
            path_hash(path.parent, path.kind, path.step)
        };
        self.path_index
            .try_reserve(1, of)
            .map_err(|_| BuildError::OutOfMemory)?;
        self.path_index.insert_unique(code, new, of);
        Ok(PathId(new))
    }

    /// The path, `parent` or a little above it, whose last step is the same.
    fn seen_above(&self, parent: PathId, kind: Kind, step: GroupStep) -> Option<PathId> {
        let mut above = std::iter::successors(Some(parent), |path| self.groups.path(*path).parent);
        let same = |path: &PathId| {
            let path = self.groups.path(*path);
            path.kind == kind && path.step == step
        };
        match step {
            GroupStep::Exact(_) | GroupStep::Globals => above.take(LOOK_BACK).find(same),
            _ => {
                let nested = above.by_ref().take(NESTED_INDICES).take_while(same).count();
                (nested == NESTED_INDICES).then_some(parent)
            }
        }
    }

    /// Counts a row in its group.
    fn add(&mut self, rank: Rank) -> Result<(), BuildError> {
        let node = self.tree.node(rank);
        let kind = self.heap.kind(node);
        let is_function = kind == Kind::LuaFunction;
        let new = Group {
            kind,
            path: self.path_of[rank.index()],
            source: if is_function {
                self.heap.source_id(node)
            } else {
                NameId::EMPTY
            },
            line: if is_function {
                self.heap.count(node)
            } else {
                0
            },
            count: 1,
            bytes: self.heap.size(node),
            example: rank,
        };
        let groups = &mut self.groups.groups;
        let code = group_hash(&new);
        let found = self
            .group_index
            .find(code, |&at| same_group(&groups[at as usize], &new));
        if let Some(&at) = found {
            groups[at as usize].count += 1;
            groups[at as usize].bytes += new.bytes;
            return Ok(());
        }
        let at = groups.len() as u32;
        push(groups, new)?;
        let of = |&at: &u32| group_hash(&groups[at as usize]);
        self.group_index
            .try_reserve(1, of)
            .map_err(|_| BuildError::OutOfMemory)?;
        self.group_index.insert_unique(code, at, of);
        Ok(())
    }
}

/// Whether an object is a row of a group: in a difference, new or gone.
fn is_row(snapshot: &Snapshot, rank: Rank, tree: &ChainTree) -> bool {
    !snapshot.is_difference()
        || matches!(snapshot.change(tree.node(rank)), Change::New | Change::Gone)
}

fn bytes_below(snapshot: &Snapshot, tree: &ChainTree) -> Result<Vec<u64>, BuildError> {
    let heap = snapshot.objects()?;
    let mut bytes = filled(tree.len(), 0u64)?;
    for rank in tree.ranks().rev() {
        if is_row(snapshot, rank, tree) {
            // At least 1, or objects of unknown size would all be large parts.
            bytes[rank.index()] += heap.size(tree.node(rank)).max(1);
        }
        if let Some(parent) = tree.parent(rank) {
            bytes[parent.index()] += bytes[rank.index()];
        }
    }
    Ok(bytes)
}

fn same_group(a: &Group, b: &Group) -> bool {
    a.kind == b.kind && a.path == b.path && a.source == b.source && a.line == b.line
}

fn mix(code: u64, value: u64) -> u64 {
    let mixed = (code.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

fn group_hash(group: &Group) -> u64 {
    let code = mix(u64::from(group.path.0), group.kind as u64);
    mix(mix(code, u64::from(group.source.0)), u64::from(group.line))
}

fn path_hash(parent: Option<PathId>, kind: Kind, step: GroupStep) -> u64 {
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
    };
    let code = mix(parent.map_or(0, |path| u64::from(path.0) + 1), kind as u64);
    mix(mix(code, tag), value)
}
