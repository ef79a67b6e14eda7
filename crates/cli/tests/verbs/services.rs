//! A process of many Lua states, services of skynet (`hosts/src/skynet.c`): `ps`, `attach`, and `top` of many files.

use crate::program::{Ran, luasnap, output};
use luasnap_hosts::skynet_models;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Services that are alike; there is one more, which leaks.
const AGENTS: usize = 29;
const SERVICES: usize = AGENTS + 1;
/// All states: one more has the code that the services share.
const STATES: usize = SERVICES + 1;
/// States that `attach` has a line for.
const LISTED: usize = 20;

const SERVICE: &str = r#"
local name, number = ...
sessions = {}
for i = 1, name == "leaky" and 5000 or number do sessions[i] = { id = i } end
"#;

/// A node that waits; it is killed in the end.
struct Node {
    process: Child,
    folder: TempDir,
}

impl Node {
    fn start() -> Node {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("service.lua"), SERVICE).unwrap();
        fs::create_dir(folder.path().join("node")).unwrap();
        let (_, program) = skynet_models().next().expect("a model");
        let mut process = Command::new(program)
            .args(["0", "agent", "service.lua", &AGENTS.to_string()])
            .args(["leaky", "service.lua", "1"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Node { process, folder }
    }

    fn id(&self) -> String {
        self.process.id().to_string()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs luasnap in its folder.
    fn ask(&self, words: &[&str]) -> Ran {
        let mut command = luasnap(self.folder());
        command.args(words);
        output(command, "")
    }

    #[track_caller]
    fn answer(&self, words: &[&str]) -> String {
        let ran = self.ask(words);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        ran.stdout
    }

    /// Attaches to it. Beside the answer stands how long it stood still.
    #[track_caller]
    fn attach(&self, words: &[&str]) -> String {
        let ran = self.ask(&[&["attach", &self.id()], words].concat());
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
        ran.stdout
    }

    /// Saves a snapshot of each service to `node/`.
    #[track_caller]
    fn save_all(&self) -> String {
        self.attach(&["-o", "node/s.luasnap"])
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The name of the service that leaks.
fn leaky() -> String {
    format!("leaky :{SERVICES:08x}")
}

#[test]
fn ps_calls_states_by_their_services() {
    let node = Node::start();
    let text = node.answer(&["ps", "--states"]);
    let id = node.id();
    let rows = text
        .lines()
        .filter(|line| line.split_whitespace().next() == Some(&id));
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows.len(), STATES, "{text}");
    for name in ["agent :00000001", &leaky(), "shared code of service.lua"] {
        let named = rows.iter().filter(|row| row.contains(name));
        assert_eq!(named.count(), 1, "{name}: {text}");
    }
}

/// The largest have a line each, the first the largest; files have the numbers of all.
#[test]
fn attach_lists_the_largest_of_many_states() {
    let node = Node::start();
    let said = node.save_all();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains(&leaky()), "{said}");
    let listed = lines
        .iter()
        .filter(|line| line.contains(".luasnap: state "));
    assert_eq!(listed.count(), LISTED, "{said}");
    let more = format!("and {} smaller states, each in a file", STATES - LISTED);
    assert!(lines[LISTED].starts_with(&more), "{said}");
    assert!(said.contains("_G.sessions"), "{said}");
    let files = fs::read_dir(node.folder().join("node")).unwrap();
    assert_eq!(files.count(), STATES);
}

#[test]
fn attach_takes_the_services_of_a_name() {
    let node = Node::start();
    for (name, count) in [("leaky", 1), (":00000002", 1), ("agent", AGENTS)] {
        let answer = parsed(&node.attach(&["--state", name, "--json"]));
        let states = answer["states"].as_array().unwrap();
        assert_eq!(states.len(), count, "{answer}");
        for state in states {
            let found = state["name"].as_str().unwrap();
            assert!(found.contains(name), "{found}");
            assert_eq!(state["unaccounted"], 0, "{state}");
        }
    }
    let ran = node.ask(&["attach", &node.id(), "--state", "nobody"]);
    assert_eq!(ran.code, Some(15), "{ran:#?}");
    assert!(ran.stderr.contains("'nobody'"), "{ran:#?}");
}

#[test]
fn top_ranks_the_states_of_a_folder() {
    let node = Node::start();
    node.save_all();
    let text = node.answer(&["top", "node", "-n", "3"]);
    let lines: Vec<&str> = text.lines().collect();
    let head = format!("3 of {STATES} Lua states, which hold ");
    assert!(lines[0].starts_with(&head), "{text}");
    assert_eq!(lines.len(), 3 + 3, "{text}");
    for words in [&leaky(), "_G.sessions, ", "node/s-"] {
        assert!(lines[3].contains(words), "{text}");
    }

    let all = parsed(&node.answer(&["top", "node", "--json", "-n", "1000"]));
    assert_eq!(all["state_count"], STATES);
    let states = all["states"].as_array().unwrap();
    assert_eq!(states.len(), STATES);
    assert_eq!(states[0]["name"], leaky());
    assert_eq!(states[0]["largest"]["name"], "_G.sessions");
    let totals: Vec<u64> = states
        .iter()
        .map(|state| state["total"].as_u64().unwrap())
        .collect();
    assert!(totals.is_sorted_by(|one, next| one >= next), "{totals:?}");
    assert_eq!(all["total"], totals.iter().sum::<u64>());
    for state in states {
        let garbage = state["garbage"].as_u64().unwrap();
        let in_use = state["in_use"].as_u64().unwrap();
        assert!(in_use + garbage <= state["total"].as_u64().unwrap());
        let file = state["file"].as_str().unwrap();
        assert!(node.folder().join(file).exists(), "{file}");
    }
}

/// In any order, and in the reader's language; programs are spoken to in English.
#[test]
fn top_ranks_the_states_of_several_files() {
    let node = Node::start();
    for (name, file) in [(":00000001", "one.luasnap"), ("leaky", "large.luasnap")] {
        node.attach(&["-q", "--state", name, "-o", file]);
    }
    let files = ["top", "one.luasnap", "large.luasnap"];
    let text = node.answer(&files);
    assert!(text.starts_with("2 of 2 Lua states, "), "{text}");
    let at = |name: &str| text.find(name).unwrap_or_else(|| panic!("{name}: {text}"));
    assert!(at("large.luasnap") < at("one.luasnap"), "{text}");

    let chinese = node.answer(&[&files[..], &["--lang", "zh"]].concat());
    assert!(chinese.starts_with("共 2 个 Lua 虚拟机，占 "), "{chinese}");
    let head = chinese.lines().nth(2).unwrap();
    for word in ["总量", "文件"] {
        assert!(head.contains(word), "{head}");
    }
    assert_eq!(text.lines().count(), chinese.lines().count());
    let json = |lang: &str| {
        let words = [&files[..], &["--json", "--lang", lang]].concat();
        parsed(&node.answer(&words))
    };
    assert_eq!(json("zh"), json("en"));

    let ran = node.ask(&[&files[..], &["--by", "count"]].concat());
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("--by is for one file"), "{ran:#?}");
}
