//! A model of skynet (`hosts/src/skynet.c`): services that share code and tables, by attach and by core file.

use crate::core_file::{Left, write_core};
use crate::target::Target;
use luasnap_capture::process::{
    AttachErrorKind, AttachOptions, FoundState, StateCapture, StateChoice, attach, lua_states,
    read_core,
};
use luasnap_heap::{Census, Heap, Kind, Label, NodeId, Reach, Snapshot, Strength, Through};
use luasnap_hosts::skynet_models;
use std::path::Path;
use std::process::Command;

const SERVICES: usize = 24;

/// What each service runs. Its strings, its names and its functions' code are of another state.
const SCRIPT: &str = r#"
local name, number = ...
local Player = {}
Player.__index = Player
Player.__gc = function() end
config = shared_table "config.lua"
weak = setmetatable({}, { __mode = "k" })
players = {}
local function make(i)
  local player = setmetatable({ name = "player" .. i, level = config.levels[i % 3 + 1] }, Player)
  weak[player] = true
  players[i] = player
end
for i = 1, 100 do make(i) end
waiting = coroutine.create(function(session)
  local kept_in_a_local = { session = session }
  coroutine.yield(kept_in_a_local)
end)
coroutine.resume(waiting, number)
if name == "leaky" then
  for i = 1, 5000 do players[100 + i] = { note = "kept for ever" } end
end
function step(round) make(round % 100 + 1) end
"#;
const CONFIG: &str = r#"
return {
  levels = { "one", "two", { deep = true } },
  greet = function(name) return "hello " .. name end,
  text = ("a text that is longer than short ones are"):rep(3),
}
"#;

/// A node with `threads` that call the services.
fn node(program: &Path, threads: &str) -> Target {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("config.lua"), CONFIG).expect("a file");
    let mut command = Command::new("sh");
    // Scripts are found in the folder that the target makes.
    command.args(["-c", "cp \"$0\" . && exec \"$@\""]);
    command.arg(folder.path().join("config.lua")).arg(program);
    let services = (SERVICES - 1).to_string();
    command.args([
        threads,
        "agent",
        "script.lua",
        &services,
        "leaky",
        "script.lua",
        "1",
    ]);
    Target::start_command(command, SCRIPT)
}

/// Names of the states: of the services, of the code that they share, and of the table.
fn check_names<'a>(states: impl Iterator<Item = &'a FoundState>, model: &str) {
    let mut names: Vec<String> = states
        .map(|state| state.name.clone().unwrap_or_default())
        .collect();
    names.sort();
    let mut expected: Vec<String> = (1..SERVICES)
        .map(|number| format!("agent :{number:08x}"))
        .collect();
    expected.push(format!("leaky :{SERVICES:08x}"));
    expected.push("shared code of script.lua".to_owned());
    // The table's state runs nothing that would name it.
    expected.push(String::new());
    expected.sort();
    assert_eq!(names, expected, "{model}");
}

/// Checks a service's heap: exact, and what other states have is told apart.
fn check_service(state: &FoundState, heap: &Heap, model: &str) {
    let name = state.name.as_deref().unwrap_or_default();
    assert!(state.layout.contains("skynet"), "{model}: {}", state.layout);
    assert_eq!(heap.provenance().state_name.as_deref(), Some(name));
    let shared = heap.provenance().shared.expect("shared objects");
    assert!(
        shared.count > 20 && shared.bytes > 500,
        "{model}: {shared:?}"
    );
    assert_eq!(shared.states, Some(SERVICES as u32), "{model}, {name}");
    // The prototypes of the script, and the table that is shared, with the bytes of other states.
    let reach = Reach::new(heap, Through::Everything).expect("memory");
    let of = |node: NodeId| (heap.kind(node), heap.size(node));
    let function = global(heap, b"step").expect("a function");
    assert_eq!(heap.source(function), b"script.lua");
    assert_eq!(of(function), (Kind::LuaFunction, 40));
    let prototype = heap
        .edges(function)
        .find(|edge| edge.label == Label::Prototype)
        .expect("a prototype");
    assert_eq!(of(prototype.target), (Kind::Prototype, 0));
    let upvalues = heap.edges(function).filter_map(|edge| match edge.label {
        Label::Upvalue(name) => Some(heap.name(name)),
        _ => None,
    });
    assert_eq!(upvalues.collect::<Vec<_>>(), [&b"make"[..]]);
    let config = global(heap, b"config").expect("a table");
    assert_eq!(of(config), (Kind::Table, 0));
    assert_eq!(heap.edges(config).len(), 0);
    let players = global(heap, b"players").expect("a table");
    let first = heap
        .edges(players)
        .find(|edge| edge.label == Label::Index(1));
    let first = first.expect("a player").target;
    let level = heap
        .edges(first)
        .find(|edge| matches!(edge.label, Label::Field(name) if heap.name(name) == b"level"));
    let level = level.expect("a level").target;
    assert_eq!(
        (heap.kind(level), heap.source(level)),
        (Kind::String, &b"two"[..])
    );
    assert!(reach.contains(level));
    // The key of a weak table is held weakly although `__mode` is a string of another state.
    let weak = global(heap, b"weak").expect("a table");
    let keys = heap.edges(weak).filter(|edge| edge.label == Label::Key);
    let keys: Vec<_> = keys.collect();
    assert!(keys.len() >= 100);
    assert!(keys.iter().all(|edge| edge.strength != Strength::Strong));
    // A local variable's name is a string of another state.
    let waiting = global(heap, b"waiting").expect("a thread");
    let locals = heap.edges(waiting).filter_map(|edge| match edge.label {
        Label::Local(name) => Some(String::from_utf8_lossy(heap.name(name)).into_owned()),
        _ => None,
    });
    let locals: Vec<String> = locals.collect();
    assert!(
        locals
            .iter()
            .any(|name| name.starts_with("kept_in_a_local")),
        "{locals:?}"
    );
}

