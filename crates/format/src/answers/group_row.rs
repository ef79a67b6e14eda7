//! A group as a row of an answer, for every face alike.

use crate::answer_error::Result;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::short_path::path_of_everything;
use luasnap_heap::{Group, GroupOrder, Groups, Kind, Snapshot};

/// A group of a snapshot, as people and programs read it.
#[derive(Clone, Debug)]
pub struct GroupRow {
    /// What its members are.
    pub kind: Kind,
    /// What it is called: `class Player`, `_G.sessions.[*]`, `main.lua:20`.
    pub name: String,
    /// How many members it has.
    pub count: u64,
    /// The bytes of the members themselves.
    pub shallow: u64,
    /// The bytes that would be freed if all members went.
    pub retained: u64,
    /// The shortest path to the first member.
    pub example: String,
    /// The name as twelve hexadecimal digits, the same from run to run.
    pub fingerprint: String,
}

impl GroupRow {
    pub(crate) fn new(
        snapshot: &Snapshot,
        groups: &Groups,
        group: &Group,
        retained: u64,
    ) -> Result<GroupRow> {
        Ok(GroupRow {
            kind: group.kind,
            name: group_name(snapshot, groups, group)?,
            count: group.count.into(),
            shallow: group.shallow,
            retained,
            example: path_of_everything(snapshot, group.example)?,
            fingerprint: fingerprint_text(group.fingerprint),
        })
    }
}

/// The first `n` groups of a snapshot, in some order, as rows. The registry and the table of globals
/// are left out: that they hold all the others is no answer.
///
/// # Errors
/// Only for lack of memory.
pub fn top(snapshot: &Snapshot, by: GroupOrder, n: usize) -> Result<Vec<GroupRow>> {
    let groups = snapshot.groups()?;
    let top = groups.top(
        snapshot.everything(),
        snapshot.dominators()?,
        by,
        n.saturating_add(2),
    )?;
    let heap = snapshot.everything();
    let tree = snapshot.everything_tree()?;
    let first = tree.ranks().next().map(|rank| tree.node(rank));
    let holds_all = |index: usize| match groups.members(index) {
        [node] => first == Some(*node) || heap.globals() == Some(*node),
        _ => false,
    };
    let told = top
        .into_iter()
        .filter(|(index, _)| !holds_all(*index))
        .take(n);
    let rows = told.map(|(index, retained)| {
        GroupRow::new(snapshot, groups, &groups.groups()[index], retained.bytes)
    });
    rows.collect()
}
