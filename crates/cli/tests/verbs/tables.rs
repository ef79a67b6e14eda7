//! `--to parquet`: tables of snapshots, groups, paths, objects and references.

use crate::files::{answer, ask, json, run_in, town};
use crate::growing::Growing;
use crate::program::{Ran, luasnap, output};
use crate::target::Target;
use luasnap_hosts::Vm;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

type Row = BTreeMap<String, Value>;

/// The files of a table.
fn files(folder: &Path, table: &str) -> Vec<PathBuf> {
    let below = |folder: PathBuf| -> Vec<PathBuf> {
        let there = fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = there.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let table = folder.join(table);
    if !table.exists() {
        return Vec::new();
    }
    below(table)
        .into_iter()
        .flat_map(below)
        .flat_map(below)
        .collect()
}

fn reader(file: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(file).unwrap()).unwrap()
}

/// The rows of a table, of all its files.
fn rows(folder: &Path, table: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for file in files(folder, table) {
        for row in reader(&file).get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let columns = row.get_column_iter();
            rows.push(
                columns
                    .map(|(name, field)| (name.clone(), value(field)))
                    .collect(),
            );
        }
    }
    rows
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(flag) => json!(flag),
        Field::Long(number) | Field::TimestampMillis(number) => json!(number),
        Field::Str(text) => json!(text),
        Field::MapInternal(map) => {
            let entries = map.entries().iter();
            let entries = entries.map(|(key, text)| match key {
                Field::Str(key) => (key.clone(), value(text)),
                key => panic!("{key:?}"),
            });
            Value::Object(entries.collect())
        }
        field => panic!("{field:?}"),
    }
}

fn sum(rows: &[Row], column: &str) -> u64 {
    rows.iter().map(|row| row[column].as_u64().unwrap()).sum()
}

/// Exports a snapshot of the town.
fn exported(words: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let to = ["--to", "parquet", "-o", folder.path().to_str().unwrap()];
    assert_eq!(answer(&[&["export"], words, &to].concat()), "");
    folder
}

#[test]
fn tables_say_what_the_verbs_say() {
    let labels = ["--label", "zone=a", "--label", "rack=7"];
    let names = ["--service", "town hall", "--host", "h1", "--release", "2.1"];
    let folder = exported(&[&["1.luasnap", "--groups", "100000"], &labels[..], &names].concat());
    let folder = folder.path();
    let info = json(&["info", "1.luasnap"]);
    let snapshots = rows(folder, "snapshot");
    let [snapshot] = &snapshots[..] else {
        panic!("{snapshots:#?}");
    };
    for (column, expected) in [
        ("taken_at", &info["taken_at_ms"]),
        ("pid", &info["process"]),
        ("vm", &info["vm"]),
        ("layout", &info["layout"]),
        ("engine", &json!("native")),
        ("exact", &json!(true)),
        ("total_bytes", &info["total"]),
        ("objects", &info["objects"]["count"]),
        ("object_bytes", &info["objects"]["bytes"]),
        ("reference_count", &info["references"]),
        ("garbage_objects", &info["garbage"]["count"]),
        ("garbage_bytes", &info["garbage"]["bytes"]),
        ("rss_bytes", &info["ledger"]["resident"]),
        ("fingerprint_rule", &json!(3)),
        ("host", &json!("h1")),
        ("release", &json!("2.1")),
        ("labels", &json!({ "zone": "a", "rack": "7" })),
    ] {
        assert_eq!(&snapshot[column], expected, "{column}");
    }

    let groups = rows(folder, "group");
    let top = json(&["top", "1.luasnap", "-n", "100000"]);
    let listed = top["groups"].as_array().unwrap();
    assert!(listed.len() > 50);
    for expected in listed {
        let mut same = groups.iter().filter(|row| {
            row["fingerprint"] == expected["fingerprint"] && row["kind"] == expected["type"]
        });
        let row = same.next().unwrap_or_else(|| panic!("{expected:#}"));
        for (column, of) in [
            ("name", "name"),
            ("count", "count"),
            ("self_size", "size"),
            ("retained_size", "retained"),
            ("example", "example"),
        ] {
            assert_eq!(row[column], expected[of], "{column}: {row:#?}");
        }
    }
    assert_eq!(snapshot["group_count"], groups.len());
    assert_eq!(sum(&groups, "count"), info["objects"]["count"]);
    assert_eq!(sum(&groups, "self_size"), info["objects"]["bytes"]);
    let prints = groups
        .iter()
        .map(|row| row["fingerprint"].as_str().unwrap());
    assert!(prints.is_sorted());

    let paths = rows(folder, "path_tree");
    assert_eq!(sum(&paths, "self_count"), info["objects"]["count"]);
    assert_eq!(sum(&paths, "self_size"), info["objects"]["bytes"]);
    for (at, row) in paths.iter().enumerate() {
        assert_eq!(row["id"], at);
        let below: Vec<&Row> = paths.iter().filter(|of| of["parent_id"] == at).collect();
        for (own, all) in [
            ("self_count", "cumulative_count"),
            ("self_size", "cumulative_size"),
        ] {
            let below = below.iter().map(|row| row[all].as_u64().unwrap());
            let expected = row[own].as_u64().unwrap() + below.sum::<u64>();
            assert_eq!(row[all], expected, "{row:#?}");
        }
    }
    let owners = json(&["top", "1.luasnap", "--by", "owner", "-n", "100000"]);
    let expected = owners["owners"].as_array().unwrap().iter();
    let of = |row: &Value| json!([row["kind"], row["name"], row["count"], row["size"]]);
    let found = rows(folder, "owner");
    let found = found
        .iter()
        .map(|row| json!([row["kind"], row["name"], row["count"], row["self_size"]]));
    assert_eq!(
        found.collect::<Vec<_>>(),
        expected.map(of).collect::<Vec<_>>()
    );
    for table in ["object", "reference"] {
        assert_eq!(files(folder, table), Vec::<PathBuf>::new());
    }
}

