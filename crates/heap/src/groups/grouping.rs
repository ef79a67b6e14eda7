//! How objects are put into groups.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::loaded_code::LOADED_SOURCE;
use crate::graph::node::NodeId;
use crate::graph::prefetch::read_block;
use crate::graph::shared_sort::{sort_by_comparison, sort_by_number};
use crate::groups::class::Classes;
use crate::groups::coroutine::coroutine_body;
use crate::groups::group::{Group, GroupName, Groups, NO_GROUP};
use crate::groups::group_key::hash;
use crate::groups::grouped::Grouped;
use crate::groups::path_map::PathMap;
use crate::groups::path_pattern::PatternId;
use crate::groups::pattern_set::PatternSet;
use crate::groups::string_owners::{OwnerGroups, StringOwners};
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use hashbrown::HashTable;

impl Groups {
    /// Groups objects; `given` is generalised in any case.
    pub(crate) fn new(grouped: Grouped<'_>, given: &PatternSet) -> Result<Groups, BuildError> {
        let mut groups = Grouping::placed(grouped, given)?;
        groups.sort()?;
        groups.list_members(grouped.tree)?;
        if let Some(dominators) = grouped.dominators {
            groups.estimate_retained(dominators, grouped.tree)?;
        }
        Ok(groups)
    }

    /// Sorts the groups, the largest first. Ties are broken by the first object, in canonical order.
    fn sort(&mut self) -> Result<(), BuildError> {
        let mut order: Vec<u32> = room(self.groups.len())?;
        order.extend(0..self.groups.len() as u32);
        let group = |at: &u32| &self.groups[*at as usize];
        sort_by_number(&mut order, |at| u64::from(group(at).example.0))?;
        sort_by_number(&mut order, |at| !group(at).shallow)?;
        let mut new_index = filled(order.len(), 0u32)?;
        let mut sorted: Vec<Group> = room(order.len())?;
        for (new, &old) in order.iter().enumerate() {
            new_index[old as usize] = new as u32;
            sorted.push(self.groups[old as usize]);
        }
        for group in self.owners.iter_mut().flat_map(OwnerGroups::groups_mut) {
            *group = new_index[*group as usize];
        }
        for group in self.group_of.iter_mut().filter(|of| **of != NO_GROUP) {
            *group = new_index[*group as usize];
        }
        self.groups = sorted;
        sort_by_comparison(&mut self.resized, |a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)))?;
        Ok(())
    }

    fn list_members(&mut self, tree: &ShortestPathTree) -> Result<(), BuildError> {
        self.starts = filled(self.groups.len() + 1, 0)?;
        let mut all = 0;
        for (start, group) in self.starts.iter_mut().zip(&self.groups) {
            *start = all;
            all += group.count;
        }
        self.starts[self.groups.len()] = all;
        self.members = filled(all as usize, NodeId::ROOT)?;
        let mut next: Vec<u32> = room(self.starts.len())?;
        next.extend_from_slice(&self.starts);
        for node in tree.ranks().map(|rank| tree.node(rank)) {
            if let Some(group) = self.group_of(node) {
                self.members[next[group] as usize] = node;
                next[group] += 1;
            }
        }
        Ok(())
    }

    /// Finds a lower bound of each group's retained size, and the largest of its members.
    fn estimate_retained(
        &mut self,
        dominators: &Dominators,
        tree: &ShortestPathTree,
    ) -> Result<(), BuildError> {
        let mut largest = filled(self.groups.len(), 0u64)?;
        // By group: the end of the places that one of its members dominates.
        let mut ends = filled(self.groups.len(), 0u32)?;
        for place in 0..dominators.len() as u32 {
            let Some(group) = self.group_of(dominators.node_at(place)) else {
                continue;
            };
            let bytes = dominators.retained_at(place).bytes;
            largest[group] = bytes.max(largest[group]);
            if place >= ends[group] {
                ends[group] = dominators.subtree_at(place).end;
                let retained = &mut self.groups[group].retained;
                *retained = retained.saturating_add(bytes);
            }
        }
        // Of several, the first in the order of the tree; of those that retain nothing, the first of all is known.
        let mut is_sought = filled(self.groups.len(), true)?;
        for rank in tree.ranks() {
            let node = tree.node(rank);
            if let Some(group) = self.group_of(node)
                && is_sought[group]
                && dominators.retained(node).bytes == largest[group]
            {
                is_sought[group] = false;
                if largest[group] > 0 {
                    self.groups[group].example = rank;
                }
            }
        }
        Ok(())
    }
}

