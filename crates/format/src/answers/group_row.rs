//! The groups that retain most, as rows.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::short_path::path_of_everything;
use luasnap_heap::{Census, Group, GroupOrder, Groups, Kind, Snapshot};
use serde::Serialize;

/// A group of a snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct GroupRow {
    /// The fingerprint of the name: 12 hexadecimal digits, the same from run to run.
    pub fingerprint: String,
    /// The kind of its members.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// Its name: `class Player`, `_G.sessions.[*]`, `main.lua:20`.
    pub name: Name,
    /// The number of members.
    pub count: u64,
    /// The shallow size of the members together, in bytes.
    #[serde(rename = "size")]
    pub shallow: u64,
    /// The retained size of the members together, in bytes.
    pub retained: u64,
    /// The retained size as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// The shortest path to the first member.
    pub example: Name,
    /// Of coroutines: what the first member is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
}

/// The groups that retain most.
#[derive(Clone, Debug, Serialize)]
pub struct Top {
    /// The bytes of all objects.
    pub size: u64,
    /// The number of objects.
    pub count: u64,
    /// The groups, in the order of the question.
    pub groups: Vec<GroupRow>,
    /// The number of groups in all.
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
            coroutine: CoroutineRow::of(
                snapshot.everything(),
                snapshot.everything_tree()?.node(group.example),
            )?,
        })
    }
}

/// Returns the first `n` groups of a snapshot in this order. The registry and the table of globals are left
/// out, since they retain all the others.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out; [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the
/// snapshot does not fit 32-bit numbers.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{GroupOrder, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G.cache` has two tables of 100 bytes.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (cache, _) = builder.node(Kind::Table, 0x20)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// let field = Label::Field(builder.name(b"cache")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, cache, field, Strength::Strong)?;
/// for (index, address) in [(1, 0x30), (2, 0x40)] {
///     let (entry, _) = builder.node(Kind::Table, address)?;
///     builder.set_size(entry, 100);
///     builder.edge(cache, entry, Label::Index(index), Strength::Strong)?;
/// }
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let top = luasnap_format::top(&snapshot, GroupOrder::Count, 1)?;
/// assert_eq!(top.groups[0].name, "_G.cache.[*]");
/// assert_eq!((top.groups[0].count, top.groups[0].retained), (2, 200));
/// assert_eq!(top.groups[0].example, "_G.cache.[1]");
/// # Ok(())
/// # }
/// ```
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
    let listed = top
        .into_iter()
        .filter(|(index, _)| !holds_all(*index))
        .take(n);
    let rows = listed.map(|(index, retained)| {
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
