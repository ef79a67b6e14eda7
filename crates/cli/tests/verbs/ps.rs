//! `luasnap ps`: the processes that have a Lua state.

use crate::files::{answer, json, program};
use crate::target::Target;
use serde_json::json;

#[test]
fn processes_are_listed_with_their_command_lines() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--port=80", "", "two\nlines \x1b[1m", "缓存"];
    let target = Target::start(folder.path(), "", &arguments);

    let text = answer(&["ps"]);
    let head: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["pid", "state", "vm", "bytes", "command"]);
    let id = target.id();
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
    assert!(row.contains(states[0]["state"].as_str().unwrap()), "{row}");
    assert_eq!(states[0]["vm"], "Lua 5.4");
    assert!(states[0]["total"].as_u64().unwrap() > 10_000, "{process}");
    target.finish();
}
