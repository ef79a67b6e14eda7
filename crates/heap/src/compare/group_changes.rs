//! Which groups changed between two snapshots, on everything that they have.

use crate::build::excerpt::{Excerpt, NameCopy};
use crate::compare::object_changes::ObjectChanges;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::shared_sort::{sort_by_comparison, sort_by_number};
use crate::groups::changed_groups::{ChangedGroups, Resized};
use crate::groups::group::{Group, GroupName, Groups};
use crate::on_demand::Make;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::snapshot::Snapshot;

/// The number of groups whose retained size is found exactly: so many of the largest, and as many others.
const MEASURED: usize = 32;

/// What changed of a whole snapshot, before it is grouped.
pub(crate) struct Ungrouped {
    pub(crate) side: Snapshot,
    pub(crate) changes: ObjectChanges,
    pub(crate) is_decrease: bool,
}

impl Make<ChangedGroups> for Ungrouped {
    fn make(&self) -> Result<ChangedGroups, BuildError> {
        changed_groups(&self.side, &self.changes, self.is_decrease)
    }

    fn memory(&self) -> usize {
        self.changes.memory() + self.side.memory_of_its_own()
    }
}

/// Returns the groups in which a whole snapshot has more than another one, by what of it changed.
fn changed_groups(
    side: &Snapshot,
    changes: &ObjectChanges,
    is_decrease: bool,
) -> Result<ChangedGroups, BuildError> {
    let groups = side.groups_by_name()?;
    let tree = side.everything_tree()?;
    let mut counted = Counted::new(side, &groups, changes)?;
    if is_decrease {
        counted.count_what_is_left();
    }
    let kept = counted.kept(&groups)?;
    counted.measure(side, changes, &groups, &kept)?;
    let mut chosen: Vec<Rank> = room(2 * kept.len())?;
    chosen.extend(kept.iter().map(|&at| counted.groups[at].example));
    chosen.extend(counted.resized.iter().map(|resized| resized.example));
    let (excerpt, projected) =
        Excerpt::with_names(side.everything(), tree, chosen.into_iter(), |names| {
            counted.project(&groups, &kept, names)
        })?;
    let rank = |rank: Rank| excerpt.rank_of(rank).unwrap_or(Rank::ROOT);
    let (mut groups, mut resized) = projected;
    for group in &mut groups.groups {
        group.example = rank(group.example);
    }
    for resized in &mut resized {
        resized.example = rank(resized.example);
    }
    let tree = ShortestPathTree::new(&excerpt.heap)?;
    let heap = excerpt.heap;
    Ok(ChangedGroups {
        heap,
        tree,
        groups,
        resized,
        is_decrease,
    })
}

/// Returns for each group whether it is that of strings which only the main thread's stack has: messages and
/// arguments of the calls that run at this moment.
fn strings_of_the_main_thread(heap: &Heap, groups: &Groups) -> Result<Vec<bool>, BuildError> {
    let mut found = filled(groups.groups().len(), false)?;
    let main_thread = heap.root_named(b"[mainthread]").map(|edge| edge.target);
    let main_thread = main_thread.and_then(|node| groups.group_of(node));
    let main_thread = main_thread.filter(|at| groups.groups()[*at].count == 1);
    for (found, group) in found.iter_mut().zip(groups.groups()) {
        if let GroupName::StringsOf(owners) = group.name {
            *found = groups
                .owners(owners)
                .all(|owner| Some(owner) == main_thread);
        }
    }
    Ok(found)
}

/// The changes by group.
struct Counted {
    /// As in the snapshot, but with the counts and sizes of what is new.
    groups: Vec<Group>,
    resized: Vec<Resized>,
}

impl Counted {
    fn new(
        side: &Snapshot,
        groups: &Groups,
        changes: &ObjectChanges,
    ) -> Result<Counted, BuildError> {
        let (heap, tree) = (side.everything(), side.everything_tree()?);
        let mut counted = Counted {
            groups: room(groups.groups().len())?,
            resized: Vec::new(),
        };
        counted
            .groups
            .extend(groups.groups().iter().map(|group| Group {
                count: 0,
                shallow: 0,
                retained: 0,
                ..*group
            }));
        let is_of_the_moment = strings_of_the_main_thread(heap, groups)?;
        // By group: the size of the example, and the position among the resized.
        let mut largest = filled(groups.groups().len(), 0u64)?;
        let mut position = filled(groups.groups().len(), u32::MAX)?;
        // By position there: the change of the example.
        let mut most: Vec<(u64, u32)> = Vec::new();
        for rank in tree.ranks() {
            let node = tree.node(rank);
            let Some(at) = groups.group_of(node) else {
                continue;
            };
            let size = heap.size(node);
            let is_new = changes.alone.contains(node);
            // What LuaJIT compiles comes by itself.
            if is_new && (is_of_the_moment[at] || heap.kind(node) == Kind::Trace) {
                continue;
            }
            if is_new {
                let group = &mut counted.groups[at];
                if group.count == 0 || size > largest[at] {
                    (group.example, largest[at]) = (rank, size);
                }
                group.count += 1;
                group.shallow = group.shallow.saturating_add(size);
            } else if let Some(larger) = changes.larger(node) {
                if position[at] == u32::MAX {
                    position[at] = counted.resized.len() as u32;
                    let new = Resized {
                        group: at,
                        objects: 0,
                        entries: 0,
                        bytes: 0,
                        entries_now: 0,
                        bytes_now: 0,
                        example: rank,
                    };
                    push(&mut counted.resized, new)?;
                    push(&mut most, (0, 0))?;
                }
                let position = position[at] as usize;
                let resized = &mut counted.resized[position];
                if (larger.bytes, larger.entries) > most[position] {
                    most[position] = (larger.bytes, larger.entries);
                    resized.example = rank;
                }
                resized.objects += 1;
                resized.entries += u64::from(larger.entries);
                resized.bytes = resized.bytes.saturating_add(larger.bytes);
                resized.entries_now += u64::from(heap.count(node));
                resized.bytes_now = resized.bytes_now.saturating_add(size);
            }
        }
        Ok(counted)
    }

