//! Weak tables of which entries stay for ever, as rows.

use crate::answer_error::Result;
use crate::answers::group_title::GroupTitles;
use crate::answers::name::Name;
use crate::answers::object_row::anonymous_titled;
use crate::answers::short_path::short_path;
use luasnap_heap::{
    LastingEntries, NodeId, Rank, ShortestPathTree, Snapshot, WhyEntriesStay, lasting_entries,
    sort_by_number,
};
use luasnap_words::{Sentence, count};
use serde::{Serialize, Serializer};

/// A table with weak keys of which entries stay for ever.
#[derive(Clone, Debug, Serialize)]
pub struct WeaknessRow {
    /// The shortest path to the table.
    pub path: Name,
    /// What it is, if the last step of the path does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<Sentence>,
    /// The number of entries that stay.
    pub entries: u32,
    /// `no_object_keys`: no key is an object, and strings and numbers never go. `values_hold_keys`: values lead
    /// to their keys, which Lua 5.1 and LuaJIT then never free.
    #[serde(serialize_with = "why")]
    pub why: WhyEntriesStay,
    /// The same in words.
    pub words: Sentence,
}

impl WeaknessRow {
    fn new(
        snapshot: &Snapshot,
        tree: &ShortestPathTree,
        titles: &dyn GroupTitles,
        (found, rank): (LastingEntries, Rank),
    ) -> Result<WeaknessRow> {
        let path = short_path(snapshot.everything(), tree, rank)?;
        let what = anonymous_titled(snapshot, tree, titles, rank)?;
        Ok(WeaknessRow::of(path, what, found.entries, found.why))
    }

    /// Returns the row of a table with this path.
    pub(crate) fn of(
        path: Name,
        what: Option<Sentence>,
        entries: u32,
        why: WhyEntriesStay,
    ) -> WeaknessRow {
        let words = Sentence::new(match why {
            WhyEntriesStay::NoKeyIsAnObject => "weak.no_object_keys",
            WhyEntriesStay::ValuesHoldKeys => "weak.values_hold_keys",
        });
        WeaknessRow {
            path,
            what,
            entries,
            why,
            words: words.with("entries", count(entries.into(), "entry")),
        }
    }
}

/// Serializes a reason: its name.
fn why<S: Serializer>(why: &WhyEntriesStay, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(match why {
        WhyEntriesStay::NoKeyIsAnObject => "no_object_keys",
        WhyEntriesStay::ValuesHoldKeys => "values_hold_keys",
    })
}

/// Returns the weak tables of a snapshot of which entries stay for ever, those with most entries first; at
/// most `most`.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn weakness(snapshot: &Snapshot, most: usize) -> Result<Vec<WeaknessRow>> {
    let mut found = lasting_entries(snapshot)?;
    sort_by_number(&mut found, |of| u64::from(of.node.0))?;
    sort_by_number(&mut found, |of| !(of.entries as u64))?;
    rows(snapshot, snapshot, &found, most)
}

/// Returns the rows of those of these tables of which entries stay for ever.
pub(crate) fn weakness_of(
    snapshot: &Snapshot,
    titles: &dyn GroupTitles,
    tables: &[NodeId],
) -> Result<Vec<WeaknessRow>> {
    let mut found = lasting_entries(snapshot)?;
    found.retain(|of| tables.contains(&of.node));
    rows(snapshot, titles, &found, usize::MAX)
}

/// Returns the rows of the first of these tables that are in use, at most `most`.
fn rows(
    snapshot: &Snapshot,
    titles: &dyn GroupTitles,
    found: &[LastingEntries],
    most: usize,
) -> Result<Vec<WeaknessRow>> {
    // Mostly there is none, and paths take long.
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let nodes: Vec<NodeId> = found.iter().map(|of| of.node).collect();
    let tree = snapshot.paths_to(&nodes)?;
    let ranks = tree.ranks_of(&nodes)?;
    let rows = found.iter().zip(ranks);
    rows.filter_map(|(of, rank)| Some((*of, rank?)))
        .take(most)
        .map(|found| WeaknessRow::new(snapshot, &tree, titles, found))
        .collect()
}
