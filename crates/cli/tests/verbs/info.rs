//! `luasnap info`.

use crate::files::{answer, json, run_in, town};
use crate::masked::{masked, without_numbers};
use crate::program::golden::assert_golden;
use crate::program::{luasnap, output};
use luasnap_hosts::Vm;
use serde_json::Value;

#[test]
fn it_says_what_a_snapshot_counts() {
    let text = masked(&answer(&["info", "1.luasnap"]));
    let (counts, waste) = text.split_once("Duplicate").unwrap();
    let text = format!("{}Duplicate{waste}", without_numbers(counts));
    assert_golden("info", &text);
}

/// A number of a JSON value.
#[track_caller]
fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn programs_get_all_of_it() {
    let info = json(&["info", "1.luasnap"]);
    assert_eq!(info["file"], "1.luasnap");
    let size = std::fs::metadata(town().join("1.luasnap")).unwrap().len();
    assert_eq!(info["file_bytes"], size);
    assert_eq!(
        (&info["vm"], &info["engine"]),
        (&"Lua 5.4".into(), &"native".into())
    );
    assert!(
        info["layout"].as_str().unwrap().starts_with("5.4."),
        "{info}"
    );
    assert!(number(&info["process"]) > 1 && number(&info["taken_at_ms"]) > 1_700_000_000_000);
    let kinds = info["kinds"].as_object().unwrap();
    for (field, of_kind) in [("count", "count"), ("bytes", "bytes")] {
        let sum: i64 = kinds.values().map(|kind| number(&kind[of_kind])).sum();
        assert_eq!(number(&info["objects"][field]), sum, "{field}");
    }
    assert_eq!(kinds["thread"]["count"], 2, "the main thread and the crier");
    assert!(number(&info["references"]) > number(&info["objects"]["count"]));
    let blocks = info["blocks"]
        .as_object()
        .unwrap()
        .values()
        .map(number)
        .sum::<i64>();
    let parts = [
        &info["objects"]["bytes"],
        &info["garbage"]["bytes"],
        &info["own"]["bytes"],
    ];
    let sum = parts.into_iter().map(number).sum::<i64>() + blocks;
    assert_eq!(number(&info["accounted"]), sum);
    assert_eq!(number(&info["total"]), sum + number(&info["unaccounted"]));
}

#[test]
fn programs_get_what_is_wasted() {
    let waste = &json(&["info", "1.luasnap", "-n", "2"])["waste"];
    let strings = &waste["strings"];
    assert_eq!(strings["count"], 3);
    assert_eq!(strings["top"].as_array().unwrap().len(), 2);
    let text = "hear ye ".repeat(5);
    for row in strings["top"].as_array().unwrap() {
        assert_eq!(
            (&row["text"], &row["count"]),
            (&text.as_str().into(), &2.into())
        );
        assert_eq!(row["bytes"], row["size"]);
        let example = row["example"].as_str().unwrap();
        assert!(example.starts_with("_G.proclamations.["), "{row}");
    }
    let tables = &waste["tables"];
    assert_eq!(tables["count"], tables["top"].as_array().unwrap().len());
    let register = &tables["top"][0];
    assert_eq!(register["path"], "_G.register");
    assert_eq!(
        (&register["hash_slots"], &register["hash_used"]),
        (&64.into(), &1.into())
    );
    assert!(register["address"].as_str().unwrap().starts_with("0x"));
}

#[test]
fn garbage_has_its_own_columns() {
    let folder = tempfile::tempdir().unwrap();
    run_in(
        Vm::Lua54,
        "collectgarbage 'stop' for i = 1, 1000 do local t = {} end
        local s = require 'snapshot' s.save(s.snapshot(), 'file')",
        folder.path(),
    );
    let mut command = luasnap(folder.path());
    command.args(["info", "file"]);
    let text = output(command, "").stdout;
    let head = "kind          objects";
    assert!(
        text.lines()
            .any(|line| line.starts_with(head) && line.ends_with("garbage  its bytes")),
        "{text}"
    );
    assert!(text.contains("  garbage\n"), "{text}");
    let mut command = luasnap(folder.path());
    command.args(["info", "file", "--json"]);
    let info: Value = serde_json::from_str(&output(command, "").stdout).unwrap();
    assert!(
        number(&info["kinds"]["table"]["garbage_count"]) >= 1000,
        "{info}"
    );
}

#[test]
fn portable_snapshots_say_what_they_know() {
    let folder = tempfile::tempdir().unwrap();
    let script = "local s = require 'snapshot'
        s.save(s.snapshot(nil, nil, { engine = 'portable' }), 'file')";
    run_in(Vm::LuaJit, script, folder.path());
    let ask = |words: &[&str]| {
        let mut command = luasnap(folder.path());
        command.args(words);
        let ran = output(command, "");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        ran.stdout
    };
    let text = ask(&["info", "file"]);
    assert!(
        text.starts_with("file: LuaJIT, portable engine, process "),
        "{text}"
    );
    assert!(
        text.contains("\nThe VM holds ") && !text.contains("garbage"),
        "{text}"
    );
    let info: Value = serde_json::from_str(&ask(&["info", "file", "--json"])).unwrap();
    for field in ["layout", "garbage", "accounted", "unaccounted"] {
        assert_eq!(info[field], Value::Null, "{field}");
    }
    assert_eq!(info["waste"]["strings"], Value::Null);
}
