//! Every host runs, and is what it claims to be.

use std::path::Path;

use luasnap_hosts::{Host, Options, Run, Vm, built, changed, module_dir, older_releases};

fn every_interpreter() -> impl Iterator<Item = (Vm, Host)> {
    Vm::ALL
        .into_iter()
        .flat_map(|vm| [(vm, Host::Plain(vm)), (vm, Host::Checked(vm))])
}

#[track_caller]
fn output(run: Run) -> String {
    assert!(run.status.success(), "{run}");
    assert!(run.stderr.is_empty(), "{run}");
    String::from_utf8(run.stdout).unwrap()
}

/// Returns what `probe.so` finds of the C API in the process that loads it.
#[track_caller]
fn probe(host: Host, function: &str) -> String {
    let script = format!("assert(package.loadlib((...), '{function}'))()");
    let options = Options {
        args: vec![env!("HOST_PROBE").into()],
        ..Options::default()
    };
    output(host.run(&script, &options))
}

/// The version string of Lua, which LuaJIT shares with 5.1.
fn language(vm: Vm) -> String {
    let number = if vm == Vm::LuaJit { "5.1" } else { vm.name() };
    format!("Lua {number}\n")
}

#[test]
fn every_interpreter_is_its_vm() {
    for (vm, host) in every_interpreter() {
        let script = "
            print(_VERSION, jit and jit.version_num > 20000, host.vm, host.checked)
            for _, name in ipairs{'coroutine', 'debug', 'io', 'math', 'os', 'package', 'string', 'table'} do
                assert(type(_G[name]) == 'table', name)
            end";
        let said = output(host.run(script, &Options::default()));
        let version = language(vm);
        let jit = if vm == Vm::LuaJit { "true" } else { "nil" };
        let name = if vm == Vm::LuaJit { "jit" } else { vm.name() };
        let checked = matches!(host, Host::Checked(_));
        assert_eq!(
            said,
            format!("{}\t{jit}\t{name}\t{checked}\n", version.trim()),
            "{host:?}"
        );
    }
}

#[test]
fn scripts_get_their_arguments() {
    let options = Options {
        args: ["one", "--two", ""].map(Into::into).to_vec(),
        ..Options::default()
    };
    for (vm, host) in every_interpreter() {
        let script = "print(arg[-1], arg[0], arg[1], arg[2], arg[3], #arg, select('#', ...), ...)";
        let said = output(host.run(script, &options));
        let program = host.command().get_program().to_str().unwrap().to_owned();
        let expected = format!("{program}\tscript.lua\tone\t--two\t\t3\t3\tone\t--two\t\n");
        assert_eq!(said, expected, "{vm:?}");
    }
}

#[test]
fn an_error_is_told_with_a_traceback() {
    for (_, host) in every_interpreter() {
        let script = "print 'before'\nlocal function fails() error('oh no') end\nfails()";
        let run = host.run(script, &Options::default());
        assert_eq!(run.status.code(), Some(1), "{run}");
        assert_eq!(run.stdout, b"before\n");
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(
            said.starts_with("host: script.lua:2: oh no\nstack traceback:\n"),
            "{said}"
        );
        assert!(said.contains("script.lua:3: in "), "{said}");

        let run = host.run(
            "error(setmetatable({}, {__tostring = function() return 'T' end}))",
            &Options::default(),
        );
        assert_eq!(
            (run.status.code(), &run.stderr[..]),
            (Some(1), &b"host: T\n"[..])
        );
        let run = host.run("error({})", &Options::default());
        assert!(
            run.stderr
                .starts_with(b"host: (error object is a table value)\n"),
            "{run}"
        );
        let run = host.run("this is no Lua", &Options::default());
        assert_eq!(run.status.code(), Some(1), "{run}");
        assert!(run.stderr.starts_with(b"host: script.lua:1: "), "{run}");
        let run = host.run("os.exit(7)", &Options::default());
        assert_eq!(run.status.code(), Some(7), "{run}");
    }
}

