//! The target goes on unchanged, whatever happens.

use crate::target::{Target, child_of_this_test};
use luasnap_capture::process::{AttachErrorKind, AttachOptions, attach};
use luasnap_hosts::{Host, Vm};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// A script that answers every line it is sent.
const ECHO: &str = r#"
    io.stdout:write("ready\n") io.stdout:flush()
    for line in io.lines() do
      io.stdout:write("got ", line, "\n")
      io.stdout:flush()
    end"#;

#[track_caller]
fn answers(target: &mut Target, text: &str) {
    let stdin = target.stdin.as_mut().expect("a pipe");
    writeln!(stdin, "{text}").expect("the target reads");
    assert_eq!(target.line(), format!("got {text}"));
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .status();
    assert!(sent.expect("a shell").success());
}

#[test]
fn it_goes_on_afterwards() {
    let mut target = Target::start(Host::Plain(Vm::Lua54), ECHO);
    answers(&mut target, "before");
    for turn in 0..20 {
        attach(target.id(), AttachOptions::default()).unwrap();
        answers(&mut target, &format!("turn {turn}"));
    }
}

#[test]
fn a_stopped_process_stays_stopped() {
    let mut target = Target::start(Host::Plain(Vm::Lua54), ECHO);
    signal("STOP", target.id());
    target.wait_for_state('T');
    for _ in 0..5 {
        let attached = attach(target.id(), AttachOptions::default()).unwrap();
        assert_eq!(attached.captures.len(), 1);
        target.wait_for_state('T');
    }
    signal("CONT", target.id());
    answers(&mut target, "afterwards");
}

/// Signals that arrive while the target is stopped are not lost, and those without effect stay so.
#[test]
fn signals_arrive() {
    let mut target = Target::start(Host::Plain(Vm::Lua54), crate::heaps::SCRIPT);
    for _ in 0..20 {
        signal("WINCH", target.id());
        attach(target.id(), AttachOptions::default()).unwrap();
    }
    assert!(target.is_running());
    signal("TERM", target.id());
    assert_eq!(target.wait_for_signal(), 15);
}

/// Run by another test as a child process, and does nothing otherwise: attaches again and again to
/// the process that the environment names.
#[test]
fn child_that_attaches() {
    let Ok(target) = std::env::var("TARGET") else {
        return;
    };
    let target = target.parse().expect("a number");
    println!("begins");
    loop {
        attach(target, AttachOptions::default()).unwrap();
    }
}

#[test]
fn it_goes_on_when_the_reader_is_killed() {
    let target = Target::start(Host::Plain(Vm::Lua54), crate::heaps::SCRIPT);
    for turn in 0..20u64 {
        let mut reader = child_of_this_test("safety::child_that_attaches")
            .env("TARGET", target.id().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test");
        let lines = BufReader::new(reader.stdout.take().expect("a pipe")).lines();
        let begins = lines
            .map_while(Result::ok)
            .any(|line| line.contains("begins"));
        assert!(begins);
        // At a different moment of its work each time.
        std::thread::sleep(std::time::Duration::from_micros(500 * turn));
        reader.kill().expect("it runs");
        reader.wait().expect("it ends");
        target.wait_for_state('R');
    }
}

#[test]
fn a_process_that_ends_meanwhile() {
    for turn in 0..15 {
        let script = format!(
            r#"local kept = {{}}
            for i = 1, 20000 do kept[i] = {{ i }} end
            io.stdout:write("ready\n") io.stdout:flush()
            for i = 1, {turn} * 300000 do kept[1] = {{ i }} end
            os.exit(0)"#
        );
        let mut target = Target::start(Host::Plain(Vm::Lua54), &script);
        let error = loop {
            match attach(target.id(), AttachOptions::default()) {
                Ok(attached) => assert_eq!(attached.captures.len(), 1),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), AttachErrorKind::Ended, "{error}");
        target.kill();
    }
}
