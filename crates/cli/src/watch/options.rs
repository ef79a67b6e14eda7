//! What is watched, and what is kept of it.

use crate::attach::{dated_name, program_name};
use crate::command_line::wrong_call;
use crate::failure::{Failure, Result, code_of_attach};
use crate::fleet::{SaveAs, TableLog, TableOptions};
use crate::kept_files::KeptFiles;
use crate::metrics::MetricsOptions;
use crate::names::NameOptions;
use crate::process_argument::ProcessArgument;
use crate::quantity;
use crate::state_argument::address;
use clap::error::ErrorKind;
use clap::{Args, Command};
use luasnap_capture::process::{AttachErrorKind, AttachOptions, FoundState};
use luasnap_words::Sentence;
use std::path::PathBuf;
use std::time::Duration;

const MORE_HELP: &str = "\
Exit codes:
  0    done: the time is over, Ctrl-C, or the process has ended or runs another program
  2    luasnap was called wrongly
  10 to 19, 23  the process cannot be read, or several have that name: as of `luasnap attach`
  125  luasnap itself failed";

/// Attach to a running process again and again, and show what grows
///
/// Takes a snapshot now and then, as `luasnap attach` does, and shows the groups of objects that grow: bytes and objects
/// a minute. When it ends (by --for, Ctrl-C, or with the process), it says what grew over all, with leak suspects and
/// their accumulation points, as `luasnap diff` does. On a terminal it draws in place; elsewhere it writes a line a
/// step.
///
/// Only tables of groups are kept from step to step, so it needs no more memory for many steps than for some.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct Watch {
    /// The process, or the name of its program (`luasnap ps` lists those with a Lua state)
    #[arg(value_parser = ProcessArgument::parse, value_name = "PID|NAME")]
    pub(super) process: ProcessArgument,

    /// The time between two snapshots (500ms, 30s, 10m, 2h)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = quantity::time)]
    pub(super) every: Duration,

    /// Watch for so long (default: until Ctrl-C, or until the process ends)
    #[arg(long = "for", value_name = "TIME", value_parser = quantity::time)]
    pub(super) length: Option<Duration>,

    /// Begin once the process has more physical memory (RSS) than this (500M, 2G)
    #[arg(long, value_name = "BYTES", value_parser = quantity::bytes)]
    pub(super) above: Option<u64>,

    /// Keep the snapshots in this folder: PROGRAM-PID-DATE-TIME-0001.luasnap and so on, or tables
    #[arg(short, long, value_name = "FOLDER")]
    pub(super) output: Option<PathBuf>,

    /// Keep the last N snapshots only
    #[arg(long, value_name = "N", requires = "output",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(super) keep: Option<usize>,

    /// At the end, write a page for a browser to this file, as `luasnap report` does, about the files in that folder: of
    /// more than eight, the first, the last, and six between them
    #[arg(long, value_name = "FILE", requires = "output")]
    pub(super) report: Option<PathBuf>,

    /// Save snapshots in this form
    #[arg(long, value_enum, default_value_t = SaveAs::Luasnap)]
    pub(super) to: SaveAs,

    /// In tables, write a file for so long, not for each step. A kill loses the steps of one that is not finished
    #[arg(long, value_name = "TIME", conflicts_with = "objects", value_parser = quantity::time)]
    pub(super) rotate: Option<Duration>,

    /// How tables are written.
    #[command(flatten)]
    pub(super) tables: TableOptions,

    /// How metrics are written.
    #[command(flatten)]
    pub(super) metrics: MetricsOptions,

    /// What becomes of names.
    #[command(flatten)]
    pub(super) names: NameOptions,

    /// Only the state at this address, as `luasnap ps` has it (default: the largest one)
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) state: Option<u64>,

    /// How often to stop the process at most for a snapshot, where a stop catches Lua in the middle of an allocation
    #[arg(long, default_value_t = AttachOptions::default().tries)]
    pub(super) tries: u32,

    /// Keep the copy of its memory in a file in this folder, not in memory, as `luasnap attach` does
    #[arg(long, value_name = "FOLDER")]
    pub(super) scratch: Option<PathBuf>,

    /// List this many groups
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    pub(super) rows: usize,

    /// Write JSON for programs: an object a line for each step, and one at the end
    #[arg(long)]
    pub(super) json: bool,
}

impl Watch {
    /// Ends if options do not go together.
    pub(super) fn check(&self) {
        let is_wrong = match self.to {
            SaveAs::Luasnap if self.tables.is_asked_for() || self.rotate.is_some() => {
                Some("tables.of_parquet")
            }
            SaveAs::Luasnap if self.names.are_left_out() && !self.metrics.are_asked_for() => {
                Some("tables.names_of_tables")
            }
            SaveAs::Parquet if self.output.is_none() => Some("export.needs_folder"),
            SaveAs::Parquet if self.report.is_some() => Some("tables.no_page"),
            SaveAs::Parquet if self.keep.is_some() => Some("tables.no_keep"),
            _ => None,
        };
        if let Some(code) = is_wrong {
            let command = Watch::augment_args(Command::new("watch"));
            wrong_call(command, ErrorKind::ArgumentConflict, &Sentence::new(code));
        }
    }

    /// Begins tables, if a folder is named.
    pub(super) fn table_log(&self, pid: u32) -> Result<Option<TableLog>> {
        let folder = self.output.as_deref();
        folder
            .map(|folder| {
                TableLog::new(
                    folder,
                    (&self.tables, &self.names),
                    &program_name(pid),
                    self.rotate,
                )
            })
            .transpose()
    }

    /// Begins files, if a folder is named.
    pub(super) fn kept_files(&self, pid: u32) -> Result<Option<KeptFiles>> {
        let Some(folder) = &self.output else {
            return Ok(None);
        };
        let name = dated_name(pid);
        KeptFiles::new(folder, name, self.keep).map(Some)
    }

    /// Returns the state that is watched: the one that was asked for, or the largest.
    pub(super) fn chosen<'a>(&self, pid: u32, states: &'a [FoundState]) -> Result<&'a FoundState> {
        let is_asked_for = |state: &&FoundState| self.state == Some(state.main_thread);
        let chosen = match self.state {
            Some(_) => states.iter().find(is_asked_for),
            None => states.iter().max_by_key(|state| state.total),
        };
        chosen.ok_or_else(|| {
            let none = match self.state {
                Some(address) => {
                    Sentence::new("attach.no_state_at").with("address", format!("{address:#x}"))
                }
                None => Sentence::new("watch.no_lua_state"),
            };
            let code = code_of_attach(AttachErrorKind::NoLuaState);
            Failure::with_code(&none.with("process", pid), code)
        })
    }
}
