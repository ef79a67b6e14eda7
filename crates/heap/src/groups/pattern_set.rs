//! What is generalised: which objects have many names, and which of these names are kept.

use crate::graph::error::BuildError;
use crate::graph::kind::Kind;
use crate::groups::fingerprint::Fingerprint;
use rustc_hash::{FxHashMap, FxHashSet};

/// The kinds of which an object has many under string keys, a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct KindSet(u16);

impl KindSet {
    /// Many of all kinds together.
    pub(crate) const MIXED: KindSet = KindSet(1 << Kind::Root as u16);

    /// The number of different sets of one kind.
    pub(crate) const NUMBERS: usize = 1 + Kind::ALL.len();

    pub(crate) fn of(kind: Kind) -> KindSet {
        KindSet(1 << kind as u16)
    }

    /// Returns the set of one kind with this [number](Self::number).
    pub(crate) fn numbered(number: usize) -> KindSet {
        KindSet(1 << number)
    }

    /// Returns the number of a set of one kind, which is below [`KindSet::NUMBERS`].
    pub(crate) fn number(self) -> usize {
        self.0.trailing_zeros() as usize
    }

    pub(crate) fn add(&mut self, other: KindSet) {
        self.0 |= other.0;
    }

    pub(crate) fn has_all(self, others: KindSet) -> bool {
        self.0 & others.0 == others.0
    }

    pub(crate) fn has(self, other: KindSet) -> bool {
        self.0 & other.0 != 0
    }
}

/// What to generalise, by the fingerprints of patterns, so that several snapshots can be grouped alike.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PatternSet {
    /// Patterns with many names.
    pub(crate) many: FxHashMap<Fingerprint, KindSet>,
    /// Patterns whose last name is kept among many.
    pub(crate) large: FxHashSet<Fingerprint>,
}

impl PatternSet {
    /// Adds another set. Returns whether anything was new.
    pub(crate) fn add(&mut self, other: &PatternSet) -> Result<bool, BuildError> {
        self.many.try_reserve(other.many.len())?;
        self.large.try_reserve(other.large.len())?;
        let mut is_new = false;
        for (&pattern, &kinds) in &other.many {
            let known = self.many.entry(pattern).or_default();
            let before = *known;
            known.add(kinds);
            is_new |= *known != before;
        }
        for &pattern in &other.large {
            is_new |= self.large.insert(pattern);
        }
        Ok(is_new)
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        self.many.capacity() * size_of::<(Fingerprint, KindSet)>()
            + self.large.capacity() * size_of::<Fingerprint>()
    }

    pub(crate) fn note_many(
        &mut self,
        pattern: Fingerprint,
        kinds: KindSet,
    ) -> Result<(), BuildError> {
        self.many.try_reserve(1)?;
        self.many.entry(pattern).or_default().add(kinds);
        Ok(())
    }

    pub(crate) fn note_large(&mut self, pattern: Fingerprint) -> Result<(), BuildError> {
        self.large.try_reserve(1)?;
        self.large.insert(pattern);
        Ok(())
    }
}
