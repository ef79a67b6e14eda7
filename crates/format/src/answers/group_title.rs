//! What the group of an object is called.

use crate::answer_error::Result;
use crate::answers::group_name::{class_text, group_name};
use crate::answers::name::Name;
use luasnap_heap::{Group, GroupName, Groups, NodeId, Snapshot};

/// What a group is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupTitle {
    /// Its [name](group_name).
    pub name: Name,
    /// The number of members.
    pub count: u64,
    /// The name of the class, if it is one.
    pub class: Option<Name>,
}

impl GroupTitle {
    /// Returns the title of one of the groups of a snapshot.
    pub(crate) fn new(snapshot: &Snapshot, groups: &Groups, group: &Group) -> Result<GroupTitle> {
        let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
        Ok(GroupTitle {
            name: group_name(heap, tree, groups, group)?,
            count: group.count.into(),
            class: match group.name {
                GroupName::Class(name) => Some(class_text(heap, groups, name)?),
                _ => None,
            },
        })
    }
}

/// Tells what the group of an object is called: a snapshot, of which the groups are then made, or somebody who knows it.
pub trait GroupTitles {
    /// Returns the title of the group of a node of [`Snapshot::everything`]; `None` if it is in no group.
    ///
    /// # Errors
    ///
    /// [`AnswerError`](crate::AnswerError) as for [`retainers`](crate::retainers).
    fn title(&self, node: NodeId) -> Result<Option<GroupTitle>>;
}

impl GroupTitles for Snapshot {
    fn title(&self, node: NodeId) -> Result<Option<GroupTitle>> {
        let groups = self.groups()?;
        let group = groups.group_of(node).map(|at| &groups.groups()[at]);
        let title = group.map(|group| GroupTitle::new(self, groups, group));
        title.transpose()
    }
}
