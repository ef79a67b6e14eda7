//! `watch`: what grows in a running process, and how it ends.

use crate::growing::Growing;
use crate::program::{Ran, luasnap as program, output};
use crate::target::Target;
use luasnap_hosts::Vm;
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

fn luasnap(folder: &Path, words: &[&str]) -> Ran {
    let mut command = program(folder);
    command.args(words);
    output(command, "")
}

/// Leaks of five shapes: tables in a table, references of C code, closures, strings and coroutines.
const LEAKS: &str = "
    sessions, handlers, log, jobs = {}, {}, {}, {}
    local registry = debug.getregistry()
    local number = 0
    function grow()
      for _ = 1, 10 do
        number = number + 1
        sessions['user' .. number] = { items = { number } }
        registry[#registry + 1] = { plugin = { number } }
        local seen = {}
        handlers[number] = function() return seen end
        log[number] = ('event %d'):format(number):rep(9)
        jobs[number] = coroutine.create(function() coroutine.yield() end)
        coroutine.resume(jobs[number])
      end
    end";

/// Returns what is the same in the verdict of `watch` and in that of `diff`.
fn told(growth: &Value) -> Value {
    let mut suspects = growth["suspects"].clone();
    for suspect in suspects.as_array_mut().unwrap() {
        let suspect = suspect.as_object_mut().unwrap();
        // `watch` does not know which of them came.
        suspect.remove("example");
        suspect.remove("example_is");
    }
    serde_json::json!([growth["verdict"], growth["sizes"], suspects])
}

#[test]
fn a_steady_leak_is_told_as_diff_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let growing = Growing::start(folder.path(), LEAKS);
    let id = growing.id();
    let words = ["watch", &id, "--every", "400ms", "--for", "1600ms"];
    let watched = luasnap(
        folder.path(),
        &[&words[..], &["-o", "shots", "--json"]].concat(),
    );
    assert_eq!((watched.code, watched.stderr.as_str()), (Some(0), ""));
    let lines: Vec<Value> = watched
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (end, steps) = lines.split_last().unwrap();
    assert!(steps.len() >= 3, "{watched:#?}");
    assert_eq!(end["end"], "time");
    assert_eq!(end["steps"], steps.len());
    assert_eq!(end["files"].as_array().unwrap().len(), steps.len());
    let diff = luasnap(folder.path(), &["diff", "shots", "--json"]);
    let diff: Value = serde_json::from_str(&diff.stdout).unwrap();
    assert_eq!(told(&end["growth"]), told(&diff));
    let suspects = diff["suspects"].as_array().unwrap();
    let mut points: Vec<&str> = suspects
        .iter()
        .map(|suspect| suspect["point"].as_str().unwrap())
        .collect();
    points.sort_unstable();
    let expected = [
        "[REGISTRY].[ref]",
        "_G.handlers",
        "_G.jobs",
        "_G.log",
        "_G.sessions",
    ];
    assert_eq!(points, expected, "{diff:#}");
    let last = &steps[steps.len() - 1];
    assert_eq!(last["verdict"], end["growth"]["verdict"]);
    assert_eq!(
        last["size"],
        diff["sizes"].as_array().unwrap().last().unwrap().clone()
    );
    let group = &last["groups"][0];
    assert!(group["bytes_per_minute"].as_i64().unwrap() > 0, "{group}");
    assert_eq!(group["growing"], true);
    assert_eq!(steps[0]["groups"], serde_json::json!([]));
    growing.finish();
}

