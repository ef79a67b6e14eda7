//! Where a process's memory is, at the head of answers.

use crate::files::{answer, json, run_in};
use crate::program::{luasnap, output};
use luasnap_hosts::Vm;
use serde_json::Value;
use std::path::Path;

/// Returns what luasnap says in a folder.
fn ask(folder: &Path, words: &[&str]) -> String {
    let mut command = luasnap(folder);
    command.args(words);
    let ran = output(command, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    ran.stdout
}

fn ask_json(folder: &Path, words: &[&str]) -> Value {
    serde_json::from_str(&ask(folder, &[words, &["--json"]].concat())).unwrap()
}

#[test]
fn all_answers_have_the_same() {
    let ledger = json(&["info", "3.luasnap"])["ledger"].clone();
    let number = |name: &str| ledger[name].as_u64().unwrap_or_else(|| panic!("{ledger}"));
    assert!(number("peak_resident") >= number("resident"));
    assert_eq!(number("outside"), number("resident") - number("vm_total"));
    let parts = ["in_use", "garbage", "other", "unaccounted"].map(number);
    assert_eq!(parts.iter().sum::<u64>(), number("vm_total"));
    assert_eq!((number("cdata"), &ledger["verdict"]), (0, &Value::Null));
    assert!(number("finalizers") > 0, "standard files have one");
    assert_eq!(json(&["top", "3.luasnap"])["ledger"], ledger);
    let change = json(&["diff", "1.luasnap", "3.luasnap"])["ledger"].clone();
    assert_eq!(change["last"], ledger);
    assert_eq!(change["first"], json(&["top", "1.luasnap"])["ledger"]);
    assert_eq!(change["verdict"], Value::Null);
    for words in [&["info", "3.luasnap"][..], &["top", "3.luasnap"]] {
        let text = answer(words);
        let lines: Vec<&str> = below_head(&text).take(4).collect();
        let starts = ["process  ", "Lua VM   ", "outside  ", ""];
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{text}");
        }
        assert!(lines[0].contains(" resident, peak "), "{text}");
        assert!(
            lines[2].ends_with(" userdata with finalizers may hold some"),
            "{text}"
        );
        assert_eq!(lines[3], "");
    }
}

/// Returns the lines below the one that begins with the file's name.
fn below_head(text: &str) -> impl Iterator<Item = &str> {
    let is_above = |line: &&str| !line.contains(" groups") && !line.contains(" engine");
    text.lines().skip_while(is_above).skip(1)
}

const GARBAGE: &str = "
    collectgarbage 'stop'
    local s = require 'snapshot'
    s.save(s.snapshot(), 'before')
    local junk = ('x'):rep(20 * 1024 * 1024)
    junk = nil
    s.save(s.snapshot(), 'after')";

#[test]
fn garbage_is_no_leak() {
    let folder = tempfile::tempdir().unwrap();
    run_in(Vm::Lua54, GARBAGE, folder.path());
    let end = " are garbage the collector has not reached: no leak";
    for words in [&["top", "after"][..], &["info", "after"]] {
        let text = ask(folder.path(), words);
        let said = below_head(&text).nth(3).unwrap();
        assert!(
            said.contains(" MiB of the VM's 2") && said.ends_with(end),
            "{text}"
        );
        let verdict = ask_json(folder.path(), words)["ledger"]["verdict"].clone();
        assert_eq!(verdict, said);
    }
    let words = ["diff", "before", "after"];
    let said = ask_json(folder.path(), &words)["ledger"]["verdict"].clone();
    let said = said.as_str().unwrap();
    assert!(
        said.contains(" by which the VM grew") && said.ends_with(end),
        "{said}"
    );
    let text = ask(folder.path(), &words);
    assert!(text.contains(&format!("\n{said}\n\n")), "{text}");
}

#[test]
fn only_what_is_known_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let script = "
        local s = require 'snapshot'
        s.save(s.snapshot(nil, nil, { engine = 'portable' }), 'portable')
        s.save(s.snapshot({ {} }, 'part'), 'part')
        local first = s.snapshot()
        kept = {}
        s.save(first:incr(s.snapshot()), 'difference')
        first:free()
        s.save(first, 'nothing')";
    run_in(Vm::LuaJit, script, folder.path());
    let head = |file| {
        let text = ask(folder.path(), &["top", file]);
        let lines = below_head(&text).take_while(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let portable = head("portable");
    assert_eq!(portable.len(), 3, "{portable:?}");
    assert!(portable[0].starts_with("process  ") && portable[2].starts_with("outside  "));
    assert!(
        portable[1].starts_with("Lua VM   ") && !portable[1].contains(':'),
        "{portable:?}"
    );
    let part = head("part");
    assert!(
        part.len() == 1 && part[0].starts_with("Lua VM  "),
        "{part:?}"
    );
    assert_eq!(head("difference"), [""; 0]);
    assert_eq!(head("nothing"), [""; 0]);
    let change = ask(folder.path(), &["diff", "part", "part"]);
    assert!(
        change.contains("change\nLua VM   ") && !change.contains("process "),
        "{change}"
    );
}
