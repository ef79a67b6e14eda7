//! The groups that retain most, as rows.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::ledger::Ledger;
use crate::answers::name::Name;
use crate::answers::object_row::anonymous_example;
use crate::answers::short_path::path_of_everything;
use crate::labels::numbers::byte_size;
use luasnap_heap::{
    Census, Dominators, FINGERPRINT_RULE, GroupOrder, Groups, Kind, Snapshot, Tally,
};
use luasnap_words::{Sentence, count, noun};
use serde::Serialize;

/// A group of a snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct GroupRow {
    /// Its index among the [groups](Snapshot::groups) of the snapshot.
    #[serde(skip)]
    pub index: usize,
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
    /// The path to the member that retains most.
    pub example: Name,
    /// What that one is, if neither the last step of its path nor the name of the group says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_is: Option<Sentence>,
    /// Of coroutines: what the first member is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
}

/// The groups that retain most.
#[derive(Clone, Debug, Serialize)]
pub struct Top {
    /// Where the memory is, in a sentence or two; only by retained size.
    pub verdict: Option<Sentence>,
    /// The rule of all fingerprints.
    pub fingerprint_rule: u32,
    /// The bytes of all objects.
    pub size: u64,
    /// The number of objects.
    pub count: u64,
    /// The groups, in the order of the question.
    pub groups: Vec<GroupRow>,
    /// The number of groups in all.
    pub group_count: usize,
    /// Where the process's memory is.
    pub ledger: Ledger,
}

impl GroupRow {
    /// Whether it retains a fifth of all bytes or more: what retains less is not worth a sentence.
    pub fn is_large(&self) -> bool {
        const LARGE: f64 = 0.2;
        self.share >= LARGE
    }

    fn new(
        snapshot: &Snapshot,
        groups: &Groups,
        index: usize,
        (retained, all): (u64, u64),
    ) -> Result<GroupRow> {
        let group = &groups.groups()[index];
        Ok(GroupRow {
            index,
            fingerprint: fingerprint_text(group.fingerprint),
            kind: group.kind,
            name: group_name(
                snapshot.everything(),
                snapshot.everything_tree()?,
                groups,
                group,
            )?,
            count: group.count.into(),
            shallow: group.shallow,
            retained,
            share: field::share(retained, all),
            example: path_of_everything(snapshot, group.example)?,
            example_is: anonymous_example(
                snapshot.everything(),
                snapshot.everything_tree()?,
                groups,
                (group.name, group.example),
            )?,
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
    let groups = snapshot.groups()?;
    let dominators = snapshot.dominators()?;
    // Later, since the paths tell what is reachable.
    let census = Census::new(snapshot)?;
    let live = census.live;
    let heap = snapshot.everything();
    // The registry and the table of globals may be among them.
    let mut chosen = groups.top_candidates(heap, dominators, by, n.saturating_add(2))?;
    let tree = snapshot.everything_tree()?;
    let first = tree.ranks().next().map(|rank| tree.node(rank));
    let holds_all = |index: usize| match groups.members(index) {
        [node] => first == Some(*node) || heap.globals() == Some(*node),
        _ => false,
    };
    chosen.retain(|(index, _)| !holds_all(*index));
    // Whoever asks for all gets all.
    if by == GroupOrder::Retained && n < groups.groups().len() {
        fold_ancestors(dominators, groups, &mut chosen);
    }
    let row = |(index, retained): &(usize, Tally)| {
        GroupRow::new(snapshot, groups, *index, (retained.bytes, live.bytes))
    };
    let mut rows: Vec<GroupRow> = chosen.iter().map(row).collect::<Result<_>>()?;
    let verdict = match by {
        GroupOrder::Retained => Some(verdict(&rows)),
        _ => None,
    };
    rows.truncate(n);
    Ok(Top {
        verdict,
        fingerprint_rule: FINGERPRINT_RULE,
        size: live.bytes,
        count: live.count,
        groups: rows,
        group_count: groups.groups().len(),
        ledger: Ledger::new(snapshot, &census)?,
    })
}

/// Leaves out single objects that retain hardly more than another single one below them, whose path names them.
/// The largest group comes first.
fn fold_ancestors(dominators: &Dominators, groups: &Groups, chosen: &mut Vec<(usize, Tally)>) {
    let single = |index: usize| match groups.members(index) {
        [node] => Some(*node),
        _ => None,
    };
    let mut at = 0;
    while at < chosen.len() {
        let (index, retained) = chosen[at];
        let retains_as_much = |(_, below): &&(usize, Tally)| {
            u128::from(below.bytes) * 100 >= u128::from(retained.bytes) * 99
        };
        let is_above = |(below, _): &(usize, Tally)| match (single(index), single(*below)) {
            (Some(above), Some(below)) => dominators.dominates(above, below),
            _ => false,
        };
        let mut next = chosen[at + 1..].iter().take_while(retains_as_much);
        match next.any(is_above) {
            true => {
                chosen.remove(at);
            }
            false => at += 1,
        }
    }
}

/// Says in a sentence or two where the memory is: in one object, or in very many of one kind.
fn verdict(rows: &[GroupRow]) -> Sentence {
    // What only the VM sees, such as the upvalue that has a sandbox, is no answer.
    let is_inner = |row: &GroupRow| matches!(row.kind, Kind::Upvalue | Kind::Prototype);
    let is_large = |row: &&GroupRow| row.is_large() && !is_inner(row);
    let one = rows.iter().filter(is_large).find(|row| row.count == 1);
    let many = rows.iter().filter(is_large).find(|row| row.count > 1);
    let whole = |code: &'static str, row: &GroupRow| {
        Sentence::new(code)
            .with("name", row.name.to_string())
            .with("bytes", byte_size(row.retained))
            .with("share", percent(row.share))
    };
    let members = |row: &GroupRow| count(row.count, row.kind.type_name());
    match (one, many) {
        (Some(one), Some(many)) if many.retained <= one.retained => whole("top.one_and_many", one)
            .with("kind", noun(one.kind.type_name()))
            .with("members", members(many))
            .with("group", many.name.to_string())
            .with("group_bytes", byte_size(many.retained))
            .with("group_share", percent(many.share)),
        (Some(one), None) => whole("top.one", one).with("kind", noun(one.kind.type_name())),
        (_, Some(many)) => whole("top.many", many).with("members", members(many)),
        (None, None) => Sentence::new("top.none"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}
