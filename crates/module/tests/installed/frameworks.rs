//! `check` in test frameworks: the examples in `examples/testing`, run by busted and by luaunit.

use crate::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tests of the examples, as sentences and as names.
const TESTS: [[&str; 2]; 3] = [
    [
        "sessions keep a greeting for each name, and no more",
        "TestSessions.test_a_greeting_is_kept_for_each_name_and_no_more",
    ],
    [
        "sessions stay when they are closed",
        "TestSessions.test_they_stay_when_they_are_closed",
    ],
    [
        "sessions leave nothing but what is known",
        "TestSessions.test_they_leave_nothing_but_what_is_known",
    ],
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/testing")
}

/// Returns the TAP output of a framework in a successful run.
fn run(program: &str, arguments: &[&str], package: &str) -> String {
    let mut command = Command::new(program);
    command.current_dir(examples()).args(arguments);
    let ran = Process::start(command, package, "").wait();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran}");
    assert!(ran.stdout.lines().any(|line| line == "1..3"), "{ran}");
    assert!(!ran.stdout.contains("not ok"), "{ran}");
    ran.stdout
}

/// Checks that each test has one line that says it succeeded.
#[track_caller]
fn assert_all_ok(said: &str, style: usize) {
    for test in TESTS {
        let is_it = |line: &&str| line.starts_with("ok ") && line.ends_with(test[style]);
        assert_eq!(said.lines().filter(is_it).count(), 1, "{said}");
    }
}

#[test]
#[ignore = "needs lua-busted"]
fn busted() {
    assert_all_ok(&run("busted", &["-o", "TAP", "."], "lua-busted"), 0);
}

#[test]
#[ignore = "needs lua-unit"]
fn luaunit() {
    for lua in ["lua5.1", "lua5.2", "lua5.3", "lua5.4"] {
        assert_all_ok(&run(lua, &["leak_test.lua", "-o", "tap"], "lua-unit"), 1);
    }
}

/// If `check` finds a leak, the framework counts the test as failed, not as one with an error, and its output says
/// what leaks.
#[test]
#[ignore = "needs lua-busted and lua-unit"]
fn a_leak_fails_the_test() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::copy(
        examples().join("sessions.lua"),
        folder.path().join("sessions.lua"),
    )
    .expect("a copy of the module");
    let write = |name: &str, source: &str| {
        std::fs::write(folder.path().join(name), source).expect("a test is written");
    };
    write(
        "leak_spec.lua",
        "local snapshot, sessions = require 'snapshot', require 'sessions'
         it('leaves nothing', function()
           snapshot.check(function() sessions.close(sessions.open 'Alice') end)
         end)",
    );
    write(
        "leak_test.lua",
        "local luaunit = require 'luaunit'
         local snapshot, sessions = require 'snapshot', require 'sessions'
         function test_nothing_is_left()
           snapshot.check(function() sessions.close(sessions.open 'Alice') end)
         end
         os.exit(luaunit.LuaUnit.run())",
    );
    for (program, arguments, package, counts) in [
        (
            "busted",
            ["-o", "plainTerminal", "leak_spec.lua"],
            "lua-busted",
            "0 successes / 1 failure / 0 errors / 0 pending",
        ),
        (
            "lua5.1",
            ["leak_test.lua", "-o", "text"],
            "lua-unit",
            ", 0 successes, 1 failure\n",
        ),
        (
            "lua5.4",
            ["leak_test.lua", "-o", "text"],
            "lua-unit",
            ", 0 successes, 1 failure\n",
        ),
    ] {
        let mut command = Command::new(program);
        command.current_dir(folder.path()).args(arguments);
        let ran = Process::start(command, package, "").wait();
        assert!(!ran.status.success(), "{ran}");
        for words in [
            counts,
            ": 1 leak, accumulating at package.loaded.sessions.close.closed, in each of 5 runs:\n  +5 table (",
            "): class Session\n  for example package.loaded.sessions.close.closed.[2]\n",
            "  to allow it: \"772a3de8f6ed\"\n",
        ] {
            assert!(ran.stdout.contains(words), "{words}: {ran}");
        }
    }
}
