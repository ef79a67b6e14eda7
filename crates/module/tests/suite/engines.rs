//! The two engines: which one is used, that the native one accounts for every byte of every release
//! it knows, and that it never trusts an unknown layout.

use crate::support::{ENGINES, directory, environment, interpreters, modules, output, read, tests};
use luasnap_hosts::{
    Host, Options, Run, Vm, built, built_as_cpp, changed, jit_builds, older_releases,
};
use std::fs;

/// Runs a script of `tests/lua` that needs `zoo.lua` as well.
fn run_with_zoo(host: Host, script: &str, argument: &str) -> Run {
    let dir = directory();
    let zoo = tests().join("lua/zoo.lua");
    fs::copy(zoo, dir.path().join("zoo.lua")).expect("a copy of zoo.lua");
    let options = Options {
        dir: Some(dir.path().into()),
        args: vec![argument.into()],
        ..Options::modules(modules())
    };
    let source = read(&tests().join("lua").join(script).with_extension("lua"));
    host.run(&source, &options)
}

/// Runs such a script; it ends without an error if all is as expected.
#[track_caller]
fn check_with_zoo(host: Host, script: &str, argument: &str) {
    let run = run_with_zoo(host, script, argument);
    assert!(run.status.success(), "{host:?}: {run}");
    assert!(output(run).is_empty(), "{host:?}");
}

/// The pattern of the newest release in the name of its layout.
fn newest(vm: Vm) -> &'static str {
    match vm {
        Vm::Lua51 => "5%.1%.5",
        Vm::Lua52 => "5%.2%.4",
        Vm::Lua53 => "5%.3%.6",
        Vm::Lua54 => "5%.4%.9",
        Vm::Lua55 => "5%.5%.1",
        Vm::LuaJit => "LuaJIT",
    }
}

fn check_exact(vm: Vm, _: &str) {
    for host in interpreters(vm) {
        check_with_zoo(host, "exact", newest(vm));
    }
}
crate::each_vm!(super::check_exact: exact);

/// The layouts are named after all releases that they fit, or the first and the last.
#[test]
fn exact_in_older_releases() {
    for release in older_releases() {
        let family = format!("{}%.", &release[..3].replace('.', "%."));
        let layout = match release {
            "5.4.0" | "5.4.1" | "5.4.2" | "5.5.0" => release.replace('.', "%."),
            _ => family,
        };
        check_with_zoo(Host::Older(release), "exact", &layout);
    }
}

/// Releases that no registry has, by their models, and builds of one's own.
#[test]
fn exact_however_it_is_built() {
    for name in built("") {
        let layout = match name {
            "like-5.2.3-5.2" => "^5%.2%.1 to 5%.2%.3$".to_owned(),
            "like-5.3.3-5.3" => "^5%.3%.2 to 5%.3%.6$".to_owned(),
            "like-5.3.1-5.3" => "^5%.3%.1$".to_owned(),
            _ => format!("{}%.", name[name.len() - 3..].replace('.', "%.")),
        };
        check_with_zoo(Host::Built(name), "exact", &layout);
    }
}

