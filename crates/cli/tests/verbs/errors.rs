//! Questions that cannot be answered.

use crate::files::{ask, in_town, run_in, town};
use crate::program::output;
use luasnap_hosts::Vm;
use std::fs;

/// Checks that it fails with this message.
#[track_caller]
fn fails(words: &[&str], message: &str) {
    let ran = ask(words);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
    assert_eq!(ran.stderr, format!("luasnap: {message}\n"));
}

/// Checks that it fails with a message that has all of these parts.
#[track_caller]
fn fails_with(words: &[&str], parts: &[&str]) {
    let ran = ask(words);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is missing: {ran:#?}");
    }
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
}

/// Each verb, applied to this file.
fn about(file: &str) -> [Vec<&str>; 7] {
    [
        vec!["info", file],
        vec!["top", file],
        vec!["diff", "1.luasnap", file],
        vec!["path", file, "_G"],
        vec!["view", "--json", file],
        vec!["report", "1.luasnap", file, "--json"],
        vec!["export", file],
    ]
}

#[test]
fn files_that_are_no_snapshots_are_told() {
    let folder = town();
    let whole = fs::read(folder.join("1.luasnap")).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(
        folder.join("foreign"),
        "It is a truth universally acknowledged",
    )
    .unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("cut"), &whole[..whole.len() - 100]).unwrap();
    fs::write(folder.join("damaged"), damaged).unwrap();
    for words in about("missing").iter().chain(&about("gone/missing")) {
        let file = words.iter().find(|word| word.ends_with("missing")).unwrap();
        fails(
            words,
            &format!("cannot read '{file}': No such file or directory"),
        );
    }
    for words in about("foreign") {
        fails(&words, "cannot read 'foreign': it is not a luasnap file");
    }
    for words in about("empty") {
        fails(&words, "cannot read 'empty': it is empty");
    }
    // A folder is all its files for `top`, and none for the others.
    for words in about(".").iter().filter(|words| words[0] != "top") {
        fails(words, "cannot read '.': Is a directory");
    }
    for words in about("cut") {
        fails_with(
            &words,
            &["cannot read 'cut': it is cut off in its ", "missing"],
        );
    }
    for words in about("damaged") {
        fails_with(&words, &["cannot read 'damaged': its ", "is damaged"]);
    }
}