#[test]
fn piped_it_writes_a_line_a_step_and_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let growing = Growing::start(folder.path(), LEAKS);
    let id = growing.id();
    let ran = luasnap(
        folder.path(),
        &["watch", &id, "--every", "300ms", "--for", "1s"],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let (steps, end) = ran.stdout.split_once("\n\n").unwrap();
    let steps: Vec<&str> = steps.lines().collect();
    assert!(steps.len() >= 3, "{ran:#?}");
    for step in &steps {
        let (time, rest) = step.split_once(" UTC  RSS ").unwrap();
        assert_eq!(time.len(), "2026-11-30 09:13:44".len(), "{step}");
        for word in ["  VM ", "  in use ", "  stopped ", " ms"] {
            assert!(rest.contains(word), "{step}");
        }
    }
    for step in &steps[1..] {
        assert!(step.contains("/min  +"), "{step}");
        assert!(step.contains(" objects/min  "), "{step}");
    }
    let watched = format!("Watched process {id}");
    assert!(end.starts_with(&watched), "{end}");
    assert!(end.contains(" it stood still for "), "{end}");
    assert!(end.contains(" grows in every step, by "), "{end}");
    assert!(
        end.contains("Leak suspect, accumulation point _G.sessions: "),
        "{end}"
    );
    growing.finish();
}

/// Waits for the next line of a program.
fn next_line(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line
}

/// A `luasnap watch` that runs, and what it writes.
fn start(folder: &Path, words: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = program(folder);
    let mut child = command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

/// Returns the rest of what a program writes, and its exit code.
fn rest(mut child: Child, mut lines: impl Read) -> (String, Option<i32>) {
    let mut text = String::new();
    lines.read_to_string(&mut text).unwrap();
    (text, child.wait().unwrap().code())
}

#[test]
fn it_ends_with_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    let (child, mut lines) = start(folder.path(), &["watch", &id, "--every", "1h"]);
    assert!(next_line(&mut lines).contains("  RSS "));
    target.finish();
    let (text, code) = rest(child, lines);
    assert_eq!(code, Some(0), "{text}");
    let expected = format!("\nprocess {id} has ended\n\nWatched process {id}, 1 step; ");
    assert!(text.starts_with(&expected), "{text}");
    assert!(
        text.ends_with("There is nothing to compare: that takes two steps.\n"),
        "{text}"
    );
}

#[test]
fn it_ends_where_the_process_runs_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let script = "
        local ffi = require 'ffi'
        ffi.cdef 'int execv(const char *path, char *const argv[]);'
        print 'ready'
        io.stdout:flush()
        io.read()
        local name = ffi.new('char[4]', 'cat')
        local words = ffi.new('char *[2]')
        words[0] = name
        ffi.C.execv('/bin/cat', words)";
    fs::write(folder.path().join("exec.lua"), script).unwrap();
    let mut command = Command::new(Vm::LuaJit.interpreter());
    let mut target = command
        .current_dir(folder.path())
        .arg("exec.lua")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(target.stdout.take().unwrap());
    assert_eq!(next_line(&mut said), "ready\n");
    let id = target.id().to_string();
    let words = ["watch", &id, "--every", "1h", "--json"];
    let (child, mut lines) = start(folder.path(), &words);
    assert!(next_line(&mut lines).contains("\"step\":1"));
    let mut line = target.stdin.take().unwrap();
    line.write_all(b"go\n").unwrap();
    let (text, code) = rest(child, lines);
    drop(line);
    target.wait().unwrap();
    assert_eq!(code, Some(0), "{text}");
    let end: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(end["end"], "replaced", "{text}");
    assert_eq!(end["growth"], Value::Null, "{text}");
}

