//! Path patterns: paths to objects, with one step for many similar ones.
//!
//! A step under a number or an object becomes `[*]`. A step under a name becomes `*` if the object
//! has many names and this one is data: names in the program's code stay. If the code is not known
//! (the portable engine does not see it), global variables and modules keep their names instead,
//! and so does whatever has a large part of the bytes. A step that soon repeats (a list's `next`, a
//! tree's `children`) leads back to the earlier pattern, so a list is one pattern, however long it
//! is.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::groups::fingerprint::{Fingerprint, FingerprintHasher};
use crate::groups::pattern_set::KindSet;
use hashbrown::HashTable;

/// Objects with more names than this may be caches.
const MANY_NAMES: u32 = 16;
/// The number of steps upwards in which a repeated step is looked for.
const LOOK_BACK: usize = 4;
/// The number of `[*]` in a row that stay apart: enough for a matrix.
const NESTED_INDICES: usize = 3;

/// A path pattern of a [`PathPatterns`]: an index, valid only there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct PatternId(pub u32);

/// A step of a path pattern.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum GroupStep {
    /// A number, a boolean or an object as a key: `[*]`.
    AnyKey,
    /// One name of many: `*`.
    AnyName,
    /// A number as a key of the registry, as `luaL_ref` returns it: `[ref]`.
    Reference,
    /// The table of globals, at which the path starts again: the path to it from the registry says
    /// nothing.
    Globals,
    /// The table of loaded modules, at which the path starts again as well.
    Loaded,
    /// An environment of code, at which the path starts as well: the short source of the code, as in an
    /// [`Environment`](crate::Environment).
    Environment(NameId),
    /// A step that is not generalised.
    Exact(Label),
}

impl GroupStep {
    /// Whether it stands for several steps.
    pub fn is_general(self) -> bool {
        matches!(
            self,
            GroupStep::AnyKey | GroupStep::AnyName | GroupStep::Reference
        )
    }
}

/// A pattern: the pattern above it, and a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathPattern {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) step: GroupStep,
    pub(crate) parent: Option<PatternId>,
    pub(crate) kind: Kind,
    /// Whether this step or one above it is general.
    general: bool,
    /// The kinds of which objects at this pattern have many under string keys.
    pub(crate) many: KindSet,
    /// The kinds as which an object under the name of this step counts; none if the name is not data, so that it is
    /// never generalised.
    pub(crate) data: KindSet,
    /// The bytes of the objects at this pattern and below, if the name of its step is data.
    pub(crate) bytes: u64,
}

impl PathPattern {
    fn new(
        heap: &Heap,
        (parent, above): (Option<PatternId>, Option<PathPattern>),
        kind: Kind,
        step: GroupStep,
    ) -> PathPattern {
        PathPattern {
            fingerprint: fingerprint(heap, above, kind, step),
            step,
            parent,
            kind,
            general: above.is_some_and(|above| above.general) || step.is_general(),
            many: KindSet::default(),
            data: KindSet::default(),
            bytes: 0,
        }
    }
}

/// A path pattern as it is stored.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StoredPattern {
    /// The pattern above it, which comes before it.
    pub parent: Option<PatternId>,
    /// The kind of the objects there.
    pub kind: Kind,
    /// The last step.
    pub step: GroupStep,
}

/// Path patterns, each once.
#[derive(Debug, Default)]
pub struct PathPatterns {
    patterns: Vec<PathPattern>,
    index: HashTable<u32>,
}

