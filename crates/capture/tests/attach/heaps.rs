//! What is found in a process is what its script put there.

use crate::target::Target;
use luasnap_capture::process::{
    AttachOptions, Attached, FoundState, StateChoice, attach, lua_processes,
};
use luasnap_heap::{Census, Heap, Kind, Label, NodeId, Reach, Snapshot, Through};
use luasnap_hosts::{
    Host, Vm, built, built_as_cpp, jit_builds, jit_with_narrow_references, older_releases,
};

pub const SCRIPT: &str = include_str!("script.lua");

/// Retainers of a mark in `script.lua`. A failed coroutine keeps its calls for a traceback.
const RETAINERS: [&str; 11] = [
    "chain",
    "metatable",
    "upvalue",
    "user value",
    "suspended coroutine",
    "extra argument",
    "new coroutine",
    "failed coroutine",
    "innermost call",
    "coroutine that runs another",
    "main thread",
];

/// Returns the only state of a process, which must have been captured.
#[track_caller]
pub fn only(attached: Attached) -> (FoundState, Heap) {
    let mut captures = attached.captures;
    assert_eq!(captures.len(), 1, "{captures:?}");
    let (state, heap) = captures.remove(0);
    (state, heap.unwrap_or_else(|error| panic!("{error}")))
}

/// Returns the value under a string key of a table.
pub fn field(heap: &Heap, table: NodeId, name: &str) -> Option<NodeId> {
    let found = heap.edges(table).find(|edge| {
        matches!(edge.label, Label::Field(field) if heap.name(field) == name.as_bytes())
            && heap.kind(edge.target) != Kind::String
    });
    Some(found?.target)
}

/// Returns the global variable of this name.
#[track_caller]
pub fn global(heap: &Heap, name: &str) -> NodeId {
    let globals = heap.globals().expect("a table of globals");
    field(heap, globals, name).unwrap_or_else(|| panic!("no global {name}"))
}

/// Returns the reachable string that has this text, if any.
pub fn reachable_string(heap: &Heap, reach: &Reach, text: &str) -> Option<NodeId> {
    heap.nodes().find(|&node| {
        heap.kind(node) == Kind::String
            && heap.source(node) == text.as_bytes()
            && reach.contains(node)
    })
}

/// Checks what `script.lua` created, at whichever instruction it was stopped.
#[track_caller]
pub fn check_heap(heap: Heap) {
    let kept = global(&heap, "kept");
    assert_eq!(heap.count(kept), 1001);
    let seventh = heap.edges(kept).find(|edge| edge.label == Label::Index(7));
    let seventh = seventh.expect("kept[7]").target;
    assert_eq!((heap.kind(seventh), heap.count(seventh)), (Kind::Table, 2));
    let chain = ["deep", "under", "a"];
    let end = chain
        .iter()
        .fold(kept, |table, name| field(&heap, table, name).expect(name));
    assert_eq!(heap.count(end), 1);
    let threads = global(&heap, "threads");
    assert_eq!(heap.count(threads), 4);

    let reach = Reach::new(&heap, Through::Everything).unwrap();
    for place in RETAINERS {
        let text = format!("held by {place}");
        assert!(
            reachable_string(&heap, &reach, &text).is_some(),
            "{place} holds nothing"
        );
    }
    for place in ["dead coroutine", "nobody"] {
        let text = format!("held by {place}");
        assert_eq!(
            reachable_string(&heap, &reach, &text),
            None,
            "{place} holds something"
        );
    }
    let census = Census::new(&Snapshot::new(heap)).unwrap();
    assert_eq!(census.unaccounted, Some(0));
}

fn check_busy(host: Host) {
    let target = Target::start(host, SCRIPT);
    let mut identity = None;
    for _ in 0..10 {
        let attached = attach(
            target.id(),
            AttachOptions {
                tries: 50,
                ..AttachOptions::default()
            },
        );
        let (state, heap) = only(attached.unwrap_or_else(|error| panic!("{host:?}: {error}")));
        assert_eq!(state.script.as_deref(), Some("script.lua"));
        let provenance = heap.provenance();
        assert_eq!(provenance.vm_address, state.global_state);
        assert_eq!(provenance.layout.as_deref(), Some(&*state.layout));
        assert_eq!(provenance.vm, state.vm.family());
        let process = provenance.process.expect("a process");
        assert_eq!(process.id, target.id());
        assert_eq!(*identity.get_or_insert(process), process);
        assert!(provenance.taken_at.is_some());
        let memory = provenance.process_memory;
        assert!(memory.resident > Some(100_000) && memory.peak_resident >= memory.resident);
        assert_eq!(memory.snapshots, None);
        check_heap(heap);
    }
}

