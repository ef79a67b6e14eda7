//! `luasnap attach`: a snapshot of every Lua state in a running process.

use crate::capture_answer::{self, AnswerOptions};
use crate::command_line::wrong_call;
use crate::exit_code;
use crate::failure::{Failure, Result, code_of_attach};
use crate::fleet::{Destination, SaveAs, TableOptions, write_tables};
use crate::names::NameOptions;
use crate::output::{print, print_json, report_problem};
use crate::output_file::OutputFile;
use crate::process_argument::ProcessArgument;
use crate::progress::Progress;
use crate::state_argument::StateArgument;
use crate::state_files::{self, StateFiles, numbered};
use clap::error::ErrorKind;
use clap::{Args, Command};
use luasnap_capture::process::{AttachOptions, Attached, Uncaptured};
use luasnap_format::{byte_size, printable_path};
use luasnap_heap::{Snapshot, is_printable};
use luasnap_words::{Sentence, Spoken};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use time::OffsetDateTime;

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
  23   several processes have that name; they are listed
  125  luasnap itself failed";

/// Take a snapshot of every Lua state in a running process, and say what holds its memory
///
/// Each state is saved in a file; of the largest, the groups that retain most are printed, as by `luasnap top`, which
/// also ranks all the files. States of skynet are called by their services; `--state agent` reads all services of that
/// name, `--state :0000000a` one.
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
    /// The process, or the name of its program (`luasnap ps` lists those with a Lua state)
    #[arg(value_parser = ProcessArgument::parse, value_name = "PID|NAME")]
    process: ProcessArgument,

    /// Write to this file, and replace an older one (default: PROGRAM-PID-TIME.luasnap, which replaces nothing);
    /// several states get a number each; tables go into this folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only the state at this address, or those of this name, as `luasnap ps --states` has them
    #[arg(long, value_name = "ADDRESS|NAME", value_parser = StateArgument::parse)]
    state: Option<StateArgument>,

    /// How often to stop the process at most, where a stop catches Lua in the middle of an allocation
    #[arg(long, default_value_t = AttachOptions::default().tries)]
    tries: u32,

    /// Keep the copy of its memory in a file in this folder, not in memory: it needs about as much of the disk
    /// as the process has in memory. The file has no name, and is gone when luasnap ends
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,

    /// Where a state cannot be read, say of each release that was tried why it is not that one
    #[arg(long)]
    verbose: bool,

    /// Save snapshots in this form
    #[arg(long, value_enum, default_value_t = SaveAs::Luasnap)]
    to: SaveAs,

    #[command(flatten)]
    tables: TableOptions,

    #[command(flatten)]
    names: NameOptions,

    #[command(flatten)]
    answer: AnswerOptions,
}

/// What attaching cost the process, for programs.
#[derive(Serialize)]
struct Cost {
    pid: u32,
    /// The longest stop, in milliseconds.
    pause: f64,
    /// All stops together, in milliseconds.
    stood_still: f64,
    stops: u32,
    /// Bytes.
    copied: u64,
}