#[test]
fn a_page_shows_what_was_watched() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    let words = [
        "watch", &id, "--every", "50ms", "--for", "200ms", "-o", "shots", "--report", "a.html",
    ];
    let watched = luasnap(folder.path(), &words);
    assert_eq!(watched.code, Some(0), "{watched:?}");
    let said = "luasnap: a.html: for any browser\n";
    assert!(watched.stderr.ends_with(said), "{watched:?}");
    let page = fs::read_to_string(folder.path().join("a.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("Nothing grew."), "{page}");
    // Where it cannot be written, nothing is watched.
    let words = [
        "watch",
        &id,
        "-o",
        "shots",
        "--report",
        "no/where.html",
        "--for",
        "1h",
    ];
    let refused = luasnap(folder.path(), &words);
    assert_eq!(refused.code, Some(125), "{refused:?}");
    let said = "luasnap: cannot write 'no/where.html': No such file or directory\n";
    assert_eq!(refused.stderr, said);
    target.finish();
}

#[test]
fn signals_end_it_with_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    for ending in [Signal::SIGINT, Signal::SIGTERM] {
        let words = [
            "watch", &id, "--every", "100ms", "-o", "shots", "--keep", "2",
        ];
        let (child, mut lines) = start(folder.path(), &words);
        next_line(&mut lines);
        assert!(next_line(&mut lines).ends_with("  nothing grew\n"));
        signal(&child, ending);
        let (text, code) = rest(child, lines);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("\nKept 2 snapshots, shots/luasnap-"),
            "{text}"
        );
        assert!(text.ends_with("\nNothing changed.\n"), "{text}");
    }
    // Of each, the last two, and no temporary files.
    let names: Vec<_> = fs::read_dir(folder.path().join("shots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.iter().all(|name| name.ends_with(".luasnap")),
        "{names:?}"
    );
    assert_eq!(names.len(), 4, "{names:?}");
    target.finish();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    let words = ["watch", &id, "--every", "1ms", "-o", "shots", "--keep", "1"];
    let (child, mut lines) = start(folder.path(), &words);
    next_line(&mut lines);
    signal(&child, Signal::SIGINT);
    signal(&child, Signal::SIGINT);
    let (text, code) = rest(child, lines);
    // The first one may have been enough.
    assert!(matches!(code, None | Some(0)), "{code:?} {text}");
    let names: Vec<_> = fs::read_dir(folder.path().join("shots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.iter().all(|name| name.ends_with(".luasnap")),
        "{names:?}"
    );
    target.finish();
}

#[test]
fn it_begins_when_the_process_has_as_much_memory() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    let words = ["--every", "100ms", "--for", "150ms", "--json"];
    let begun = luasnap(
        folder.path(),
        &[&["watch", &id, "--above", "1K"], &words[..]].concat(),
    );
    assert!(begun.stdout.starts_with("{\"step\":1,"), "{begun:#?}");
    let (child, lines) = start(
        folder.path(),
        &[&["watch", &id, "--above", "900G"], &words[..]].concat(),
    );
    thread::sleep(Duration::from_millis(500));
    signal(&child, Signal::SIGINT);
    let (text, code) = rest(child, lines);
    assert_eq!(code, Some(0), "{text}");
    let end: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&end["end"], &end["steps"]),
        (&"interrupted".into(), &0.into())
    );
    assert_eq!(end["stops"], 0, "it was not stopped");
    // It ends before there is enough.
    let (child, lines) = start(folder.path(), &["watch", &id, "--above", "900G"]);
    thread::sleep(Duration::from_millis(500));
    target.finish();
    let (text, code) = rest(child, lines);
    assert_eq!((text.as_str(), code), ("", Some(11)));
}

#[test]
fn what_cannot_be_watched_has_the_codes_of_attach() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = luasnap(folder.path(), &["watch", "4194305"]);
    assert_eq!(nobody.code, Some(10), "{nobody:?}");
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    let of_sleeper = luasnap(folder.path(), &["watch", &sleeper.id().to_string()]);
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert_eq!(of_sleeper.code, Some(15), "{of_sleeper:?}");

    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    let elsewhere = luasnap(folder.path(), &["watch", &id, "--state", "0x10"]);
    assert_eq!(elsewhere.code, Some(15), "{elsewhere:?}");
    let expected = format!("process {id} has no Lua state whose main thread is at 0x10\n");
    assert!(elsewhere.stderr.ends_with(&expected), "{elsewhere:?}");
    fs::write(folder.path().join("file"), "").unwrap();
    let no_folder = luasnap(folder.path(), &["watch", &id, "-o", "file"]);
    assert_eq!(no_folder.code, Some(125), "{no_folder:?}");
    assert!(
        no_folder
            .stderr
            .contains("cannot make the folder file: File exists"),
        "{no_folder:?}"
    );
    for wrong in [
        &["watch"][..],
        &["watch", &id, "--keep", "3"],
        &["watch", &id, "--keep", "0", "-o", "shots"],
        &["watch", &id, "--every", "0"],
        &["watch", &id, "--every", "soon"],
        &["watch", &id, "--above", "much"],
    ] {
        assert_eq!(luasnap(folder.path(), wrong).code, Some(2), "{wrong:?}");
    }
    target.finish();
}

