//! The path pattern of each object.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::groups::grouped::Grouped;
use crate::groups::known_name::KnownNames;
use crate::groups::path_pattern::{
    GroupStep, PathPattern, PathPatterns, PatternId, fingerprint, many_names,
};
use crate::groups::path_start::PathStarts;
use crate::groups::pattern_set::{KindSet, PatternSet};
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use std::ops::Range;

/// One of many names is kept if the object has at least this part of the bytes: 1 / 16.
const LARGE_PART: u64 = 16;
/// The most passes over a snapshot. Another one follows if something was found too late.
const MOST_ROUNDS: usize = 4;

/// The patterns of a snapshot's objects.
pub(crate) struct PathMap {
    pub(crate) patterns: PathPatterns,
    /// By rank of the tree of everything.
    pub(crate) pattern_of: Vec<PatternId>,
    /// The names that were generalised, and those that would have been if they had been there.
    pub(crate) pattern_set: PatternSet,
    pub(crate) known_names: Option<KnownNames>,
}

impl PathMap {
    /// Finds the patterns of all objects; `given` is generalised in any case.
    ///
    /// If a list or a tree leads back to a pattern, it may turn out late that objects there have
    /// many names. Then all objects are visited again.
    pub(crate) fn new(grouped: Grouped<'_>, given: &PatternSet) -> Result<PathMap, BuildError> {
        let mut general = PatternSet::default();
        general.add(given)?;
        let mut round = 1;
        loop {
            let mut search = Search::new(grouped, &general)?;
            search.run()?;
            let Search {
                mut map, too_late, ..
            } = search;
            if !too_late || round == MOST_ROUNDS {
                map.pattern_set.add(&general)?;
                return Ok(map);
            }
            general.add(&map.pattern_set)?;
            round += 1;
        }
    }
}

/// Descends a tree level by level.
struct Search<'a> {
    grouped: Grouped<'a>,
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    given: &'a PatternSet,
    map: PathMap,
    /// By rank: the bytes of the objects below. Only if the names in the code are not known.
    bytes_below: Vec<u64>,
    starts: PathStarts,
    /// The first pattern that is new at the current level.
    new_patterns: usize,
    /// Whether objects at a pattern turned out to have many names after others had been placed below it.
    too_late: bool,
}

impl<'a> Search<'a> {
    fn new(grouped: Grouped<'a>, given: &'a PatternSet) -> Result<Self, BuildError> {
        let Grouped { heap, tree, .. } = grouped;
        let known_names = KnownNames::of(heap, tree)?;
        let bytes_below = match known_names {
            Some(_) => Vec::new(),
            None => bytes_below(grouped)?,
        };
        Ok(Search {
            grouped,
            heap,
            tree,
            given,
            map: PathMap {
                patterns: PathPatterns::default(),
                pattern_of: filled(tree.len(), PatternId(0))?,
                pattern_set: PatternSet::default(),
                known_names,
            },
            bytes_below,
            starts: PathStarts::of(heap),
            new_patterns: 0,
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
        self.map.pattern_of[0] = self.below(None, Rank::ROOT, step)?;
        let mut level = 0..1;
        while !level.is_empty() {
            // Objects at one pattern are generalised alike, so all of them are counted before.
            for rank in level.clone().map(Rank) {
                self.note_many(rank)?;
            }
            self.new_patterns = self.map.patterns.len();
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

    /// Notes the kinds of which an object has many under string keys.
    fn note_many(&mut self, rank: Rank) -> Result<(), BuildError> {
        if !many_names(self.tree.children(rank).len() as u32) {
            return Ok(());
        }
        let mut counts = [0u32; KindSet::NUMBERS];
        for child in self.tree.children(rank) {
            if let Label::Field(name) = self.heap.label(self.tree.edge(child))
                && self.grouped.is_member(self.tree.node(child))
                && let Some(kinds) = self.as_data(name, child)
            {
                counts[kinds.number()] += 1;
            }
        }
        let mut many = KindSet::default();
        for (number, _) in counts.iter().enumerate().filter(|of| many_names(*of.1)) {
            many.add(KindSet::numbered(number));
        }
        let pattern = self.map.pattern_of[rank.index()];
        if many != KindSet::default() {
            let is_new = self.map.patterns.note_many(pattern, many);
            self.too_late |= is_new && (pattern.0 as usize) < self.new_patterns;
            let pattern = self.map.patterns.fingerprint(pattern);
            self.map.pattern_set.note_many(pattern, many)?;
        }
        Ok(())
    }

    /// Returns the kinds as which an object under `name` counts; `None` if the name is not data. If
    /// no code is known, global variables and modules count as code.
    fn as_data(&self, name: NameId, child: Rank) -> Option<KindSet> {
        match &self.map.known_names {
            None if self.is_start_of_paths(self.tree.parent(child)) => None,
            None => Some(KindSet::MIXED),
            Some(known) if known.contains(name) => None,
            Some(_) => Some(KindSet::of(self.heap.kind(self.tree.node(child)))),
        }
    }

    fn is_start_of_paths(&self, rank: Option<Rank>) -> bool {
        rank.is_some_and(|rank| self.starts.step(self.heap, self.tree, rank).is_some())
    }

    fn place_children(&mut self, rank: Rank) -> Result<(), BuildError> {
        let above = self.map.pattern_of[rank.index()];
        for child in self.tree.children(rank) {
            let label = self.heap.label(self.tree.edge(child));
            self.map.pattern_of[child.index()] =
                if let Some(start) = self.starts.step(self.heap, self.tree, child) {
                    self.below(None, child, start)?
                } else if label == Label::Value {
                    let PathPattern { parent, step, .. } = *self.map.patterns.pattern(above);
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
        parent: Option<PatternId>,
        rank: Rank,
        step: GroupStep,
    ) -> Result<PatternId, BuildError> {
        let kind = self.heap.kind(self.tree.node(rank));
        let patterns = &mut self.map.patterns;
        let known = patterns.len();
        let pattern = patterns.below(self.heap, parent, kind, step)?;
        if patterns.len() > known
            && let Some(&many) = self.given.many.get(&patterns.fingerprint(pattern))
        {
            patterns.note_many(pattern, many);
        }
        Ok(pattern)
    }

    fn step(&mut self, parent: Rank, child: Rank, label: Label) -> Result<GroupStep, BuildError> {
        Ok(match label {
            Label::Index(_) if self.starts.registry() == Some(self.tree.node(parent)) => {
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
        let above = *self
            .map
            .patterns
            .pattern(self.map.pattern_of[parent.index()]);
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
                self.map.pattern_set.note_large(exact)?;
                return Ok(false);
            }
            return Ok(above.many.has(kinds) && !self.given.large.contains(&exact));
        }
        Ok(above.many.has(kinds))
    }

    fn is_large_part(&self, parent: Rank, child: Rank) -> bool {
        // Each of a few objects is a large part, which says nothing.
        many_names(self.tree.children(parent).len() as u32)
            && self.bytes_below[child.index()]
                >= self.bytes_below[parent.index()].div_ceil(LARGE_PART)
    }
}

fn bytes_below(grouped: Grouped<'_>) -> Result<Vec<u64>, BuildError> {
    let Grouped { heap, tree, .. } = grouped;
    let mut bytes = filled(tree.len(), 0u64)?;
    for rank in tree.ranks().rev() {
        if grouped.is_member(tree.node(rank)) {
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
