//! Generalised chains: how objects are held, with one step for the many that are held alike.
//!
//! A step under a number or an object becomes `[*]`. A step under a name becomes `*` where an
//! object holds many by name and this name is nothing but data: names that the program's code has
//! in it stay. Where the code is not known (the portable engine does not see it), global variables and
//! modules keep their names instead, and what has a large part of the bytes. A step that comes again
//! soon (a list's `next`, a tree's `children`) leads back to where it was, so a list is one path
//! however long it is.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::groups::fingerprint::{Fingerprint, Ink};
use crate::groups::pattern_set::KindSet;
use hashbrown::HashTable;

/// Objects that hold more than this many by name may be caches.
const MANY_NAMES: u32 = 16;
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

/// A path: the one above it and a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    fingerprint: Fingerprint,
    pub(crate) step: GroupStep,
    pub(crate) parent: Option<PathId>,
    kind: Kind,
    /// Whether the step or one above it stands for several.
    general: bool,
    /// What the objects at this path hold many of.
    pub(crate) many: KindSet,
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

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Says what the objects at a path hold many of; answers whether that is more than was said.
    pub(crate) fn note_many(&mut self, path: PathId, kinds: KindSet) -> bool {
        let many = &mut self.paths[path.0 as usize].many;
        let is_new = !many.has_all(kinds);
        many.add(kinds);
        is_new
    }

    /// Bytes of memory that they hold.
    pub(crate) fn memory(&self) -> usize {
        held(&self.paths) + self.index.capacity() * size_of::<u32>()
    }

    pub(crate) fn path(&self, path: PathId) -> &Path {
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

/// The fingerprint of the path of an object of some kind that is held by `step` from one at `above`.
pub(crate) fn fingerprint(
    heap: &Heap,
    above: Option<Path>,
    kind: Kind,
    step: GroupStep,
) -> Fingerprint {
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