/// Every object and reference: what columns say of one is what others say of its neighbours.
fn check_objects(folder: &Path) {
    let objects = rows(folder, "object");
    let references = rows(folder, "reference");
    let [snapshot] = &rows(folder, "snapshot")[..] else {
        panic!();
    };
    assert_eq!(references.len() as u64, snapshot["reference_count"]);
    let number = |row: &Row, column: &str| row[column].as_u64().unwrap() as usize;
    // Ids are positions, and 0 are the roots.
    for (at, row) in objects.iter().enumerate() {
        assert_eq!(number(row, "id"), at + 1);
        assert_eq!(row["reachable"], !row["idom_id"].is_null(), "{row:#?}");
        assert_eq!(
            row["reachable"],
            !row["root_distance"].is_null(),
            "{row:#?}"
        );
    }
    let alive: Vec<&Row> = objects
        .iter()
        .filter(|row| row["reachable"] == true && row["kind"] != "snapshot")
        .collect();
    assert_eq!(alive.len() as u64, snapshot["objects"]);
    let bytes: usize = alive.iter().map(|row| number(row, "self_size")).sum();
    assert_eq!(bytes as u64, snapshot["object_bytes"]);

    // What each one retains is what it and those that it dominates take.
    let mut retained = vec![[0, 0]; objects.len() + 1];
    for row in objects.iter().filter(|row| row["reachable"] == true) {
        let mut at = number(row, "id");
        let mut steps = 0;
        while at != 0 {
            retained[at][0] += number(row, "self_size");
            retained[at][1] += 1;
            at = number(&objects[at - 1], "idom_id");
            steps += 1;
            assert!(steps <= objects.len(), "dominators lead nowhere");
        }
    }
    for row in &objects {
        let found = [number(row, "retained_size"), number(row, "retained_count")];
        assert_eq!(found, retained[number(row, "id")], "{row:#?}");
    }

    // Each path is one step longer than that to the object before, by a reference from that one.
    let mut owners = vec![BTreeSet::new(); objects.len() + 1];
    let distance = |id: usize| match id {
        0 => Some(0),
        id => objects[id - 1]["root_distance"]
            .as_u64()
            .map(|it| it as usize),
    };
    let mut last = 0;
    for row in &references {
        let (owner, owned) = (number(row, "owner_id"), number(row, "owned_id"));
        assert!(owner >= last && owned <= objects.len(), "{row:#?}");
        last = owner;
        assert!(row["field_kind"] != "root" || owner == 0, "{row:#?}");
        owners[owned].insert(owner);
    }
    for row in &alive {
        let parent = number(row, "parent_id");
        assert!(owners[number(row, "id")].contains(&parent), "{row:#?}");
        let far = number(row, "root_distance");
        assert_eq!(distance(parent).unwrap() + 1, far, "{row:#?}");
    }
    let groups: BTreeSet<&str> = alive
        .iter()
        .filter_map(|row| row["group_fingerprint"].as_str())
        .collect();
    let listed = rows(folder, "group");
    let listed = listed
        .iter()
        .map(|row| row["fingerprint"].as_str().unwrap());
    assert_eq!(listed.collect::<BTreeSet<_>>(), groups);
}