/// The state of grouping.
struct Grouping<'a> {
    grouped: Grouped<'a>,
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    groups: Groups,
    index: HashTable<u32>,
    /// By pattern: the group that is named after it, or [`NO_GROUP`] where it is not known.
    of_pattern: Vec<u32>,
    /// By owners: the group of their strings, or [`NO_GROUP`] where it is not known.
    of_owners: Vec<u32>,
    /// By rank.
    pattern_of: Vec<PatternId>,
    classes: Classes,
}

impl<'a> Grouping<'a> {
    /// Returns the groups with all objects in them. What else that takes is freed.
    fn placed(grouped: Grouped<'a>, given: &PatternSet) -> Result<Groups, BuildError> {
        let mut grouping = Grouping::new(grouped, given)?;
        grouping.place_all()?;
        grouping.place_strings()?;
        Ok(grouping.groups)
    }

    fn new(grouped: Grouped<'a>, given: &PatternSet) -> Result<Self, BuildError> {
        let Grouped { heap, tree, .. } = grouped;
        let mut map = PathMap::new(grouped, given)?;
        let classes = match grouped.is_difference() {
            true => Classes::default(),
            false => Classes::new(heap, tree, &mut map)?,
        };
        Ok(Grouping {
            of_pattern: filled(map.patterns.len(), NO_GROUP)?,
            of_owners: Vec::new(),
            grouped,
            heap,
            tree,
            groups: Groups {
                patterns: map.patterns,
                pattern_set: map.pattern_set,
                folded: map.folded,
                group_of: filled(heap.node_count(), NO_GROUP)?,
                ..Groups::default()
            },
            index: HashTable::new(),
            pattern_of: map.pattern_of,
            classes,
        })
    }

    /// Puts all objects but strings into groups.
    fn place_all(&mut self) -> Result<(), BuildError> {
        for rank in self.tree.ranks() {
            self.read_ahead(rank, |node| self.heap.counts[node.index()]);
            let node = self.tree.node(rank);
            if !self.grouped.is_member(node) {
                let change = self.grouped.change(node);
                if let Change::Grew(entries) | Change::Shrank(entries) = change {
                    push(&mut self.groups.resized, (rank, entries))?;
                }
            } else if self.heap.kind(node) != Kind::String {
                self.add(rank, self.name(rank))?;
            }
        }
        Ok(())
    }

    /// Puts strings into groups by their owners.
    fn place_strings(&mut self) -> Result<(), BuildError> {
        let mut owners =
            StringOwners::new(self.heap, self.tree, |node| self.groups.group_of(node))?;
        self.groups.owners = std::mem::take(&mut owners.sets);
        self.of_owners = filled(self.groups.owners.len(), NO_GROUP)?;
        for rank in self.tree.ranks() {
            self.read_ahead(rank, |node| owners.known(node));
            let node = self.tree.node(rank);
            if self.heap.kind(node) == Kind::String && self.grouped.is_member(node) {
                let of = owners.of(node).map(GroupName::StringsOf);
                self.add(rank, of.unwrap_or(GroupName::SharedStrings))?;
            }
        }
        Ok(())
    }

    /// Reads what adding the objects from this one on needs, and what else is needed of each.
    #[inline]
    fn read_ahead(&self, rank: Rank, other: impl Fn(NodeId) -> u32) {
        let (heap, tree) = (self.heap, self.tree);
        read_block(rank.index(), tree.len(), |at| {
            let node = tree.node(Rank(at as u32));
            let place = node.index();
            let known = heap.sizes[place] ^ self.groups.group_of[place];
            heap.kind(node) as u32 ^ known ^ other(node)
        });
    }

