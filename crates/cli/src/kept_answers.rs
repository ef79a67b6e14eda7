//! Answers that are kept in the snapshot file that they are about.

use luasnap_format::{
    FileAnswers, FileIdentity, GrowthAnswer, GrowthQuestion, Info, KeptTitles, NewAnswers, Top,
    add_answers,
};
use luasnap_heap::{GroupOrder, Snapshot};
use std::path::{Path, PathBuf};

/// The answers in a snapshot file; nothing where none are to be kept.
pub struct KeptAnswers {
    /// The file, and what it was when the question was asked.
    file: Option<(PathBuf, FileIdentity)>,
}

impl KeptAnswers {
    /// The answers in this file. Without `are_kept`, and in what is no regular file, there are none.
    pub fn of(path: &Path, are_kept: bool) -> KeptAnswers {
        let identity = FileIdentity::of(path).filter(|_| are_kept);
        KeptAnswers {
            file: identity.map(|identity| (path.to_owned(), identity)),
        }
    }

    fn read(&self) -> Option<FileAnswers> {
        let (path, _) = self.file.as_ref()?;
        FileAnswers::of(path)
    }

    /// Returns the first `n` groups in an order, if they were found before.
    pub fn top(&self, by: GroupOrder, n: usize) -> Option<Top> {
        self.read()?.top()?.answer(by, n)
    }

    /// Returns the summary with at most `n` rows in each list, if it was made before.
    pub fn info(&self, n: usize) -> Option<Info> {
        self.read()?.info()?.first(n)
    }

    /// Lets a snapshot, which was read from the file, know its trees, and returns the titles of its groups, if they are kept.
    pub fn found(&self, snapshot: &Snapshot) -> Option<KeptTitles> {
        let answers = self.read()?;
        let titles = answers.titles(snapshot)?;
        answers.put_trees(snapshot).then_some(titles)
    }

    /// Keeps what was found of a snapshot, which was read from the file.
    pub fn keep_found(&self, snapshot: &Snapshot) {
        self.keep(&NewAnswers {
            found: Some(snapshot),
            ..NewAnswers::default()
        });
    }

    /// Returns how many rows it is worth it to find where `n` are asked for: all that are kept, if any are to be.
    pub fn rows_to_find(&self, n: usize, kept: usize) -> usize {
        match self.can_keep() && n <= kept {
            true => kept,
            false => n,
        }
    }

    /// Whether anything can be kept.
    pub fn can_keep(&self) -> bool {
        self.file.is_some()
    }

    /// Keeps what was found. The answer was given already: where it cannot be kept (the folder is not this user's, or
    /// the disk is full), the next question takes as long again.
    pub fn keep(&self, answers: &NewAnswers<'_>) {
        if let Some((path, identity)) = &self.file
            && !answers.are_none()
        {
            let _ = add_answers(path, *identity, answers);
        }
    }
}

/// An answer about growth in several files, which the last of them keeps; nothing where it is not to be kept.
pub struct KeptGrowth {
    /// The files, and what they were when the question was asked.
    files: Vec<(PathBuf, FileIdentity)>,
    question: Option<GrowthQuestion>,
    /// The answer, if it was found before.
    pub answer: Option<GrowthAnswer>,
}

impl KeptGrowth {
    /// What is kept of the growth in these files, with at most `most` rows of each sort. Without `are_kept`, and where
    /// one is no regular file or damaged, nothing is.
    pub fn of(paths: &[PathBuf], most: usize, are_kept: bool) -> KeptGrowth {
        KeptGrowth::known(paths, most, are_kept).unwrap_or(KeptGrowth {
            files: Vec::new(),
            question: None,
            answer: None,
        })
    }

    fn known(paths: &[PathBuf], most: usize, are_kept: bool) -> Option<KeptGrowth> {
        let (last, earlier) = paths.split_last().filter(|_| are_kept)?;
        let identity = |path: &PathBuf| Some((path.clone(), FileIdentity::of(path)?));
        let files = paths.iter().map(identity).collect::<Option<_>>()?;
        let heap = |path: &PathBuf| Some(FileAnswers::of(path)?.heap());
        let question = GrowthQuestion {
            earlier: earlier.iter().map(heap).collect::<Option<_>>()?,
            most,
        };
        Some(KeptGrowth {
            answer: FileAnswers::of(last)?.growth(&question),
            files,
            question: Some(question),
        })
    }

    /// Keeps an answer that was given, in the last file, if all files are what they were.
    pub fn keep(&self, answer: &GrowthAnswer) {
        let is_same =
            |(path, identity): &(PathBuf, FileIdentity)| FileIdentity::of(path) == Some(*identity);
        if let (Some(question), Some((last, identity))) = (&self.question, self.files.last())
            && question.may_keep(answer)
            && self.files.iter().all(is_same)
        {
            let growth = Some((question, answer));
            let new = NewAnswers {
                growth,
                ..NewAnswers::default()
            };
            let _ = add_answers(last, *identity, &new);
        }
    }
}
