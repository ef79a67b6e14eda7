//! Whether the documents name exactly the module's functions.

use super::run::{Programs, Scratch};
use crate::sources::workspace;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;

/// Prints the names of all functions, one per line.
const LIST: &str = "for name in pairs(require 'snapshot') do print(name) end\n";
/// The files that name them, and the text before and after each name.
const PLACES: [(&str, &str, &str); 2] = [
    ("types/snapshot.lua", "function snapshot.", "("),
    ("docs/lua-api.md", "`snapshot.", "("),
];

/// Returns the missing and the unknown functions, each as a sentence.
pub fn mistakes(programs: &Programs) -> Result<Vec<String>> {
    let list = Scratch::new(programs)?.run_script("functions.lua", LIST)?;
    let functions: BTreeSet<&str> = list.lines().collect();
    let mut mistakes = Vec::new();
    for (place, before, behind) in PLACES {
        let text = fs::read_to_string(workspace().join(place));
        let text = text.with_context(|| format!("cannot read {place}"))?;
        let named = named(&text, before, behind);
        let missing = functions.difference(&named);
        mistakes.extend(missing.map(|name| format!("{place} lacks the function {name}")));
        let unknown = named.difference(&functions);
        mistakes.extend(
            unknown.map(|name| format!("{place} has a function {name}; the module has none")),
        );
    }
    Ok(mistakes)
}

/// The names between two marks.
fn named<'a>(text: &'a str, before: &str, behind: &str) -> BTreeSet<&'a str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let parts = text.split(before).skip(1);
    let names = parts.filter_map(|part| {
        let end = part.find(|letter| !is_part(letter))?;
        part[end..].starts_with(behind).then_some(&part[..end])
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_between_marks() {
        let text =
            "`snapshot.top(s)` and `snapshot.load` and `snapshot.to_file(s)`, snapshot.path(s)";
        let expected = BTreeSet::from(["to_file", "top"]);
        assert_eq!(named(text, "`snapshot.", "("), expected);
    }
}