#[test]
fn files_of_newer_versions_are_told() {
    let folder = town();
    let mut newer = fs::read(folder.join("1.luasnap")).unwrap();
    newer[8..12].copy_from_slice(&8_u32.to_le_bytes());
    newer[12..16].copy_from_slice(&7_u32.to_le_bytes());
    newer[16..40].copy_from_slice(b"9.8.7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let checksum = xxhash_rust::xxh3::xxh3_64(&newer[..56]);
    newer[56..64].copy_from_slice(&checksum.to_le_bytes());
    fs::write(folder.join("newer"), newer).unwrap();
    for words in about("newer") {
        fails_with(
            &words,
            &[
                "cannot read 'newer': it was written by luasnap 9.8.7 in format 8; this luasnap ",
                " reads formats up to 2: use luasnap 9.8.7 or later",
            ],
        );
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is_near() {
    for (what, message) in [
        (
            "_G.town.poeple",
            "in 1.luasnap: _G.town has no 'poeple'; is it people?; and no group is called \
             '_G.town.poeple'; is it _G.town.people?",
        ),
        (
            "twon",
            "in 1.luasnap: the snapshot has no 'twon'; is it town?; and no group is called 'twon'",
        ),
    ] {
        fails(&["path", "1.luasnap", what], message);
    }
    fails_with(
        &["path", "1.luasnap", "class Huose"],
        &["no group is called 'class Huose'; is it class House?"],
    );
    fails_with(
        &["path", "1.luasnap", "0x10"],
        &["in 1.luasnap: no object lies at 0x10; the nearest is "],
    );
    fails_with(
        &["path", "1.luasnap", "0xffffffffffffff"],
        &["no object lies at 0xffffffffffffff; the nearest is "],
    );
    let hole = format!("{:#x}", address_of("town") + 1);
    fails_with(
        &["path", "1.luasnap", &hole],
        &["no object lies at ", "; the nearest are ", " and "],
    );
}

/// Address of an object.
fn address_of(path: &str) -> u64 {
    let title = crate::files::json(&["path", "1.luasnap", path])["what"].to_string();
    let digits = title.trim_matches('"').split_once("0x").unwrap().1;
    u64::from_str_radix(digits, 16).unwrap()
}

#[test]
fn snapshots_of_different_things_are_not_compared() {
    let folder = town().join("different");
    fs::create_dir_all(&folder).unwrap();
    let save = |name: &str, snapshot: &str| {
        format!("local s = require 'snapshot' s.save(s.{snapshot}, '{name}.luasnap')")
    };
    for (vm, name) in [(Vm::Lua54, "lua54"), (Vm::LuaJit, "luajit")] {
        run_in(vm, &save(name, "snapshot()"), &folder);
    }
    let portable = "snapshot(nil, nil, { engine = 'portable' })";
    run_in(Vm::Lua54, &save("portable", portable), &folder);
    run_in(Vm::Lua54, &save("one", "snapshot({}, 'one')"), &folder);
    run_in(Vm::Lua54, &save("two", "snapshot({}, 'two')"), &folder);
    let difference = "incr(s.snapshot(), s.snapshot())";
    run_in(Vm::Lua54, &save("difference", difference), &folder);
    for (first, second, message) in [
        (
            "lua54",
            "luajit",
            "lua54.luasnap is of Lua 5.4, and luajit.luasnap of LuaJIT: their objects and sizes \
             cannot be compared",
        ),
        (
            "one",
            "two",
            "one.luasnap shows what one holds, and two.luasnap what two holds: take both with the \
             same root",
        ),
        (
            "portable",
            "lua54",
            "portable.luasnap was captured by the portable engine, and lua54.luasnap by the native \
             one: take both by the same",
        ),
        (
            "lua54",
            "difference",
            "difference.luasnap is the difference of two snapshots: compare whole ones",
        ),
    ] {
        let names = [first, second].map(|name| format!("{name}.luasnap"));
        let mut command = in_town(&["diff", &names[0], &names[1]]);
        command.current_dir(&folder);
        let ran = output(command, "");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
        assert_eq!(ran.stderr, format!("luasnap: {message}\n"));
    }
}

#[test]
fn wrong_calls_are_told_what_is_right() {
    for words in [
        &[][..],
        &["frobnicate"],
        &["info"],
        &["info", "1.luasnap", "2.luasnap"],
        &["top", "1.luasnap", "--by", "colour"],
        &["top", "1.luasnap", "-n", "many"],
        &["diff"],
        &["diff", "1.luasnap"],
        &["diff", "1.luasnap", "2.luasnap", "--fail-on-growth", "lots"],
        &["diff", "1.luasnap", "2.luasnap", "--fail-on-growth"],
        &["path", "1.luasnap"],
        &["export", "1.luasnap", "--to", "stone"],
        &["run", "--every", "5s", "town.lua"],
        &["run", "--every", "0s", "--save", "files", "town.lua"],
        &["run", "--every", "soon", "--save", "files", "town.lua"],
    ] {
        let ran = ask(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
        assert!(
            ran.stderr.contains("--help") || ran.stderr.contains("Usage: luasnap"),
            "{ran:#?}"
        );
    }
    let ran = ask(&["run", "--every", "5s", "town.lua"]);
    assert!(ran.stderr.contains("--save <FILE>"), "{ran:#?}");
    let ran = ask(&["diff", "1.luasnap"]);
    assert!(ran.stderr.contains("<FILE> <FILE>..."), "{ran:#?}");
}

#[test]
fn a_process_in_place_of_a_file_is_told_how_to_be_read() {
    let pid = std::process::id().to_string();
    for words in about(&pid) {
        let hint = format!("{pid} is a process, not a file: luasnap attach {pid}");
        fails(&words, &hint);
    }
    // Process ids are lower than this everywhere.
    for words in about("4194305") {
        let message = "cannot read '4194305': No such file or directory";
        fails(&words, message);
    }
    // A file of that name is a file. It has a folder of its own: other tests ask about the process meanwhile.
    let folder = tempfile::tempdir().unwrap();
    fs::copy(town().join("1.luasnap"), folder.path().join(&pid)).unwrap();
    let mut command = crate::program::luasnap(folder.path());
    command.args(["info", &pid]);
    assert_eq!(crate::program::output(command, "").code, Some(0));
}

#[test]
fn a_typo_in_a_verb_is_told_what_is_near() {
    for (typo, verb) in [
        ("tpo", "top"),
        ("difff", "diff"),
        ("atach", "attach"),
        ("complete", "completions"),
    ] {
        let ran = ask(&[typo]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
        assert!(ran.stderr.contains("similar subcommand"), "{ran:#?}");
        assert!(ran.stderr.contains(&format!("'{verb}'")), "{ran:#?}");
    }
    let ran = ask(&["frobnicate"]);
    assert!(!ran.stderr.contains("similar"), "{ran:#?}");
    // Hidden verbs are for those who know them.
    let ran = ask(&["mna"]);
    assert!(!ran.stderr.contains("similar"), "{ran:#?}");
}

#[test]
fn a_process_in_place_of_a_verb_is_told_how_to_be_read() {
    let pid = std::process::id().to_string();
    let ran = ask(&[&pid]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
    let hint = format!("  tip: {pid} is a process: luasnap attach {pid}\n");
    assert!(ran.stderr.contains(&hint), "{ran:#?}");
}
