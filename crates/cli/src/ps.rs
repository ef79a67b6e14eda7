//! `luasnap ps`: the processes of this machine that have a Lua state.

use crate::output::{print, print_json, report_problem};
use crate::progress::Progress;
use crate::table::{Column, Columns};
use anyhow::Result;
use clap::Args;
use luasnap_capture::process::{LuaProcess, lua_processes};
use luasnap_format::{byte_size, printable};
use serde_json::{Value, json};
use std::process::ExitCode;

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  125  luasnap itself failed";

/// List the processes that hold a Lua state
///
/// Each with its command line, or the title that the program shows instead; on a terminal, as much of it
/// as fits. None of them is stopped. Those that may not be read (other users', without CAP_SYS_PTRACE)
/// are left out.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct Ps {
    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Ps {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(1);
        let processes = progress.step("looking for Lua states", lua_processes);
        drop(progress);
        match self.json {
            true => print_json(&as_json(&processes))?,
            false if processes.is_empty() => {
                report_problem("no process that may be read holds a Lua state");
            }
            false => print(as_text(&processes).text())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the processes as a table.
pub fn as_text(processes: &[LuaProcess]) -> Columns {
    let mut columns = Columns::new(&[
        Column::Number("pid"),
        Column::Word("state"),
        Column::Word("vm"),
        Column::Number("bytes"),
        Column::Line("command"),
    ]);
    for process in processes {
        for state in &process.states {
            columns.row([
                process.pid.to_string(),
                format!("{:#x}", state.main_thread),
                state.vm.to_string(),
                byte_size(state.total),
                command(process),
            ]);
        }
    }
    columns
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
        json!({
            "pid": process.pid,
            "program": process.name,
            "command": command.collect::<Vec<_>>(),
            "states": process.states.iter().map(|state| json!({
                "state": format!("{:#x}", state.main_thread),
                "vm": state.vm.to_string(),
                "total": state.total,
            })).collect::<Vec<_>>(),
        })
    };
    json!(processes.iter().map(process).collect::<Vec<_>>())
}