#[test]
fn objects_and_references_fit_together() {
    let folder = exported(&["1.luasnap", "--objects", "--groups", "100000"]);
    check_objects(folder.path());
    let references = rows(folder.path(), "reference");
    let objects = rows(folder.path(), "object");
    let named = |name: &str| {
        let mut named = references.iter().filter(|row| row["field_name"] == name);
        let row = named.next().unwrap();
        &objects[row["owned_id"].as_u64().unwrap() as usize - 1]
    };
    assert_eq!(named("people")["entries"], 100);
    assert_eq!(named("people")["kind"], "table");
    let distance = |name: &str| named(name)["root_distance"].as_u64().unwrap();
    assert_eq!(distance("people"), distance("town") + 1);
    // A step is written as in paths.
    let mut steps: Vec<&str> = Vec::new();
    let mut at = named("person5");
    loop {
        steps.push(at["step"].as_str().unwrap());
        match at["parent_id"].as_u64().unwrap() as usize {
            0 => break,
            parent => at = &objects[parent - 1],
        }
    }
    steps.reverse();
    assert!(
        steps[0] == "[REGISTRY]" && steps.ends_with(&["town", "people", "person5"]),
        "{steps:?}"
    );
    let numbers: BTreeSet<i64> = references
        .iter()
        .filter(|row| row["field_kind"] == "index")
        .map(|row| row["field_number"].as_i64().unwrap())
        .collect();
    assert!((1..=100).all(|index| numbers.contains(&index)));
    let bell = objects
        .iter()
        .filter(|row| row["source"] == "town.lua" && row["kind"] == "function");
    assert!(bell.clone().count() > 100);
    // The code of the whole file begins at 0.
    assert_eq!(bell.clone().filter(|row| row["line"] == 0).count(), 1);
}

/// Garbage, keys that are no text, and keys of every kind.
const ODD: &str = r#"
  local snapshot = require "snapshot"
  odd = {}
  odd["\255\254 no text"] = {}
  odd["two\nlines"] = {}
  odd["\"quoted\", 'twice'; -- \\"] = {}
  odd[1.5] = {}
  odd[-3] = {}
  odd[true] = {}
  odd[{}] = "of a table"
  odd[print] = {}
  odd.weak = setmetatable({ {}, a = print }, { __mode = "v" })
  odd.ephemerons = setmetatable({ [odd] = {} }, { __mode = "k" })
  odd.waits = coroutine.create(function(...) coroutine.yield(...) end)
  coroutine.resume(odd.waits, {})
  do local garbage = {} for i = 1, 100 do garbage[i] = { i } end end
  snapshot.save(snapshot.snapshot(), "odd.luasnap")
  snapshot.save(snapshot.snapshot({ odd = odd }, "odd"), "portable.luasnap")
"#;

