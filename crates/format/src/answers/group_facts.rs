//! The groups of a snapshot for tables that many snapshots share.

use crate::answer_error::Result;
use crate::answers::group_name::fingerprint_text;
use crate::answers::group_row::GroupRow;
use luasnap_heap::{Census, GroupOrder, Snapshot};

/// A group, and what it is joined by across the releases of a program.
#[derive(Clone, Debug)]
pub struct GroupFacts {
    /// The group.
    pub row: GroupRow,
    /// Its fingerprint [without lines](luasnap_heap::Groups::stable_fingerprint): 12 hexadecimal digits. Several groups
    /// may have the same one.
    pub stable_fingerprint: String,
}

/// Returns the groups of a snapshot, by fingerprint: the `n` whose members retain most one by one, the `n` that are largest, and the `n` that have most
/// members; so all of them, if there are no more than `n`. Unlike [`top`](crate::top), with the registry and the table of globals.
///
/// # Errors
///
/// As for [`top`](crate::top).
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A function of `chat.lua`, which begins in line 7.
/// let with_line = |line: u32| -> Result<Snapshot, Box<dyn std::error::Error>> {
///     let mut builder = HeapBuilder::new();
///     let (function, _) = builder.node(Kind::LuaFunction, 0x20)?;
///     let source = builder.name(b"chat.lua")?;
///     builder.set_source(function, source);
///     builder.set_count(function, line);
///     let root = Label::Root(builder.name(b"say")?);
///     builder.edge(NodeId::ROOT, function, root, Strength::Strong)?;
///     Ok(Snapshot::new(builder.finish()?))
/// };
/// let before = luasnap_format::largest_groups(&with_line(7)?, 10)?.remove(0);
/// let after = luasnap_format::largest_groups(&with_line(9)?, 10)?.remove(0);
///
/// assert_eq!(before.row.name, "chat.lua:7");
/// assert_ne!(before.row.fingerprint, after.row.fingerprint);
/// assert_eq!(before.stable_fingerprint, after.stable_fingerprint);
/// # Ok(())
/// # }
/// ```
pub fn largest_groups(snapshot: &Snapshot, n: usize) -> Result<Vec<GroupFacts>> {
    let groups = snapshot.groups()?;
    let heap = snapshot.everything();
    let all = Census::new(snapshot)?.live.bytes;
    let mut chosen: Vec<usize> = Vec::new();
    for order in [GroupOrder::Retained, GroupOrder::Shallow, GroupOrder::Count] {
        // Not twice as many, as where the first few are to be in order.
        let first = groups.candidates(order, n)?;
        let first = &first[..first.len().min(n)];
        chosen.try_reserve(first.len())?;
        chosen.extend_from_slice(first);
    }
    chosen.sort_unstable();
    chosen.dedup();
    let retained = groups.retained_by_each(heap, snapshot.dominators()?, &chosen)?;
    let mut facts = Vec::new();
    facts.try_reserve_exact(chosen.len())?;
    for (&index, retained) in chosen.iter().zip(retained) {
        facts.push(GroupFacts {
            row: GroupRow::new(snapshot, groups, index, (retained.bytes, all))?,
            stable_fingerprint: fingerprint_text(groups.stable_fingerprint(heap, index)),
        });
    }
    facts.sort_by(|a, b| a.row.fingerprint.cmp(&b.row.fingerprint));
    Ok(facts)
}
