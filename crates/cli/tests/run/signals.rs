//! Scripts ended by a signal: what they leave behind is still saved and reported.

use crate::program::{Program, Ran, luasnap};
use luasnap_format::open_snapshot;
use luasnap_hosts::Vm;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const HEADER: &str = "--- luasnap: what script.lua left behind ---\n";

fn send(child: &Child, signal: &str) {
    let killed = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// A script that leaves a thousand tables behind, calls `ready`, and then runs forever.
fn leaky(for_ever: &str) -> Program {
    Program::new(&format!(
        "io.stdout:setvbuf 'no'
         cache = {{}} for i = 1, 1000 do cache[i] = {{}} end
         local function ready() print 'ready' end
         {for_ever}"
    ))
}

/// Starts a script, and waits until it prints `ready`.
fn start(program: &Program, options: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = luasnap(&program.folder());
    command.arg("run").args(options).arg("script.lua");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line != "ready\n" {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "it has ended");
    }
    (child, stdout)
}

fn end(mut child: Child, mut stdout: impl Read) -> Ran {
    let mut out = String::new();
    stdout.read_to_string(&mut out).unwrap();
    let mut err = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut err).unwrap();
    Ran {
        code: child.wait().unwrap().code(),
        stdout: out,
        stderr: err,
    }
}

#[track_caller]
fn has_the_leak(folder: &Path, ran: &Ran, code: i32) {
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(code), ""),
        "{ran:#?}"
    );
    assert_eq!(ran.stdout.matches(HEADER).count(), 1, "{ran:#?}");
    assert!(ran.stdout.contains("cache.[*]"), "{ran:#?}");
    let saved = open_snapshot(&folder.join("last.luasnap")).unwrap();
    assert!(saved.len().unwrap() > 1000);
}

#[track_caller]
fn is_interrupted(for_ever: &str, options: &[&str], signal: &str, code: i32) {
    let program = leaky(for_ever);
    let options = [&["--save", "last.luasnap"], options].concat();
    let (child, stdout) = start(&program, &options);
    send(&child, signal);
    has_the_leak(&program.folder(), &end(child, stdout), code);
}

#[test]
fn a_signal_ends_a_script_with_its_report_and_its_snapshot() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        is_interrupted("ready() while true do end", &[], signal, code);
    }
}

#[test]
fn no_script_can_catch_or_escape_it() {
    for for_ever in [
        "while true do pcall(function() ready() while true do end end) end",
        "xpcall(function() ready() while true do end end, function() while true do end end)",
        "coroutine.wrap(function() ready() while true do end end)()",
        "coroutine.wrap(coroutine.wrap(function() ready() while true do end end))()",
        "local co = coroutine.create(function() ready() while true do coroutine.yield() end end)
         while true do coroutine.resume(co) end",
        "local co = coroutine.create(function() while true do end end)
         ready() coroutine.resume(co)",
        "table.sort({1, 2, 3}, function() ready() while true do end end)",
        "debug.sethook(function() end, '', 1000) ready() while true do end",
        "setmetatable({}, {__index = function() ready() while true do end end}).x = nil
         local _ = setmetatable({}, {__index = function() ready() while true do end end}).x",
        "ready() while true do string.rep('x', 1000000) end",
    ] {
        is_interrupted(for_ever, &[], "INT", 130);
    }
}

#[test]
fn a_call_that_waits_comes_back() {
    // `io.read` waits for a line that never comes.
    is_interrupted("ready() io.read() while true do end", &[], "TERM", 143);
}

