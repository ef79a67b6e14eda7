//! Answers that are kept in the files that they are about.

use crate::core_file::{Left, write_core};
use crate::files::town;
use crate::program::{luasnap, output};
use crate::target::Target;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use tempfile::TempDir;

/// Two snapshots of a growing town, which no other test asks.
fn two_files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["1.luasnap", "2.luasnap"] {
        save(folder.path(), file, if file < "2" { "40" } else { "60" });
    }
    folder
}

fn save(folder: &Path, file: &str, population: &str) {
    fs::copy(town().join("town.lua"), folder.join("town.lua")).unwrap();
    let mut command = luasnap(folder);
    command.args(["run", "-q", "--save", file, "town.lua", population]);
    assert_eq!(output(command, "").code, Some(0));
}

fn ask(folder: &Path, words: &[&str]) -> String {
    let mut command = luasnap(folder);
    command.args(words);
    let ran = output(command, "");
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    ran.stdout
}

/// Asks questions, of which the first finds something that is kept for all of them.
fn expect_kept(folder: &Path, file: &str, verb: &[&str], questions: &[&[&str]]) {
    let path = folder.join(file);
    let ask_with = |words: &[&str], more: &[&str]| ask(folder, &[verb, words, more].concat());
    // The size of the file is part of an answer.
    let first = ask_with(questions[0], &["--no-cache"]);
    let before = fs::read(&path).unwrap();
    assert_eq!(ask_with(questions[0], &[]), first);
    let kept = fs::read(&path).unwrap();
    assert!(kept.len() > before.len());
    let inode = || fs::metadata(&path).unwrap().ino();
    let kept_as = inode();
    for words in questions {
        let without = ask_with(words, &["--no-cache"]);
        assert_eq!(ask_with(words, &[]), without, "{words:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), kept);
    // Whoever finds them anew writes another file.
    assert_eq!(inode(), kept_as);
    // A file that may not be written stays as it is.
    fs::write(&path, &before).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(ask_with(questions[0], &[]), first);
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, &kept).unwrap();
}

#[test]
fn what_was_found_is_kept_in_the_file() {
    let folder = two_files();
    let folder = folder.path();
    let top: [&[&str]; 7] = [
        &[],
        &["--json"],
        &["--lang", "zh"],
        &["-n", "3"],
        &["--by", "size", "--json"],
        &["--by", "count", "-n", "1"],
        &["--by", "class"],
    ];
    expect_kept(folder, "1.luasnap", &["top", "1.luasnap"], &top);
    let info: [&[&str]; 5] = [
        &[],
        &["--json"],
        &["--lang", "zh"],
        &["-n", "0"],
        &["-n", "20", "--json"],
    ];
    expect_kept(folder, "1.luasnap", &["info", "1.luasnap"], &info);
    let diff: [&[&str]; 4] = [
        &[],
        &["--json"],
        &["--lang", "zh"],
        &["--fail-on-growth", "1G"],
    ];
    let files = ["diff", "1.luasnap", "2.luasnap"];
    expect_kept(folder, "2.luasnap", &files, &diff);
    // More rows than are kept, and owners.
    let more = ask(folder, &["top", "1.luasnap", "-n", "1000"]);
    assert!(more.lines().count() > ask(folder, &["top", "1.luasnap"]).lines().count());
    ask(folder, &["info", "1.luasnap", "-n", "1000"]);
    ask(folder, &["top", "1.luasnap", "--by", "owner"]);
}

/// What `path` has found once tells of any object: of itself, of one of a class, of all that there is.
#[test]
fn paths_and_dominators_are_kept_in_the_file() {
    let folder = two_files();
    let questions: [&[&str]; 5] = [
        &["_G.town"],
        &["_G.town", "--json"],
        &["_G.town", "--lang", "zh"],
        &["_G.print"],
        &["[REGISTRY]._LOADED.string", "--json"],
    ];
    expect_kept(
        folder.path(),
        "1.luasnap",
        &["path", "1.luasnap"],
        &questions,
    );
}

/// Asks for a path, which finds paths and dominators in the file: otherwise it would keep what it finds.
#[track_caller]
fn expect_kept_trees(folder: &Path, file: &str, object: &str) {
    let path = folder.join(file);
    let inode = || fs::metadata(&path).unwrap().ino();
    let (kept, kept_as) = (fs::read(&path).unwrap(), inode());
    let without = ask(folder, &["path", file, object, "--no-cache"]);
    assert_eq!(ask(folder, &["path", file, object]), without);
    assert_eq!(fs::read(&path).unwrap(), kept);
    assert_eq!(inode(), kept_as);
}

#[test]
fn a_report_keeps_paths_and_dominators_in_each_file() {
    let folder = two_files();
    let folder = folder.path();
    ask(
        folder,
        &["report", "1.luasnap", "2.luasnap", "-o", "page.html"],
    );
    expect_kept_trees(folder, "1.luasnap", "_G.town");
    expect_kept_trees(folder, "2.luasnap", "_G.town");
}

#[test]
fn a_capture_from_outside_keeps_paths_and_dominators() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(folder, "town = { houses = { {}, {} } }", &[]);
    let id = target.id();
    write_core(id.parse().unwrap(), &folder.join("a.core"), Left::None);
    ask(folder, &["core", "a.core", "-o", "core.luasnap"]);
    expect_kept_trees(folder, "core.luasnap", "_G.town.houses");
    ask(folder, &["attach", &id, "-o", "attached.luasnap"]);
    expect_kept_trees(folder, "attached.luasnap", "_G.town.houses");
    target.finish();
}

