//! What is looked at: a snapshot, with what was derived from it once.

use crate::comparison::cannot_compare_files;
use crate::derived::find_paths_and_dominators;
use crate::failure::Result;
use crate::look;
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use crate::view::words::Words;
use luasnap_format::{
    DominatorRows, GrowthAnswer, GrowthError, NameHit, Query, RowTarget, Top, growth, top,
};
use luasnap_heap::{GroupOrder, NodeId, Snapshot};
use luasnap_words::Sentence;
use std::path::PathBuf;

/// The most groups, and the most rows of a difference, that are listed.
pub const MOST_GROUPS: usize = 100;

/// The newest of the snapshots, and what came since the oldest.
pub struct Subject {
    /// Which files these are.
    pub title: String,
    /// The dominator tree.
    pub rows: DominatorRows,
    /// The groups that retain most.
    pub top: Top,
    /// What grew; `None` if there is one snapshot alone.
    pub growth: Option<GrowthAnswer>,
    /// The words of the user's language.
    pub words: Words,
}

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Object(NodeId),
    /// Many of one group below one object.
    Fold(usize),
    /// The group with this index.
    Group(usize),
}

impl From<RowTarget> for Target {
    fn from(target: RowTarget) -> Target {
        match target {
            RowTarget::Object(node) => Target::Object(node),
            RowTarget::Fold(fold) => Target::Fold(fold),
        }
    }
}

impl From<NameHit> for Target {
    fn from(hit: NameHit) -> Target {
        match hit {
            NameHit::Object(node) => Target::Object(node),
            NameHit::Group(group) => Target::Group(group),
        }
    }
}

impl Subject {
    /// Reads the files, which are in the order in which they were taken, and derives what is shown.
    pub fn load(paths: &[PathBuf]) -> Result<Subject> {
        let progress = Progress::new(4 * paths.len() + 1);
        let mut files = Vec::new();
        for path in paths {
            let file = SnapshotFile::open(path, &progress)?;
            let snapshot = &file.snapshot;
            progress.step(Sentence::new("progress.dominators"), || {
                find_paths_and_dominators(snapshot)
            })?;
            progress.step(Sentence::new("progress.grouping"), || {
                snapshot.groups().map(drop)
            })?;
            files.push(file);
        }
        let snapshots: Vec<&Snapshot> = files.iter().map(|file| &file.snapshot).collect();
        let subject = Subject::new(&snapshots, &progress);
        let mut subject = subject.map_err(|error| cannot_compare_files(&files, error))?;
        subject.words = Words {
            language: look::language(),
        };
        subject.title = subject.words.title(&files, subject.rows.live());
        Ok(subject)
    }

    /// Derives what is shown from snapshots, which are in the order in which they were taken.
    pub fn new(snapshots: &[&Snapshot], progress: &Progress) -> Result<Subject, GrowthError> {
        let (first, last) = (snapshots[0], snapshots[snapshots.len() - 1]);
        let grown = match snapshots.len() {
            1 => None,
            _ => Some(progress.step(Sentence::new("progress.comparing"), || {
                growth(snapshots, MOST_GROUPS)
            })?),
        };
        let of_last = last.everything().provenance();
        let may_be_one = of_last.may_be_one_process(first.everything().provenance());
        let is_since = grown.is_some() && may_be_one;
        let rows = progress.step(Sentence::new("progress.sorting"), || match is_since {
            true => DominatorRows::new(last)?.since(first),
            false => DominatorRows::new(last),
        })?;
        let top = progress.step(Sentence::new("progress.measuring_groups"), || {
            top(last, GroupOrder::Retained, MOST_GROUPS)
        })?;
        Ok(Subject {
            title: String::new(),
            rows,
            top,
            growth: grown,
            words: Words::default(),
        })
    }

    /// Returns the snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        self.rows.snapshot()
    }

    /// Returns the objects that a row is about; of many, the one that its name is taken from comes first.
    pub fn nodes(&self, target: Target) -> Result<Vec<NodeId>> {
        Ok(match target {
            Target::Object(node) => vec![node],
            Target::Fold(fold) => self.rows.members(RowTarget::Fold(fold)),
            Target::Group(group) => Query::Group(group).nodes(self.snapshot())?,
        })
    }

    /// Returns the object that stands for a row: of many, the one that retains most.
    pub fn first(&self, target: Target) -> Result<NodeId> {
        Ok(match target {
            Target::Object(node) => node,
            Target::Fold(fold) => self.rows.largest(RowTarget::Fold(fold)),
            Target::Group(group) => {
                let example = self.snapshot().groups()?.groups()[group].example;
                self.snapshot().everything_tree()?.node(example)
            }
        })
    }

    /// Returns the number of objects that a row is about.
    pub fn count(&self, target: Target) -> Result<u64> {
        Ok(match target {
            Target::Object(_) => 1,
            Target::Fold(fold) => self.rows.count(RowTarget::Fold(fold)),
            Target::Group(group) => self.snapshot().groups()?.groups()[group].count.into(),
        })
    }
}
