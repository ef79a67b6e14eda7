//! `luasnap report`.

use crate::files::{answer, ask, in_town, json, run_in, town};
use crate::program::{luasnap, output};
use luasnap_hosts::Vm;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const FILES: [&str; 3] = ["1.luasnap", "2.luasnap", "3.luasnap"];

/// An answer without these fields.
fn without(mut answer: Value, fields: &[&str]) -> Value {
    let object = answer.as_object_mut().unwrap();
    for field in fields {
        assert!(object.remove(*field).is_some(), "{field}");
    }
    answer
}

#[test]
fn its_numbers_are_those_of_the_other_verbs() {
    let report = json(&[&["report"], &FILES[..]].concat());
    let top = json(&["top", "3.luasnap", "-n", "300"]);
    assert_eq!(report["top"], without(top, &["file"]));
    let diff = json(&[&["diff", "-n", "300"], &FILES[..]].concat());
    assert_eq!(report["growth"], without(diff, &["files"]));
    let info = json(&["info", "3.luasnap"]);
    assert_eq!(report["waste"], info["waste"]);
    assert_eq!(report["weak_tables"], info["weak_tables"]);
    for field in [
        "objects",
        "kinds",
        "garbage",
        "blocks",
        "total",
        "unaccounted",
        "ledger",
        "exact",
    ] {
        assert_eq!(report["stats"][field], info[field], "{field}");
    }
    for (snapshot, file) in report["snapshots"].as_array().unwrap().iter().zip(FILES) {
        let info = json(&["info", file]);
        assert_eq!(snapshot["file"], file);
        // Other tests' answers are kept in the file meanwhile.
        assert!(snapshot["file_bytes"].as_u64() > Some(1000));
        for field in ["taken_at_ms", "process", "vm", "layout", "engine"] {
            assert_eq!(snapshot[field], info[field], "{field}");
        }
        assert_eq!(snapshot["size"], info["objects"]["bytes"]);
        assert_eq!(snapshot["count"], info["objects"]["count"]);
    }
    let cells = &report["cells"];
    assert_eq!(cells["retained"][0], report["top"]["size"]);
    assert_eq!(report["strings"], "beginnings");
    let command = "luasnap report 1.luasnap 2.luasnap 3.luasnap --json";
    assert_eq!(report["command"], command);
}

#[test]
fn findings_are_the_leak_suspects() {
    let report = json(&[&["report"], &FILES[..]].concat());
    let suspects = report["growth"]["suspects"].as_array().unwrap();
    let large = suspects.iter().filter(|suspect| suspect["small"] == false);
    let expected: Vec<&Value> = large.map(|suspect| &suspect["fingerprint"]).collect();
    let findings = report["findings"].as_array().unwrap();
    let found: Vec<&Value> = findings
        .iter()
        .map(|finding| &finding["fingerprint"])
        .collect();
    assert_eq!(found, expected);
    assert!(!found.is_empty());
    for finding in findings {
        let cell = finding["cell"].as_u64().unwrap() as usize;
        assert!(report["cells"]["retained"][cell].as_u64().unwrap() > 0);
        assert_eq!(finding["steps"][0]["step"], "_G", "{finding}");
        assert_eq!(finding["sizes"].as_array().unwrap().len(), 3);
    }
    let one = json(&["report", "3.luasnap"]);
    assert!(one["growth"].is_null());
    for finding in one["findings"].as_array().unwrap() {
        let groups = one["top"]["groups"].as_array().unwrap();
        let group = groups
            .iter()
            .find(|group| group["fingerprint"] == finding["fingerprint"]);
        assert!(group.unwrap()["share"].as_f64().unwrap() >= 0.1);
    }
}

/// Calls `luasnap report` in a folder with the town's files.
fn report(folder: &Path, words: &[&str]) -> crate::program::Ran {
    let mut command = luasnap(folder);
    command.arg("report").args(words);
    output(command, "")
}

fn copied(folder: &Path) {
    for file in FILES {
        fs::copy(town().join(file), folder.join(file)).unwrap();
    }
}