/// A program on a terminal of its own.
struct OnTerminal {
    child: Child,
    terminal: File,
}

impl OnTerminal {
    fn start(folder: &Path, words: &[&str], columns: u16) -> OnTerminal {
        let size = Winsize {
            ws_row: 30,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let terminal = openpty(Some(&size), None).unwrap();
        let mut command = program(folder);
        command
            .args(words)
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .env_remove("COLUMNS")
            .stdin(terminal.slave.try_clone().unwrap())
            .stdout(terminal.slave.try_clone().unwrap())
            .stderr(terminal.slave);
        OnTerminal {
            child: command.spawn().unwrap(),
            terminal: File::from(terminal.master),
        }
    }

    /// Reads until this is shown.
    fn until(&mut self, text: &str) -> String {
        let mut shown = Vec::new();
        let mut byte = [0; 1];
        while !String::from_utf8_lossy(&shown).ends_with(text) {
            match self.terminal.read(&mut byte) {
                Ok(1) => shown.push(byte[0]),
                _ => panic!("{:?}", String::from_utf8_lossy(&shown)),
            }
        }
        String::from_utf8(shown).unwrap()
    }

    /// Reads until the program has ended.
    fn rest(mut self) -> (String, Option<i32>) {
        let mut shown = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = self.terminal.read(&mut buffer) {
            shown.extend_from_slice(&buffer[..length]);
        }
        (
            String::from_utf8(shown).unwrap(),
            self.child.wait().unwrap().code(),
        )
    }
}

const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l\x1b[?25h";

#[test]
fn on_a_terminal_it_draws_in_place_and_leaves_it_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let growing = Growing::start(folder.path(), LEAKS);
    let id = growing.id();
    for columns in [120, 70, 40] {
        let words = ["watch", &id, "--every", "300ms"];
        let mut watch = OnTerminal::start(folder.path(), &words, columns);
        watch.until(ENTER);
        let shown = watch.until("step 3");
        assert!(shown.contains(&format!("luasnap watch {id}  ")), "{shown}");
        assert!(shown.contains("bytes/min"), "{shown}");
        assert!(shown.contains("grow"), "{shown}");
        watch.terminal.write_all(b"xq").unwrap();
        let (shown, code) = watch.rest();
        assert_eq!(code, Some(0), "{shown}");
        let (screen, after) = shown.split_once(LEAVE).unwrap();
        assert!(!screen.contains(ENTER) && !after.contains(ENTER), "{shown}");
        assert!(
            after.starts_with(&format!("Watched process {id}")),
            "{after}"
        );
        assert!(
            after.contains("Leak suspect, accumulation point"),
            "{after}"
        );
    }
    growing.finish();
}

#[test]
fn ctrl_c_on_a_terminal_leaves_it_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "", &[]);
    let id = target.id();
    for times in [1, 2] {
        let words = ["watch", &id, "--every", "1h"];
        let mut watch = OnTerminal::start(folder.path(), &words, 80);
        watch.until("step 1");
        for _ in 0..times {
            signal(&watch.child, Signal::SIGINT);
        }
        let (shown, code) = watch.rest();
        assert!(
            matches!((times, code), (_, Some(0)) | (2, None)),
            "{code:?} {shown}"
        );
        assert_eq!(shown.matches(LEAVE).count(), 1, "{shown:?}");
    }
    target.finish();
}
