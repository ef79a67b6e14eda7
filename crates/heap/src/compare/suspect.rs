//! Leak suspects: where the memory of growing groups accumulates.

use crate::compare::growth::{GroupGrowth, Growth};
use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::tally::Tally;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::path_pattern::{GroupStep, PatternId};
use crate::groups::path_start::PathStarts;
use crate::reach::shortest_path_tree::Rank;
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;

/// The number of growing groups that are considered, those that grew most first.
const MOST_GROUPS: usize = 100;
/// The accumulation point dominates at least this many percent of the members' bytes.
const PART: u64 = 90;

/// A leak suspect: groups that grow in every step, and their accumulation point.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// Indices of rows of the [`Growth`]. The first one names the suspect: of what came and is no
    /// prototype or upvalue it grew most, or it holds the others.
    pub rows: Vec<usize>,
    /// The accumulation point: the nearest object in the last snapshot that dominates at least 90 %
    /// of the bytes of the group that grew most, and whose own group does not get more members in
    /// every step. [`NodeId::ROOT`] if the memory is scattered.
    pub point: NodeId,
    /// The rank of the accumulation point in the last snapshot's tree of everything; `None` for the root.
    pub point_rank: Option<Rank>,
    /// The retained size of the accumulation point.
    pub retained: Tally,
    /// The retained size as a part of all bytes in use, from 0 to 1.
    pub share: f64,
    /// Whether references that C code keeps in the registry hold the members (`luaL_ref`). Then the first row
    /// is what they refer to, and the point is the registry.
    pub by_reference: bool,
    /// By how many bytes the groups together grew from the first to the last snapshot.
    pub grown: u64,
    /// How many more entries the tables among them have.
    pub entries: u64,
    /// The largest member below the point of those that came, of the group that names the suspect: a rank in the
    /// last snapshot's tree of everything.
    pub example: Rank,
    /// The fingerprint of that group, which identifies the suspect from run to run.
    pub fingerprint: Fingerprint,
}

impl Growth {
    /// Returns the leak suspects, those that grew most first. `last` is the last of the snapshots that were
    /// compared. Of the groups that grow in every step, the hundred that grew most are considered.
    ///
    /// Groups with the same accumulation point are one suspect: sessions, their inventories, the strings of
    /// both. Where that point is the whole program, groups below another growing one are one suspect with it, and
    /// so is all that references in the registry hold. [`Growth`] has an example.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn suspects(&self, last: &Snapshot) -> Result<Vec<Suspect>, BuildError> {
        let search = Search::new(self, last)?;
        let mut suspects: Vec<Suspect> = Vec::new();
        let mut at_point: FxHashMap<NodeId, usize> = FxHashMap::default();
        let mut scattered = Vec::new();
        let growing = (0..self.len()).filter(|&at| self.row(at).grows_in_every_step());
        let mut growing: Vec<usize> = growing.take(MOST_GROUPS).collect();
        // What came names a suspect, not the tables that grew by it; objects do rather than what only the VM sees.
        sort_by_number(&mut growing, |&at| {
            let row = self.row(at);
            let is_inner = matches!(row.group.kind, Kind::Prototype | Kind::Upvalue);
            2 * u64::from(row.count_change() <= 0) + u64::from(is_inner)
        })?;
        for at in growing {
            let row = self.row(at);
            let mut point = search.point(&row)?;
            if row.count_change() <= 0 && !at_point.contains_key(&point) {
                let above = search.above_point(point, &at_point);
                point = above.unwrap_or(point);
            }
            if search.is_top(point) {
                push(&mut scattered, (at, point))?;
                continue;
            }
            at_point.try_reserve(1)?;
            match at_point.get(&point) {
                Some(&known) => suspects[known].add(at, &row)?,
                None => {
                    at_point.insert(point, suspects.len());
                    push(&mut suspects, search.suspect(at, &row, point))?;
                }
            }
        }
        search.fold_scattered(scattered, &mut suspects)?;
        search.find_ranks(&mut suspects)?;
        sort_by_number(&mut suspects, |suspect| !suspect.weight())?;
        Ok(suspects)
    }
}

/// Bytes that an entry of a table takes at least, sooner or later.
const ENTRY: u64 = 16;

impl Suspect {
    /// Returns by how many bytes the suspect grew, or will have grown once the memory of its tables follows their
    /// entries.
    pub fn weight(&self) -> u64 {
        self.grown.max(self.entries.saturating_mul(ENTRY))
    }

    /// Adds a group with the same accumulation point.
    fn add(&mut self, at: usize, row: &GroupGrowth<'_>) -> Result<(), BuildError> {
        push(&mut self.rows, at)?;
        self.grown = self
            .grown
            .saturating_add(row.shallow_change().max(0) as u64);
        self.entries = self
            .entries
            .saturating_add(row.entry_change().max(0) as u64);
        Ok(())
    }
}

/// The search for accumulation points in the last snapshot.
struct Search<'a> {
    growth: &'a Growth,
    last: &'a Snapshot,
    dominators: &'a Dominators,
    /// By group of the last snapshot: whether it has more members after each step.
    multiplies: Vec<bool>,
}

