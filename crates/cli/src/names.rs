//! What leaves a host: names as they are, none, or keyed hashes, which join under one key and tell nothing without it.

use crate::about::about_file;
use crate::failure::Result;
use clap::Args;
use hmac::{Hmac, Mac};
use luasnap_format::hash_names;
use luasnap_heap::{Heap, Snapshot};
use luasnap_words::{Sentence, Spoken};
use sha2::Sha256;
use std::fs;
use std::path::{Path, PathBuf};

/// The fewest bytes of a key: one that can be guessed is none.
const SHORTEST: usize = 16;
/// The bytes of a hash that are kept: two of a million names are the same once in 37 million times.
const KEPT: usize = 8;

/// What becomes of names.
#[derive(Args, Clone)]
pub struct NameOptions {
    /// Leave names out of tables and metrics. Fingerprints stay, by which groups are joined; whoever has a list of names
    /// can guess them
    #[arg(long)]
    no_names: bool,

    /// Replace names of keys, variables, functions and files by hashes with the key in this file, and so fingerprints:
    /// they can be joined where the key is the same, and guessed by nobody without it
    #[arg(long, value_name = "KEYFILE")]
    hash_names: Option<PathBuf>,
}

/// A key.
#[derive(Clone)]
pub struct NameKey(Hmac<Sha256>);

impl NameOptions {
    /// Whether names are left out.
    pub fn are_left_out(&self) -> bool {
        self.no_names
    }

    /// Reads the key, if there is one.
    ///
    /// # Errors
    ///
    /// A sentence if the file cannot be read, or if the key is short.
    pub fn key(&self) -> Result<Option<NameKey>> {
        self.hash_names.as_deref().map(NameKey::read).transpose()
    }
}

impl NameKey {
    /// Reads a key. White space at its end, such as the newline that editors add, is no part of it.
    fn read(path: &Path) -> Result<NameKey> {
        let bytes = fs::read(path).map_err(|error| {
            about_file("name_key.unread", path).with("reason", error.sentence())
        })?;
        let key = bytes.trim_ascii_end();
        if key.len() < SHORTEST {
            let short = about_file("name_key.short", path);
            return Err(short.with("bytes", SHORTEST.to_string()).into());
        }
        let hash = Hmac::new_from_slice(key).expect("a key of any length is one");
        Ok(NameKey(hash))
    }

    /// Returns the hash of a name.
    pub fn hash(&self, name: &[u8]) -> String {
        let mut hash = self.0.clone();
        hash.update(name);
        let bytes = hash.finalize().into_bytes();
        let digits = bytes.iter().take(KEPT);
        digits.map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns a heap with hashes in the places of its names.
    ///
    /// # Errors
    ///
    /// A sentence if memory runs out.
    pub fn hashed(&self, heap: Heap) -> Result<Heap> {
        Ok(hash_names(heap, &|name| self.hash(name))?)
    }

    /// Returns a snapshot with hashes in the places of its names.
    ///
    /// # Errors
    ///
    /// A sentence if it is a difference, or if memory runs out.
    pub fn hashed_snapshot(&self, snapshot: Snapshot) -> Result<Snapshot> {
        match snapshot.into_heap() {
            Some(heap) => Ok(Snapshot::new(self.hashed(heap)?)),
            None => Err(Sentence::new("name_key.difference").into()),
        }
    }
}