#[test]
fn a_failing_allocator_raises_lua_s_own_error() {
    for (_, host) in every_interpreter() {
        let script = "
            local s = ('x'):rep(100)
            print(host.pcall_failing_at(1, string.rep, s, 1000))
            assert(#s:rep(1000) == 100000)

            host.fail_at(1)
            local ok, message = pcall(string.rep, s, 2000)
            host.fail_at()
            print(ok, message)

            -- The nth request and no earlier one: filling a table needs about ten.
            local function fill() local t = {} for i = 1, 1000 do t[i] = i end return t end
            local failures = -1
            repeat
                failures = failures + 1
                local refusals = host.refusals()
                local ok, result = host.pcall_failing_at(failures + 1, fill)
                assert(ok == (host.refusals() == refusals))
                assert(ok and #result == 1000 or result == 'not enough memory', result)
            until ok
            local before = host.alloc_count()
            fill()
            local requests = host.alloc_count() - before
            assert(requests > 5 and requests < 50, requests)
            assert(math.abs(failures - requests) < 5, failures)";
        let said = output(host.run(script, &Options::default()));
        assert_eq!(said, "false\tnot enough memory\n".repeat(2), "{host:?}");
    }
}

#[test]
fn one_failure_is_an_emergency_collection_from_5_2_on() {
    for (vm, host) in every_interpreter() {
        let script = "
            local s = ('x'):rep(100)
            collectgarbage() -- the next one by itself is far away; 5.2 does none when stopped
            local weak = setmetatable({{}}, {__mode = 'v'})
            local refusals = host.refusals()
            local ok, result = host.pcall_failing_once(1, string.rep, s, 1000)
            assert(host.refusals() == refusals + 1)
            print(ok, ok and #result or result, weak[1] ~= nil)
            assert(host.pcall_failing_once(1000, string.rep, s, 1000))
            assert(host.refusals() == refusals + 1)";
        let said = output(host.run(script, &Options::default()));
        let expected = match vm {
            Vm::Lua51 | Vm::LuaJit => "false\tnot enough memory\ttrue\n",
            _ => "true\t100000\tfalse\n",
        };
        assert_eq!(said, expected, "{host:?}");
    }
}

#[test]
fn lua_s_bytes_are_counted_apart_from_the_c_heap() {
    for (_, host) in every_interpreter() {
        let script = "
            collectgarbage() collectgarbage()
            local c, blocks, l = host.c_bytes(), host.c_blocks(), host.lua_bytes()
            assert(math.abs(l - collectgarbage('count') * 1024) < 1000)
            local big = ('x'):rep(1e6)
            assert(host.lua_bytes() - l >= 9e5)
            if c then
                assert(host.c_bytes() == c and host.c_blocks() == blocks)
                local file = io.tmpfile()
                assert(host.c_bytes() > c and host.c_blocks() > blocks)
                file:close()
                assert(host.c_bytes() == c and host.c_blocks() == blocks)
            end";
        output(host.run(script, &Options::default()));
    }
}

#[test]
fn a_leak_of_16_bytes_in_a_module_is_seen() {
    let options = Options {
        args: vec![env!("HOST_PROBE").into()],
        ..Options::default()
    };
    for (_, host) in every_interpreter() {
        let script = "
            if jit then jit.off() end -- the C runtime notes each piece of machine code on its heap
            local leak = assert(package.loadlib((...), 'luaopen_leak'))
            local bytes, blocks = host.c_bytes(), host.c_blocks()
            if not bytes then return end
            for i = 1, 100 do leak() end
            local grown = host.c_bytes() - bytes
            assert(grown >= 1600 and grown <= 3200, grown)
            assert(host.c_blocks() == blocks + 100)";
        output(host.run(script, &options));
    }
}

#[test]
fn the_process_is_measured() {
    for (_, host) in every_interpreter() {
        let script = "
            local start = host.clock()
            assert(host.rss() > 0 and host.peak_rss() >= host.rss())
            local big = ('x'):rep(5e7)
            local peak = host.peak_rss()
            assert(host.rss() > 40000 and peak > 40000)
            big = nil
            collectgarbage() collectgarbage()
            if host.reset_peak() then
                assert(host.peak_rss() < peak - 40000, host.peak_rss() .. ' of ' .. peak)
            end
            assert(host.clock() > start and host.clock() - start < 60)";
        output(host.run(script, &Options::default()));
    }
}

#[test]
fn values_that_lua_cannot_make() {
    for (vm, host) in every_interpreter() {
        let script = "
            local u, v = host.userdata(100, 3), {}
            assert(type(u) == 'userdata')
            local set = {host.setuservalue(u, v), host.setuservalue(u, v, 3), host.setuservalue(u, v, 4)}
            local get = debug.getuservalue or debug.getfenv
            assert(get(u) == v)
            print(set[1], set[2], set[3], math.type and math.type(host.alloc_count()) or 'integer')
            assert(host.lightuserdata(16) == host.lightuserdata(16) and host.lightuserdata(16) ~= host.lightuserdata(8))
            local closure = host.cclosure(u, v)
            local weak = setmetatable({u, v, {}}, {__mode = 'v'})
            u, v, set = nil, nil, nil
            collectgarbage() collectgarbage()
            assert(weak[1] and weak[2] and not weak[3])
            assert(select('#', closure()) == 0)
            assert(debug.getinfo(host.lightfunction()).what == 'C')
            assert(debug.getupvalue(host.lightfunction(), 1) == nil)
            for _, name in ipairs{'userdata', 'setuservalue', 'lightuserdata', 'fail_at', 'hold', 'hold_in_frame'} do
                assert(not pcall(host[name], name == 'fail_at' and print or nil) or name:find 'hold', name)
            end
            assert(not pcall(host.hold) and not pcall(host.hold_in_frame))";
        let said = output(host.run(script, &Options::default()));
        let third = matches!(vm, Vm::Lua54 | Vm::Lua55);
        assert_eq!(said, format!("true\t{third}\tfalse\tinteger\n"), "{host:?}");
    }
}

#[test]
fn tables_threads_and_yields_that_lua_cannot_make() {
    for (_, host) in every_interpreter() {
        let script = "
            collectgarbage 'stop'
            local bytes = host.lua_bytes()
            local t = host.newtable(1000, 1000)
            assert(host.lua_bytes() - bytes > 20000 and next(t) == nil)

            local held = setmetatable({{}}, {__mode = 'v'})
            local thread = host.thread(held[1], 'x', 3)
            collectgarbage()
            collectgarbage()
            assert(type(thread) == 'thread' and held[1])
            thread = nil
            collectgarbage()
            collectgarbage()
            assert(not held[1])

            local co = coroutine.create(function() return 'end', host.yield_last({}, 2, 'three') end)
            local ok, value, nothing = coroutine.resume(co)
            assert(ok and value == 'three' and nothing == nil, value)
            assert(select(2, coroutine.resume(co)) == 'end')";
        output(host.run(script, &Options::default()));
    }
}

#[test]
fn strings_outside_lua_s_memory() {
    let script = "
        assert(host.external(100) == ('e'):rep(100) and host.external(0) == '')
        assert(not pcall(host.external, 2000))
        local blocks = host.c_blocks()
        collectgarbage()
        local bytes = host.lua_bytes()
        local long = host.external(1e6, true)
        assert(long == ('f'):rep(1e6))
        collectgarbage()
        assert(host.lua_bytes() - bytes < 1000)
        assert(host.c_blocks() == blocks) -- as little as Lua's own blocks are";
    for host in [Host::Plain(Vm::Lua55), Host::Checked(Vm::Lua55)] {
        output(host.run(script, &Options::default()));
    }
    for vm in Vm::ALL.into_iter().filter(|&vm| vm != Vm::Lua55) {
        let said = output(vm.run("print(host.external)", &Options::default()));
        assert_eq!(said, "nil\n");
    }
}

#[test]
fn older_and_changed_luas() {
    for release in older_releases() {
        let said = output(Host::Older(release).run("print(host.vm)", &Options::default()));
        assert_eq!(said, format!("{release}\n"));
    }
    let changed = changed("").map(|name| (name, Host::Changed(name)));
    for (name, host) in changed.chain(built("").map(|name| (name, Host::Built(name)))) {
        let script = "
            print(host.vm, _VERSION)
            -- It works like any other.
            local t = setmetatable({1, 2, x = {}}, {__index = function(t, k) return k end})
            assert(#t == 2 and t.y == 'y' and next(t) == 1)
            local co = coroutine.wrap(function(...) coroutine.yield(#{...}) return t end)
            assert(co(1, 2, 3) == 3 and co() == t)";
        let said = output(host.run(script, &Options::default()));
        let (_, version) = name.rsplit_once('-').expect("a version");
        assert_eq!(said, format!("{name}\tLua {version}\n"));
    }
}

#[test]
fn what_only_the_host_s_stack_holds() {
    for (_, host) in every_interpreter() {
        let script = "
            local weak = setmetatable({}, {__mode = 'v'})
            local function full() collectgarbage() collectgarbage() end
            local function hold_new(name, hold) weak[name] = {} hold(weak[name]) end

            hold_new('first', host.hold)
            coroutine.wrap(hold_new)('second', host.hold)
            hold_new('replaced', host.hold_in_frame)
            coroutine.wrap(function() pcall(hold_new, 'framed', host.hold_in_frame) end)()
            weak.free = {}
            full()
            assert(weak.first and weak.second and weak.framed)
            assert(not weak.replaced and not weak.free)

            -- The frame's slot is a temporary of the outermost function; the other is nowhere.
            local level = 1
            while debug.getinfo(level + 1) do level = level + 1 end
            local _, value = debug.getlocal(level, 1)
            assert(value == weak.framed)";
        output(host.run(script, &Options::default()));
    }
}

#[test]
fn checked_interpreters_abort_on_misuse() {
    for vm in Vm::ALL {
        let run = Host::Checked(vm).run("host.misuse()", &Options::default());
        assert_eq!(run.status.code(), None, "{vm:?}: {run}");
        assert_eq!(
            output(vm.run("print(host.misuse)", &Options::default())),
            "nil\n"
        );
    }
}

#[test]
fn who_shows_the_c_api() {
    for (_, host) in every_interpreter() {
        assert_eq!(probe(host, "luaopen_probe"), "exported\n", "{host:?}");
    }
    assert_eq!(probe(Host::Silent, "luaopen_probe"), "hidden\n");
    for vm in Vm::ALL {
        assert_eq!(probe(Host::Local(vm), "luaopen_probe"), "hidden\n");
    }
}

#[test]
fn the_unknown_version() {
    assert_eq!(probe(Host::Plain(Vm::Lua54), "luaopen_version"), "504\n");
    assert_eq!(probe(Host::Unknown, "luaopen_version"), "599\n");
    assert_eq!(
        output(Host::Unknown.run("print(_VERSION)", &Options::default())),
        "Lua 5.4\n"
    );
}

#[test]
fn a_local_lua_is_its_version() {
    let options = Options {
        args: vec!["x".into()],
        ..Options::default()
    };
    for vm in Vm::ALL {
        let said = output(Host::Local(vm).run("print(_VERSION) assert((...) == 'x')", &options));
        assert_eq!(said, language(vm));
    }
    let run = Host::Local(Vm::Lua54).run("error 'oh no'", &options);
    assert_eq!(
        (run.status.code(), &run.stderr[..]),
        (Some(1), &b"local: script.lua:1: oh no\n"[..])
    );
}

#[test]
fn every_pair_of_luas_lives_in_one_process() {
    let script = "turn = (turn or 0) + 1 print(_VERSION, turn)";
    for first in Vm::ALL {
        for second in Vm::ALL.into_iter().filter(|&second| second != first) {
            let said = output(Host::Pair(first, second).run(script, &Options::default()));
            let (a, b) = (language(first), language(second));
            let (a, b) = (a.trim(), b.trim());
            assert_eq!(said, format!("{a}\t1\n{b}\t1\n{a}\t2\n"));
        }
    }
}

#[test]
fn modules_are_found_in_their_directory_alone() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libsnapshot.so");
    std::fs::copy(env!("HOST_PROBE"), &library).unwrap();
    let modules = module_dir(&library);
    assert_eq!(module_dir(&library), modules);
    assert_eq!(std::fs::read_dir(&modules).unwrap().count(), 1);

    let script = "
        print(package.searchpath and package.searchpath('snapshot', package.cpath) or package.cpath)
        print(package.cpath)";
    let options = Options::modules(&modules);
    for (_, host) in every_interpreter() {
        let said = output(host.run(script, &options));
        let cpath = modules.join("?.so");
        assert!(
            said.ends_with(&format!("\n{}\n", cpath.display())),
            "{said}"
        );
        assert!(
            said.lines()
                .all(|line| Path::new(line).starts_with(&modules)),
            "{said}"
        );
    }
}

#[test]
fn the_user_s_own_directory_and_cpath() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        dir: Some(dir.path().into()),
        ..Options::default()
    };
    output(Vm::Lua54.run("io.open('left', 'w'):close()", &options));
    assert!(dir.path().join("left").exists());

    std::fs::write(dir.path().join("cpath.lua"), "print(package.cpath)").unwrap();
    for (_, host) in every_interpreter() {
        let mut command = host.command();
        command
            .current_dir(dir.path())
            .args(["--cpath", "first/?.so", "cpath.lua"]);
        let said = command.output().unwrap().stdout;
        assert!(
            said.starts_with(b"first/?.so;"),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }
}
