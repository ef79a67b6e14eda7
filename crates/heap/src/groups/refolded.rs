//! Groups whose names are generalised further, without the heap that they were made of.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{push, room};
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::groups::class::ClassName;
use crate::groups::group::{Group, GroupName, Groups};
use crate::groups::group_key::hash;
use crate::groups::path_map::{FoldedName, LISTED_PART};
use crate::groups::path_pattern::{GroupStep, PathPatterns, PatternId, fingerprint};
use crate::groups::pattern_set::{KindSet, PatternSet};
use crate::groups::string_owners::{OwnerGroups, OwnerGroupsId};
use hashbrown::HashTable;
use rustc_hash::FxHashMap;

impl Groups {
    /// Returns the groups as they are where `general` is generalised as well, by what is kept of them: the names, the
    /// counts and the sizes. They have no members. `heap` has the names of these groups, and `bytes` are those of all
    /// objects.
    ///
    /// What leads back to an earlier pattern only where a name is generalised may be told apart from it, and a string
    /// that more groups owned than a name has belongs to nobody.
    pub(crate) fn refolded(
        &self,
        heap: &Heap,
        general: &PatternSet,
        bytes: u64,
    ) -> Result<Groups, BuildError> {
        let mut refold = Refold {
            before: self,
            heap,
            new_pattern: room(self.patterns.len())?,
            after: Groups::default(),
            new_group: room(self.groups.len())?,
            index: HashTable::new(),
            sets: FxHashMap::default(),
        };
        refold.after.pattern_set.add(general)?;
        refold.patterns(bytes)?;
        refold.new_group.resize(self.groups.len(), 0);
        let names_strings = |group: &Group| matches!(group.name, GroupName::StringsOf(_));
        // Strings are named after all others.
        for is_pass in [false, true] {
            for (at, group) in self.groups.iter().enumerate() {
                if names_strings(group) == is_pass {
                    refold.new_group[at] = refold.add(group)?;
                }
            }
        }
        Ok(refold.after)
    }
}

struct Refold<'a> {
    before: &'a Groups,
    heap: &'a Heap,
    /// By pattern of `before`.
    new_pattern: Vec<PatternId>,
    after: Groups,
    /// By group of `before`.
    new_group: Vec<u32>,
    index: HashTable<u32>,
    sets: FxHashMap<OwnerGroups, OwnerGroupsId>,
}

impl Refold<'_> {
    /// Generalises the patterns. What an object has many of turns out to be general below patterns that were placed
    /// before: whoever asks adds the new [`PatternSet`] and asks again.
    fn patterns(&mut self, bytes: u64) -> Result<(), BuildError> {
        let listed = bytes.div_ceil(LISTED_PART).max(1);
        let mut patterns = PathPatterns::default();
        for pattern in self.before.patterns.all() {
            let parent = pattern
                .parent
                .map(|parent| self.new_pattern[parent.0 as usize]);
            let above = parent.map(|parent| *patterns.pattern(parent));
            let mut step = pattern.step;
            if above.is_some_and(|above| above.many.has(pattern.data)) {
                let exact = fingerprint(self.heap, above, pattern.kind, step);
                let set = &mut self.after.pattern_set;
                if self.before.pattern_set.large.contains(&pattern.fingerprint) {
                    set.note_large(exact)?;
                } else if !set.large.contains(&exact) {
                    step = GroupStep::AnyName;
                    if pattern.bytes >= listed
                        && let Some(above) = above
                    {
                        let folded = FoldedName {
                            parent: above.fingerprint,
                            exact,
                            bytes: pattern.bytes,
                        };
                        push(&mut self.after.folded, folded)?;
                    }
                }
            }
            let new = patterns.below(self.heap, parent, pattern.kind, step)?;
            let print = patterns.fingerprint(new);
            if pattern.many != KindSet::default() {
                self.after.pattern_set.note_many(print, pattern.many)?;
            }
            if let Some(&many) = self.after.pattern_set.many.get(&print) {
                patterns.note_many(new, many);
            }
            push(&mut self.new_pattern, new)?;
        }
        self.after.patterns = patterns;
        Ok(())
    }

    /// Counts a group in the one that it is now. Returns the index of that.
    fn add(&mut self, group: &Group) -> Result<u32, BuildError> {
        let name = match group.name {
            GroupName::HeldBy(of) => GroupName::HeldBy(self.pattern(of)),
            GroupName::Class(ClassName::HeldBy(of)) => {
                GroupName::Class(ClassName::HeldBy(self.class_pattern(of)?))
            }
            GroupName::LoadedCode {
                pattern: of,
                line,
                shape,
            } => GroupName::LoadedCode {
                pattern: self.pattern(of),
                line,
                shape,
            },
            GroupName::StringsOf(owners) => GroupName::StringsOf(self.owners(owners)?),
            name => name,
        };
        let code = hash(group.kind, name);
        let pattern = self.pattern(group.pattern);
        let groups = &mut self.after.groups;
        let is_it = |&at: &u32| {
            let of = &groups[at as usize];
            of.kind == group.kind && of.name == name
        };
        if let Some(&at) = self.index.find(code, is_it) {
            let of = &mut groups[at as usize];
            of.count = of.count.saturating_add(group.count);
            of.shallow = of.shallow.saturating_add(group.shallow);
            of.entries = of.entries.saturating_add(group.entries);
            of.retained = of.retained.saturating_add(group.retained);
            of.has_one_pattern &= group.has_one_pattern && of.pattern == pattern;
            return Ok(at);
        }
        let new = groups.len() as u32;
        let group = Group {
            name,
            pattern,
            ..*group
        };
        push(groups, group)?;
        let fingerprint = self.after.fingerprint(self.heap, group.kind, name);
        let groups = &mut self.after.groups;
        groups[new as usize].fingerprint = fingerprint;
        let of = |&at: &u32| hash(groups[at as usize].kind, groups[at as usize].name);
        let reserved = self.index.try_reserve(1, of);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.index.insert_unique(code, new, of);
        Ok(new)
    }

    fn pattern(&self, of: PatternId) -> PatternId {
        self.new_pattern[of.0 as usize]
    }

    /// Returns the pattern in the name of a class, whose last name is kept.
    fn class_pattern(&mut self, of: PatternId) -> Result<PatternId, BuildError> {
        let pattern = *self.before.patterns.pattern(of);
        match (pattern.step, pattern.parent) {
            (GroupStep::Exact(Label::Field(_)), Some(parent)) => {
                let parent = Some(self.pattern(parent));
                let patterns = &mut self.after.patterns;
                patterns.below(self.heap, parent, pattern.kind, pattern.step)
            }
            _ => Ok(self.pattern(of)),
        }
    }

    /// Returns the groups that own strings together now: some of them may have become one.
    fn owners(&mut self, of: OwnerGroupsId) -> Result<OwnerGroupsId, BuildError> {
        let mut set = OwnerGroups::default();
        for owner in self.before.owners(of) {
            let owner = self.new_group[owner];
            if !set.groups().contains(&owner)
                && let Some(larger) = set.with(owner)
            {
                set = larger;
            }
        }
        if let Some(&known) = self.sets.get(&set) {
            return Ok(known);
        }
        let new = OwnerGroupsId(self.after.owners.len() as u32);
        push(&mut self.after.owners, set)?;
        self.sets.try_reserve(1)?;
        self.sets.insert(set, new);
        Ok(new)
    }
}
