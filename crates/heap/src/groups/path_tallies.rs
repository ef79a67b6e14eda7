//! What lies at each path pattern: the tree of paths as pictures and tables show it.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::tally::Tally;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::grouped::Grouped;
use crate::groups::path_map::PathMap;
use crate::groups::path_pattern::{GroupStep, PathPatterns, PatternId};
use crate::groups::pattern_set::PatternSet;
use rustc_hash::FxHashMap;

/// The objects in use of a heap, or the new ones of a difference, by the pattern of their shortest path by names. An object
/// to which several paths lead is counted at the shortest one alone, so the sums are those of the heap.
#[derive(Debug)]
pub struct PathTallies {
    patterns: PathPatterns,
    /// By pattern.
    tallies: Vec<PathTally>,
}

/// What lies at a path pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathTally {
    /// The objects at the pattern itself.
    pub own: Tally,
    /// These, and those at the patterns below.
    pub all: Tally,
    /// Where the functions at the pattern are defined, if all in one place: their source, and the line.
    pub code: Option<(NameId, u32)>,
}

impl PathTallies {
    /// Counts objects by path; what `given` has is generalised in any case.
    pub(crate) fn folded(
        grouped: Grouped<'_>,
        given: &PatternSet,
    ) -> Result<PathTallies, BuildError> {
        let Grouped { heap, tree, .. } = grouped;
        let PathMap {
            patterns,
            pattern_of,
            ..
        } = PathMap::new(grouped, given)?;
        let mut tallies: Vec<PathTally> = filled(patterns.len(), PathTally::default())?;
        for (rank, pattern) in tree.ranks().zip(pattern_of) {
            let node = tree.node(rank);
            if grouped.is_member(node) {
                tallies[pattern.0 as usize].add(heap, node);
            }
        }
        let mut found = PathTallies { patterns, tallies };
        found.sum_up();
        Ok(found)
    }

    /// Leaves of each pattern what it has more than in `before`: its growth. Where it has less, nothing is left.
    pub(crate) fn grown_since(&mut self, before: &PathTallies) -> Result<(), BuildError> {
        let mut known: FxHashMap<Fingerprint, Tally> = FxHashMap::default();
        known.try_reserve(before.tallies.len())?;
        for pattern in before.patterns() {
            // A fingerprint is that of the whole path and of the kind at its end.
            let of = known.entry(before.fingerprint(pattern)).or_default();
            *of = Tally::sum([*of, before.tally(pattern).own].into_iter());
        }
        for pattern in self.patterns() {
            let before = known.remove(&self.fingerprint(pattern)).unwrap_or_default();
            let own = &mut self.tallies[pattern.0 as usize].own;
            own.count = own.count.saturating_sub(before.count);
            own.bytes = own.bytes.saturating_sub(before.bytes);
        }
        self.sum_up();
        Ok(())
    }

    fn sum_up(&mut self) {
        for tally in &mut self.tallies {
            tally.all = tally.own;
        }
        // A pattern comes after the one above it.
        for pattern in self.patterns().rev() {
            if let Some(above) = self.parent(pattern) {
                let below = self.tally(pattern).all;
                let above = &mut self.tallies[above.0 as usize].all;
                *above = Tally::sum([*above, below].into_iter());
            }
        }
    }

    /// Returns all patterns, each after the one above it.
    pub fn patterns(&self) -> impl DoubleEndedIterator<Item = PatternId> + use<> {
        (0..self.tallies.len() as u32).map(PatternId)
    }

    /// Returns the pattern above another one; `None` where paths start.
    pub fn parent(&self, pattern: PatternId) -> Option<PatternId> {
        self.patterns.pattern(pattern).parent
    }

    /// Returns the last step of a pattern.
    pub fn step(&self, pattern: PatternId) -> GroupStep {
        self.patterns.pattern(pattern).step
    }

    /// Returns the kind of the objects at a pattern.
    pub fn kind(&self, pattern: PatternId) -> Kind {
        self.patterns.pattern(pattern).kind
    }

    /// Returns the fingerprint of a pattern and of the kind at its end.
    pub fn fingerprint(&self, pattern: PatternId) -> Fingerprint {
        self.patterns.fingerprint(pattern)
    }

    /// Returns what lies at a pattern.
    pub fn tally(&self, pattern: PatternId) -> PathTally {
        self.tallies[pattern.0 as usize]
    }
}

impl PathTally {
    fn add(&mut self, heap: &Heap, node: NodeId) {
        let is_code = matches!(heap.kind(node), Kind::LuaFunction | Kind::Prototype);
        let code = is_code.then(|| (heap.source_id(node), heap.count(node)));
        if self.own.count == 0 {
            self.code = code;
        } else if self.code != code {
            self.code = None;
        }
        self.own.add(heap.size(node));
    }
}
