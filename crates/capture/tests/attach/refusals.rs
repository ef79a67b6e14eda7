//! Processes that cannot be read, each with its own reason.

use crate::target::Target;
use crate::thirty_two_bit;
use luasnap_capture::process::{AttachError, AttachErrorKind, AttachOptions, StateChoice, attach};
use luasnap_heap::{Census, Snapshot};
use luasnap_hosts::{Host, Vm};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[track_caller]
fn refused(process: u32) -> AttachError {
    attach(process, AttachOptions::default()).expect_err("a reason")
}

#[test]
fn no_such_process() {
    let mut gone = Command::new("true").spawn().expect("a program");
    gone.wait().expect("its end");
    for process in [gone.id(), 0, u32::MAX] {
        let error = refused(process);
        assert_eq!(error.kind(), AttachErrorKind::NoSuchProcess, "{error}");
        assert!(error.to_string().contains(&process.to_string()));
    }
}

#[test]
fn a_process_that_has_ended_and_is_not_waited_for() {
    let mut ended = Command::new("true")
        .stdout(Stdio::piped())
        .spawn()
        .expect("a program");
    // Its output ends when it does.
    let mut output = String::new();
    let mut pipe = ended.stdout.take().expect("a pipe");
    std::io::Read::read_to_string(&mut pipe, &mut output).expect("a pipe");
    while !fs::read_to_string(format!("/proc/{}/stat", ended.id()))
        .expect("it")
        .contains(") Z ")
    {
        std::thread::yield_now();
    }
    assert_eq!(refused(ended.id()).kind(), AttachErrorKind::Ended);
    ended.wait().expect("its end");
}

#[test]
fn a_process_without_lua() {
    let mut other = Command::new("cat")
        .stdin(Stdio::piped())
        .spawn()
        .expect("a program");
    let error = refused(other.id());
    assert_eq!(error.kind(), AttachErrorKind::NoLuaState, "{error}");
    other.kill().expect("it runs");
    other.wait().expect("its end");
}

#[test]
fn this_process() {
    assert_eq!(refused(std::process::id()).kind(), AttachErrorKind::Failed);
}

#[test]
fn a_state_that_is_not_there() {
    let target = Target::start(Host::Plain(Vm::Lua54), crate::heaps::SCRIPT);
    let options = AttachOptions {
        state: Some(StateChoice::At(0x1000)),
        ..AttachOptions::default()
    };
    let error = attach(target.id(), options).expect_err("a reason");
    assert_eq!(error.kind(), AttachErrorKind::NoLuaState);
    assert!(error.to_string().contains("0x1000"), "{error}");
}

const WAITING: &str = r#"
    local kept = {} for i = 1, 100 do kept[i] = { i, name = "n" .. i } end
    io.stdout:write("ready\n") io.stdout:flush() io.read()"#;

/// Numeric keys, some of them fractional or negative.
const KEYS: &str = r#"
    local kept = { [2.5] = {}, [true] = {}, [-3] = {}, [100000] = {} } for i = 1, 100 do kept[i] = { i, name = "n" .. i } end
    io.stdout:write("ready\n") io.stdout:flush() io.read()"#;

#[test]
fn unknown_layouts() {
    // Attaching does not depend on what the C API reports about frames.
    for name in luasnap_hosts::changed("").filter(|name| !name.starts_with("record-")) {
        let target = Target::start(Host::Changed(name), KEYS);
        let attached = attach(target.id(), AttachOptions::default());
        let error = attached
            .map(|attached| attached.captures.len())
            .expect_err(name);
        // Also where no state is found: the program says which Lua it has, and one is open.
        assert_eq!(
            error.kind(),
            AttachErrorKind::Unsupported,
            "{name}: {error}"
        );
    }
}

/// In a Lua with larger prototypes everything is found but what they are larger by. In one stop it
/// may be memory that was just being allocated, and is reported; if each stop leaves the same
/// bytes, something has another size than we know, and no size is trusted.
#[test]
fn bytes_that_nobody_knows_are_said_or_a_reason_to_refuse() {
    let target = Target::start(Host::Changed("prototype-5.4"), WAITING);
    let tries = |tries| AttachOptions {
        tries,
        ..AttachOptions::default()
    };
    let (_, heap) = crate::heaps::only(attach(target.id(), tries(1)).unwrap());
    let census = Census::new(&Snapshot::new(heap)).unwrap();
    assert_eq!(census.unaccounted, Some(8));
    assert!(!census.is_exact());
    for tries in [tries(2), AttachOptions::default()] {
        let error = attach(target.id(), tries).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Unsupported, "{error}");
        let said = "the structures of this Lua 5.4 are not known: those of 5.4.3 to 5.4.9 come nearest, \
                    but each time, 8 bytes of what it says it holds are missing";
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// One sentence says what cannot be read, and there are details for those who ask.
#[test]
fn an_unknown_layout_is_told_in_a_sentence() {
    let target = Target::start(Host::Changed("string-5.4"), KEYS);
    let error = attach(target.id(), AttachOptions::default()).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("the structures of this Lua 5.4 are not known"),
        "{said}"
    );
    assert!(!said.contains("not 5.4.1"), "{said}");
    assert!(!error.details().is_empty(), "{:?}", error.details());
    for detail in error.details() {
        assert!(detail.to_string().starts_with("not 5.4."), "{detail:?}");
    }
}

#[test]
fn a_32_bit_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(mut process) = thirty_two_bit::start(folder.path()) else {
        return;
    };
    let error = refused(process.id());
    process.kill().expect("it runs");
    // And it was not ended by a fault of its own.
    assert_eq!(process.wait().expect("its end").signal(), Some(9));
    assert_eq!(error.kind(), AttachErrorKind::ThirtyTwoBit, "{error}");
    assert!(error.to_string().contains("is a 32-bit one"), "{error}");
}