#[test]
fn tables_are_right_in_every_vm() {
    for vm in Vm::ALL {
        let folder = tempfile::tempdir().unwrap();
        run_in(vm, ODD, folder.path());
        for file in ["odd", "portable"] {
            let mut command = luasnap(folder.path());
            command.args(["export", &format!("{file}.luasnap"), "--to", "parquet"]);
            command.args(["-o", file, "--objects", "--groups", "100000"]);
            let ran = output(command, "");
            assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{vm:?}: {ran:#?}");
            check_objects(&folder.path().join(file));
        }
        let references = rows(&folder.path().join("odd"), "reference");
        let names: BTreeSet<&str> = references
            .iter()
            .filter_map(|row| row["field_name"].as_str())
            .collect();
        for name in [r"\xFF\xFE no text", r"two\nlines", "1.5", "true"] {
            assert!(names.contains(name), "{vm:?}: {name}: {names:?}");
        }
        let is_weak = |row: &&Row| row["strong"] == false;
        assert!(references.iter().filter(is_weak).count() >= 2, "{vm:?}");
    }
}

#[test]
fn a_shifted_line_is_no_new_function() {
    let groups = |before: &str| {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "{before}function handle() return 1 end\n\
             function other() return 2 end\n\
             waits = coroutine.create(function() coroutine.yield() end)\n\
             coroutine.resume(waits)\n"
        );
        fs::write(folder.path().join("s.lua"), script).unwrap();
        for words in [
            &["run", "-q", "--save", "s.luasnap", "s.lua"][..],
            &["export", "s.luasnap", "--to", "parquet", "-o", "tables"],
        ] {
            let mut command = luasnap(folder.path());
            command.args(words);
            let ran = output(command, "");
            assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:#?}");
        }
        let rows = rows(&folder.path().join("tables"), "group");
        let rows = rows.into_iter().filter(|row| {
            let name = row["name"].as_str().unwrap();
            name.contains("s.lua:") && row["kind"] != "proto"
        });
        let print = |row: &Row, column: &str| row[column].as_str().unwrap().to_owned();
        rows.map(|row| {
            let name = print(&row, "name");
            let prints = [
                print(&row, "fingerprint"),
                print(&row, "stable_fingerprint"),
            ];
            (name, prints)
        })
        .collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (groups(""), groups("\n\n\n"));
    for (at, shifted) in [
        ("s.lua:1", "s.lua:4"),
        ("s.lua:2", "s.lua:5"),
        ("coroutine at s.lua:3", "coroutine at s.lua:6"),
    ] {
        let of = |groups: &BTreeMap<String, [String; 2]>, start: &str| {
            let found = groups.iter().find(|(name, _)| {
                let rest = name.strip_prefix(start);
                rest.is_some_and(|rest| !rest.starts_with(|digit: char| digit.is_ascii_digit()))
            });
            found
                .unwrap_or_else(|| panic!("{start}: {groups:#?}"))
                .1
                .clone()
        };
        let (before, after) = (of(&before, at), of(&after, shifted));
        assert_ne!(before[0], after[0], "{at}");
        assert_eq!(before[1], after[1], "{at}");
    }
    assert_ne!(before["s.lua:1"][1], before["s.lua:2"][1]);
}

#[test]
fn a_file_has_its_place_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let words = ["--to", "parquet", "-o", path, "--service", "a/b=c"];
    let export = |file: &str| answer(&[&["export", file], &words[..]].concat());
    export("1.luasnap");
    let [file] = &files(folder.path(), "group")[..] else {
        panic!();
    };
    let place = file.strip_prefix(folder.path()).unwrap().to_str().unwrap();
    let time = json(&["info", "1.luasnap"])["taken_at_ms"]
        .as_i64()
        .unwrap();
    let seconds = time / 1000;
    let date = {
        let ran = std::process::Command::new("date")
            .args([
                "-u",
                "+date=%Y-%m-%d/service=a%%2Fb%%3Dc/%Y%m%dT%H%M%S",
                "-d",
            ])
            .arg(format!("@{seconds}"))
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    let id = rows(folder.path(), "snapshot")[0]["snapshot_id"].clone();
    let id = id.as_str().unwrap();
    assert_eq!(
        place,
        format!("group/{date}.{:03}Z-{id}.parquet", time % 1000)
    );
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // The same snapshot has the same name; another one has not.
    export("1.luasnap");
    assert_eq!(files(folder.path(), "group"), std::slice::from_ref(file));
    assert_eq!(rows(folder.path(), "snapshot").len(), 1);
    export("2.luasnap");
    let ids: BTreeSet<String> = rows(folder.path(), "snapshot")
        .iter()
        .map(|row| row["snapshot_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 2);
    for table in ["group", "path_tree", "owner"] {
        let there = rows(folder.path(), table);
        let there: BTreeSet<String> = there
            .iter()
            .map(|row| row["snapshot_id"].to_string())
            .collect();
        assert_eq!(there, ids, "{table}");
    }
}

#[test]
fn names_come_from_the_environment_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = luasnap(town());
    command.args(["export", "1.luasnap", "--to", "parquet", "-o"]);
    command.arg(folder.path());
    for (name, value) in [
        ("SERVICE", "gate"),
        ("HOST", "h2"),
        ("RELEASE", "9"),
        ("LABELS", "zone=b,rack=1"),
    ] {
        command.env(format!("LUASNAP_{name}"), value);
    }
    let ran = output(command, "");
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:#?}");
    let [row] = &rows(folder.path(), "snapshot")[..] else {
        panic!();
    };
    let found = json!([row["host"], row["release"], row["labels"]]);
    assert_eq!(found, json!(["h2", "9", { "zone": "b", "rack": "1" }]));
    let [file] = &files(folder.path(), "snapshot")[..] else {
        panic!();
    };
    assert!(file.to_str().unwrap().contains("/service=gate/"));
    // A file may be of another machine: its host is not this one.
    let nowhere = exported(&["1.luasnap"]);
    assert_eq!(rows(nowhere.path(), "snapshot")[0]["host"], Value::Null);
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let ran = ask(&[
        "export",
        "1.luasnap",
        "--to",
        "parquet",
        "-o",
        file.to_str().unwrap(),
    ]);
    assert_eq!(ran.code, Some(125), "{ran:#?}");
    assert!(ran.stderr.contains("cannot make the folder"), "{ran:#?}");
    for (words, said) in [
        (&["--to", "parquet"][..], "tables go into a folder"),
        (&["--objects"], "add --to parquet"),
        (
            &["--to", "parquet", "-o", "x", "--label", "x"],
            "a label is KEY=VALUE",
        ),
    ] {
        let ran = ask(&[&["export", "1.luasnap"], words].concat());
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.stderr.contains(said), "{ran:#?}");
    }
    // Bytes do not fit: nothing of the file that failed stays, and none claims that it is there.
    let to = folder.path().join("tables");
    let script = "ulimit -f 20; exec \"$0\" export 1.luasnap --to parquet --objects -o \"$1\"";
    let mut command = std::process::Command::new("sh");
    command
        .current_dir(town())
        .args(["-c", script, crate::program::LUASNAP])
        .arg(&to);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!(ran.code, Some(125), "{ran:#?}");
    assert!(ran.stderr.contains("cannot write"), "{ran:#?}");
    assert_eq!(files(&to, "snapshot"), Vec::<PathBuf>::new());
}

const LEAK: &str = "kept = {} function grow() kept[#kept + 1] = { #kept } end";

#[test]
fn a_process_is_written_to_tables() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(
        folder.path(),
        "kept = {} for i = 1, 500 do kept[i] = { i } end",
        &[],
    );
    let mut command = luasnap(folder.path());
    command.args(["attach", &target.id(), "--to", "parquet", "-o", "tables"]);
    let ran = output(command, "");
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let tables = folder.path().join("tables");
    let [snapshot] = &rows(&tables, "snapshot")[..] else {
        panic!("{ran:#?}");
    };
    assert_eq!(snapshot["pid"].to_string(), target.id());
    assert_eq!(snapshot["exact"], true);
    assert!(snapshot["host"].is_string());
    let groups = rows(&tables, "group");
    let kept = groups.iter().find(|row| row["name"] == "_G.kept.[*]");
    assert_eq!(kept.unwrap()["count"], 500);
    assert_eq!(files(&tables, "path_tree"), Vec::<PathBuf>::new());
    let named: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(named.len(), 2, "{ran:#?}");
    assert!(named.iter().all(|file| folder.path().join(file).exists()));
    target.finish();
}

