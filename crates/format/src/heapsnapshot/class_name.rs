//! Names of tables and userdata after their groups: the rows of DevTools' Memory panel.

use crate::answer_error::Result;
use crate::answers::group_name::class_text;
use crate::answers::name::Name;
use crate::answers::short_path::pattern_text;
use luasnap_heap::{GroupName, Groups, Heap, NodeId, Snapshot};
use rustc_hash::FxHashMap;

/// The names of classes, by the groups of their instances, found on demand.
pub(super) struct ClassNames<'a> {
    heap: &'a Heap,
    groups: &'a Groups,
    by_group: FxHashMap<usize, Option<Name>>,
}

impl<'a> ClassNames<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Result<Self> {
        Ok(ClassNames {
            heap: snapshot.everything(),
            groups: snapshot.groups()?,
            by_group: FxHashMap::default(),
        })
    }

    /// Returns the group of a table or userdata, all of whose members have one name here.
    #[inline]
    pub(super) fn group(&self, node: NodeId) -> Option<usize> {
        self.groups.group_of(node)
    }

    /// Returns the pattern of the paths to the members of a group without a class (`_G.cache.[*]`); `None` if it has
    /// one.
    pub(super) fn pattern(&self, group: usize) -> Result<Option<Name>> {
        match self.groups.groups()[group].name {
            GroupName::HeldBy(pattern) => pattern_text(self.heap, self.groups, pattern).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the class name of a table or userdata; `None` if it has none.
    pub(super) fn class_name(&mut self, node: NodeId) -> Result<Option<&[u8]>> {
        let Some(group) = self.groups.group_of(node) else {
            return Ok(None);
        };
        if !self.by_group.contains_key(&group) {
            let name = self.name_of(group)?;
            self.by_group.try_reserve(1)?;
            self.by_group.insert(group, name);
        }
        let name = self
            .by_group
            .get(&group)
            .and_then(Option::as_ref)
            .map(Name::bytes);
        Ok(name)
    }

    fn name_of(&self, group: usize) -> Result<Option<Name>> {
        match self.groups.groups()[group].name {
            GroupName::Class(name) => class_text(self.heap, self.groups, name).map(Some),
            _ => Ok(None),
        }
    }
}
