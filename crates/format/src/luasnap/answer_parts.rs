//! The answers in a file by question, each a part of its own, with the numbers of the rules that made it.
//!
//! A part that another rule made does not count, and is made anew; the others stay, those of questions that a newer
//! luasnap knows among them.

use crate::answer_error::Result;
use crate::answers::growth::GrowthAnswer;
use crate::answers::info::Info;
use crate::answers::stored_growth::{GrowthQuestion, StoredGrowth};
use crate::answers::stored_value::{Reader, Writer};
use crate::answers::top::TopTable;
use crate::luasnap::title_part::{self, KeptTitles};
use crate::luasnap::tree_part;
use luasnap_heap::{Snapshot, StoredTrees};
use std::borrow::Cow;

/// The number of this arrangement of parts.
const PARTS: u64 = 2;
/// The most bytes of trees that are kept: those of a heap without any order have as many as its references.
const MOST_TREE_BYTES: usize = 48 << 20;
/// The most parts that are read.
const MOST_PARTS: usize = 64;

/// The numbers of questions. A new question gets a new one.
mod question {
    pub const TOP: u64 = 1;
    pub const INFO: u64 = 2;
    pub const GROWTH: u64 = 3;
    pub const TREES: u64 = 4;
    pub const TITLES: u64 = 5;
}

/// The answers that a snapshot file keeps about its heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileAnswers {
    heap: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

/// Answers that were found and are to be kept. Those that are `None` stay as they are.
#[derive(Clone, Copy, Default)]
pub struct NewAnswers<'a> {
    /// Of `top`.
    pub top: Option<&'a TopTable>,
    /// Of `info`.
    pub info: Option<&'a Info>,
    /// Of `diff`, where the file was the last one.
    pub growth: Option<(&'a GrowthQuestion, &'a GrowthAnswer)>,
    /// The snapshot, of which its trees and the titles of its groups are kept, as far as they were found.
    pub found: Option<&'a Snapshot>,
}

impl NewAnswers<'_> {
    /// Whether nothing was found that is to be kept.
    pub fn are_none(&self) -> bool {
        self.top.is_none() && self.info.is_none() && self.growth.is_none() && self.found.is_none()
    }
}

impl FileAnswers {
    /// The answers about the heap with this hash that these [bytes](Self::bytes_with) have. There are none in any others.
    pub fn new(heap: u64, bytes: &[u8]) -> FileAnswers {
        FileAnswers {
            heap,
            parts: parts(bytes).unwrap_or_default(),
        }
    }

    /// Returns the hash of the heap in the file.
    pub fn heap(&self) -> u64 {
        self.heap
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn part(&self, question: u64) -> Option<&[u8]> {
        let part = self.parts.iter().find(|(known, _)| *known == question);
        part.map(|(_, bytes)| &bytes[..])
    }

    /// Returns the groups that `top` may list.
    pub fn top(&self) -> Option<TopTable> {
        TopTable::from_bytes(self.part(question::TOP)?)
    }

    /// Returns the summary.
    pub fn info(&self) -> Option<Info> {
        Info::from_bytes(self.part(question::INFO)?)
    }

    /// Returns what grew from other snapshots to the one in the file.
    pub fn growth(&self, asked: &GrowthQuestion) -> Option<GrowthAnswer> {
        StoredGrowth::read(self.part(question::GROWTH)?)?.answer(asked)
    }

    /// Lets a snapshot, which was read from this file, know its trees. Returns whether they were kept.
    pub fn put_trees(&self, snapshot: &Snapshot) -> bool {
        let part = self.part(question::TREES);
        let trees = part.and_then(|part| tree_part::read(part, snapshot.everything()));
        trees.is_some_and(|trees| trees.put_into(snapshot).is_ok())
    }

    /// Returns the titles of the groups of the snapshot in the file.
    pub fn titles(&self, snapshot: &Snapshot) -> Option<KeptTitles> {
        title_part::read(self.part(question::TITLES)?, snapshot.everything())
    }

    /// Whether these answers, as [bytes](Self::bytes_with), are the ones that are kept.
    pub(super) fn are(&self, bytes: &[u8]) -> bool {
        parts(bytes).is_some_and(|parts| parts == self.parts)
    }

    /// Returns the answers as bytes, with new ones in place of older ones.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn bytes_with(&self, new: &NewAnswers<'_>) -> Result<Vec<u8>> {
        let mut parts: Vec<(u64, Cow<'_, [u8]>)> = Vec::new();
        if let Some(top) = new.top {
            parts.push((question::TOP, top.bytes()?.into()));
        }
        if let Some(info) = new.info {
            parts.push((question::INFO, info.bytes()?.into()));
        }
        if let Some((asked, answer)) = new.growth {
            let known = self.part(question::GROWTH).and_then(StoredGrowth::read);
            let all = known.unwrap_or_default().with(asked, answer)?;
            parts.push((question::GROWTH, all.into()));
        }
        if let Some(snapshot) = new.found {
            if let Some(trees) = StoredTrees::of(snapshot)? {
                let trees = tree_part::bytes(&trees)?;
                if trees.len() <= MOST_TREE_BYTES {
                    parts.push((question::TREES, trees.into()));
                }
            }
            if let Some(titles) = title_part::bytes(snapshot)? {
                parts.push((question::TITLES, titles.into()));
            }
        }
        for (question, bytes) in &self.parts {
            if parts.iter().all(|(new, _)| new != question) {
                parts.push((*question, bytes.into()));
            }
        }
        parts.sort_by_key(|(question, _)| *question);
        let mut to = Writer::default();
        to.number(PARTS)?;
        to.list(&parts, |to, (question, bytes)| {
            to.number(*question)?;
            to.bytes(bytes)
        })?;
        Ok(to.finish())
    }
}

fn parts(bytes: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
    let mut from = Reader::new(bytes);
    (from.number()? == PARTS).then_some(())?;
    let parts = from.list(MOST_PARTS, |from| {
        Some((from.number()?, from.long_bytes()?.to_vec()))
    })?;
    from.is_at_end().then_some(parts)
}
