//! Luas whose structures are not known: which they are, and that one is open.

use crate::target::Target;
use luasnap_capture::process::{LuaProcess, UnreadReason, lua_processes};
use luasnap_hosts::{Host, Vm};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

const SCRIPT: &str = r#"io.stdout:write("ready\n") io.stdout:flush() io.read()"#;

fn listed() -> HashMap<u32, LuaProcess> {
    let processes = lua_processes().into_iter();
    processes.map(|process| (process.pid, process)).collect()
}

#[test]
fn a_lua_that_cannot_be_read_is_listed_with_its_release() {
    let names: Vec<&str> = luasnap_hosts::changed("").collect();
    let targets: Vec<Target> = names
        .iter()
        .map(|name| Target::start(Host::Changed(name), SCRIPT))
        .collect();
    let listed = listed();
    let mut unread = 0;
    for (name, target) in names.iter().zip(&targets) {
        let process = listed.get(&target.id()).unwrap_or_else(|| panic!("{name}"));
        // Others have states that look like those of a release, and are refused later.
        assert_eq!(process.states.is_empty(), process.unread.is_some());
        let Some(found) = &process.unread else {
            continue;
        };
        unread += 1;
        let (_, version) = name.rsplit_once('-').unwrap();
        let release = &found.lua.release;
        assert!(
            release.starts_with(&format!("Lua {version}.")),
            "{name}: {release}"
        );
        assert_eq!(found.reason, UnreadReason::UnknownStructures);
        let program = Host::Changed(name).command();
        let program = std::fs::canonicalize(program.get_program());
        assert_eq!(found.lua.file, program.unwrap());
    }
    assert!(unread > 0);
}

/// A program may have a Lua inside and no open state: there is nothing to read.
#[test]
fn a_program_without_an_open_state_is_not_listed() {
    let library = Vm::Lua54.shared_library();
    let mut program = Command::new("cat")
        .env("LD_PRELOAD", library)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a program");
    // It answers, so it has begun.
    let mut stdin = program.stdin.take().expect("a pipe");
    stdin.write_all(b"ready\n").expect("it reads");
    let mut answer = [0; 6];
    let stdout = program.stdout.as_mut().expect("a pipe");
    stdout.read_exact(&mut answer).expect("it answers");
    let maps = std::fs::read(format!("/proc/{}/maps", program.id())).expect("its mappings");
    let listed = listed().contains_key(&program.id());
    program.kill().expect("it runs");
    program.wait().expect("its end");
    let name = library.file_name().expect("a name").as_encoded_bytes();
    assert!(maps.windows(name.len()).any(|part| part == name));
    assert!(!listed);
}
