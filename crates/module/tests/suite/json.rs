//! JSON that every parser accepts, whatever the keys are.

use crate::support::{output, run};
use luasnap_hosts::{Host, Vm};
use serde_json::Value;
use std::collections::HashSet;

/// The six members of every object, in their order.
const MEMBERS: [&str; 6] = ["name", "type", "refs", "desc", "link", "childs"];

/// Checks an object and all in it; returns the number of objects.
fn check_tree(value: &Value) -> usize {
    let object = value.as_object().expect("an object");
    assert_eq!(object.len(), MEMBERS.len());
    let name = object["name"].as_str().expect("a name");
    let kind = name.split(':').next().expect("a kind");
    let number = match kind {
        "table" => 5,
        "function" => 6,
        "userdata" => 7,
        "thread" => 8,
        other => panic!("{other}"),
    };
    assert_eq!(object["type"], number, "{name}");
    assert!(object["refs"].as_u64().expect("a count") > 0);
    assert!(object["desc"].is_string() && object["link"].is_string());
    let children = object["childs"].as_array().expect("children");
    1 + children.iter().map(check_tree).sum::<usize>()
}

/// Returns the documents that a script prints, one per line.
fn documents(vm: Vm, source: &str) -> Vec<Value> {
    let text = output(run(Host::Plain(vm), source));
    let text = String::from_utf8(text).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// Checks that the members of every object are in the order that the manual gives.
fn check_order(text: &str) {
    let mut rest = text;
    while let Some(start) = rest.find("{\"name\"") {
        rest = &rest[start + 1..];
        let end = rest.find("\"childs\":").expect("children");
        let object = &rest[..end + 9];
        let places: Vec<_> = MEMBERS
            .iter()
            .map(|member| object.find(&format!("\"{member}\":")))
            .collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{object}"
        );
        rest = &rest[end..];
    }
}

#[test]
fn a_whole_state() {
    for vm in Vm::ALL {
        let source = "
            local snapshot = require 'snapshot'
            local s = snapshot.snapshot()
            s:print_json()
            s:to_jsonfilefmt('indented')
            io.stderr:write(#s)
            for line in io.lines('indented') do io.write((line:gsub('^ +', ''))) end";
        let run = run(Host::Plain(vm), source);
        assert!(run.status.success(), "{run}");
        let count: usize = String::from_utf8_lossy(&run.stderr)
            .parse()
            .expect("a count");
        let text = String::from_utf8(run.stdout).expect("UTF-8");
        let (compact, indented) = text.split_once('\n').expect("two documents");
        check_order(compact);
        let (compact, indented): (Value, Value) = (
            serde_json::from_str(compact).expect("JSON"),
            serde_json::from_str(indented).expect("JSON"),
        );
        assert_eq!(compact, indented);
        assert_eq!(check_tree(&compact), count, "{vm:?}");
        assert_eq!(compact["link"], "[REGISTRY]");
    }
}

/// All strings of one or two bytes, and some of three: each makes a different link.
#[test]
fn different_keys_make_different_links() {
    let source = r#"
        local snapshot = require 'snapshot'
        local char, t, seen = string.char, {}, 0
        local function key(...) t[char(...)] = {} end
        for a = 0, 255 do
            key(a)
            for b = 0, 255, a < 128 and 5 or 1 do key(a, b) end
        end
        -- What stands for a byte, as a text of its own; and what is no string.
        for a = 128, 255 do
            t[('\239\191\189%02X'):format(a)] = {}
            t[('\\u%04x'):format(a)] = {}
            t[('\\x%02X'):format(a)] = {}
            key(0xEF, 0xBF, a)
            key(0xED, 0xA0, a)
            key(0xF4, 0x90, 0x80, a)
        end
        for _, name in ipairs{'[1]', '[true]', '[key]', '[metatable]', '["[1]"]', '["', '["x"]', '1'} do
            t[name] = {}
        end
        t[1], t[true], t[1.5] = {}, {}, {}
        t['[1.5]'] = {}
        snapshot.snapshot(t, 't'):print_json()"#;
    for vm in Vm::ALL {
        let tree = documents(vm, source).remove(0);
        let children = tree["childs"].as_array().expect("children");
        let links: HashSet<_> = children
            .iter()
            .map(|child| child["link"].as_str())
            .collect();
        assert!(children.len() > 30_000);
        assert_eq!(links.len(), children.len(), "{vm:?}");
    }
}

/// Sources of functions and names of roots are bytes as well.
#[test]
fn everything_that_a_program_can_name() {
    let source = r#"
        local snapshot = require 'snapshot'
        local load = loadstring or load
        local names = {'\255', 'quo"te', 'back\\slash', '\1\n\t', '\239\191\189', 'caf\195\169', ''}
        for _, name in ipairs(names) do
            local f = load('local up = {} return function() return up end', '=' .. name)()
            if debug.setfenv then debug.setfenv(f, {}) end
            local co = coroutine.create(f)
            if debug.setfenv then debug.setfenv(co, {}) end
            snapshot.snapshot({f, co, [name] = {}}, name):print_json()
        end"#;
    for vm in Vm::ALL {
        let documents = documents(vm, source);
        assert_eq!(documents.len(), 7);
        for document in &documents {
            assert!(check_tree(document) >= 5);
        }
        assert_eq!(documents[5]["link"], "café");
        assert_eq!(documents[1]["childs"][0]["desc"], "(func: quo\"te:1)");
        assert_eq!(documents[0]["link"], "\u{FFFD}FF");
        assert_eq!(documents[4]["link"], "\u{FFFD}EF\u{FFFD}BF\u{FFFD}BD");
    }
}

/// A difference keeps the ancestors of what changed, so that it is one tree.
#[test]
fn a_difference_is_one_tree() {
    let source = "
        local snapshot = require 'snapshot'
        local t = {a = {b = {c = {}}}, other = {{}, {}}}
        local before = snapshot.snapshot(t, 't')
        t.a.b.c.d = {{}}
        local after = snapshot.snapshot(t, 't')
        before:incr(after):print_json()
        before:decr(after):print_json()
        after:decr(before):print_json()";
    for vm in Vm::ALL {
        let [grown, nothing, gone] = &documents(vm, source)[..] else {
            panic!("three documents")
        };
        assert!(nothing.is_null());
        assert_eq!(check_tree(grown), 6);
        assert_eq!(check_tree(gone), 6);
        let mut at = grown;
        for (link, desc) in [
            ("t", "(size: 2)"),
            ("a", "(size: 1)"),
            ("b", "(size: 1)"),
            ("c", "(size: 1)(+1)"),
            ("d", "(size: 1)(+)"),
            ("[1]", "(size: 0)(+)"),
        ] {
            assert_eq!(
                (at["link"].as_str(), at["desc"].as_str()),
                (Some(link), Some(desc))
            );
            at = &at["childs"][0];
        }
    }
}
