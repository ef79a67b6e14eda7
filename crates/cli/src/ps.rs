//! `luasnap ps`: the processes of this machine that have a Lua state.

use crate::failure::Result;
use crate::look;
use crate::output::{print, print_json, report_problem};
use crate::progress::Progress;
use crate::table::{Column, Columns};
use clap::Args;
use luasnap_capture::process::{FoundState, LuaProcess, UnreadReason, lua_processes};
use luasnap_format::{byte_size, printable, printable_path};
use luasnap_words::Sentence;
use serde_json::{Value, json};
use std::process::ExitCode;

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  125  luasnap itself failed";

/// List the processes that hold a Lua state
///
/// Each with how many states it has, the bytes of their VMs, its physical memory (RSS), its largest state, and its
/// command line, or the title that the program shows instead; on a terminal, as much of it as fits. A state is called by
/// what is known of it: its main script, else the source of most functions that are loaded; workers of nginx and the
/// states of Redis by what they do.
///
/// A process whose Lua says which release it is, and which has an open state that cannot be read, is listed below with
/// the reason. None of them is stopped. Those that may not be read (other users', without CAP_SYS_PTRACE) are left out.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct Ps {
    /// List each Lua state, with the address that `luasnap attach --state` takes
    #[arg(long)]
    states: bool,

    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Ps {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(1);
        let processes = progress.step(Sentence::new("progress.states"), lua_processes);
        drop(progress);
        match (self.json, self.states) {
            (true, _) => print_json(&as_json(&processes))?,
            (false, _) if processes.is_empty() => {
                report_problem(&Sentence::new("ps.none"));
            }
            (false, is_by_state) => {
                let (read, unread): (Vec<_>, Vec<_>) = processes
                    .into_iter()
                    .partition(|process| process.unread.is_none());
                if !read.is_empty() {
                    print(match is_by_state {
                        true => states_as_text(&read).text(),
                        false => as_text(&read).text(),
                    })?;
                }
                let lines = unread.iter().filter_map(unread_line);
                print(lines.map(|line| line + "\n").collect::<String>())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the processes, a row each.
pub fn as_text(processes: &[LuaProcess]) -> Columns {
    let room = name_room();
    let mut names = vec![
        Column::Number("head.pid"),
        Column::Number("head.states"),
        Column::Word("head.vm"),
        Column::Number("head.bytes"),
        Column::Number("head.rss"),
        Column::Line("head.command"),
    ];
    if room > 0 {
        names.insert(5, Column::Word("head.largest_state"));
    }
    let mut columns = Columns::new(&names);
    for process in processes {
        let largest = process.states.iter().max_by_key(|state| state.total);
        let Some(largest) = largest else { continue };
        let mut cells = vec![
            process.pid.to_string(),
            process.states.len().to_string(),
            largest.vm.to_string(),
            byte_size(total(process)),
            process.resident.map(byte_size).unwrap_or_default(),
            command(process),
        ];
        if room > 0 {
            let name = name(largest, room);
            let cell = match process.states.len() {
                2.. if room == LONG => format!("{}, {name}", byte_size(largest.total)),
                _ => name,
            };
            cells.insert(5, cell);
        }
        columns.row(cells);
    }
    columns
}

/// Says which Lua a process has that cannot be read, and why.
fn unread_line(process: &LuaProcess) -> Option<String> {
    let unread = process.unread.as_ref()?;
    let reason = match unread.reason {
        UnreadReason::UnknownStructures => "ps.unknown_structures",
        UnreadReason::ThirtyTwoBit => "ps.thirty_two_bit",
    };
    let line = Sentence::new("ps.unread")
        .with("pid", process.pid.to_string())
        .with("program", printable(process.name.as_bytes()))
        .with("lua", printable(unread.lua.release.as_bytes()))
        .with("file", printable_path(&unread.lua.file).to_string())
        .with("reason", Sentence::new(reason));
    Some(look::sentence(&line))
}

/// Returns the states, a row each.
fn states_as_text(processes: &[LuaProcess]) -> Columns {
    let room = name_room();
    let mut names = vec![
        Column::Number("head.pid"),
        Column::Word("head.state"),
        Column::Word("head.vm"),
        Column::Number("head.bytes"),
        Column::Line("head.command"),
    ];
    if room > 0 {
        names.insert(4, Column::Word("head.name"));
    }
    let mut columns = Columns::new(&names);
    for process in processes {
        for state in &process.states {
            let mut cells = vec![
                process.pid.to_string(),
                format!("{:#x}", state.main_thread),
                state.vm.to_string(),
                byte_size(state.total),
                command(process),
            ];
            if room > 0 {
                cells.insert(4, name(state, room));
            }
            columns.row(cells);
        }
    }
    columns
}

/// The most letters of a state's name where there is room.
const LONG: usize = 32;

/// Returns how many letters of a state's name there is room for; 0 on a narrow terminal.
fn name_room() -> usize {
    match Columns::room() {
        ..80 => 0,
        80..120 => 16,
        120.. => LONG,
    }
}

/// Returns the bytes of a process's VMs together.
fn total(process: &LuaProcess) -> u64 {
    let totals = process.states.iter().map(|state| state.total);
    totals.fold(0, u64::saturating_add)
}

/// Returns what a state is called, escaped, in so many letters at most; its address where nothing is known.
fn name(state: &FoundState, most: usize) -> String {
    let Some(name) = &state.name else {
        return format!("{:#x}", state.main_thread);
    };
    let shown = printable(name.as_bytes());
    let count = shown.chars().count();
    match count > most {
        // The end of a path says more than its beginning.
        true => {
            let end: String = shown.chars().skip(count - (most - 3)).collect();
            format!("...{end}")
        }
        false => shown,
    }
}

/// Returns the command line, escaped, or the program's name where there is none.
fn command(process: &LuaProcess) -> String {
    match process.command.is_empty() {
        true => printable(process.name.as_bytes()),
        false => printable(&process.command.join(&b' ')),
    }
}

fn as_json(processes: &[LuaProcess]) -> Value {
    let process = |process: &LuaProcess| {
        let command = process.command.iter();
        let command = command.map(|word| String::from_utf8_lossy(word));
        let unread = process.unread.as_ref().map(|unread| {
            json!({
                "lua": unread.lua.release,
                "file": unread.lua.file.display().to_string(),
                "reason": match unread.reason {
                    UnreadReason::UnknownStructures => "unknown structures",
                    UnreadReason::ThirtyTwoBit => "32 bits",
                },
            })
        });
        json!({
            "pid": process.pid,
            "program": process.name,
            "command": command.collect::<Vec<_>>(),
            "total": total(process),
            "resident": process.resident,
            "states": process.states.iter().map(|state| json!({
                "state": format!("{:#x}", state.main_thread),
                "name": state.name,
                "vm": state.vm.to_string(),
                "total": state.total,
            })).collect::<Vec<_>>(),
            "unread": unread,
        })
    };
    json!(processes.iter().map(process).collect::<Vec<_>>())
}