fn global(heap: &Heap, name: &[u8]) -> Option<NodeId> {
    let edges = heap.edges(heap.globals()?);
    let mut found =
        edges.filter(|edge| matches!(edge.label, Label::Field(field) if heap.name(field) == name));
    found.next().map(|edge| edge.target)
}

/// Checks all states of a node.
fn check_node(captures: Vec<StateCapture>, model: &str, may_miss: bool) {
    check_names(captures.iter().map(|(state, _)| state), model);
    let (mut totals, mut services) = (Vec::new(), 0);
    for (state, heap) in captures {
        let heap = heap.unwrap_or_else(|error| panic!("{model}: {error}"));
        let name = state.name.clone().unwrap_or_default();
        if name.starts_with("agent") || name.starts_with("leaky") {
            check_service(&state, &heap, model);
            totals.push((state.total, name));
            services += 1;
        }
        let census = Census::new(&Snapshot::new(heap)).expect("memory");
        if !may_miss {
            assert_eq!(census.unaccounted, Some(0), "{model}: {state:?}");
        }
    }
    assert_eq!(services, SERVICES);
    // The garbage of services that work may be more than what the leaky one holds.
    let largest = totals.iter().max().expect("services");
    assert!(may_miss || largest.1.starts_with("leaky"), "{totals:?}");
}

#[test]
fn services_are_read_exactly_and_by_their_names() {
    for (model, program) in skynet_models() {
        let node = node(program, "0");
        check_names(lua_states(node.id()).unwrap().iter(), model);
        let attached = attach(node.id(), AttachOptions::default()).unwrap();
        assert_eq!(attached.stops, 1, "{model}");
        check_node(attached.captures, model, false);
    }
}

/// A stop may catch a service in the midst of an allocation; what is in use is right all the same.
#[test]
fn services_are_read_while_threads_work_in_them() {
    for (model, program) in skynet_models() {
        let node = node(program, "3");
        let attached = attach(node.id(), AttachOptions::default()).unwrap();
        check_node(attached.captures, model, true);
    }
}

#[test]
fn services_are_chosen_by_name() {
    let (_, program) = skynet_models().next().expect("a model");
    let node = node(program, "0");
    let choose = |name| {
        let options = AttachOptions {
            state: Some(StateChoice::Called(name)),
            ..AttachOptions::default()
        };
        attach(node.id(), options).map(|attached| attached.captures.len())
    };
    assert_eq!(choose("leaky").unwrap(), 1);
    assert_eq!(choose(":00000002").unwrap(), 1);
    assert_eq!(choose("agent :00000002").unwrap(), 1);
    assert_eq!(choose("agent").unwrap(), SERVICES - 1);
    let error = choose("nobody").unwrap_err();
    assert_eq!(error.kind(), AttachErrorKind::NoLuaState);
    assert!(error.to_string().contains("'nobody'"), "{error}");
}

#[test]
fn services_are_read_from_a_core_file() {
    for (model, program) in skynet_models() {
        let node = node(program, "0");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let core = folder.path().join("core");
        write_core(node.id(), &core, Left::None);
        check_node(read_core(&core, None).unwrap(), model, false);
    }
}
