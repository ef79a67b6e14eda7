//! `luasnap attach`: a snapshot of every Lua state in a running process.

use crate::output::report_problem;
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::state_files::{StateFiles, address};
use anyhow::Result;
use clap::Args;
use luasnap_capture::process::{AttachErrorKind, AttachOptions, Attached};
use luasnap_format::byte_size;
use luasnap_heap::is_printable;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  10   there is no such process
  11   it ended before its memory was read
  12   the system does not allow it; the message has the remedy
  13   a debugger has it already
  14   it is a 32-bit process
  15   it has no Lua state that is known
  16   it has Lua states, but none with structures that are known
  17   a thread of it does not stop
  18   of several states, some could not be read
  19   there is not enough memory for its copy, or of the disk with --scratch
  125  luasnap itself failed";

/// What the user can do where several states cannot be written to one place.
const STATE_REMEDY: &str = "choose one by --state ADDRESS, as `luasnap ps` has it, or name a file";

/// Take a snapshot of every Lua state in a running process
///
/// The process stands still while its memory is copied, about half a second for each gigabyte, and goes
/// on whatever happens to luasnap. It is only read: nothing is written into it, no code runs in it, and
/// it needs neither the module nor debug information.
///
/// Where there is not enough memory for the copy and for what is made of it, about 1.7 times what the process
/// can write and has in memory, it is not stopped at all.
///
/// Stacks are read up to what each call may use. Values that code compiled by LuaJIT has in registers
/// alone are not seen.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct Attach {
    /// The process (`luasnap ps` lists those with a Lua state)
    pid: u32,

    /// Write to this file (default: PROGRAM-PID.luasnap); several states get a number each
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only the state at this address, as `luasnap ps` has it
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    state: Option<u64>,

    /// How often to stop the process at most, where a stop catches Lua in the middle of an allocation
    #[arg(long, default_value_t = AttachOptions::default().tries)]
    tries: u32,

    /// Keep the copy of its memory in a file in this folder, not in memory: it needs about as much of the disk
    /// as the process has in memory. The file has no name, and is gone when luasnap ends
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

impl Attach {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(2);
        let options = AttachOptions {
            tries: self.tries,
            state: self.state,
            scratch: self.scratch.as_deref(),
        };
        let attached = progress
            .step(format!("reading process {}", self.pid), || {
                luasnap_capture::process::attach(self.pid, options)
            })
            .map_err(|error| Refusal::new(&error, exit_code(error.kind())))?;
        let output = self.output.unwrap_or_else(|| default_name(self.pid));
        let stood_still = stood_still(&attached);
        let captures = attached.captures;
        let files = progress.step("writing", || {
            StateFiles::write(&output, captures, STATE_REMEDY)
        })?;
        drop(progress);
        report_problem(stood_still);
        files.warn();
        files.print()?;
        Ok(files.exit_code())
    }
}

/// How long the process stood still.
fn stood_still(attached: &Attached) -> String {
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let in_all = match attached.stops {
        1 => String::new(),
        stops => format!(
            ", the longest of {stops} times, and for {} in all",
            milliseconds(attached.stood_still)
        ),
    };
    format!(
        "the process stood still for {}{in_all}, while {} were copied",
        milliseconds(attached.pause),
        byte_size(attached.copied)
    )
}

fn default_name(pid: u32) -> PathBuf {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .map(|letter| match letter {
            '/' | ' ' => '_',
            letter if !is_printable(letter) => '_',
            letter => letter,
        })
        .collect();
    let name = if name.is_empty() { "process" } else { &name };
    PathBuf::from(format!("{name}-{pid}.luasnap"))
}

fn exit_code(kind: AttachErrorKind) -> u8 {
    match kind {
        AttachErrorKind::NoSuchProcess => 10,
        AttachErrorKind::Ended => 11,
        AttachErrorKind::NotPermitted => 12,
        AttachErrorKind::Traced => 13,
        AttachErrorKind::ThirtyTwoBit => 14,
        AttachErrorKind::NoLuaState => 15,
        AttachErrorKind::Unsupported => 16,
        AttachErrorKind::DoesNotStop => 17,
        AttachErrorKind::NoRoom => 19,
        AttachErrorKind::Failed => crate::exit_code::FAILED,
    }
}
