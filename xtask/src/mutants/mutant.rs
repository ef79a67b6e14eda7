//! A VM with one change.

use super::vm::Vm;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::ops::Range;

/// A VM with one change.
#[derive(Debug)]
pub struct Mutant<'a> {
    /// `5.4.9/TString.hash/word-before`.
    pub name: String,
    pub vm: &'a Vm,
    pub edits: Vec<Edit>,
    pub change: Change,
}

/// The kind of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing: an error here is an error of the check itself.
    None,
    /// Members of a structure.
    Members,
    /// Members at the start of every object or value, whose offsets are in no table.
    Headers,
    /// What is read has another meaning, or may have.
    Meaning,
    /// Nothing that is read.
    Inner,
}

/// A replacement of a place in a file by a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    pub file: String,
    pub place: Range<usize>,
    pub text: String,
}

impl Mutant<'_> {
    /// Returns the changed files with their new texts.
    pub fn texts(&self) -> Result<BTreeMap<&str, String>> {
        let mut texts = BTreeMap::new();
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        // From the end, so that earlier places do not move.
        edits.sort_by_key(|edit| std::cmp::Reverse((edit.place.start, edit.place.end)));
        for edit in edits {
            if !texts.contains_key(&*edit.file) {
                let text = self.vm.text(&edit.file)?;
                let text = text.with_context(|| format!("there is no {}", edit.file))?;
                texts.insert(&*edit.file, text);
            }
            if let Some(text) = texts.get_mut(&*edit.file) {
                text.replace_range(edit.place.clone(), &edit.text);
            }
        }
        Ok(texts)
    }

    /// Whether a header that programs include is changed.
    pub fn changes_interface(&self) -> bool {
        let interface = ["luaconf.h", "lua.h", "lauxlib.h"];
        self.edits
            .iter()
            .any(|edit| interface.contains(&&*edit.file))
    }
}
