//! The processes of this machine that have a Lua state.

use crate::process::attach::check;
use crate::process::error::AttachError;
use crate::process::found_state::FoundState;
use crate::process::lua_inside::{LuaFiles, UnreadLua, unread_lua};
use crate::process::pages::MappingKind;
use crate::process::refusal;
use crate::process::search::{expect_state, states_of_running};
use crate::process::shared_memory::SharedMemory;
use crate::process::threads::living_thread;
use crate::process_memory::resident;
use std::fs;
use std::ops::ControlFlow;

/// A process that has Lua states, or a Lua that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LuaProcess {
    /// Process id.
    pub pid: u32,
    /// The program's name, as the system reports it.
    pub name: String,
    /// The words of its command line, the program first; or the title that the program wrote over
    /// them (`nginx: worker process`). Empty where there is neither.
    pub command: Vec<Vec<u8>>,
    /// The bytes that it has in physical memory (RSS), where known.
    pub resident: Option<u64>,
    /// Its states, by address, none of them captured.
    pub states: Vec<FoundState>,
    /// Where none of its states is known: the Lua that it has, and why it cannot be read.
    pub unread: Option<UnreadLua>,
}

/// Returns the processes of this machine that have a Lua state, by id: also those whose Lua says which it is, though
/// it cannot be read. None of them is stopped. This process, and those that may not be read, are left out.
pub fn lua_processes() -> Vec<LuaProcess> {
    let mut files = LuaFiles::default();
    let of = |pid| {
        let shared = SharedMemory::of_process(pid).ok()?;
        let states = states_of(pid, &shared);
        let unread = match states.is_empty() {
            true => Some(unread_lua(pid, &shared, &mut files)?),
            false => None,
        };
        Some(described(pid, states, unread))
    };
    process_ids().into_iter().filter_map(of).collect()
}

/// Returns the ids of this machine's processes but this one, in order.
pub(super) fn process_ids() -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut ids: Vec<u32> = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&id| id != std::process::id())
        .collect();
    ids.sort_unstable();
    ids
}

/// Returns the Lua states of a process, by address, none of them captured. It is not stopped.
///
/// # Errors
/// See [`AttachErrorKind`](crate::process::AttachErrorKind): what [`attach`](crate::process::attach) says without
/// stopping it.
pub fn lua_states(process: u32) -> Result<Vec<FoundState>, AttachError> {
    check(process)?;
    let shared =
        SharedMemory::of_process(process).map_err(|error| refusal::of_process(process, &error))?;
    // It says why where there is none.
    expect_state(process, &shared)?;
    let mut states = states_of(process, &shared);
    states.sort_by_key(|state| state.main_thread);
    Ok(states)
}

/// The states that are found until an error, if there is one: the process may be exiting.
fn states_of(process: u32, shared: &SharedMemory) -> Vec<FoundState> {
    let mut states = Vec::new();
    let _ = states_of_running(process, MappingKind::Writable(shared), |state, memory| {
        states.push(FoundState::named(memory, &state));
        ControlFlow::Continue(())
    });
    if let Some(role) = command(process).first().and_then(|title| nginx_role(title)) {
        for state in &mut states {
            state.name = Some(role.clone());
        }
    }
    states
}

/// The words of a process's command line, or its title.
fn command(process: u32) -> Vec<Vec<u8>> {
    // Only a thread that has not ended has one.
    let line = fs::read(format!("/proc/{}/cmdline", living_thread(process)));
    words(&line.unwrap_or_default())
}

/// Returns a process with its states; `None` if none is known, or it may not be read. It is not stopped.
pub fn lua_process(pid: u32) -> Option<LuaProcess> {
    let states = states_of(pid, &SharedMemory::of_process(pid).ok()?);
    (!states.is_empty()).then(|| described(pid, states, None))
}

fn described(pid: u32, states: Vec<FoundState>, unread: Option<UnreadLua>) -> LuaProcess {
    // That of the first thread.
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    LuaProcess {
        pid,
        name: String::from_utf8_lossy(name.trim_ascii_end()).into_owned(),
        command: command(pid),
        resident: resident(pid),
        states,
        unread,
    }
}

/// The words of a command line, each terminated by a zero. A title is followed by many zeroes,
/// since it overwrites a longer command line.
pub(super) fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let Some(end) = line.iter().rposition(|byte| *byte != 0) else {
        return Vec::new();
    };
    let words = line[..=end].split(|byte| *byte == 0);
    words.map(<[u8]>::to_vec).collect()
}

/// Returns what a process of nginx is, by the title that it shows: `nginx worker`.
fn nginx_role(title: &[u8]) -> Option<String> {
    let role = std::str::from_utf8(title.strip_prefix(b"nginx: ")?).ok()?;
    let (role, _) = role.split_once(" process")?;
    Some(format!("nginx {role}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_nginx_say_what_they_are() {
        for (title, expected) in [
            ("nginx: worker process", Some("nginx worker")),
            (
                "nginx: worker process is shutting down",
                Some("nginx worker"),
            ),
            (
                "nginx: master process /usr/sbin/nginx -g daemon off;",
                Some("nginx master"),
            ),
            (
                "nginx: privileged agent process",
                Some("nginx privileged agent"),
            ),
            ("nginx", None),
            ("redis-server *:6379", None),
        ] {
            assert_eq!(nginx_role(title.as_bytes()).as_deref(), expected, "{title}");
        }
    }

    #[test]
    fn command_lines_are_taken_apart() {
        let expected: [(&[u8], &[&[u8]]); 6] = [
            (b"lua5.4\0server.lua\0", &[b"lua5.4", b"server.lua"]),
            (b"lua5.4\0\0-e \xff\0", &[b"lua5.4", b"", b"-e \xff"]),
            (
                b"nginx: worker process\0\0\0\0",
                &[b"nginx: worker process"],
            ),
            (b"redis-server *:6379", &[b"redis-server *:6379"]),
            (b"\0\0", &[]),
            (b"", &[]),
        ];
        for (line, expected) in expected {
            assert_eq!(words(line), expected, "{line:?}");
        }
    }
}
