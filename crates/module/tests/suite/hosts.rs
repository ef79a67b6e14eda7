//! One file for every Lua, in every kind of host.

use crate::support::{directory, interpreters, modules, output, run};
use luasnap_hosts::{Host, Options, Run, Vm};
use object::{Object, ObjectSymbol};
use std::fs;

/// A host without the table `host`, as programs of others are.
const SCRIPT: &str = "
    local snapshot = require 'snapshot'
    local t = {{}, x = {}}
    local s = snapshot.snapshot(t, 't')
    s:print_json()
    t[2] = function() end
    s:incr(snapshot.snapshot(t, 't')):to_file('/dev/null')
    local whole = snapshot.snapshot()
    assert(#whole > 100, #whole)
    assert(not pcall(snapshot.print, 5))
    coroutine.wrap(function() assert(#snapshot.snapshot() >= #whole) end)()
    collectgarbage()
    print(#s, tostring(s))";

/// What the script prints, in each state that it runs in.
fn check_output(host: Host, states: usize) {
    let text = String::from_utf8(output(run(host, SCRIPT))).expect("text");
    assert_eq!(
        text.matches("3\tsnapshot: 3 objects\n").count(),
        states,
        "{host:?}\n{text}"
    );
    assert_eq!(
        text.matches(r#""link":"t","childs":[{"#).count(),
        states,
        "{host:?}\n{text}"
    );
}

#[test]
fn a_liblua_that_nobody_else_sees() {
    for vm in Vm::ALL {
        check_output(Host::Local(vm), 1);
    }
}

#[test]
fn two_luas_in_one_process() {
    for first in Vm::ALL {
        for second in Vm::ALL.into_iter().filter(|&second| second != first) {
            check_output(Host::Pair(first, second), 3);
        }
    }
}

/// What require raises.
fn refusal(host: Host) -> String {
    let run = run(
        host,
        "print(pcall(require, 'snapshot')) print(rawget(_G, 'snapshot'))",
    );
    String::from_utf8(output(run)).expect("text")
}

#[test]
fn a_host_that_exports_no_api() {
    let said = refusal(Host::Silent);
    assert!(
        said.starts_with("false\tsnapshot found no Lua C API in this program"),
        "{said}"
    );
    assert!(said.contains("-Wl,-E"), "{said}");
    assert!(said.ends_with("\nnil\n"), "{said}");
}

#[test]
fn an_unknown_version() {
    let said = refusal(Host::Unknown);
    assert!(
        said.starts_with("false\tsnapshot does not know this Lua"),
        "{said}"
    );
    assert!(
        said.contains("599") && said.contains("Lua 5.1 to 5.5 and LuaJIT"),
        "{said}"
    );
    assert!(said.ends_with("\nnil\n"), "{said}");
}

/// The module asks for no symbol of Lua's and shows one of its own.
#[test]
fn the_file_needs_no_lua() {
    let data = fs::read(modules().join("snapshot.so")).expect("the module");
    let file = object::File::parse(&*data).expect("an object file");
    let names = |undefined: bool| {
        let symbols = file.dynamic_symbols();
        let chosen = symbols.filter(move |symbol| symbol.is_undefined() == undefined);
        chosen
            .filter_map(|symbol| symbol.name().ok())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for name in names(true) {
        assert!(!name.starts_with("lua"), "{name} is needed");
    }
    let shown: Vec<_> = names(false)
        .into_iter()
        .filter(|name| name.contains("lua"))
        .collect();
    assert_eq!(shown, ["luaopen_snapshot"]);
}

/// As an installed module is used: by its path, and by package.loadlib.
#[test]
fn loaded_by_its_path() {
    let source = "
        local path = (...)
        local open = assert(package.loadlib(path, 'luaopen_snapshot'))
        local snapshot = open()
        assert(#snapshot.snapshot({}, 'x') == 1 and require 'snapshot' == snapshot)
        assert(package.loadlib(path, 'luaopen_snapshot')() == snapshot)";
    for vm in Vm::ALL {
        let dir = directory();
        let options = Options {
            dir: Some(dir.path().into()),
            args: vec![modules().join("snapshot.so").into()],
            ..Options::modules(modules())
        };
        let run: Run = Host::Checked(vm).run(source, &options);
        assert!(output(run).is_empty());
    }
}

/// Two copies of the file are two modules, which share the table that the first one made.
#[test]
fn two_copies_of_the_file() {
    let copies = directory();
    for name in ["first.so", "second.so"] {
        fs::copy(modules().join("snapshot.so"), copies.path().join(name)).expect("a copy");
    }
    let source = "
        local first = assert(package.loadlib(arg[1] .. '/first.so', 'luaopen_snapshot'))()
        local second = assert(package.loadlib(arg[1] .. '/second.so', 'luaopen_snapshot'))()
        local s = first.snapshot({ {} }, 's')
        assert(#second.copy(s) == 2 and #s == 2)
        assert(#first.incr(second.snapshot({}, 's'), s) == 2)";
    for vm in Vm::ALL {
        let options = Options {
            args: vec![copies.path().into()],
            ..Options::default()
        };
        assert!(output(Host::Checked(vm).run(source, &options)).is_empty());
    }
}

/// Every script ends with the state closed, snapshots in it or not: no crash, no word.
#[test]
fn a_state_that_is_closed_with_snapshots_in_it() {
    let source = "
        local snapshot = require 'snapshot'
        kept = {}
        for i = 1, 20 do kept[i] = snapshot.snapshot() end
        setmetatable(kept, {__gc = function(t) for _, s in ipairs(t) do s:free() s:print() end end})
        late = host.userdata(8)
        debug.setmetatable(late, {__gc = function() snapshot.snapshot():incr(snapshot.snapshot()) end})
        registry = debug.getregistry()
        registry.kept = snapshot.snapshot()
        co = coroutine.wrap(function() local s = snapshot.snapshot() coroutine.yield() return s end)
        co()";
    for vm in Vm::ALL {
        for host in interpreters(vm) {
            output(run(host, source));
        }
    }
}