    /// Makes the later snapshot the one that has less.
    fn count_what_is_left(&mut self) {
        for resized in &mut self.resized {
            resized.entries_now = resized.entries_now.saturating_sub(resized.entries);
            resized.bytes_now = resized.bytes_now.saturating_sub(resized.bytes);
        }
    }

    /// Returns the indices of the groups that changed, and of the owners in their names, the largest first.
    fn kept(&self, groups: &Groups) -> Result<Vec<usize>, BuildError> {
        let mut is_kept = filled(self.groups.len(), false)?;
        for (is_kept, group) in is_kept.iter_mut().zip(&self.groups) {
            *is_kept = group.count > 0;
        }
        for resized in &self.resized {
            is_kept[resized.group] = true;
        }
        for at in 0..self.groups.len() {
            if let GroupName::StringsOf(owners) = self.groups[at].name
                && is_kept[at]
            {
                groups
                    .owners(owners)
                    .for_each(|owner| is_kept[owner] = true);
            }
        }
        let mut kept: Vec<usize> = room(self.groups.len())?;
        kept.extend((0..self.groups.len()).filter(|&at| is_kept[at]));
        sort_by_comparison(&mut kept, |&a, &b| {
            let key = |group: &Group| (std::cmp::Reverse(group.shallow), group.example);
            let (a, b) = (&self.groups[a], &self.groups[b]);
            key(a).cmp(&key(b)).then(a.fingerprint.cmp(&b.fingerprint))
        })?;
        Ok(kept)
    }

    /// Finds what the new members of each group retain: exactly for the groups of which most is new and for those
    /// that seem to retain most, of all others what their members retain one by one.
    fn measure(
        &mut self,
        side: &Snapshot,
        changes: &ObjectChanges,
        groups: &Groups,
        kept: &[usize],
    ) -> Result<(), BuildError> {
        let dominators = side.dominators()?;
        let new_members = |at: usize| {
            let members = groups.members(at).iter().copied();
            members.filter(|node| changes.alone.contains(*node))
        };
        let mut measured: Vec<usize> = room(kept.len())?;
        measured.extend(kept.iter().filter(|at| self.groups[**at].count > 0));
        for &at in &measured {
            let retained = dominators.retained_at_least(new_members(at))?;
            self.groups[at].retained = retained.bytes;
        }
        let first = measured.len().min(MEASURED);
        sort_by_number(&mut measured[first..], |at| !self.groups[*at].retained)?;
        measured.truncate(2 * MEASURED);
        let mut sets: Vec<Vec<NodeId>> = room(measured.len())?;
        for &at in &measured {
            let mut members: Vec<NodeId> = room(self.groups[at].count as usize)?;
            members.extend(new_members(at));
            sets.push(members);
        }
        let mut borrowed: Vec<&[NodeId]> = room(sets.len())?;
        borrowed.extend(sets.iter().map(Vec::as_slice));
        let retained = dominators.retained_by_each(side.everything(), &borrowed)?;
        for (at, retained) in measured.into_iter().zip(retained) {
            self.groups[at].retained = retained.bytes;
        }
        Ok(())
    }

    /// Returns the kept groups with names of another heap, and what was resized, most first.
    fn project(
        &self,
        groups: &Groups,
        kept: &[usize],
        names: &mut NameCopy<'_>,
    ) -> Result<(Groups, Vec<Resized>), BuildError> {
        let (projected, new_index) = groups.projected(&self.groups, kept, names)?;
        let mut resized: Vec<Resized> = room(self.resized.len())?;
        resized.extend(self.resized.iter().map(|resized| Resized {
            group: new_index[resized.group] as usize,
            ..*resized
        }));
        sort_by_comparison(&mut resized, |a, b| {
            let key = |of: &Resized| (std::cmp::Reverse((of.bytes, of.entries)), of.example);
            key(a).cmp(&key(b))
        })?;
        Ok((projected, resized))
    }
}
