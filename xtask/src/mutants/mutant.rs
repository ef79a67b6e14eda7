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

/// What is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing: what is wrong here is wrong in the check itself.
    None,
    /// Members of a structure.
    Members,
    /// Members that every object or value begins with, whose places no table has.
    Headers,
    /// What is read means something else, or may.
    Meaning,
    /// Nothing that is read.
    Inner,
}

/// What stands instead of what in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    pub file: String,
    pub place: Range<usize>,
    pub text: String,
}

impl Mutant<'_> {
    /// The files with their new texts.
    pub fn texts(&self) -> Result<BTreeMap<&str, String>> {
        let mut texts = BTreeMap::new();
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        // From the end, so that no place moves before its turn.
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

    /// Whether what programs include is another.
    pub fn changes_interface(&self) -> bool {
        let interface = ["luaconf.h", "lua.h", "lauxlib.h"];
        self.edits
            .iter()
            .any(|edit| interface.contains(&&*edit.file))
    }
}
