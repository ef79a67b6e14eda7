//! Groups as rows.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::object_row::anonymous_example;
use crate::answers::short_path::path_of_everything;
use luasnap_heap::{Groups, Kind, Snapshot};
use luasnap_words::Sentence;
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

impl GroupRow {
    /// Whether it retains a fifth of all bytes or more: what retains less is not worth a sentence.
    pub fn is_large(&self) -> bool {
        const LARGE: f64 = 0.2;
        self.share >= LARGE
    }

    pub(crate) fn new(
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