impl Attach {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        match self.to {
            SaveAs::Parquet => self.into_tables(),
            SaveAs::Luasnap => self.into_files(),
        }
    }

    fn into_files(self) -> Result<ExitCode> {
        if self.tables.is_asked_for() {
            wrong("tables.of_parquet");
        }
        if self.names.are_left_out() {
            wrong("tables.names_of_tables");
        }
        let pid = self.process.find()?;
        let output = match &self.output {
            Some(path) => OutputFile::named(path.clone()),
            None => OutputFile::chosen(free_name(pid)),
        };
        // Before the process is stopped for nothing.
        output.check()?;
        self.answer.check()?;
        let progress = Progress::new(self.answer.steps(2));
        let attached = self.attach(pid, &progress)?;
        let cost = Cost::new(pid, &attached);
        let stood_still = stood_still(&attached);
        let captures = attached.captures;
        let files = progress.step(Sentence::new("progress.writing"), || {
            StateFiles::write(&output, captures, &Sentence::new("states.choose_one"))
        })?;
        report_problem(&stood_still);
        capture_answer::print(files, &self.answer, &cost, progress)
    }

    fn attach(&self, pid: u32, progress: &Progress) -> Result<Attached> {
        let key = self.names.key()?;
        let options = AttachOptions {
            tries: self.tries,
            state: self.state.as_ref().map(StateArgument::choice),
            scratch: self.scratch.as_deref(),
        };
        let mut attached = progress
            .step(
                Sentence::new("progress.reading_process").with("process", pid),
                || luasnap_capture::process::attach(pid, options),
            )
            .map_err(|error| {
                say(error.details(), self.verbose);
                Failure::with_code(&error, code_of_attach(error.kind()))
            })?;
        for (_, heap) in &attached.captures {
            let details = heap.as_ref().err().map(Uncaptured::details);
            say(details.unwrap_or_default(), self.verbose);
        }
        if let Some(key) = key {
            for (_, capture) in &mut attached.captures {
                if let Ok(heap) = capture {
                    *heap = key.hashed(std::mem::take(heap))?;
                }
            }
        }
        Ok(attached)
    }

    fn into_tables(self) -> Result<ExitCode> {
        let Some(folder) = &self.output else {
            wrong("export.needs_folder");
        };
        if self.answer.has_page() {
            wrong("tables.no_page");
        }
        let pid = self.process.find()?;
        let origin = self.tables.origin.here(&program_name(pid))?;
        let to = Destination::new(folder)?;
        let progress = Progress::new(2);
        let attached = self.attach(pid, &progress)?;
        let cost = Cost::new(pid, &attached);
        let stood_still = stood_still(&attached);
        let tables = self.tables.shape(&self.names);
        let mut files = Vec::new();
        let mut unreadable = Vec::new();
        progress.step(Sentence::new("progress.writing"), || -> Result<()> {
            for (state, capture) in attached.captures {
                match capture {
                    // One at a time: a node of skynet has hundreds.
                    Ok(heap) => {
                        let snapshot = Snapshot::new(heap);
                        files.extend(write_tables(&snapshot, &origin, tables, &to)?);
                    }
                    Err(error) => {
                        unreadable.push(state_files::unreadable(&state, &error.sentence()))
                    }
                }
            }
            Ok(())
        })?;
        drop(progress);
        report_problem(&stood_still);
        unreadable.iter().for_each(report_problem);
        let names = files.iter().map(|file| printable_path(file).to_string());
        match self.answer.is_json() {
            true => print_json(&Tables {
                cost: &cost,
                files: names.collect(),
            })?,
            false => print(names.map(|name| name + "\n").collect::<String>())?,
        }
        Ok(match unreadable.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(exit_code::INCOMPLETE),
        })
    }
}

/// The files of tables, for programs.
#[derive(Serialize)]
struct Tables<'a> {
    #[serde(flatten)]
    cost: &'a Cost,
    files: Vec<String>,
}

/// Says that luasnap was called wrongly.
fn wrong(code: &'static str) -> ! {
    let command = Attach::augment_args(Command::new("attach"));
    wrong_call(command, ErrorKind::ArgumentConflict, &Sentence::new(code))
}

/// Says why layouts do not fit, if that is asked for.
fn say(details: &[Sentence], is_asked: bool) {
    for detail in details.iter().filter(|_| is_asked) {
        report_problem(detail);
    }
}

impl Cost {
    fn new(pid: u32, attached: &Attached) -> Cost {
        let milliseconds = |time: Duration| time.as_micros() as f64 / 1000.0;
        Cost {
            pid,
            pause: milliseconds(attached.pause),
            stood_still: milliseconds(attached.stood_still),
            stops: attached.stops,
            copied: attached.copied,
        }
    }
}

/// How long the process stood still.
fn stood_still(attached: &Attached) -> Sentence {
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let in_all = match attached.stops {
        1 => None,
        stops => Some(
            Sentence::new("attach.stops")
                .with("stops", stops.to_string())
                .with("time", milliseconds(attached.stood_still)),
        ),
    };
    Sentence::new("attach.stood_still")
        .with("time", milliseconds(attached.pause))
        .with("stops", in_all)
        .with("bytes", byte_size(attached.copied))
}

/// Returns a name with the program, the process and the time, which no file has, nor one with a number.
fn free_name(pid: u32) -> PathBuf {
    let start = dated_name(pid);
    let is_free = |path: &PathBuf| !path.exists() && !numbered(path, 1).exists();
    let names = (1..).map(|number| match number {
        1 => PathBuf::from(format!("{start}.luasnap")),
        _ => PathBuf::from(format!("{start}.{number}.luasnap")),
    });
    let mut free = names.filter(is_free);
    free.next().expect("there are more numbers than files")
}

/// Returns the beginning of the names of new files: the program, the process and the time.
pub fn dated_name(pid: u32) -> String {
    format!("{}-{pid}-{}", program_name(pid), now())
}

/// Returns what the system calls the program, as a part of a file's name.
pub fn program_name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let letters = name.trim().chars();
    let name: String = letters
        .map(|letter| match letter {
            '/' | ' ' => '_',
            letter if !is_printable(letter) => '_',
            letter => letter,
        })
        .collect();
    if name.is_empty() {
        "process".to_owned()
    } else {
        name
    }
}

/// Returns the time in UTC as `20261130T174012Z`: names sort by it.
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (hour, minute, second) = now.to_hms();
    let month = u8::from(now.month());
    format!(
        "{:04}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z",
        now.year(),
        now.day()
    )
}
