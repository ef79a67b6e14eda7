//! The groups of a difference for somebody who stores them, and from stored ones, each checked.
//!
//! Fingerprints are not stored: they would tell names that may have been left out. They are made again.

use crate::columns::{ColumnError, all};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::room;
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::groups::changed_groups::{ChangedGroups, Resized};
use crate::groups::class::ClassName;
use crate::groups::group::{Group, GroupName, Groups};
use crate::groups::path_pattern::{GroupStep, PathPatterns, PatternId, StoredPattern};
use crate::groups::string_owners::{MAX_OWNERS, OwnerGroupsId};
use crate::reach::shortest_path_tree::ShortestPathTree;

/// The [groups that changed](ChangedGroups) without their heap.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StoredGroups {
    /// The patterns, by their ids.
    pub patterns: Vec<StoredPattern>,
    /// The groups; their fingerprints do not count.
    pub groups: Vec<Group>,
    /// The owners in names of groups, by their ids: the indices of groups.
    pub owners: Vec<Vec<u32>>,
    /// What grew or shrank.
    pub resized: Vec<Resized>,
    /// Whether it is what the later snapshot has no more.
    pub is_decrease: bool,
}

impl StoredGroups {
    /// Returns the groups as they are for storing.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(changed: &ChangedGroups) -> Result<StoredGroups, BuildError> {
        let groups = &changed.groups;
        let patterns = groups.patterns();
        let mut stored = StoredGroups {
            patterns: room(patterns.len())?,
            groups: room(groups.groups.len())?,
            owners: room(groups.owners.len())?,
            resized: room(changed.resized.len())?,
            is_decrease: changed.is_decrease,
        };
        let ids = (0..patterns.len() as u32).map(PatternId);
        stored.patterns.extend(ids.map(|id| patterns.stored(id)));
        stored.groups.extend_from_slice(&groups.groups);
        stored.resized.extend_from_slice(&changed.resized);
        for owners in &groups.owners {
            let mut indices = room(owners.groups().len())?;
            indices.extend_from_slice(owners.groups());
            stored.owners.push(indices);
        }
        Ok(stored)
    }

    /// Returns the groups with the heap of their examples.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] says what does not fit the heap, or the other parts.
    pub fn into_groups(self, heap: Heap) -> Result<ChangedGroups, ColumnError> {
        let tree = ShortestPathTree::new(&heap)?;
        self.check(&heap, &tree)?;
        let mut patterns = PathPatterns::default();
        for pattern in self.patterns {
            patterns.add(&heap, pattern)?;
        }
        let mut groups = Groups::with_patterns(patterns);
        for owners in &self.owners {
            groups.add_stored_owners(owners)?;
        }
        let mut made: Vec<Group> = self.groups;
        // Strings are called after their owners, which are other groups.
        for is_of_owners in [false, true] {
            let of_this_round = made
                .iter_mut()
                .filter(|group| matches!(group.name, GroupName::StringsOf(_)) == is_of_owners);
            for group in of_this_round {
                group.fingerprint = groups.fingerprint(&heap, group.kind, group.name);
            }
            groups.groups.clear();
            groups
                .groups
                .try_reserve(made.len())
                .map_err(BuildError::from)?;
            groups.groups.extend_from_slice(&made);
        }
        Ok(ChangedGroups {
            heap,
            tree,
            groups,
            resized: self.resized,
            is_decrease: self.is_decrease,
        })
    }

    fn check(&self, heap: &Heap, tree: &ShortestPathTree) -> Result<(), ColumnError> {
        let has_name = |name: NameId| (name.0 as usize) < heap.names.len();
        let has_group = |group: usize| group < self.groups.len();
        let has_pattern = |pattern: PatternId| (pattern.0 as usize) < self.patterns.len();
        for (at, pattern) in self.patterns.iter().enumerate() {
            let is_above = pattern.parent.is_none_or(|parent| (parent.0 as usize) < at);
            let has_step = match pattern.step {
                // Keys that are objects are stored as addresses.
                GroupStep::Exact(Label::Object(_)) => false,
                GroupStep::Exact(label) => label.name().is_none_or(has_name),
                GroupStep::Environment(chunk) => has_name(chunk),
                _ => true,
            };
            if !is_above || !has_step {
                return Err(out_of_range("path patterns", at));
            }
        }
        let owners_are_groups = |owners: &Vec<u32>| {
            let few = !owners.is_empty() && owners.len() <= MAX_OWNERS;
            few && owners.iter().all(|group| has_group(*group as usize))
        };
        all("owners of strings", &self.owners, owners_are_groups)?;
        all("groups", &self.groups, |group| {
            let has_its_name = match group.name {
                GroupName::HeldBy(pattern) | GroupName::Class(ClassName::HeldBy(pattern)) => {
                    has_pattern(pattern)
                }
                GroupName::LoadedCode { pattern, .. } => has_pattern(pattern),
                GroupName::Class(ClassName::Own(name)) => has_name(name),
                GroupName::Code { source, .. } => has_name(source),
                GroupName::Coroutine(name) => {
                    has_name(name.place.source) && has_name(name.caller.source)
                }
                GroupName::StringsOf(OwnerGroupsId(owners)) => {
                    (owners as usize) < self.owners.len()
                }
                GroupName::SharedStrings => true,
            };
            has_its_name && has_pattern(group.pattern) && group.example.index() < tree.len()
        })?;
        all("resized tables", &self.resized, |resized| {
            has_group(resized.group) && resized.example.index() < tree.len()
        })?;
        let bytes = self.groups.iter().map(|group| u128::from(group.shallow));
        (bytes.sum::<u128>() < 1 << 63)
            .then_some(())
            .ok_or(ColumnError::Sizes)
    }
}

fn out_of_range(column: &'static str, at: usize) -> ColumnError {
    ColumnError::OutOfRange { column, at }
}