#[test]
fn a_process_that_is_watched_is_a_file_a_step_or_one_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let growing = Growing::start(folder.path(), LEAK);
    let watch = |to: &str, words: &[&str]| {
        let mut command = luasnap(folder.path());
        command.args(["watch", &growing.id(), "--every", "500ms", "--for", "4s"]);
        command
            .args(["--to", "parquet", "--json", "-o", to])
            .args(words);
        let ran = output(command, "");
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        let end: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
        let steps = end["steps"].as_u64().unwrap() as usize;
        assert!(steps >= 2, "{ran:#?}");
        let folder = folder.path().join(to);
        let counts: Vec<u64> = rows(&folder, "group")
            .iter()
            .filter(|row| row["name"] == "_G.kept.[*]")
            .map(|row| row["count"].as_u64().unwrap())
            .collect();
        assert_eq!(counts.len(), steps);
        assert!(counts.is_sorted(), "{counts:?}");
        assert_eq!(rows(&folder, "snapshot").len(), steps);
        (steps, files(&folder, "group").len())
    };
    let (steps, files) = watch("each", &[]);
    assert_eq!(files, steps);
    let (_, files) = watch("hourly", &["--rotate", "1h"]);
    // Two if the day ended meanwhile.
    assert!((1..=2).contains(&files), "{files}");
    growing.finish();
}

