//! `luasnap run` in the embedded Lua.

use crate::program::{LUASNAP, Program, Ran, luasnap, output};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

const HEADER: &str = "--- luasnap: what script.lua left behind ---\n";

/// A script that leaves a thousand tables behind, and then runs more code.
fn leaky(then: &str) -> Program {
    Program::new(&format!(
        "cache = {{}} for i = 1, 1000 do cache[i] = {{}} end {then}"
    ))
}

#[track_caller]
fn reports_the_leak(ran: &Ran) {
    assert_eq!(ran.stdout.matches(HEADER).count(), 1, "{ran:#?}");
    assert!(ran.stdout.contains(" 1,001 new objects"), "{ran:#?}");
    assert!(ran.stdout.contains("cache.[*]"), "{ran:#?}");
}

#[test]
fn what_a_script_leaves_behind_is_reported_after_its_output() {
    let ran = leaky("print('the last word')").run(&[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout
            .starts_with(&format!("the last word\n\n{HEADER}")),
        "{ran:#?}"
    );
    reports_the_leak(&ran);
}

#[test]
fn a_script_that_leaves_nothing_is_told_so() {
    let ran = Program::new("local t = {} t[1] = function() return t end print 'done'").run(&["a"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.stdout,
        format!("done\n\n{HEADER}nothing new is left behind.\n")
    );
}

#[test]
fn what_finalizers_and_weak_tables_let_go_is_not_left_behind() {
    let ran = Program::new(
        "kept = {}
        setmetatable({}, {__gc = function() kept = nil end})
        weak = setmetatable({}, {__mode = 'k'})
        for i = 1, 100 do weak[{}] = true end",
    )
    .run(&[]);
    assert!(
        ran.stdout.contains("2 groups hold 2 new objects"),
        "{ran:#?}"
    );
    assert!(!ran.stdout.contains("kept"), "{ran:#?}");
}

#[test]
fn quiet_is_without_a_report() {
    for option in ["--quiet", "-q"] {
        let ran = leaky("print 'done'").option(option).run(&[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (Some(0), "done\n", "")
        );
        let ran = leaky("os.exit(3)").option(option).run(&[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (Some(3), "", "")
        );
    }
}

#[test]
fn a_script_gets_its_arguments_as_from_lua() {
    let script = "
        print(#arg, select('#', ...), ...)
        for at = -3, 4 do print(at, arg[at]) end";
    let ran = Program::new(script)
        .option("-q")
        .run(&["one", "--quiet", "", "--"]);
    let expected = format!(
        "4\t4\tone\t--quiet\t\t--\n-3\t{LUASNAP}\n-2\trun\n-1\t-q\n0\tscript.lua\n\
         1\tone\n2\t--quiet\n3\t\n4\t--\n"
    );
    assert_eq!((ran.stdout, ran.stderr), (expected, String::new()));
}

#[test]
fn arguments_are_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let program = Program::new("print(#arg[1], arg[1]:byte(1, -1))");
    let mut command = luasnap(&program.folder());
    command
        .args(["run", "-q", "script.lua"])
        .arg(OsStr::from_bytes(b"\xff\n\x80"));
    assert_eq!(output(command, "").stdout, "3\t255\t10\t128\n");
}

#[test]
fn the_environment_is_that_of_lua() {
    let script = "
        local own = {arg = true, snapshot = true}
        local known = '_G _VERSION assert collectgarbage coroutine debug dofile error getmetatable '
            .. 'io ipairs load loadfile math next os package pairs pcall print rawequal rawget '
            .. 'rawlen rawset require select setmetatable string table tonumber tostring type '
            .. 'utf8 warn xpcall '
        for name in pairs(_G) do
            if not own[name] then assert(known:find(name .. ' ', 1, true), name) end
        end
        for name in known:gmatch '%S+' do assert(_G[name] ~= nil, name) end
        assert(_VERSION == 'Lua 5.4' and _ENV == _G)
        assert(coroutine.isyieldable() == false and select(2, coroutine.running()) == true)
        assert(package.path:find('/usr/local/share/lua/5.4/?.lua', 1, true))
        assert(package.loaded.snapshot == require 'snapshot' and snapshot == require 'snapshot')
        assert(io.read 'n' == 42 and io.read 'L' == ' is the answer\\n')
        print(#snapshot.snapshot() > 100)";
    let ran = Program::new(script)
        .option("-q")
        .stdin("42 is the answer\n")
        .run(&[]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("true\n", ""));
}

#[test]
fn modules_beside_the_script_are_found() {
    let program = Program::new("print(require 'beside')").option("-q");
    fs::write(program.folder().join("beside.lua"), "return 'found'").unwrap();
    assert!(program.run(&[]).stdout.starts_with("found\t"));
}

#[test]
fn a_script_can_come_from_standard_input() {
    let ran = Program::new("")
        .option("-q")
        .stdin("print(arg[0], ...) error 'x'")
        .call(&["-", "a"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "-\ta\n"));
    assert!(ran.stderr.starts_with("luasnap: stdin:1: x\n"), "{ran:#?}");
}

#[test]
fn an_error_is_told_with_the_script_s_own_traceback() {
    let ran = leaky("\nlocal function fails() error('oh no') end\nfails()").run(&[]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.stderr,
        "luasnap: script.lua:2: oh no\nstack traceback:\n\t[C]: in function 'error'\n\
         \tscript.lua:2: in local 'fails'\n\tscript.lua:3: in main chunk\n\t[C]: in ?\n"
    );
    reports_the_leak(&ran);
}

#[test]
fn an_error_may_be_any_value() {
    for (error, said) in [
        (
            "nil",
            "luasnap: (error object is a nil value)\nstack traceback:\n",
        ),
        (
            "{}",
            "luasnap: (error object is a table value)\nstack traceback:\n",
        ),
        ("42", "luasnap: 42\nstack traceback:\n"),
        (
            "setmetatable({}, {__tostring = function() return 'T' end})",
            "luasnap: T\n",
        ),
        (
            "setmetatable({}, {__tostring = function() return 7 end})",
            "luasnap: 7\n",
        ),
        ("setmetatable({}, {__tostring = error})", "luasnap: "),
    ] {
        let ran = leaky(&format!("error({error})")).run(&[]);
        assert_eq!(ran.code, Some(1), "{error}: {ran:#?}");
        assert!(ran.stderr.starts_with(said), "{error}: {ran:#?}");
        reports_the_leak(&ran);
    }
}

#[test]
fn endless_recursion_is_an_error_like_others() {
    for recursion in [
        "local function f() return 1 + f() end f()",
        "local s = setmetatable({}, {__index = function(t, k) return t[k] end}) print(s.x)",
        "local function f() return pcall(f) and error('deep') end error(f())",
    ] {
        let ran = leaky(recursion).run(&[]);
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(ran.stderr.starts_with("luasnap: "), "{ran:#?}");
        assert!(ran.stderr.lines().count() < 30, "{ran:#?}");
        reports_the_leak(&ran);
    }
}

#[test]
fn os_exit_ends_the_process_after_the_report() {
    for (call, code) in [
        ("os.exit()", 0),
        ("os.exit(true)", 0),
        ("os.exit(false)", 1),
        ("os.exit(3)", 3),
        ("os.exit('4')", 4),
        ("os.exit(5, true)", 5),
        ("pcall(os.exit, 6)", 6),
        ("coroutine.wrap(function() os.exit(7) end)()", 7),
        ("setmetatable({}, {__gc = function() os.exit(8) end})", 8),
    ] {
        let ran = leaky(&format!("io.write('unfinished') {call}")).run(&[]);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(code), ""),
            "{call}: {ran:#?}"
        );
        assert!(
            ran.stdout.starts_with(&format!("unfinished\n{HEADER}")),
            "{call}: {ran:#?}"
        );
    }
    reports_the_leak(&leaky("os.exit(3)").run(&[]));
}

#[test]
fn os_exit_refuses_what_is_no_exit_code() {
    let ran = Program::new("print(pcall(os.exit, {})) os.exit('x')").run(&[]);
    assert_eq!(ran.code, Some(1));
    let message = "bad argument #1 to 'exit' (number expected, got table)";
    assert!(
        ran.stdout
            .starts_with(&format!("false\t{message}\n\n{HEADER}")),
        "{ran:#?}"
    );
    assert!(
        ran.stderr
            .starts_with("luasnap: script.lua:1: bad argument #1 to 'exit'"),
        "{ran:#?}"
    );
}

#[test]
fn scripts_that_cannot_be_loaded_are_not_run() {
    let ran = Program::new("").call(&["nowhere.lua"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        ran.stderr,
        "luasnap: cannot open nowhere.lua: No such file or directory\n"
    );
    let ran = Program::new("print 'x'\nthis is no Lua").run(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        ran.stderr,
        "luasnap: script.lua:2: syntax error near 'is'\n"
    );
}

#[test]
fn a_script_may_change_the_libraries() {
    let ran = leaky(
        "for _, name in ipairs{'string', 'table', 'io', 'os', 'debug'} do
            local library = _G[name]
            for key in pairs(library) do library[key] = nil end
        end
        for key in pairs(snapshot) do snapshot[key] = nil end
        for _, key in ipairs{'print', 'pcall', 'xpcall', 'type', 'tostring', 'collectgarbage'} do
            _G[key] = nil
        end
        nothing()",
    )
    .run(&[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("script.lua:9: attempt to call a nil value"),
        "{ran:#?}"
    );
    assert!(ran.stdout.contains(HEADER), "{ran:#?}");
}

#[test]
fn finalizers_run_when_the_state_closes() {
    let script = "at_the_end = setmetatable({}, {__gc = function() print 'closed' end})";
    let ran = Program::new(script).run(&[]);
    assert!(
        ran.stdout.contains(HEADER) && ran.stdout.ends_with("closed\n"),
        "{ran:#?}"
    );
    let ran = Program::new(&format!("{script} error()")).run(&[]);
    assert!(
        ran.stdout.contains(HEADER) && ran.stdout.ends_with("closed\n"),
        "{ran:#?}"
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_script_as_it_ends_lua() {
    let program = Program::new("while true do print 'still here' end");
    let lua = luasnap_hosts::Vm::Lua54.interpreter().to_str().unwrap();
    for options in [&[][..], &["--lua", lua]] {
        let mut command = luasnap(&program.folder());
        command
            .arg("run")
            .args(options)
            .arg("script.lua")
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().signal(), Some(13), "SIGPIPE");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told() {
    for (end, code) in [("", 125), ("error()", 1), ("os.exit(3)", 3)] {
        let program = leaky(end);
        let mut command = luasnap(&program.folder());
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ran: Ran = command
            .args(["run", "script.lua"])
            .stdout(full)
            .output()
            .unwrap()
            .into();
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        let expected = "luasnap: the report could not be written: No space left on device\n";
        assert!(ran.stderr.ends_with(expected), "{ran:#?}");
    }
}

#[test]
fn what_luasnap_says_of_a_script_is_in_the_users_language() {
    let lua = luasnap_hosts::Vm::Lua54.interpreter().to_str().unwrap();
    let program = leaky("");
    for options in [&[][..], &["--lua", lua]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = luasnap(&program.folder());
        command.args(["--lang", "zh", "run"]).args(options);
        let ran: Ran = command
            .arg("script.lua")
            .stdout(full)
            .output()
            .unwrap()
            .into();
        let expected = "luasnap: 报告无法写出：No space left on device\n";
        assert!(ran.stderr.ends_with(expected), "{ran:#?}");
    }
    // Before there is a module that knows what a terminal can show.
    fs::write(program.folder().join("no\n.so"), "").unwrap();
    let mut command = luasnap(&program.folder());
    command.env("LUASNAP_MODULE", program.folder().join("no\n.so"));
    command.args(["--lang", "zh", "run", "--lua", lua, "script.lua"]);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let expected = format!(
        "luasnap: 这个 Lua 无法加载 {}/no\\n.so：",
        program.folder().display()
    );
    assert!(ran.stderr.starts_with(&expected), "{ran:#?}");
}

#[test]
fn wrong_calls_are_told_what_is_right() {
    for words in [&[][..], &["--no-such-option", "script.lua"], &["--lua"]] {
        let ran = Program::new("").call(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert!(
            ran.stderr.contains("For more information, try '--help'."),
            "{ran:#?}"
        );
    }
    let help = Program::new("").call(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Exit codes:"), "{help:#?}");
}
