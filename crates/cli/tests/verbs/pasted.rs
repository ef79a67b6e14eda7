//! Every name, example and path that a verb shows is a word that `luasnap path` takes.

use crate::files::{answer, ask, json};
use serde_json::Value;
use std::collections::BTreeSet;

/// The fields that have names and paths.
const FIELDS: [&str; 7] = [
    "name",
    "example",
    "path",
    "retainer",
    "point",
    "paths",
    "fingerprint",
];

/// Adds the texts in these fields, however deep they are.
fn collect(value: &Value, is_word: bool, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if is_word => {
            words.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|one| collect(one, is_word, words)),
        Value::Object(fields) => {
            for (name, one) in fields.iter().filter(|(name, _)| *name != "ledger") {
                collect(one, FIELDS.contains(&name.as_str()), words);
            }
        }
        _ => {}
    }
}

/// Returns the cells of a table's row.
fn cells(line: &str) -> Vec<&str> {
    let cells = line.split("  ").map(str::trim);
    cells.filter(|cell| !cell.is_empty()).collect()
}

/// Returns a name without what is said behind it, in parentheses.
fn name(cell: &str) -> &str {
    cell.split_once(" (").map_or(cell, |(name, _)| name)
}

#[track_caller]
fn assert_taken(words: &BTreeSet<String>, file: &str, fewest: usize) {
    assert!(words.len() >= fewest, "{words:?}");
    for word in words {
        let ran = ask(&["path", file, word, "--retainers", "1"]);
        assert_eq!(ran.code, Some(0), "{word}: {ran:#?}");
    }
}

#[test]
fn what_json_shows() {
    let mut words = BTreeSet::new();
    for answer in [
        json(&["top", "3.luasnap", "-n", "40"]),
        json(&["top", "3.luasnap", "-n", "40", "--by", "count"]),
        json(&["diff", "1.luasnap", "2.luasnap", "3.luasnap", "-n", "40"]),
        json(&["path", "3.luasnap", "town.people.person5"]),
        json(&["path", "3.luasnap", "class House"]),
        json(&["path", "3.luasnap", "shared strings"]),
        json(&["info", "3.luasnap"]),
    ] {
        collect(&answer, false, &mut words);
    }
    // The file itself and places in the layout are no names of objects.
    words.retain(|word| !word.ends_with(".luasnap"));
    assert_taken(&words, "3.luasnap", 60);
}

#[test]
fn what_people_see() {
    let mut words = BTreeSet::new();
    let top = answer(&["top", "3.luasnap", "-n", "40"]);
    let rows = top
        .lines()
        .skip_while(|line| !line.starts_with("retained "));
    for row in rows.skip(1).map(cells) {
        words.extend(row[5..].iter().map(|cell| name(cell).to_owned()));
    }
    let diff = answer(&["diff", "1.luasnap", "2.luasnap", "3.luasnap", "-n", "40"]);
    let lines = diff.lines();
    for line in lines.clone() {
        let point = line.strip_prefix("Leak suspect, accumulation point ");
        let example = line.strip_prefix("  e.g. ");
        if let Some(point) = point {
            words.insert(name(point.split_once(": ").unwrap().0).to_owned());
        }
        words.extend(example.map(|example| name(example).to_owned()));
    }
    let rows = lines.skip_while(|line| !line.contains("every step  "));
    let rows = rows.skip(1).filter(|line| !line.starts_with("..."));
    for row in rows.map(cells) {
        words.extend(row.last().map(|cell| name(cell).to_owned()));
    }
    for what in ["town.people.person5", "class House", "shared strings"] {
        let path = answer(&["path", "3.luasnap", what]);
        for line in path.lines() {
            let path = line
                .strip_prefix("shortest path: ")
                .or(line.strip_prefix("for example: "))
                .or(line
                    .strip_prefix("  ")
                    .filter(|line| !line.starts_with("... ")));
            words.extend(path.map(|path| name(path).trim().to_owned()));
        }
    }
    assert_taken(&words, "3.luasnap", 40);
}
