//! Imports go one way, between crates, between folders and between files.
//!
//! Every path in the code that names a module is checked, in `use` lines and elsewhere, except in
//! tests and inside macros. A cycle is reported with the imports that cause it.

mod circles;
mod paths;
mod sources;

use circles::{Circle, circles};
use sources::{Arrow, Crate};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each crate, and the other crates that it may use.
const CRATES: [(&str, &str, &[&str]); 8] = [
    ("luasnap_words", "crates/words", &[]),
    ("luasnap_heap", "crates/heap", &["luasnap_words"]),
    (
        "luasnap_capture",
        "crates/capture",
        &["luasnap_words", "luasnap_heap"],
    ),
    (
        "luasnap_format",
        "crates/format",
        &["luasnap_words", "luasnap_heap"],
    ),
    (
        "snapshot",
        "crates/module",
        &[
            "luasnap_words",
            "luasnap_heap",
            "luasnap_capture",
            "luasnap_format",
        ],
    ),
    (
        "luasnap",
        "crates/cli",
        &[
            "luasnap_words",
            "luasnap_heap",
            "luasnap_capture",
            "luasnap_format",
            "snapshot",
        ],
    ),
    ("luasnap_hosts", "hosts", &[]),
    ("xtask", "xtask", &[]),
];

fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("xtask lies in the workspace").to_owned()
}

fn all() -> Vec<Crate> {
    let names: Vec<&str> = CRATES.iter().map(|one| one.0).collect();
    let read = |one: &(&'static str, &str, &[&str])| {
        Crate::read(one.0, &workspace().join(one.1).join("src"), &names)
    };
    CRATES.iter().map(read).collect()
}

/// Returns each cycle, with its imports.
fn in_words(what: &str, arrows: &[Arrow]) -> Vec<String> {
    let in_words = |circle: &Circle| format!("{what}:\n{circle}");
    circles(arrows).iter().map(in_words).collect()
}

#[test]
fn no_circle_between_files() {
    let found: Vec<String> = all()
        .iter()
        .flat_map(|one| in_words(&format!("files of {}", one.name), &one.arrows))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_circle_between_what_lies_in_a_folder() {
    let mut found = Vec::new();
    for one in all() {
        for folder in one.folders() {
            let what = format!("what lies in {}/{}", one.name, folder.display());
            found.extend(in_words(&what, &one.arrows_within(&folder)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn crates_use_those_before_them() {
    for (one, (name, _, allowed)) in all().iter().zip(CRATES) {
        let others: BTreeSet<&str> = one.others.iter().map(String::as_str).collect();
        let wrong: Vec<_> = others
            .iter()
            .filter(|other| !allowed.contains(other))
            .collect();
        assert!(wrong.is_empty(), "{name} uses {wrong:?}");
    }
}