    /// Returns the name of an object's group.
    fn name(&self, rank: Rank) -> GroupName {
        let node = self.tree.node(rank);
        let code = |function: NodeId| {
            let (source, line) = (self.heap.source_id(function), self.heap.count(function));
            match self.heap.name(source).starts_with(LOADED_SOURCE) {
                true => GroupName::LoadedCode {
                    pattern: self.pattern_of[rank.index()],
                    line,
                    shape: self.heap.shape_of_loaded_code(function),
                },
                false => GroupName::Code { source, line },
            }
        };
        let name = match self.heap.kind(node) {
            Kind::LuaFunction | Kind::Prototype => Some(code(node)),
            Kind::Thread => match self.heap.coroutine(node) {
                Some(state) => Some(GroupName::Coroutine(state.into())),
                None => coroutine_body(self.heap, node)
                    .filter(|body| self.heap.kind(*body) == Kind::LuaFunction)
                    .map(code),
            },
            _ => self.classes.of(self.heap, node).map(GroupName::Class),
        };
        name.unwrap_or(GroupName::HeldBy(self.pattern_of[rank.index()]))
    }

    /// Counts an object in its group.
    fn add(&mut self, rank: Rank, name: GroupName) -> Result<(), BuildError> {
        let node = self.tree.node(rank);
        let pattern = self.pattern_of[rank.index()];
        let at = self.group(rank, name)?;
        let group = &mut self.groups.groups[at as usize];
        group.count += 1;
        group.shallow = group.shallow.saturating_add(self.heap.size(node));
        if self.heap.kind(node) == Kind::Table {
            group.entries += u64::from(self.heap.count(node));
        }
        group.has_one_pattern &= group.pattern == pattern;
        self.groups.group_of[node.index()] = at;
        Ok(())
    }

    /// Returns the group of an object, which is made if it is new.
    fn group(&mut self, rank: Rank, name: GroupName) -> Result<u32, BuildError> {
        let kind = self.heap.kind(self.tree.node(rank));
        // Most objects are of one of these, and of the kind that the others of the same name have.
        if let Some(&mut at) = self.known(name)
            && at != NO_GROUP
            && self.groups.groups[at as usize].kind == kind
        {
            return Ok(at);
        }
        let found = self.find_or_add(rank, kind, name)?;
        if let Some(known) = self.known(name) {
            *known = found;
        }
        Ok(found)
    }

    /// Returns where the last group of this name is noted.
    fn known(&mut self, name: GroupName) -> Option<&mut u32> {
        match name {
            GroupName::HeldBy(pattern) => self.of_pattern.get_mut(pattern.0 as usize),
            GroupName::StringsOf(owners) => self.of_owners.get_mut(owners.0 as usize),
            _ => None,
        }
    }

    fn find_or_add(&mut self, rank: Rank, kind: Kind, name: GroupName) -> Result<u32, BuildError> {
        let code = hash(kind, name);
        let groups = &self.groups.groups;
        let same = |&at: &u32| {
            let group = &groups[at as usize];
            group.kind == kind && group.name == name
        };
        if let Some(&at) = self.index.find(code, same) {
            return Ok(at);
        }
        let fingerprint = self.groups.fingerprint(self.heap, kind, name);
        let groups = &mut self.groups.groups;
        let new = groups.len() as u32;
        push(
            groups,
            Group {
                name,
                kind,
                pattern: self.pattern_of[rank.index()],
                has_one_pattern: true,
                count: 0,
                shallow: 0,
                entries: 0,
                retained: 0,
                example: rank,
                fingerprint,
            },
        )?;
        let of = |&at: &u32| hash(groups[at as usize].kind, groups[at as usize].name);
        let reserved = self.index.try_reserve(1, of);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.index.insert_unique(code, new, of);
        Ok(new)
    }
}