/// Names of the town, of its files and of its classes.
const OF_THE_TOWN: [&str; 8] = [
    "town",
    "people",
    "person",
    "House",
    "crier",
    "proclamations",
    "hear ye",
    "settle",
];

/// All texts in rows.
fn texts(rows: &[Row]) -> BTreeSet<&str> {
    rows.iter()
        .flat_map(BTreeMap::values)
        .filter_map(Value::as_str)
        .collect()
}

/// What groups have besides names, sorted.
fn shapes(groups: &[Row]) -> Vec<String> {
    let mut shapes: Vec<String> = groups
        .iter()
        .map(|row| {
            json!([
                row["kind"],
                row["count"],
                row["self_size"],
                row["retained_size"]
            ])
            .to_string()
        })
        .collect();
    shapes.sort();
    shapes
}

#[test]
fn hashed_names_join_under_one_key_and_say_nothing() {
    let keys = tempfile::tempdir().unwrap();
    let key = |name: &str, text: &str| {
        let path = keys.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [first, second] = [
        key("first", "correct horse battery staple"),
        key("second", "correct horse battery stapler\n"),
    ];
    let with = |file: &str, key: &str| {
        exported(&[file, "--objects", "--groups", "100000", "--hash-names", key])
    };
    let open = exported(&["1.luasnap", "--groups", "100000"]);
    let (hashed, other) = (with("1.luasnap", &first), with("1.luasnap", &second));
    let later = with("2.luasnap", &first);
    let groups = |folder: &TempDir| rows(folder.path(), "group");
    assert_eq!(shapes(&groups(&open)), shapes(&groups(&hashed)));
    // Of groups that are called by a name of the program: what Lua itself brings has the same names everywhere.
    let prints = |folder: &TempDir| -> BTreeSet<String> {
        let digits =
            |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_hashed = |row: &&Row| {
            let name = row["name"].as_str().unwrap();
            name.split(|letter: char| !letter.is_ascii_alphanumeric())
                .any(digits)
        };
        let groups = groups(folder);
        let named = groups.iter().filter(is_hashed);
        named
            .flat_map(|row| [&row["fingerprint"], &row["stable_fingerprint"]])
            .map(Value::to_string)
            .collect()
    };
    let of = prints(&hashed);
    assert!(of.len() > 100);
    assert!(of.intersection(&prints(&later)).count() > of.len() * 9 / 10);
    assert!(of.is_disjoint(&prints(&other)));
    let everything: BTreeSet<String> = groups(&open)
        .iter()
        .map(|row| row["fingerprint"].to_string())
        .collect();
    assert!(of.is_disjoint(&everything));
    for table in [
        "snapshot",
        "group",
        "path_tree",
        "owner",
        "object",
        "reference",
    ] {
        for text in texts(&rows(hashed.path(), table)) {
            let said = OF_THE_TOWN.iter().find(|name| text.contains(**name));
            assert_eq!(said, None, "{table}: {text}");
        }
    }
    check_objects(hashed.path());

    // In the other formats as well.
    for format in ["heapsnapshot", "json", "text", "collapsed"] {
        let text = answer(&[
            "export",
            "1.luasnap",
            "--to",
            format,
            "--hash-names",
            &first,
        ]);
        let said = OF_THE_TOWN.iter().find(|name| text.contains(**name));
        assert_eq!(said, None, "{format}");
    }
    for (key, said) in [
        (key("short", "short\n"), "is shorter than 16 bytes"),
        (first.clone() + "-none", "cannot read the key"),
    ] {
        let ran = ask(&["export", "1.luasnap", "--to", "text", "--hash-names", &key]);
        assert_eq!(ran.code, Some(125), "{ran:#?}");
        assert!(ran.stderr.contains(said), "{ran:#?}");
    }
}

#[test]
fn hashed_names_are_right_in_every_vm() {
    let key = tempfile::tempdir().unwrap();
    let path = key.path().join("key");
    fs::write(&path, "correct horse battery staple").unwrap();
    for vm in Vm::ALL {
        let folder = tempfile::tempdir().unwrap();
        run_in(vm, ODD, folder.path());
        let export = |to: &str, words: &[&str]| {
            let mut command = luasnap(folder.path());
            command.args(["export", "odd.luasnap", "--to", "parquet", "--objects"]);
            command.args(["--groups", "100000", "-o", to]).args(words);
            let ran = output(command, "");
            assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{vm:?}: {ran:#?}");
            folder.path().join(to)
        };
        let open = export("open", &[]);
        let hashed = export("hashed", &["--hash-names", path.to_str().unwrap()]);
        check_objects(&hashed);
        assert_eq!(
            shapes(&rows(&open, "group")),
            shapes(&rows(&hashed, "group")),
            "{vm:?}"
        );
        for table in [
            "snapshot",
            "group",
            "path_tree",
            "owner",
            "object",
            "reference",
        ] {
            for text in texts(&rows(&hashed, table)) {
                for name in [
                    "odd",
                    "waits",
                    "script.lua",
                    "no text",
                    "lines",
                    "ephemerons",
                ] {
                    assert!(!text.contains(name), "{vm:?}: {table}: {text}");
                }
            }
        }
    }
}

#[test]
fn names_are_left_out_and_fingerprints_stay() {
    let open = exported(&["1.luasnap", "--objects"]);
    let nameless = exported(&["1.luasnap", "--objects", "--no-names"]);
    for table in [
        "snapshot",
        "group",
        "path_tree",
        "owner",
        "object",
        "reference",
    ] {
        let rows = [&open, &nameless].map(|folder| rows(folder.path(), table));
        let texts = texts(&rows[1]);
        for name in OF_THE_TOWN {
            assert!(
                !texts.iter().any(|text| text.contains(name)),
                "{table}: {name}"
            );
        }
        let prints = rows.each_ref().map(|rows| {
            let prints = rows.iter().filter_map(|row| row.get("fingerprint"));
            prints.map(Value::to_string).collect::<Vec<_>>()
        });
        assert_eq!(prints[0], prints[1]);
        assert_eq!(rows[0].len(), rows[1].len());
    }
    let ran = ask(&["export", "1.luasnap", "--to", "text", "--no-names"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("--no-names is for tables"), "{ran:#?}");
}

/// `docs/fleet.md` lists every column of every table, with its type and whether it may be null.
#[test]
fn the_documents_have_every_column() {
    let folder = exported(&["1.luasnap", "--objects"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for document in ["docs/fleet.md", "docs/zh-CN/fleet.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for table in [
            "snapshot",
            "group",
            "path_tree",
            "owner",
            "object",
            "reference",
        ] {
            let heading = format!("### `{table}`");
            let (_, section) = text
                .split_once(&heading)
                .unwrap_or_else(|| panic!("{document}: {heading}"));
            let section = section.split("\n### ").next().unwrap();
            let said = section.lines().filter_map(|line| {
                let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
                let name = cells.next()?.trim_end_matches('`').to_owned();
                let kind = cells.next()?.to_owned();
                Some((name, kind))
            });
            let [file] = &files(folder.path(), table)[..] else {
                panic!("{table}");
            };
            let reader = reader(file);
            let schema = reader.metadata().file_metadata();
            let metadata = schema.key_value_metadata().unwrap();
            let pair = |key: &str| {
                metadata
                    .iter()
                    .find(|pair| pair.key == key)
                    .unwrap()
                    .value
                    .clone()
            };
            assert_eq!(pair("luasnap.schema").as_deref(), Some("1"));
            assert_eq!(pair("luasnap.table").as_deref(), Some(table));
            let columns = schema.schema().get_fields().iter().map(|column| {
                let basic = column.get_basic_info();
                let kind = match basic.logical_type_ref() {
                    Some(LogicalType::String) => "string",
                    Some(LogicalType::Map) => "map of strings",
                    Some(LogicalType::Timestamp { .. }) => "timestamp",
                    _ => match column.get_physical_type() {
                        Physical::INT64 => "int64",
                        Physical::BOOLEAN => "boolean",
                        other => panic!("{other}"),
                    },
                };
                let null = match basic.repetition() {
                    Repetition::OPTIONAL => ", null",
                    _ => "",
                };
                (column.name().to_owned(), format!("{kind}{null}"))
            });
            assert_eq!(
                said.collect::<Vec<_>>(),
                columns.collect::<Vec<_>>(),
                "{document}: {table}"
            );
        }
    }
}
