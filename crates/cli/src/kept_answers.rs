//! Answers that are kept in the snapshot file that they are about.

use luasnap_format::{FileIdentity, Top, TopTable, add_answers, stored_answers};
use luasnap_heap::GroupOrder;
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

    /// Returns the first `n` groups in an order, if they were found before.
    pub fn top(&self, by: GroupOrder, n: usize) -> Option<Top> {
        let (path, _) = self.file.as_ref()?;
        TopTable::from_bytes(&stored_answers(path)?)?.answer(by, n)
    }

    /// Whether it is worth it to find what can be kept: so many rows are kept.
    pub fn has_room_for(&self, n: usize) -> bool {
        self.file.is_some() && n <= TopTable::STORED.1
    }

    /// Keeps what was found. The answer was given already: where it cannot be kept (the folder is not this user's, or
    /// the disk is full), the next question takes as long again.
    pub fn keep(&self, table: &TopTable) {
        if let Some((path, identity)) = &self.file
            && let Ok(bytes) = table.bytes()
        {
            let _ = add_answers(path, *identity, &bytes);
        }
    }
}