impl<'a> Search<'a> {
    fn new(growth: &'a Growth, last: &'a Snapshot) -> Result<Self, BuildError> {
        let at_end = growth.snapshot_count() - 1;
        let groups = growth.groups(at_end).groups();
        let mut multiplying = FxHashMap::default();
        for row in growth.rows().filter(GroupGrowth::multiplies) {
            multiplying.try_reserve(1)?;
            multiplying.insert(row.fingerprint, ());
        }
        let mut multiplies = filled(groups.len(), false)?;
        for (multiplies, group) in multiplies.iter_mut().zip(groups) {
            *multiplies = multiplying.contains_key(&group.fingerprint);
        }
        Ok(Search {
            growth,
            last,
            dominators: last.dominators()?,
            multiplies,
        })
    }

    /// Whether an object retains the whole program, so that it is not one place of accumulation.
    fn is_top(&self, node: NodeId) -> bool {
        node == NodeId::ROOT
            || self.dominators.immediate(node) == Some(NodeId::ROOT) && {
                let heap = self.last.everything();
                heap.root_range().next().map(|edge| heap.target(edge)) == Some(node)
            }
    }

    /// Returns the nearest known accumulation point that dominates a node.
    fn above_point(&self, node: NodeId, known: &FxHashMap<NodeId, usize>) -> Option<NodeId> {
        let above = known.keys().copied();
        let above = above.filter(|point| self.dominators.dominates(*point, node));
        // Of several that dominate it, the nearest comes last in the dominator tree's order.
        above.max_by_key(|point| self.dominators.place(*point))
    }

    /// Returns the accumulation point of a group.
    ///
    /// An object that dominates more than half of the members' bytes also dominates the member in their
    /// middle, so it is found on the way up from there.
    fn point(&self, row: &GroupGrowth<'_>) -> Result<NodeId, BuildError> {
        let Some(members) = Members::new(self.growth, self.last, row)? else {
            return Ok(NodeId::ROOT);
        };
        let enough = (u128::from(members.all()) * u128::from(PART)).div_ceil(100) as u64;
        let mut node = self.dominators.node_at(members.middle());
        loop {
            let has_enough = members.bytes_in(self.dominators.subtree(node)) >= enough;
            if has_enough && !self.is_one_of_many(node) {
                return Ok(node);
            }
            match self.dominators.immediate(node) {
                Some(above) => node = above,
                None => return Ok(NodeId::ROOT),
            }
        }
    }

    fn is_one_of_many(&self, node: NodeId) -> bool {
        let groups = self.growth.groups(self.growth.snapshot_count() - 1);
        groups
            .group_of(node)
            .is_some_and(|group| self.multiplies[group])
    }

    fn suspect(&self, at: usize, row: &GroupGrowth<'_>, point: NodeId) -> Suspect {
        let all = self.dominators.retained(NodeId::ROOT).bytes;
        let retained = self.dominators.retained(point);
        Suspect {
            rows: vec![at],
            point,
            point_rank: None,
            by_reference: false,
            retained,
            share: retained.bytes as f64 / all.max(1) as f64,
            grown: row.shallow_change().max(0) as u64,
            entries: row.entry_change().max(0) as u64,
            example: row.example,
            fingerprint: row.fingerprint,
        }
    }

    /// Makes suspects of groups whose accumulation point is the whole program, those above others first.
    fn fold_scattered(
        &self,
        mut scattered: Vec<(usize, NodeId)>,
        suspects: &mut Vec<Suspect>,
    ) -> Result<(), BuildError> {
        // The groups that grew most stay first among those of one depth.
        sort_by_number(&mut scattered, |(at, _)| self.depth(*at) as u64)?;
        let mut by_pattern: FxHashMap<PatternId, usize> = FxHashMap::default();
        let mut references: Option<usize> = None;
        let mut registry = None;
        for (at, point) in scattered {
            let row = self.growth.row(at);
            let is_last = row.snapshot + 1 == self.growth.snapshot_count();
            if is_last && self.is_registry(&row) {
                registry = Some((at, point));
                continue;
            }
            let is_reference = is_last && self.is_below_reference(row.group.pattern);
            let above = match is_last {
                true => self.above(row.group.pattern, &by_pattern),
                false => None,
            };
            let known = if is_reference { references } else { above };
            if let Some(known) = known {
                suspects[known].add(at, &row)?;
                continue;
            }
            let mut suspect = self.suspect(at, &row, point);
            suspect.by_reference = is_reference;
            if is_reference {
                references = Some(suspects.len());
            } else if is_last {
                by_pattern.try_reserve(1)?;
                by_pattern.insert(row.group.pattern, suspects.len());
            }
            push(suspects, suspect)?;
        }
        // The registry's own memory grows with the references.
        match (registry, references) {
            (Some((at, _)), Some(known)) => suspects[known].add(at, &self.growth.row(at)),
            (Some((at, point)), None) => {
                push(suspects, self.suspect(at, &self.growth.row(at), point))
            }
            (None, _) => Ok(()),
        }
    }

