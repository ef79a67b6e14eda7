//! The groups that hold most, as rows.

use crate::answer_error::Result;
use crate::answers::field;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::short_path::path_of_everything;
use luasnap_heap::{Census, Group, GroupOrder, Groups, Kind, Snapshot};
use serde::Serialize;

/// A group of a snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct GroupRow {
    /// The name as twelve hexadecimal digits, the same from run to run.
    pub fingerprint: String,
    /// What its members are.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// What it is called: `class Player`, `_G.sessions.[*]`, `main.lua:20`.
    pub name: Name,
    /// How many members it has.
    pub count: u64,
    /// The bytes of the members themselves.
    #[serde(rename = "size")]
    pub shallow: u64,
    /// The bytes that would be freed if all members went.
    pub retained: u64,
    /// Which part of all objects' bytes that is.
    pub share: f64,
    /// The shortest path to the first member.
    pub example: Name,
}

/// The groups that hold most.
#[derive(Clone, Debug, Serialize)]
pub struct Top {
    /// The bytes of all objects.
    pub size: u64,
    /// How many objects there are.
    pub count: u64,
    /// The groups, in the order that was asked for.
    pub groups: Vec<GroupRow>,
    /// How many groups there are in all.
    pub group_count: usize,
}

impl GroupRow {
    fn new(
        snapshot: &Snapshot,
        groups: &Groups,
        group: &Group,
        (retained, all): (u64, u64),
    ) -> Result<GroupRow> {
        Ok(GroupRow {
            fingerprint: fingerprint_text(group.fingerprint),
            kind: group.kind,
            name: group_name(snapshot, groups, group)?,
            count: group.count.into(),
            shallow: group.shallow,
            retained,
            share: field::share(retained, all),
            example: path_of_everything(snapshot, group.example)?,
        })
    }
}

/// The first `n` groups of a snapshot, in some order. The registry and the table of globals are left
/// out: that they hold all the others is no answer.
///
/// # Errors
/// Only for lack of memory.
pub fn top(snapshot: &Snapshot, by: GroupOrder, n: usize) -> Result<Top> {
    let live = Census::new(snapshot)?.live;
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
        let group = &groups.groups()[index];
        GroupRow::new(snapshot, groups, group, (retained.bytes, live.bytes))
    });
    Ok(Top {
        size: live.bytes,
        count: live.count,
        groups: rows.collect::<Result<_>>()?,
        group_count: groups.groups().len(),
    })
}