#[test]
fn every_lua_is_interrupted() {
    for vm in Vm::ALL {
        let lua = vm.interpreter().to_str().unwrap();
        // LuaJIT's compiled code does not check hooks; calls of C functions are not compiled.
        for for_ever in [
            "ready() while true do pcall(string.gsub, 'x', '.', function() end) end",
            "coroutine.wrap(function() ready()
                 while true do pcall(string.gsub, 'x', '.', function() end) end
             end)()",
        ] {
            is_interrupted(for_ever, &["--lua", lua], "TERM", 143);
            is_interrupted(for_ever, &["--lua", lua], "INT", 130);
        }
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // The first one cannot end it: a pattern that takes forever to match is C code.
    let stuck = "ready() string.find(string.rep('a', 99), string.rep('a*', 15) .. 'b')";
    let program = leaky(stuck);
    let (child, stdout) = start(&program, &["--save", "last.luasnap"]);
    // Between `ready` and the C code there are some instructions where it could end the script.
    std::thread::sleep(std::time::Duration::from_millis(300));
    send(&child, "INT");
    // Wait until the first signal is handled, and no longer pending.
    std::thread::sleep(std::time::Duration::from_millis(200));
    send(&child, "TERM");
    let ran = end(child, stdout);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(143), ""), "{ran:#?}");
    let left: Vec<_> = std::fs::read_dir(program.folder()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_is_written_already_is_written_to_its_end() {
    // The signal arrives in a finalizer that runs before the last snapshot.
    let program = leaky("setmetatable({}, {__gc = function() ready() io.read() end})");
    let (mut child, stdout) = start(&program, &["--save", "last.luasnap"]);
    send(&child, "TERM");
    std::thread::sleep(std::time::Duration::from_millis(200));
    drop(child.stdin.take());
    has_the_leak(&program.folder(), &end(child, stdout), 143);
}

#[test]
fn a_signal_that_is_ignored_stays_so() {
    let program = leaky("ready() io.read()");
    let mut command = Command::new("sh");
    command
        .current_dir(program.folder())
        .args(["-c", "trap '' INT; exec \"$0\" run -q script.lua"])
        .arg(crate::program::LUASNAP)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    send(&child, "INT");
    drop(child.stdin.take());
    assert_eq!(end(child, stdout).code, Some(0));
}

#[test]
fn a_program_that_a_script_starts_has_no_handlers_of_ours() {
    let program = leaky("print(os.execute 'kill -s TERM $$') print(os.execute 'kill -s XFSZ $$')");
    let ran = program.option("-q").run(&[]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.stdout, "nil\tsignal\t15\nnil\tsignal\t25\n");
}

#[test]
fn other_verbs_end_by_the_signal_itself() {
    let program = Program::new("");
    let fifo = program.folder().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let mut command = luasnap(&program.folder());
        let mut child = command.args(["info", "fifo"]).spawn().unwrap();
        // Opening the pipe waits until the program opens it, too.
        let writer = std::fs::File::options().write(true).open(&fifo).unwrap();
        send(&child, name);
        assert_eq!(child.wait().unwrap().signal(), Some(number), "{name}");
        drop(writer);
    }
}

/// Covers all cases that the coroutine functions distinguish.
const COROUTINES: &str = r#"
    local function show(...) print(select('#', ...), ...) end
    local resume, wrap, create = coroutine.resume, coroutine.wrap, coroutine.create
    local co = create(function(...)
        show(...)
        show(coroutine.yield(1, nil, nil))
        return 'done', nil
    end)
    show(resume(co, 'a', nil)) show(coroutine.status(co))
    show(resume(co, 'b')) show(coroutine.status(co))
    show(resume(co)) show(resume(co, 1, 2))
    co = create(function() show(resume(co)) end)
    show(resume(co))
    local outer
    outer = create(function() resume(create(function() show(resume(outer)) end)) end)
    show(resume(outer))
    show(resume(create(function() error 'text' end)))
    show(resume(create(function() error({}) end)) == 2)
    show(pcall(wrap(function() error 'text' end)))
    show(pcall(wrap(function() error('text', 0) end)))
    show(pcall(wrap(function() error(42) end)))
    show(pcall(wrap(function() error() end)))
    local ended = wrap(function() return 1 end)
    show(ended()) show(pcall(ended))
    local sum = 0
    for n in wrap(function() for n = 1, 1000 do coroutine.yield(n) end end) do sum = sum + n end
    show(sum)
    local running = wrap(function() running() end)
    local self
    self = wrap(function() self() end)
    show(pcall(self))
    show(pcall(wrap(function() show(#{wrap(function() return 1, 2 end)()}) end)))
    local function deep(n) if n == 0 then return 'bottom' end return wrap(deep)(n - 1) end
    show(pcall(deep, 100))
    local function endless(n) return wrap(endless)(n + 1) end
    if not jit then -- LuaJIT's own stack ends there
        local _, why = pcall(endless, 0)
        show((why:gsub('^.*: ', '')))
    end
    show(resume(create(function(...) return ... end), (table.unpack or unpack)({}, 1, 5000)) == true)
    for _, wrong in ipairs{{}, 1, 'x'} do
        show(pcall(resume, wrong) == false) show(pcall(wrap, wrong) == false)
    end
    if coroutine.close then
        local close = function(what)
            return load [[
                local what, show, create, wrap = ...
                local function f()
                    local _ <close> = setmetatable({}, {__close = function(_, e) show('closed', e) what() end})
                    error('first', 0)
                end
                show(coroutine.resume(create(f))) show(pcall(wrap(f)))
            ]](what, show, create, wrap)
        end
        close(function() end)
        close(function() error('second', 0) end)
    end
"#;

#[test]
fn coroutines_do_what_they_do_without_us() {
    let program = Program::new(COROUTINES);
    for vm in Vm::ALL {
        let mut lua = Command::new(vm.interpreter());
        lua.current_dir(program.folder()).arg("script.lua");
        let without = crate::program::output(lua, "");
        assert!(without.stdout.lines().count() > 30, "{vm:?}: {without:#?}");
        let mut command = luasnap(&program.folder());
        command
            .args(["run", "-q", "--lua"])
            .arg(vm.interpreter())
            .arg("script.lua");
        let with = crate::program::output(command, "");
        assert_eq!(
            (with.stdout, with.stderr),
            (without.stdout, without.stderr),
            "{vm:?}"
        );
    }
}