fn check_vm(vm: Vm, _: &str) {
    check_busy(Host::Plain(vm));
}
crate::each_vm!(super::check_vm: busy);

/// 5.3 and 5.4 count the calls of a stack in 16 bits.
fn check_recursion(vm: Vm, _: &str) {
    const SCRIPT: &str = r#"
        local function deep(n)
          if n == 0 then coroutine.yield() return 1 end
          return 1 + deep(n - 1)
        end
        held = coroutine.create(deep)
        coroutine.resume(held, 150000)
        io.stdout:write("ready\n") io.stdout:flush() io.read()"#;
    let target = Target::start(Host::Plain(vm), SCRIPT);
    let attached = attach(target.id(), AttachOptions::default()).unwrap();
    let (_, heap) = only(attached);
    let census = Census::new(&Snapshot::new(heap)).unwrap();
    assert!(census.is_exact(), "{:?}", census.unaccounted);
}
crate::each_vm!(super::check_recursion: recursion);

/// Memory that a VM allocated but never touched: a large userdata, or in 5.5 the slots of a table
/// created with a large size. Its pages are not present.
fn check_untouched(vm: Vm, _: &str) {
    const SCRIPT: &str = r#"
        held = host.userdata(30000000)
        slots = table.create and table.create(5000000) or {}
        slots[1] = {}
        io.stdout:write("ready\n") io.stdout:flush() io.read()"#;
    let target = Target::start(Host::Plain(vm), SCRIPT);
    let attached = attach(target.id(), AttachOptions::default()).unwrap();
    let (_, heap) = only(attached);
    let slots = global(&heap, "slots");
    assert_eq!(heap.edges(slots).count(), 1);
    let census = Census::new(&Snapshot::new(heap)).unwrap();
    assert!(census.is_exact(), "{:?}", census.unaccounted);
}
crate::each_vm!(super::check_untouched: untouched);

#[test]
fn older_releases_are_known_by_their_own_layout() {
    for release in older_releases() {
        let host = Host::Older(release);
        check_busy(host);
        let target = Target::start(host, SCRIPT);
        let (state, _) = only(attach(target.id(), AttachOptions::default()).unwrap());
        let layout = match release {
            "5.3.5" => "5.3.2 to 5.3.6",
            "5.4.3" | "5.4.4" | "5.4.6" | "5.4.7" | "5.4.8" => "5.4.3 to 5.4.9",
            other => other,
        };
        assert_eq!(state.layout, layout);
    }
}

#[test]
fn builds_of_luajit_are_known_by_their_own_layout() {
    for name in jit_builds() {
        let host = Host::Jit(name);
        check_busy(host);
        let target = Target::start(host, SCRIPT);
        let (state, _) = only(attach(target.id(), AttachOptions::default()).unwrap());
        assert!(state.layout.starts_with("LuaJIT"), "{}", state.layout);
    }
}

/// Releases that no registry has, by their models, and builds of one's own; numbers that are keys
/// read right whatever their width.
#[test]
fn exact_however_it_is_built() {
    const STILL: &str = r#"
        kept = { [-3] = {}, [0.1] = {} }
        for i = 1, 100 do kept[i] = { i, name = "n" .. i } end
        waiting = coroutine.create(function(...) coroutine.yield(...) end)
        coroutine.resume(waiting, {})
        io.stdout:write("ready\n") io.stdout:flush() io.read()"#;
    let cpp = built_as_cpp().map(Host::Cpp);
    for host in built("").map(Host::Built).chain(cpp) {
        let target = Target::start(host, STILL);
        let attached = attach(target.id(), AttachOptions::default());
        let (_, heap) = only(attached.unwrap_or_else(|error| panic!("{host:?}: {error}")));
        let labels = heap.edges(global(&heap, "kept")).map(|edge| edge.label);
        let labels: Vec<Label> = labels.collect();
        for label in [Label::Index(-3), Label::of_number(0.1), Label::Index(100)] {
            assert!(labels.contains(&label), "{host:?}: {label:?}");
        }
        let census = Census::new(&Snapshot::new(heap)).unwrap();
        assert!(census.is_exact(), "{host:?}: {:?}", census.unaccounted);
    }
}

/// A host that exports no symbols is read like any other.
#[test]
fn a_host_without_symbols() {
    check_busy(Host::Silent);
}