/// Keys that are numbers read the same by both engines, and as Lua has them.
#[test]
fn narrow_numbers() {
    let source = "
        local snapshot = require 'snapshot'
        numbers = { [0.5] = {}, [-2.25] = {}, [-7] = {}, [70000] = {}, [1e10] = {}, [0.1] = {} }
        for _, engine in ipairs { 'native', 'portable' } do
          local s = snapshot.snapshot(nil, nil, { engine = engine })
          local paths = {}
          for key, value in pairs(numbers) do
            paths[#paths + 1] = snapshot.path(s, value)
          end
          table.sort(paths)
          print(s:stats().engine, s:stats().exact, table.concat(paths, ' '))
        end
        print(snapshot.top(snapshot.snapshot(), { n = 3 })[1].count >= 1)";
    for name in built("bits-32").chain(built("float")) {
        let options = Options::modules(modules());
        let said = output(Host::Built(name).run(source, &options));
        let said = String::from_utf8(said).expect("text");
        let keys = ["-2.25", "-7", "0.1", "0.5", "10000000000", "70000"];
        let paths = keys.map(|key| format!("_G.numbers.[{key}]")).join(" ");
        let expected = format!("native\ttrue\t{paths}\nportable\tfalse\t{paths}\ntrue\n");
        assert_eq!(said, expected, "{name}");
    }
}

/// A Lua that is compiled as C++ exports functions with mangled names, and its errors are
/// exceptions, which pass through the module.
#[test]
fn compiled_as_cpp() {
    let source = "
        local snapshot = require 'snapshot'
        for _, engine in ipairs { 'native', 'portable' } do
          local s = snapshot.snapshot(nil, nil, { engine = engine })
          print(s:stats().engine, s:stats().exact, #s > 100)
        end
        print(pcall(snapshot.path, 1))
        print(pcall(snapshot.check, function() error('thrown', 0) end))
        print(coroutine.wrap(function() return pcall(snapshot.snapshot, nil, nil, { engine = 1 }) end)())
        local kept = {}
        for i = 1, 100 do kept[i] = { i } end
        print(snapshot.snapshot():stats().unaccounted)";
    let mut count = 0;
    for name in built_as_cpp() {
        let options = Options::modules(modules());
        let said = output(Host::Cpp(name).run(source, &options));
        let said = String::from_utf8(said).expect("text");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines[..2],
            ["native\ttrue\ttrue", "portable\tfalse\ttrue"],
            "{name}"
        );
        assert!(
            lines[2].starts_with("false\tbad argument #1"),
            "{name}: {said}"
        );
        assert_eq!(lines[3], "false\tthrown", "{name}");
        assert!(lines[4].starts_with("false\t"), "{name}: {said}");
        assert_eq!(lines[5], "0", "{name}");
        count += 1;
    }
    if count == 0 {
        eprintln!("skipped: there is no compiler for C++");
    }
}

#[test]
fn exact_in_builds_of_luajit() {
    for name in jit_builds() {
        check_with_zoo(Host::Jit(name), "exact", "LuaJIT");
    }
}

#[test]
fn unknown_layouts() {
    for name in changed("").filter(|name| !is_refused(name)) {
        check_with_zoo(Host::Changed(name), "changed", "");
    }
}

/// Whether `require` itself refuses a VM.
fn is_refused(name: &str) -> bool {
    name.starts_with("numbers-") || name.starts_with("record-")
}

/// If `lua_Debug` has another layout, no engine can walk frames by the C API.
#[test]
fn debug_records_that_nobody_knows() {
    for name in changed("record-") {
        let run = Host::Changed(name).run(
            "print(pcall(require, 'snapshot'))",
            &Options::modules(modules()),
        );
        let said = String::from_utf8(output(run)).expect("text");
        let expected =
            "false\tsnapshot does not know the debug interface of this Lua: its lua_Debug";
        assert!(said.starts_with(expected), "{said}");
    }
}

/// If numbers have neither 64 nor 32 bits, the C API does not take what we pass as numbers.
#[test]
fn numbers_that_nobody_knows() {
    for name in changed("numbers-") {
        let run = Host::Changed(name).run(
            "print(pcall(require, 'snapshot'))",
            &Options::modules(modules()),
        );
        let said = String::from_utf8(output(run)).expect("text");
        let family = format!(
            "false\tsnapshot does not know the numbers of this Lua {}:",
            &name[name.len() - 3..]
        );
        assert!(said.starts_with(&family), "{said}");
        assert!(said.contains("LUA_FLOAT_TYPE"), "{said}");
        assert!(!said.contains("000"), "{said}");
    }
}

/// The engine used for a script that does not choose one, by the environment's setting.
fn engine(host: Host, said: Option<&str>) -> String {
    let source = "
        local snapshot = require 'snapshot'
        local ok, s = pcall(snapshot.snapshot)
        print(ok and s:stats().engine or s)";
    let options = Options {
        env: said.map(environment).unwrap_or_default(),
        ..Options::modules(modules())
    };
    let text = String::from_utf8(output(host.run(source, &options))).expect("text");
    text.trim_end().to_owned()
}

/// Native where it verifies the layout.
fn check_default(vm: Vm, _: &str) {
    for host in interpreters(vm) {
        assert_eq!(engine(host, None), "native", "{host:?}");
        assert_eq!(engine(host, Some("")), "native", "{host:?}");
    }
}
crate::each_vm!(super::check_default: default);

fn check_environment(vm: Vm, _: &str) {
    let host = Host::Plain(vm);
    for name in ENGINES {
        assert_eq!(engine(host, Some(name)), name, "{host:?}");
    }
    assert_eq!(
        engine(host, Some("Native")),
        "LUASNAP_ENGINE: 'Native' is no engine; there are 'native' and 'portable'"
    );
}
crate::each_vm!(super::check_environment: by_environment);

#[test]
fn the_environment_where_there_is_no_native_engine() {
    // Where a call has no values, it does not matter which is its base and which its top.
    let is_other = |name: &&str| !is_refused(name) && !name.starts_with("top-");
    for name in changed("").filter(is_other) {
        let host = Host::Changed(name);
        assert_eq!(engine(host, None), "portable", "{host:?}");
        assert_eq!(engine(host, Some("portable")), "portable", "{host:?}");
        let said = engine(host, Some("native"));
        assert!(
            said.starts_with("the native engine is not available here: the structures of this Lua"),
            "{host:?}: {said}"
        );
    }
}

/// An option overrides the environment, even an invalid one.
fn check_option(vm: Vm, _: &str) {
    let source = "
        local snapshot = require 'snapshot'
        local function engine(...)
            local ok, s = pcall(snapshot.snapshot, ...)
            print(ok and s:stats().engine or s)
        end
        engine(nil, nil, {engine = 'native'})
        engine(nil, nil, {engine = 'portable'})
        engine(nil, nil, {})
        engine(nil, nil, {engine = nil, other = true})";
    let told = |said: &str| {
        let options = Options {
            env: environment(said),
            ..Options::modules(modules())
        };
        let text = output(Host::Plain(vm).run(source, &options));
        String::from_utf8(text).expect("text")
    };
    for name in ENGINES {
        assert_eq!(told(name), format!("native\nportable\n{name}\n{name}\n"));
    }
    let refused = "LUASNAP_ENGINE: 'x' is no engine; there are 'native' and 'portable'\n";
    assert_eq!(told("x"), format!("native\nportable\n{refused}{refused}"));
}
crate::each_vm!(super::check_option: option);

/// Each of two Luas in one process has its own layout, and both are known.
#[test]
fn native_in_each_of_two_luas() {
    let source = "
        local counted = require 'snapshot'.snapshot():stats()
        print(counted.engine, counted.unaccounted, counted.vm)";
    let family = |vm: Vm| match vm {
        Vm::LuaJit => "LuaJIT".to_owned(),
        _ => format!("Lua {}", vm.name()),
    };
    for first in Vm::ALL {
        for second in Vm::ALL.into_iter().filter(|&second| second != first) {
            let options = Options::modules(modules());
            let said = output(Host::Pair(first, second).run(source, &options));
            let said = String::from_utf8(said).expect("text");
            let (a, b) = (family(first), family(second));
            let rows: Vec<_> = said.lines().collect();
            assert_eq!(rows.len(), 3, "{said}");
            for (row, family) in rows.into_iter().zip([&a, &b, &a]) {
                let start = format!("native\t0\t{family}");
                assert!(row.starts_with(&start), "{first:?}, {second:?}: {said}");
            }
        }
    }
}

/// The very first capture may be made where a VM holds memory that is in no list; it still has a
/// result, and later captures are native.
fn check_first_in_a_reader(vm: Vm, _: &str) {
    let source = "
        local snapshot, check = require 'snapshot', require 'check'
        local engines = {}
        local text = 'local a = {} return function(...) return a, ... end'
        local at = 0
        local f = load(function()
            at = at + 1
            if at % 5 == 0 then
                local s = snapshot.snapshot()
                check.equal(#s > 100, true)
                engines[#engines + 1] = s:stats().engine
                s:to_file '/dev/null'
            end
            local letter = text:sub(at, at)
            return letter ~= '' and letter or nil
        end)
        check.equal(type(f()), 'function')
        check.equal(#engines > 5, true)
        for _, engine in ipairs(engines) do
            check.equal(engine == 'native' or engine == 'portable', true, engine)
        end
        f = nil
        collectgarbage() collectgarbage()
        for _ = 1, 3 do
            local counted = snapshot.snapshot():stats()
            check.equal(counted.engine, 'native')
            check.equal(counted.unaccounted, 0)
        end";
    for host in interpreters(vm) {
        let dir = directory();
        let options = Options {
            dir: Some(dir.path().into()),
            ..Options::modules(modules())
        };
        let run = host.run(source, &options);
        assert!(run.status.success(), "{host:?}: {run}");
    }
}
crate::each_vm!(super::check_first_in_a_reader: first_in_a_reader);