#[test]
fn a_page_is_written_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    copied(folder);
    let ran = report(
        folder,
        &["1.luasnap", "2.luasnap", "3.luasnap", "-o", "leak.html"],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let verdict = json(&[&["diff"], &FILES[..]].concat())["verdict"].clone();
    let (said, file) = ran.stdout.split_once("\n\n").unwrap();
    assert_eq!(said, verdict);
    assert!(
        file.starts_with("leak.html: ") && file.ends_with(" KiB, for any browser\n"),
        "{file}"
    );
    let page = fs::read_to_string(folder.join("leak.html")).unwrap();
    assert!(page.starts_with("<!doctype html>\n") && page.ends_with("</html>\n"));
    let mode = fs::metadata(folder.join("leak.html"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let ran = report(folder, &["3.luasnap", "-o", "/dev/stdout"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.starts_with("<!doctype html>\n") && ran.stdout.ends_with("</html>\n"));
}

#[test]
fn without_a_name_it_has_that_of_the_last_file_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    copied(folder);
    let ran = report(folder, &["1.luasnap", "3.luasnap"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let page = fs::read(folder.join("3.html")).unwrap();
    let ran = report(folder, &["3.luasnap"]);
    let told = "luasnap: '3.html' is there already: to replace it, say -o 3.html\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(125), told));
    assert_eq!(fs::read(folder.join("3.html")).unwrap(), page);
    let ran = report(folder, &["3.luasnap", "-o", "3.html"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(fs::read(folder.join("3.html")).unwrap() != page);
}

#[test]
fn options_are_in_the_page() {
    let options = [
        "--title",
        "the town's leak",
        "--lang",
        "zh",
        "--no-strings",
        "-n",
        "3",
    ];
    let found = json(&[&["report"], &FILES[..], &options[..]].concat());
    assert_eq!(found["title"], "the town's leak");
    assert_eq!(
        (&found["language"], &found["strings"]),
        (&"zh".into(), &"left_out".into())
    );
    assert_eq!(found["top"]["groups"].as_array().unwrap().len(), 3);
    let command = r"luasnap report 1.luasnap 2.luasnap 3.luasnap --title 'the town'\''s leak' --lang zh --no-strings -n 3 --json";
    assert_eq!(found["command"], command);
}

#[test]
fn what_has_no_page_is_told() {
    for (words, told) in [
        (
            &["missing"][..],
            "cannot read 'missing': No such file or directory",
        ),
        (
            &["1.luasnap", "-o", "no/such/folder.html"],
            "cannot write 'no/such/folder.html': No such file or directory",
        ),
        (
            &["1.luasnap", "-o", "/dev/full"],
            "cannot write '/dev/full': No space left on device",
        ),
    ] {
        let ran = ask(&[&["report"], words].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
        assert_eq!(ran.stderr, format!("luasnap: {told}\n"));
    }
    for words in [
        &["report"][..],
        &["report", "1.luasnap", "--json", "-o", "x.html"],
        &["report", "1.luasnap", "--lang", "de"],
    ] {
        assert_eq!(ask(words).code, Some(2), "{words:?}");
    }
    let folder = town().join("no-page");
    fs::create_dir_all(&folder).unwrap();
    let script = "local s = require 'snapshot'
        s.save(s.snapshot(), 'whole.luasnap')
        s.save(s.incr(s.snapshot(), s.snapshot()), 'difference.luasnap')
        s.save(s.snapshot(nil, nil, { engine = 'portable' }), 'portable.luasnap')";
    run_in(Vm::Lua54, script, &folder);
    for (files, told) in [
        (
            &["difference.luasnap"][..],
            "difference.luasnap is the difference of two snapshots: a report is about whole ones",
        ),
        (
            &["whole.luasnap", "portable.luasnap"],
            "whole.luasnap was captured by the native engine, and portable.luasnap by the portable \
             one: take both by the same",
        ),
    ] {
        let mut command = in_town(&[&["report", "--json"], files].concat());
        command.current_dir(&folder);
        let ran = output(command, "");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
        assert_eq!(ran.stderr, format!("luasnap: {told}\n"));
    }
    let mut command = in_town(&["report", "--json", "portable.luasnap"]);
    command.current_dir(&folder);
    let portable: Value = serde_json::from_str(&output(command, "").stdout).unwrap();
    assert_eq!(portable["strings"], "unknown");
    assert!(portable["stats"]["total"].as_u64() > portable["top"]["size"].as_u64());
    assert!(portable["top"]["ledger"]["in_use"].is_null());
}

#[test]
fn an_older_page_stays_where_the_new_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::copy(town().join("1.luasnap"), folder.join("1.luasnap")).unwrap();
    fs::write(folder.join("cut"), "no snapshot").unwrap();
    fs::write(folder.join("leak.html"), "older").unwrap();
    let ran = report(folder, &["1.luasnap", "cut", "-o", "leak.html"]);
    assert_eq!(ran.code, Some(125));
    assert_eq!(
        fs::read_to_string(folder.join("leak.html")).unwrap(),
        "older"
    );
    assert_eq!(fs::read_dir(folder).unwrap().count(), 3);
    // So that nobody has to look for it.
    assert!(
        answer(&["report", "--help"]).contains("[default: the last snapshot's name with .html")
    );
}