/// Each question adds to what others have found.
#[test]
fn answers_stay_beside_each_other() {
    let folder = two_files();
    let folder = folder.path();
    let path = folder.join("2.luasnap");
    let questions: [&[&str]; 3] = [
        &["top", "2.luasnap"],
        &["diff", "1.luasnap", "2.luasnap"],
        &["info", "2.luasnap"],
    ];
    questions.iter().for_each(|words| drop(ask(folder, words)));
    let inode = || fs::metadata(&path).unwrap().ino();
    let kept_as = inode();
    for words in questions {
        let without = ask(folder, &[words, &["--no-cache"]].concat());
        assert_eq!(ask(folder, words), without, "{words:?}");
    }
    assert_eq!(inode(), kept_as);
}

/// What grew is kept for these heaps, in this order, and for so many rows.
#[test]
fn what_grew_is_about_the_files_that_were_compared() {
    let folder = two_files();
    let folder = folder.path();
    ask(folder, &["diff", "1.luasnap", "2.luasnap"]);
    let others: [&[&str]; 3] = [
        &["diff", "2.luasnap", "1.luasnap"],
        &["diff", "1.luasnap", "2.luasnap", "-n", "2"],
        &["diff", "2.luasnap", "2.luasnap"],
    ];
    for words in others {
        let without = ask(folder, &[words, &["--no-cache"]].concat());
        assert_eq!(ask(folder, words), without, "{words:?}");
    }
    save(folder, "1.luasnap", "50");
    let words = ["diff", "1.luasnap", "2.luasnap"];
    let without = ask(folder, &[&words[..], &["--no-cache"]].concat());
    assert_eq!(ask(folder, &words), without);
}

/// A file without texts has no answers with texts of others.
#[test]
fn what_was_left_out_of_a_file_stays_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script =
        |word: &str| format!("_G.{word}_key = {{ }} for i = 1, 99 do {word}_key[i] = {{}} end");
    let files = [
        ("1", "secret", "", "--quiet"),
        ("2", "open", "--no-names", "--quiet"),
    ];
    for (name, word, left_out, quiet) in files {
        fs::write(folder.join("code.lua"), script(word)).unwrap();
        let file = format!("{name}.luasnap");
        let mut words = vec!["run", quiet, "--save", &file, left_out, "code.lua"];
        words.retain(|word| !word.is_empty());
        ask(folder, &words);
    }
    let words = ["diff", "1.luasnap", "2.luasnap", "-n", "1000"];
    let said = ask(folder, &words);
    assert!(said.contains("secret_key"), "{said}");
    // Nothing is kept: it would have the name.
    let path = folder.join("2.luasnap");
    let before = fs::metadata(&path).unwrap().ino();
    ask(folder, &words);
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
}
