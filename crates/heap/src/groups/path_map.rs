//! The path pattern of each object.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::numbers::Numbers;
use crate::graph::prefetch::read_block;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::grouped::Grouped;
use crate::groups::known_name::KnownNames;
use crate::groups::path_pattern::{
    GroupStep, PathPattern, PathPatterns, PatternId, fingerprint, many_names,
};
use crate::groups::path_start::PathStarts;
use crate::groups::pattern_set::{KindSet, PatternSet};
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use std::ops::Range;

/// One of many names is kept if what is below it has at least this part of all bytes: 1 / 10.
const LARGE_PART: u64 = 10;
/// It is also kept if that is more than so many times the median of its siblings, unless many are.
const OUTLIER: u64 = 16;
/// Of the names that are not kept, those are listed below which there is at least this part of all bytes:
/// 1 / 1000. They may turn out to grow.
pub(super) const LISTED_PART: u64 = 1000;
/// The memory for so many siblings is kept for the next ones.
const KEPT: usize = 1 << 16;
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
    pub(crate) folded: Vec<FoldedName>,
}

/// A name that was generalised although much is below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FoldedName {
    /// The fingerprint of the pattern above it.
    pub(crate) parent: Fingerprint,
    /// The fingerprint that it has if it is kept.
    pub(crate) exact: Fingerprint,
    /// The bytes of the objects below.
    pub(crate) bytes: u64,
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
    /// By rank: the bytes of the objects below.
    bytes_below: Numbers,
    /// The bytes below the children of one object.
    siblings: Vec<u64>,
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
                folded: Vec::new(),
            },
            bytes_below: bytes_below(grouped)?,
            siblings: Vec::new(),
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
        let tree = self.tree;
        let mut level = 0..1;
        while !level.is_empty() {
            // Where a level ends the next one begins. Objects at one pattern are generalised alike, so all of them are
            // counted before.
            let next = level.end;
            let mut end = next;
            for (rank, children) in tree.with_children(level.clone(), next) {
                end = children.end;
                self.note_many(rank, children)?;
            }
            self.new_patterns = self.map.patterns.len();
            for (rank, children) in tree.with_children(level, next) {
                self.place_children(rank, children)?;
            }
            level = next..end;
        }
        Ok(())
    }

    /// Notes the kinds of which an object has many under string keys.
    fn note_many(&mut self, rank: Rank, children: Range<u32>) -> Result<(), BuildError> {
        if !many_names(children.len() as u32) {
            return Ok(());
        }
        let mut counts = [0u32; KindSet::NUMBERS];
        for child in children.map(Rank) {
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

    fn place_children(&mut self, rank: Rank, children: Range<u32>) -> Result<(), BuildError> {
        let above = self.map.pattern_of[rank.index()];
        let large_from = self.large_from(rank, children.clone())?;
        if self.siblings.capacity() > KEPT {
            self.siblings = Vec::new();
        }
        for child in children.map(Rank) {
            self.read_ahead(child);
            let label = self.heap.label(self.tree.edge(child));
            self.map.pattern_of[child.index()] =
                if let Some(start) = self.starts.step(self.heap, self.tree, child) {
                    self.below(None, child, start)?
                } else if label == Label::Value {
                    let PathPattern { parent, step, .. } = *self.map.patterns.pattern(above);
                    self.below(parent, child, step)?
                } else {
                    let step = self.step(rank, child, label, large_from)?;
                    self.below(Some(above), child, step)?
                };
            if matches!(label, Label::Field(_)) {
                let pattern = self.map.pattern_of[child.index()];
                let bytes = self.bytes_below.get(child.index());
                self.map.patterns.count_bytes(pattern, bytes);
            }
        }
        Ok(())
    }

    /// Reads what placing the objects from this one on needs.
    #[inline]
    fn read_ahead(&self, rank: Rank) {
        let (heap, tree) = (self.heap, self.tree);
        read_block(rank.index(), tree.len(), |at| {
            let rank = Rank(at as u32);
            let kind = heap.kind(tree.node(rank));
            kind as u32 ^ u32::from(heap.labels[tree.edge(rank)].is_metatable())
        });
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
        if patterns.len() == known {
            return Ok(pattern);
        }
        if let Some(&many) = self.given.many.get(&patterns.fingerprint(pattern)) {
            patterns.note_many(pattern, many);
        }
        if let GroupStep::Exact(Label::Field(name)) = step
            && let Some(kinds) = self.as_data(name, rank)
        {
            self.map.patterns.note_data(pattern, kinds);
        }
        Ok(pattern)
    }

    fn step(
        &mut self,
        parent: Rank,
        child: Rank,
        label: Label,
        large_from: u64,
    ) -> Result<GroupStep, BuildError> {
        Ok(match label {
            Label::Index(_) if self.starts.registry() == Some(self.tree.node(parent)) => {
                GroupStep::Reference
            }
            Label::Index(_)
            | Label::Number(_)
            | Label::Boolean(_)
            | Label::Object(_)
            | Label::Address(..) => GroupStep::AnyKey,
            Label::Field(name) if self.is_one_of_many(parent, child, name, large_from)? => {
                GroupStep::AnyName
            }
            label => GroupStep::Exact(label),
        })
    }

    /// Whether a name is generalised. `large_from` is what the object must have below it to keep its name.
    fn is_one_of_many(
        &mut self,
        parent: Rank,
        child: Rank,
        name: NameId,
        large_from: u64,
    ) -> Result<bool, BuildError> {
        let above = *self
            .map
            .patterns
            .pattern(self.map.pattern_of[parent.index()]);
        let kinds = match above.many == KindSet::default() {
            true => None,
            false => self.as_data(name, child),
        };
        if !kinds.is_some_and(|kinds| above.many.has(kinds)) {
            return Ok(false);
        }
        let bytes = self.bytes_below.get(child.index());
        let is_large = bytes >= large_from;
        let is_listed = bytes >= self.bytes_below.get(0).div_ceil(LISTED_PART);
        if !is_large && !is_listed && self.given.large.is_empty() {
            return Ok(true);
        }
        let step = GroupStep::Exact(Label::Field(name));
        let kind = self.heap.kind(self.tree.node(child));
        let exact = fingerprint(self.heap, Some(above), kind, step);
        if is_large {
            self.map.pattern_set.note_large(exact)?;
            return Ok(false);
        }
        if self.given.large.contains(&exact) {
            return Ok(false);
        }
        if is_listed {
            let parent = self.map.pattern_of[parent.index()];
            let folded = FoldedName {
                parent: self.map.patterns.fingerprint(parent),
                exact,
                bytes,
            };
            push(&mut self.map.folded, folded)?;
        }
        Ok(true)
    }

    /// Returns the bytes that must be below one of an object's many names so that it is kept: a tenth of all,
    /// or far more than below the others.
    fn large_from(&mut self, parent: Rank, children: Range<u32>) -> Result<u64, BuildError> {
        let pattern = self.map.pattern_of[parent.index()];
        let has_many = self.map.patterns.pattern(pattern).many != KindSet::default();
        // Each of a few objects is a large part, which says nothing.
        if !has_many || !many_names(children.len() as u32) {
            return Ok(u64::MAX);
        }
        let large = self.bytes_below.get(0).div_ceil(LARGE_PART).max(1);
        self.siblings.clear();
        self.siblings.try_reserve(children.len())?;
        for child in children.map(Rank) {
            if matches!(self.heap.label(self.tree.edge(child)), Label::Field(_)) {
                self.siblings.push(self.bytes_below.get(child.index()));
            }
        }
        if self.siblings.is_empty() {
            return Ok(large);
        }
        let middle = self.siblings.len() / 2;
        let (_, &mut median, _) = self.siblings.select_nth_unstable(middle);
        let outlier = median.saturating_mul(OUTLIER).saturating_add(1);
        let outliers = self.siblings.iter().filter(|bytes| **bytes >= outlier);
        match many_names(outliers.count() as u32) {
            // Sizes that differ so much tell nothing.
            true => Ok(large),
            false => Ok(large.min(outlier)),
        }
    }
}

fn bytes_below(grouped: Grouped<'_>) -> Result<Numbers, BuildError> {
    let Grouped { heap, tree, .. } = grouped;
    // At least 1 each, or objects of unknown size would all be large parts.
    let size = |node: NodeId| heap.size(node).max(1);
    // Sizes read from corrupt memory may be anything.
    let all = heap
        .nodes()
        .fold(0u64, |all, node| all.saturating_add(size(node)));
    let mut below = Numbers::zeroes(tree.len(), all)?;
    for rank in tree.ranks().rev() {
        let node = tree.node(rank);
        let mut bytes = below.get(rank.index());
        if grouped.is_member(node) {
            bytes = bytes.saturating_add(size(node));
            below.set(rank.index(), bytes);
        }
        if let Some(parent) = tree.parent(rank) {
            let above = below.get(parent.index());
            below.set(parent.index(), above.saturating_add(bytes));
        }
    }
    Ok(below)
}
