//! `luasnap ps`: the processes that have a Lua state.

use crate::files::{answer, json, program};
use crate::target::Target;
use luasnap_hosts::{Host, Vm};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[test]
fn processes_are_listed_with_their_command_lines() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--port=80", "", "two\nlines \x1b[1m", "缓存"];
    let target = Target::start(folder.path(), "", &arguments);

    let id = target.id();
    let [row, of_state] = [
        (
            &["ps"][..],
            &[
                "pid", "states", "vm", "bytes", "rss", "largest", "state", "command",
            ][..],
        ),
        (
            &["ps", "--states"],
            &["pid", "state", "vm", "bytes", "name", "command"],
        ),
    ]
    .map(|(words, expected)| {
        let text = answer(words);
        let head: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(head, expected);
        let row = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(&id));
        let row = row.unwrap_or_else(|| panic!("no {id} in {text}"));
        assert!(row.contains("  Lua 5.4  "), "{row}");
        let command = format!(
            "  {} run --quiet target.lua --port=80  two\\nlines \\x1B[1m 缓存",
            program()
        );
        assert!(row.ends_with(&command), "{row}");
        // What it is called: the driver of `luasnap run` is the outermost chunk.
        assert!(row.contains("  luasnap  "), "{row}");
        row.to_owned()
    });
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(words[1], "1", "{row}");

    let listed = json(&["ps"]);
    let process = listed.as_array().unwrap().iter();
    let process = process
        .filter(|process| process["pid"].as_u64() == id.parse().ok())
        .collect::<Vec<_>>();
    let [process] = process[..] else {
        panic!("{process:?} in {listed}");
    };
    assert_eq!(process["program"], "luasnap");
    let words = [&[program(), "run", "--quiet", "target.lua"], &arguments[..]].concat();
    assert_eq!(process["command"], json!(words));
    let states = process["states"].as_array().unwrap();
    assert_eq!(states.len(), 1, "{process}");
    let state = states[0]["state"].as_str().unwrap();
    assert!(of_state.contains(state), "{of_state}");
    assert_eq!(states[0]["name"], "luasnap");
    assert_eq!(process["total"], states[0]["total"]);
    assert!(
        process["resident"].as_u64() > process["total"].as_u64(),
        "{process}"
    );
    assert_eq!(states[0]["vm"], "Lua 5.4");
    assert!(states[0]["total"].as_u64().unwrap() > 10_000, "{process}");
    target.finish();
}

/// Runs a script in an interpreter until it prints a line.
fn start(vm: Vm, folder: &Path, script: &str) -> Child {
    let mut command = Command::new(vm.interpreter());
    command.arg(script);
    start_command(command, folder)
}

fn start_command(mut command: Command, folder: &Path) -> Child {
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "{command:?}");
    child
}

#[test]
fn a_state_is_called_by_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let wait = "print 'ready' io.stdout:flush() io.read()";
    fs::write(folder.path().join("server.lua"), wait).unwrap();
    let vms = [
        Vm::Lua51,
        Vm::Lua52,
        Vm::Lua53,
        Vm::Lua54,
        Vm::Lua55,
        Vm::LuaJit,
    ];
    let mut children: Vec<(Vm, Child)> = vms
        .into_iter()
        .map(|vm| (vm, start(vm, folder.path(), "server.lua")))
        .collect();
    let listed = json(&["ps"]);
    for (vm, child) in &mut children {
        let mut processes = listed.as_array().unwrap().iter();
        let process = processes.find(|process| process["pid"] == child.id());
        let process = process.unwrap_or_else(|| panic!("no {vm:?} in {listed}"));
        assert_eq!(
            process["states"][0]["name"], "server.lua",
            "{vm:?}: {process}"
        );
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

#[test]
fn a_lua_that_cannot_be_read_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let wait = "print 'ready' io.stdout:flush() io.read()";
    fs::write(folder.path().join("server.lua"), wait).unwrap();
    let mut command = Host::Changed("value-5.1").command();
    command.arg("server.lua");
    let program = fs::canonicalize(command.get_program()).unwrap();
    let mut child = start_command(command, folder.path());
    let id = child.id();

    let line = format!(
        "{id} {}: Lua 5.1.5 in {} cannot be read: its structures are those of no release",
        program.file_name().unwrap().to_str().unwrap(),
        program.display()
    );
    for words in [&["ps"][..], &["ps", "--states"]] {
        let text = answer(words);
        let said = text.lines().find(|text| text.starts_with(&line));
        assert!(said.is_some(), "{line}\n{text}");
    }
    let listed = json(&["ps"]);
    let process = listed.as_array().unwrap().iter();
    let mut process = process.filter(|process| process["pid"] == id);
    let process = process.next().unwrap();
    let unread = json!({
        "lua": "Lua 5.1.5",
        "file": program.to_str().unwrap(),
        "reason": "unknown structures",
    });
    assert_eq!(process["unread"], unread);
    assert_eq!(process["states"], json!([]));
    child.kill().unwrap();
    child.wait().unwrap();
}