impl PathPatterns {
    /// Returns the steps of a path pattern, the last one first.
    pub fn steps(&self, pattern: PatternId) -> impl Iterator<Item = GroupStep> + '_ {
        self.and_above(pattern)
            .map(|pattern| self.pattern(pattern).step)
    }

    /// Returns a pattern and those above it, from the last step upwards.
    pub(crate) fn and_above(&self, pattern: PatternId) -> impl Iterator<Item = PatternId> + '_ {
        std::iter::successors(Some(pattern), |pattern| self.pattern(*pattern).parent)
    }

    /// Whether a pattern has a step that stands for several.
    pub fn is_general(&self, pattern: PatternId) -> bool {
        self.pattern(pattern).general
    }

    /// Returns the fingerprint of a pattern and of the kind at its end.
    pub fn fingerprint(&self, pattern: PatternId) -> Fingerprint {
        self.pattern(pattern).fingerprint
    }

    /// Whether the pattern has one step.
    pub(crate) fn is_start(&self, pattern: PatternId) -> bool {
        self.pattern(pattern).parent.is_none()
    }

    /// Returns the pattern of the value of an upvalue: its step is the upvalue's name, as in the `objects`
    /// view.
    pub(crate) fn beside(
        &mut self,
        heap: &Heap,
        upvalue: PatternId,
        kind: Kind,
    ) -> Result<PatternId, BuildError> {
        let PathPattern { parent, step, .. } = *self.pattern(upvalue);
        self.below(heap, parent, kind, step)
    }

    /// Returns the wanted patterns and those above them, and the new id of each by the old one. `step` returns
    /// a step as it is in the heap that the excerpt is for.
    pub(crate) fn excerpt(
        &self,
        wanted: impl Iterator<Item = PatternId>,
        mut step: impl FnMut(GroupStep) -> Result<GroupStep, BuildError>,
    ) -> Result<(PathPatterns, Vec<PatternId>), BuildError> {
        let mut is_wanted = filled(self.patterns.len(), false)?;
        for pattern in wanted {
            let mut next = Some(pattern);
            while let Some(pattern) = next
                && !is_wanted[pattern.0 as usize]
            {
                is_wanted[pattern.0 as usize] = true;
                next = self.pattern(pattern).parent;
            }
        }
        let mut excerpt = PathPatterns::default();
        let mut new_ids = filled(self.patterns.len(), PatternId(0))?;
        // A pattern comes after those above it.
        for (at, pattern) in self.patterns.iter().enumerate() {
            if !is_wanted[at] {
                continue;
            }
            new_ids[at] = PatternId(excerpt.patterns.len() as u32);
            let step = step(pattern.step)?;
            let parent = pattern.parent.map(|parent| new_ids[parent.0 as usize]);
            let pattern = PathPattern {
                step,
                parent,
                ..*pattern
            };
            push(&mut excerpt.patterns, pattern)?;
        }
        Ok((excerpt, new_ids))
    }

    /// Returns a pattern as it is for storing.
    pub(crate) fn stored(&self, pattern: PatternId) -> StoredPattern {
        let PathPattern {
            parent, kind, step, ..
        } = *self.pattern(pattern);
        StoredPattern { parent, kind, step }
    }

    /// Adds a stored pattern; the one above it was added before.
    pub(crate) fn add(&mut self, heap: &Heap, stored: StoredPattern) -> Result<(), BuildError> {
        let StoredPattern { parent, kind, step } = stored;
        let above = parent.map(|parent| *self.pattern(parent));
        let pattern = PathPattern::new(heap, (parent, above), kind, step);
        push(&mut self.patterns, pattern)
    }

    /// Returns the number of patterns.
    pub(crate) fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Notes the kinds of which the objects at a pattern have many under string keys. Returns
    /// whether any is new.
    pub(crate) fn note_many(&mut self, pattern: PatternId, kinds: KindSet) -> bool {
        let many = &mut self.patterns[pattern.0 as usize].many;
        let is_new = !many.has_all(kinds);
        many.add(kinds);
        is_new
    }

    /// Notes as what kinds an object under the name of a pattern's step counts.
    pub(crate) fn note_data(&mut self, pattern: PatternId, kinds: KindSet) {
        self.patterns[pattern.0 as usize].data = kinds;
    }

    /// Counts the bytes at a pattern and below, if the name of its step is data.
    pub(crate) fn count_bytes(&mut self, pattern: PatternId, bytes: u64) {
        let pattern = &mut self.patterns[pattern.0 as usize];
        if pattern.data != KindSet::default() {
            pattern.bytes = pattern.bytes.saturating_add(bytes);
        }
    }

    /// Returns all patterns, those above others first.
    pub(crate) fn all(&self) -> &[PathPattern] {
        &self.patterns
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.patterns) + self.index.capacity() * size_of::<u32>()
    }

    pub(crate) fn pattern(&self, pattern: PatternId) -> &PathPattern {
        &self.patterns[pattern.0 as usize]
    }

    /// Returns the pattern of an object of this kind under `step`, in an object at `parent`.
    pub(crate) fn below(
        &mut self,
        heap: &Heap,
        parent: Option<PatternId>,
        kind: Kind,
        step: GroupStep,
    ) -> Result<PatternId, BuildError> {
        if let Some(pattern) = parent.and_then(|parent| self.seen_above(parent, kind, step)) {
            return Ok(pattern);
        }
        let patterns = &mut self.patterns;
        let same = |pattern: &PathPattern| {
            pattern.parent == parent && pattern.kind == kind && pattern.step == step
        };
        let code = hash(parent, kind, step);
        if let Some(&at) = self.index.find(code, |&at| same(&patterns[at as usize])) {
            return Ok(PatternId(at));
        }
        let above = parent.map(|parent| patterns[parent.0 as usize]);
        let new = patterns.len() as u32;
        push(
            patterns,
            PathPattern::new(heap, (parent, above), kind, step),
        )?;
        let of = |&at: &u32| {
            let pattern = &patterns[at as usize];
            hash(pattern.parent, pattern.kind, pattern.step)
        };
        let reserved = self.index.try_reserve(1, of);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.index.insert_unique(code, new, of);
        Ok(PatternId(new))
    }

    /// Returns the pattern with the same last step that is `parent` or slightly above it.
    fn seen_above(&self, parent: PatternId, kind: Kind, step: GroupStep) -> Option<PatternId> {
        let mut above =
            std::iter::successors(Some(parent), |pattern| self.pattern(*pattern).parent);
        let same = |pattern: &PatternId| {
            let pattern = self.pattern(*pattern);
            pattern.kind == kind && pattern.step == step
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

/// Returns the fingerprint of the pattern of an object of this kind under `step`, in an object at `above`.
pub(crate) fn fingerprint(
    heap: &Heap,
    above: Option<PathPattern>,
    kind: Kind,
    step: GroupStep,
) -> Fingerprint {
    // People write fingerprints down: this word must stay, whatever patterns are called.
    let hasher = FingerprintHasher::new("path").kind(kind);
    let hasher = match above {
        Some(above) => hasher.number(above.fingerprint.0),
        None => hasher,
    };
    let hasher = match step {
        GroupStep::AnyKey => hasher.text(b"any key"),
        GroupStep::AnyName => hasher.text(b"any name"),
        GroupStep::Reference => hasher.text(b"reference"),
        GroupStep::Globals => hasher.text(b"globals"),
        GroupStep::Loaded => hasher.text(b"loaded"),
        GroupStep::Environment(chunk) => hasher.text(b"environment of").text(heap.name(chunk)),
        GroupStep::Exact(label) => hasher.label(label, |name| heap.name(name)),
    };
    hasher.finish()
}

fn hash(parent: Option<PatternId>, kind: Kind, step: GroupStep) -> u64 {
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
        GroupStep::Environment(chunk) => (11, u64::from(chunk.0)),
    };
    let code = mix(
        parent.map_or(0, |pattern| u64::from(pattern.0) + 1),
        kind as u64,
    );
    mix(mix(code, tag), value)
}

/// Whether this number of names is many.
pub(crate) fn many_names(count: u32) -> bool {
    count > MANY_NAMES
}

/// Mixes a number into a hash code.
pub(crate) fn mix(code: u64, value: u64) -> u64 {
    let mixed = (code.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}