    fn depth(&self, at: usize) -> usize {
        let row = self.growth.row(at);
        let patterns = self.growth.groups(row.snapshot).patterns();
        patterns.steps(row.group.pattern).count()
    }

    /// Returns the suspect whose first group is above a pattern.
    fn above(&self, pattern: PatternId, known: &FxHashMap<PatternId, usize>) -> Option<usize> {
        let patterns = self
            .growth
            .groups(self.growth.snapshot_count() - 1)
            .patterns();
        patterns
            .and_above(pattern)
            .find_map(|above| known.get(&above).copied())
    }

    fn is_below_reference(&self, pattern: PatternId) -> bool {
        let patterns = self
            .growth
            .groups(self.growth.snapshot_count() - 1)
            .patterns();
        patterns
            .steps(pattern)
            .any(|step| step == GroupStep::Reference)
    }

    /// Whether a group is the registry alone.
    fn is_registry(&self, row: &GroupGrowth<'_>) -> bool {
        let groups = self.growth.groups(row.snapshot);
        let registry = PathStarts::of(self.last.everything()).registry();
        matches!(groups.members(row.group_index), [node] if Some(*node) == registry)
    }

    /// Finds the best examples, and the ranks of all points, in the tree of everything.
    fn find_ranks(&self, suspects: &mut [Suspect]) -> Result<(), BuildError> {
        let mut wanted: Vec<NodeId> = room(2 * suspects.len())?;
        for suspect in suspects.iter() {
            let row = self.growth.row(suspect.rows[0]);
            let is_last = row.snapshot + 1 == self.growth.snapshot_count();
            let example = match is_last {
                true => {
                    let members = self.growth.groups(row.snapshot).members(row.group_index);
                    self.growth
                        .example_below(self.last, members, suspect.point)?
                }
                false => None,
            };
            wanted.push(suspect.point);
            wanted.push(example.unwrap_or(NodeId::ROOT));
        }
        let ranks = self.last.everything_tree()?.ranks_of(&wanted)?;
        for (suspect, ranks) in suspects.iter_mut().zip(ranks.chunks(2)) {
            suspect.point_rank = ranks[0];
            suspect.example = ranks[1].unwrap_or(suspect.example);
        }
        Ok(())
    }
}

/// The members of a group by their places in the dominator tree.
struct Members {
    places: Vec<u32>,
    /// The bytes of all members before each one, and of all members at the end.
    sums: Vec<u64>,
}

/// Returns the places of some nodes in ascending order. Many are sorted by a bit for each place, which takes a fraction of
/// comparing them.
fn in_order(nodes: &[NodeId], dominators: &Dominators) -> Result<Vec<u32>, BuildError> {
    const MANY: usize = 64;
    let mut places: Vec<u32> = room(nodes.len())?;
    let found = nodes.iter().filter_map(|node| dominators.place(*node));
    if nodes.len() < dominators.len() / MANY {
        places.extend(found);
        places.sort_unstable();
        return Ok(places);
    }
    let mut words = filled(dominators.len().div_ceil(64), 0u64)?;
    for place in found {
        words[place as usize / 64] |= 1 << (place % 64);
    }
    for (at, mut word) in (0..).zip(words) {
        while word != 0 {
            // No node is a member twice, so there is room.
            places.push(64 * at + word.trailing_zeros());
            word &= word - 1;
        }
    }
    Ok(places)
}

impl Members {
    /// Returns `None` if the last snapshot does not have the group.
    fn new(
        growth: &Growth,
        last: &Snapshot,
        row: &GroupGrowth<'_>,
    ) -> Result<Option<Members>, BuildError> {
        let at_end = growth.snapshot_count() - 1;
        if row.snapshot != at_end {
            return Ok(None);
        }
        let nodes = growth.groups(at_end).members(row.group_index);
        let dominators = last.dominators()?;
        let places = in_order(nodes, dominators)?;
        let mut sums = room(places.len() + 1)?;
        let mut sum = 0u64;
        sums.push(0);
        for &place in &places {
            // At least 1, so that C functions, which have no size in some VMs, count as well.
            let size = last.everything().size(dominators.node_at(place)).max(1);
            sum = sum.saturating_add(size);
            sums.push(sum);
        }
        let members = Members { places, sums };
        Ok((!members.places.is_empty()).then_some(members))
    }

    fn all(&self) -> u64 {
        self.sums[self.places.len()]
    }

    /// Returns the place of the member with which the sum of bytes reaches half of all.
    fn middle(&self) -> u32 {
        let half = self.all().div_ceil(2);
        let at = self.sums.partition_point(|sum| *sum < half);
        self.places[at.saturating_sub(1).min(self.places.len() - 1)]
    }

    fn bytes_in(&self, places: std::ops::Range<u32>) -> u64 {
        let before = |place: u32| self.sums[self.places.partition_point(|at| *at < place)];
        before(places.end) - before(places.start)
    }
}
