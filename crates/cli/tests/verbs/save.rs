//! `luasnap run --save`.

use crate::files::{in_town, run_in};
use crate::program::{Program, Ran, luasnap, output};
use luasnap_hosts::Vm;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::thread;

/// Leaves a hundred tables behind.
const LEAKY: &str = "kept = {} for i = 1, 100 do kept[i] = { i } end ";

/// Returns a verb's answer about files in a folder, as JSON.
#[track_caller]
fn json(folder: &Path, words: &[&str]) -> Value {
    let mut command = luasnap(folder);
    command.args(words).arg("--json");
    let ran = output(command, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Checks that the file has what the script left behind.
#[track_caller]
fn has_what_was_kept(folder: &Path) {
    let held = json(folder, &["path", "last.luasnap", "_G.kept.[*]"]);
    assert_eq!(held["count"], 100, "{held}");
}

fn saving(source: &str) -> Program {
    Program::new(source).option("--save").option("last.luasnap")
}

#[test]
fn what_a_script_left_behind_is_saved_however_it_ends() {
    for (end, code, said) in [
        ("", 0, ""),
        ("error 'oh no'", 1, "luasnap: script.lua:1: oh no\n"),
        ("os.exit(4)", 4, ""),
        ("coroutine.wrap(os.exit)(5, true)", 5, ""),
    ] {
        for quiet in [false, true] {
            let mut program = saving(&format!("{LEAKY}{end}"));
            if quiet {
                program = program.option("--quiet");
            }
            let ran = program.run(&[]);
            assert_eq!(ran.code, Some(code), "{ran:#?}");
            assert!(ran.stderr.starts_with(said), "{ran:#?}");
            assert_eq!(ran.stdout.is_empty(), quiet, "{ran:#?}");
            has_what_was_kept(&program.folder());
        }
    }
}

#[test]
fn a_script_from_standard_input_is_saved() {
    let program = saving("").option("-q").stdin(LEAKY);
    assert_eq!(program.call(&["-"]).code, Some(0));
    has_what_was_kept(&program.folder());
}

#[test]
fn garbage_is_not_saved_as_what_is_kept() {
    let program = saving("for i = 1, 1000 do local t = { i } end").option("-q");
    assert_eq!(program.run(&[]).code, Some(0));
    let info = json(&program.folder(), &["info", "last.luasnap"]);
    assert_eq!(info["garbage"]["count"], 0, "{info}");
}

#[test]
fn texts_and_names_can_be_left_out() {
    let secret = "password = 'correct horse battery staple' secrets = { password }";
    let names = |options: &[&str]| {
        let mut program = saving(secret).option("-q");
        for option in options {
            program = program.option(*option);
        }
        let ran = program.run(&[]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        let mut command = luasnap(&program.folder());
        command.args(["export", "last.luasnap"]);
        let text = output(command, "").stdout;
        (text.contains("correct horse"), text.contains("secrets"))
    };
    assert_eq!(names(&[]), (true, true));
    assert_eq!(names(&["--no-strings"]), (false, true));
    assert_eq!(names(&["--no-names"]), (true, false));
    assert_eq!(names(&["--no-strings", "--no-names"]), (false, false));
}

#[test]
fn a_place_that_cannot_be_saved_to_is_told_before_the_script_runs() {
    for (place, reason) in [
        ("no/such/folder/file", "there is no folder no/such/folder"),
        (".", "it is a folder: name a file"),
    ] {
        let ran = Program::new("print 'ran'")
            .option("--save")
            .option(place)
            .run(&[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
        let expected = format!("luasnap: cannot save to '{place}': {reason}");
        assert!(ran.stderr.starts_with(&expected), "{ran:#?}");
    }
    let mut command = in_town(&["run", "--every", "1s", "--save", "town.lua", "town.lua"]);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
    assert!(
        ran.stderr.contains("cannot make the folder town.lua"),
        "{ran:#?}"
    );
}

#[test]
fn a_snapshot_that_cannot_be_saved_is_told_by_the_exit_code() {
    for (end, code) in [("", 125), ("error()", 1), ("os.exit(4)", 4)] {
        let program = Program::new(end).option("--save").option("/dev/full");
        let ran = program.option("-q").run(&[]);
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        let expected = "luasnap: cannot write '/dev/full': No space left on device\n";
        assert!(ran.stderr.ends_with(expected), "{ran:#?}");
    }
}

/// Returns the names of the files in a folder, sorted.
fn files_of(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs for about three seconds, and keeps more and more.
const THREE_SECONDS: &str = "
    kept = {}
    local start = os.time()
    while os.time() < start + 3 do
        for at = #kept + 1, 100 * (os.time() - start + 1) do kept[at] = {} end
    end";

/// Checks the files of a run that saves every second: they have the script's name and a number, and
/// can be compared.
#[track_caller]
fn saves_each_second(interpreter: Option<Vm>) {
    let mut program = Program::new(THREE_SECONDS).option("--quiet");
    program = program
        .option("--every")
        .option("1s")
        .option("--save")
        .option("shots");
    if let Some(vm) = interpreter {
        program = program.interpreter(vm.interpreter());
    }
    let ran = program.run(&[]);
    let all = (ran.code, ran.stdout.as_str(), ran.stderr.as_str());
    assert_eq!(all, (Some(0), "", ""), "{interpreter:?}");
    let folder = program.folder().join("shots");
    let files = files_of(&folder);
    assert!(files.len() >= 3, "{interpreter:?}: {files:?}");
    for (number, file) in (1..).zip(&files) {
        assert!(file.starts_with("script-20"), "{files:?}");
        assert!(
            file.ends_with(&format!("-{number:04}.luasnap")),
            "{files:?}"
        );
    }
    let mut words = vec!["diff"];
    words.extend(files.iter().map(String::as_str));
    let grown = json(&folder, &words);
    assert_eq!(grown["files"].as_array().unwrap().len(), files.len());
    let changed = grown["changed"].as_array().unwrap();
    let kept = changed.iter().find(|row| row["name"] == "_G.kept.[*]");
    let kept = kept.unwrap_or_else(|| panic!("{interpreter:?}: {grown}"));
    assert!(kept["count_change"].as_i64() > Some(0), "{kept}");
}

#[test]
fn snapshots_are_saved_while_a_script_runs() {
    thread::scope(|scope| {
        scope.spawn(|| saves_each_second(None));
        for vm in Vm::ALL {
            scope.spawn(move || saves_each_second(Some(vm)));
        }
    });
}

#[test]
fn every_lua_saves_a_last_snapshot() {
    for vm in Vm::ALL {
        let program = saving(LEAKY).option("-q").interpreter(vm.interpreter());
        let ran = program.run(&[]);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{vm:?}: {ran:#?}"
        );
        has_what_was_kept(&program.folder());
        let mut command = luasnap(&program.folder());
        command.args(["export", "last.luasnap"]);
        let text = output(command, "").stdout;
        assert!(
            text.contains("luasnap") && !text.contains("luasnap-run-"),
            "{vm:?}: the driver's file"
        );
    }
}

#[test]
fn files_of_snapshots_from_lua_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    for vm in Vm::ALL {
        let script =
            format!("{LEAKY} local s = require 'snapshot' s.save(s.snapshot(), 'last.luasnap')");
        run_in(vm, &script, folder.path());
        has_what_was_kept(folder.path());
    }
}
