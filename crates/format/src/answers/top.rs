//! The groups that retain most.

use crate::answer_error::Result;
use crate::answers::field;
use crate::answers::group_row::GroupRow;
use crate::answers::ledger::Ledger;
use crate::labels::numbers::byte_size;
use luasnap_heap::{Census, FINGERPRINT_RULE, GroupOrder, Kind, Snapshot, Tally};
use luasnap_words::{Sentence, count, noun};
use serde::Serialize;
use std::ops::Range;

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
    let table = TopTable::new(snapshot, (&[by], n))?;
    Ok(table.answer(by, n).expect("it was made for this question"))
}

/// The groups that [`top`](crate::top) may list, measured and in words. It answers any question for so many rows as
/// it was made for, or fewer, without the heap.
#[derive(Clone, Debug)]
pub struct TopTable {
    /// All objects.
    pub(crate) live: Tally,
    /// The number of groups in all.
    pub(crate) group_count: usize,
    /// The most rows of an answer.
    pub(crate) most: usize,
    pub(crate) rows: Vec<TopRow>,
    /// The orders that it can answer in, and the rows that are measured for each, as positions.
    pub(crate) orders: Vec<(GroupOrder, Vec<u32>)>,
    pub(crate) ledger: Ledger,
}

/// A group, and what decides whether it is listed.
#[derive(Clone, Debug)]
pub(crate) struct TopRow {
    pub(crate) row: GroupRow,
    /// Whether it is the registry or the table of globals, which retain all others.
    pub(crate) holds_all: bool,
    /// Of a group with one member: the places in the dominator tree of all that this one dominates, its own first.
    pub(crate) places: Option<Range<u32>>,
}

impl TopTable {
    /// The orders and the number of rows for which tables are stored.
    pub const STORED: (&'static [GroupOrder], usize) = (&GroupOrder::ALL, 20);

    /// Measures the groups of a snapshot for answers in these orders, of at most so many rows.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
    /// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit
    /// 32-bit numbers.
    pub fn new(snapshot: &Snapshot, (orders, most): (&[GroupOrder], usize)) -> Result<TopTable> {
        let groups = snapshot.groups()?;
        let dominators = snapshot.dominators()?;
        // Later, since the paths tell what is reachable.
        let census = Census::new(snapshot)?;
        let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
        let mut by_order = Vec::new();
        let mut measured = Vec::new();
        for &order in orders {
            let candidates = groups.candidates(order, measured_groups(most))?;
            measured.try_reserve(candidates.len())?;
            measured.extend_from_slice(&candidates);
            by_order.try_reserve(1)?;
            by_order.push((order, candidates));
        }
        measured.sort_unstable();
        measured.dedup();
        let retained = groups.retained_by_each(heap, dominators, &measured)?;
        let first = tree.ranks().next().map(|rank| tree.node(rank));
        let mut rows = Vec::new();
        rows.try_reserve_exact(measured.len())?;
        for (&index, retained) in measured.iter().zip(retained) {
            let only = match groups.members(index) {
                [node] => Some(*node),
                _ => None,
            };
            let is_above_all = |node| first == Some(node) || heap.globals() == Some(node);
            rows.push(TopRow {
                row: GroupRow::new(snapshot, groups, index, (retained.bytes, census.live.bytes))?,
                holds_all: only.is_some_and(is_above_all),
                places: only.map(|node| dominators.subtree(node)),
            });
        }
        let position = |index: &usize| measured.partition_point(|known| known < index) as u32;
        let mut orders = Vec::new();
        orders.try_reserve_exact(by_order.len())?;
        for (order, candidates) in by_order {
            let mut positions = Vec::new();
            positions.try_reserve_exact(candidates.len())?;
            positions.extend(candidates.iter().map(position));
            orders.push((order, positions));
        }
        Ok(TopTable {
            live: census.live,
            group_count: groups.groups().len(),
            most,
            rows,
            orders,
            ledger: Ledger::new(snapshot, &census)?,
        })
    }

    /// Returns the first `n` groups in this order. The registry and the table of globals are left out, since they
    /// retain all the others. `None` if the table was not made for such a question.
    pub fn answer(&self, by: GroupOrder, n: usize) -> Option<Top> {
        let (_, candidates) = self.orders.iter().find(|(order, _)| *order == by)?;
        let has_all = candidates.len() < by.measured(measured_groups(self.most));
        if n > self.most && !has_all {
            return None;
        }
        let measured = by.measured(measured_groups(n)).min(candidates.len());
        let candidates = candidates[..measured].iter();
        let mut chosen: Vec<&TopRow> = candidates.map(|at| &self.rows[*at as usize]).collect();
        if by.is_by_retained() {
            chosen.sort_by_cached_key(|row| !row.row.retained);
        }
        chosen.retain(|row| !row.holds_all);
        // Whoever asks for all gets all.
        if by == GroupOrder::Retained && n < self.group_count {
            fold_ancestors(&mut chosen);
        }
        let rows = || chosen.iter().map(|row| &row.row);
        let verdict = match by {
            GroupOrder::Retained => Some(verdict(rows())),
            _ => None,
        };
        Some(Top {
            verdict,
            fingerprint_rule: FINGERPRINT_RULE,
            size: self.live.bytes,
            count: self.live.count,
            groups: rows().take(n).cloned().collect(),
            group_count: self.group_count,
            ledger: self.ledger.clone(),
        })
    }
}

/// Returns how many groups are looked at for an answer of `n`: the registry and the table of globals may be among them.
fn measured_groups(n: usize) -> usize {
    n.saturating_add(2)
}

/// Leaves out single objects that retain hardly more than another single one below them, whose path names them.
/// The largest group comes first.
fn fold_ancestors(chosen: &mut Vec<&TopRow>) {
    let mut at = 0;
    while at < chosen.len() {
        let above = chosen[at];
        let retains_as_much = |below: &&&TopRow| {
            u128::from(below.row.retained) * 100 >= u128::from(above.row.retained) * 99
        };
        let is_above = |below: &&TopRow| match (&above.places, &below.places) {
            (Some(above), Some(below)) => above.contains(&below.start),
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

impl TopRow {
    /// Sets the part of all objects' bytes that the group retains.
    pub(crate) fn with_share(mut self, all: u64) -> TopRow {
        self.row.share = field::share(self.row.retained, all);
        self
    }
}

/// Says in a sentence or two where the memory is: in one object, or in very many of one kind.
fn verdict<'a>(rows: impl Iterator<Item = &'a GroupRow> + Clone) -> Sentence {
    // What only the VM sees, such as the upvalue that has a sandbox, is no answer.
    let is_inner = |row: &GroupRow| matches!(row.kind, Kind::Upvalue | Kind::Prototype);
    let is_large = |row: &&GroupRow| row.is_large() && !is_inner(row);
    let one = rows.clone().filter(is_large).find(|row| row.count == 1);
    let many = rows.filter(is_large).find(|row| row.count > 1);
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
