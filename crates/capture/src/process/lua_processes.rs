//! The processes of this machine that hold a Lua state.

use super::found_state::FoundState;
use super::search::states_of_running;
use std::fs;
use std::ops::ControlFlow;

/// A process that holds Lua states.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LuaProcess {
    /// Its id.
    pub pid: u32,
    /// The program's name, as the system has it.
    pub name: String,
    /// Its states, by address. None of them is captured.
    pub states: Vec<FoundState>,
}

/// The processes of this machine that hold a Lua state, by id. None of them is stopped. This one, and
/// those that may not be read, are left out.
pub fn lua_processes() -> Vec<LuaProcess> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut ids: Vec<u32> = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&id| id != std::process::id())
        .collect();
    ids.sort_unstable();
    ids.into_iter().filter_map(lua_process).collect()
}

fn lua_process(pid: u32) -> Option<LuaProcess> {
    let mut states = Vec::new();
    // What was found before an error counts: the process may be ending.
    let _ = states_of_running(pid, |state| {
        states.push(FoundState::uncaptured(&state));
        ControlFlow::Continue(())
    });
    if states.is_empty() {
        return None;
    }
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(LuaProcess {
        pid,
        name: String::from_utf8_lossy(name.trim_ascii_end()).into_owned(),
        states,
    })
}
