//! One file for every Lua, in every kind of host.

use crate::support::{directory, interpreters, modules, output, run};
use luasnap_hosts::{Host, Options, Run, Vm};
use object::{Object, ObjectSymbol};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A script that does not use the table `host`, which programs of others do not have.
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

/// Checks what the script prints in each state that it runs in.
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

/// Returns what `require` raises.
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

/// A program opens a Lua of its own, uses the module in it, closes and unloads it, a hundred times,
/// at a different address each time. A Lua that stays goes on working.
#[test]
fn luas_that_are_loaded_and_unloaded() {
    const ROUNDS: usize = 100;
    let dir = directory();
    fs::write(dir.path().join("script.lua"), SCRIPT).expect("the script");
    for (stays, come_and_go) in [
        (Vm::Lua54, [Vm::Lua51, Vm::LuaJit, Vm::Lua53]),
        (Vm::LuaJit, [Vm::Lua55, Vm::Lua54, Vm::Lua52]),
    ] {
        let mut command = Command::new(luasnap_hosts::local());
        command.args(["--reload", &ROUNDS.to_string()]);
        for vm in [&[stays], &come_and_go[..]].concat() {
            command.arg("--lib").arg(vm.shared_library());
        }
        command
            .arg("script.lua")
            .current_dir(dir.path())
            .env("LUA_CPATH", modules().join("?.so"));
        let text = String::from_utf8(printed(command)).expect("text");
        let runs = text.matches("3\tsnapshot: 3 objects\n").count();
        assert_eq!(runs, 2 * ROUNDS + 1, "{text}");
    }
}

/// More Luas at once than any program has.
#[test]
fn many_luas_at_once() {
    const MANY: usize = 40;
    let dir = directory();
    fs::write(dir.path().join("script.lua"), SCRIPT).expect("the script");
    let mut command = Command::new(luasnap_hosts::local());
    for number in 0..MANY {
        // The linker identifies a library by its file.
        let copy = dir.path().join(format!("liblua{number}.so"));
        fs::copy(Vm::Lua54.shared_library(), &copy).expect("a copy");
        command.arg("--lib").arg(copy);
    }
    command
        .arg("script.lua")
        .current_dir(dir.path())
        .env("LUA_CPATH", modules().join("?.so"));
    let text = String::from_utf8(printed(command)).expect("text");
    let runs = text.matches("3\tsnapshot: 3 objects\n").count();
    assert_eq!(runs, MANY + 1, "{text}");
}

/// Returns what a command prints; it must succeed and be silent on standard error.
#[track_caller]
fn printed(mut command: Command) -> Vec<u8> {
    let output = command.output().expect("it starts");
    let (out, err) = (&output.stdout, &output.stderr);
    assert!(
        output.status.success() && err.is_empty(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    );
    output.stdout
}

/// A library opened by a static program has no thread-locals, and nearly all of Rust's standard
/// library needs them.
#[test]
fn a_host_that_is_linked_statically() {
    let dir = directory();
    let script = "
        print(pcall(require, 'snapshot'))
        print(rawget(_G, 'snapshot'), type(package.loaded.snapshot) == 'table')
        print(select('#', pcall(require, 'snapshot')))";
    fs::write(dir.path().join("script.lua"), script).expect("the script");
    for vm in Vm::ALL {
        let Some(program) = vm.static_program() else {
            eprintln!("SKIPPED in {}: this system has no static libc", vm.name());
            continue;
        };
        let command = |program: &Path| {
            let mut command = Command::new(program);
            command
                .arg("script.lua")
                .current_dir(dir.path())
                .env("LUA_CPATH", modules().join("?.so"));
            command
        };
        let said = String::from_utf8(printed(command(program))).expect("text");
        let (first, rest) = said.split_once('\n').expect("lines");
        assert!(
            first.starts_with(
                "false\tsnapshot cannot work in this program: it was linked statically"
            ),
            "{vm:?}: {said}"
        );
        assert!(
            first.contains("Link the program dynamically") && first.contains("luasnap attach"),
            "{vm:?}: {said}"
        );
        assert_eq!(rest, "nil\tfalse\n2\n", "{vm:?}");

        // Without symbols no error can be raised: the message goes to standard error.
        let stripped = dir.path().join("stripped");
        let strip = Command::new("strip")
            .arg("-o")
            .arg(&stripped)
            .arg(program)
            .status();
        if !strip.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED without symbols: there is no strip");
            continue;
        }
        let output = command(&stripped).output().expect("it starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{vm:?}: {message}");
        assert_eq!(
            message
                .matches("snapshot cannot work in this program: it was linked statically")
                .count(),
            1,
            "{vm:?}: {message}"
        );
    }
}

/// The module needs no symbol of Lua's and exports one of its own.
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

/// Two copies of the file are two modules, which share the module table that the first one made.
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

/// Every script ends with its state closed, with snapshots in it or not: no crash, no output.
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