/// While a C function runs, everything is exact, even the tops of stacks.
fn check_waiting(vm: Vm, _: &str) {
    const WAITING: &str = r#"
        local function mark(place) return { "held by " .. place } end
        local function leave()
          local a, b, c = mark("nobody"), mark("nobody"), mark("nobody")
          return a and b and c and nil
        end
        local mine = mark("main thread")
        leave()
        collectgarbage() collectgarbage()
        io.stdout:write("ready\n") io.stdout:flush()
        io.read()
        return mine"#;
    let target = Target::start(Host::Plain(vm), WAITING);
    let attached = attach(target.id(), AttachOptions::default()).unwrap();
    assert_eq!(attached.tries, 1);
    let (_, heap) = only(attached);
    let reach = Reach::new(&heap, Through::Everything).unwrap();
    assert!(reachable_string(&heap, &reach, "held by main thread").is_some());
    assert_eq!(reachable_string(&heap, &reach, "held by nobody"), None);
    let local = heap.edges(main_thread(&heap)).find(
        |edge| matches!(edge.label, Label::Local(name) if heap.name(name) == b"mine:script.lua"),
    );
    assert_eq!(local.map(|edge| heap.count(edge.target)), Some(1));
}
crate::each_vm!(super::check_waiting: waiting);

/// A slot of a LuaJIT with references of 32 bits that becomes nil or a boolean keeps the lower half of
/// what it had. That is no longer held, though the function of a frame, which has no tag, is there too.
#[test]
fn slots_that_were_cleared_hold_no_functions() {
    const CLEARED: &str = r#"
        over = function() end
        called = function()
          local a, b, c, d = over, over, over, over
          a, b, c, d = nil, nil, false, true
          io.stdout:write("ready\n") io.stdout:flush()
          io.read()
          return a, b, c, d
        end
        local result = called()
        return result"#;
    let narrow = jit_with_narrow_references();
    for host in narrow.into_iter().chain([Host::Plain(Vm::LuaJit)]) {
        let target = Target::start(host, CLEARED);
        let attached = attach(target.id(), AttachOptions::default()).unwrap();
        let (_, heap) = only(attached);
        let is_held = |name: &str| {
            let function = global(&heap, name);
            let mut edges = heap.edges(main_thread(&heap));
            edges.any(|edge| edge.target == function)
        };
        assert!(is_held("called"), "{host:?}");
        assert!(!is_held("over"), "{host:?}");
    }
}

fn main_thread(heap: &Heap) -> NodeId {
    let root = heap
        .edges(NodeId::ROOT)
        .find(|edge| matches!(edge.label, Label::Root(name) if heap.name(name) == b"[mainthread]"));
    root.expect("a main thread").target
}

fn check_listed(vm: Vm, _: &str) {
    let target = Target::start(Host::Plain(vm), SCRIPT);
    let processes = lua_processes();
    let found = processes.iter().find(|process| process.pid == target.id());
    let found = found.unwrap_or_else(|| panic!("{processes:?}"));
    let interpreter = vm.interpreter();
    let name = interpreter.file_name().expect("a name");
    assert_eq!(found.name, name.to_string_lossy(), "{found:?}");
    let command = [interpreter.as_os_str().as_encoded_bytes(), b"script.lua"];
    assert_eq!(found.command, command, "{found:?}");
    let (state, _) = only(attach(target.id(), AttachOptions::default()).unwrap());
    assert_eq!(found.states.len(), 1);
    assert_eq!(found.states[0].main_thread, state.main_thread);
    assert_eq!(found.states[0].global_state, state.global_state);
    assert_eq!(found.states[0].vm, state.vm);
    assert!(found.states[0].total > 10_000);
}
crate::each_vm!(super::check_listed: listed);

/// Two VMs in one process, and a state that was closed before.
#[test]
fn two_states_of_different_versions() {
    let script = r#"io.stdout:write("ready\n") io.stdout:flush() io.read()"#;
    let target = Target::start(Host::Pair(Vm::Lua54, Vm::LuaJit), script);
    let attached = attach(target.id(), AttachOptions::default()).unwrap();
    let mut vms: Vec<_> = attached
        .captures
        .iter()
        .map(|(state, heap)| {
            assert!(heap.is_ok(), "{heap:?}");
            state.vm.family()
        })
        .collect();
    vms.sort_unstable();
    assert_eq!(vms, ["Lua 5.4", "LuaJIT"]);

    let wanted = attached.captures[1].0.main_thread;
    let one = AttachOptions {
        state: Some(StateChoice::At(wanted)),
        ..AttachOptions::default()
    };
    let (state, _) = only(attach(target.id(), one).unwrap());
    assert_eq!(state.main_thread, wanted);
}
