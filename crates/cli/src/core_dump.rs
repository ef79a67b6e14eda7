//! `luasnap core`: the Lua states of a process that has ended, from its core file.

use crate::about::about_file;
use crate::capture_answer::{self, AnswerOptions};
use crate::failure::{Failure, Result};
use crate::output_file::OutputFile;
use crate::progress::Progress;
use crate::state_files::StateFiles;
use clap::Args;
use luasnap_capture::process::{CoreErrorKind, read_core};
use luasnap_words::Sentence;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  14   it is the core of a 32-bit process, or of a machine with another order of bytes
  15   the process had no Lua state that is known
  16   it had Lua states, but none with structures that are known
  18   of several states, some could not be read
  20   the file cannot be read
  21   it is no core file
  22   it ends early, and what is there has no Lua state that can be read
  125  luasnap itself failed";

/// Take a snapshot of every Lua state in a core file, and say what holds its memory
///
/// Each state is saved in a file; of the largest, the groups that retain most are printed, as by `luasnap top`.
///
/// The core may come from the kernel or from gcore. It is mapped, not copied.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct CoreDump {
    /// The core file
    file: PathBuf,

    /// The program that left it, where the core names one that is no longer there
    program: Option<PathBuf>,

    /// Write to this file, and replace an older one (default: FILE.luasnap, which replaces nothing); several states
    /// get a number each
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    answer: AnswerOptions,
}

/// Whose states they are, for programs.
#[derive(Serialize)]
struct Origin {
    core: String,
}

impl CoreDump {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let output = match self.output {
            Some(path) => OutputFile::named(path),
            None => {
                let mut name = self.file.clone().into_os_string();
                name.push(".luasnap");
                OutputFile::chosen(name.into())
            }
        };
        self.answer.check()?;
        let progress = Progress::new(self.answer.steps(2));
        let reading = about_file("progress.reading", &self.file);
        let states = progress
            .step(reading, || read_core(&self.file, self.program.as_deref()))
            .map_err(|error| Failure::with_code(&error, exit_code(error.kind())))?;
        let files = progress.step(Sentence::new("progress.writing"), || {
            StateFiles::write(&output, states, &Sentence::new("states.name_a_file"))
        })?;
        let origin = Origin {
            core: self.file.display().to_string(),
        };
        capture_answer::print(files, &self.answer, &origin, progress)
    }
}

fn exit_code(kind: CoreErrorKind) -> u8 {
    match kind {
        CoreErrorKind::OtherMachine => 14,
        CoreErrorKind::NoLuaState => 15,
        CoreErrorKind::Unsupported => 16,
        CoreErrorKind::Unreadable => 20,
        CoreErrorKind::NoCore => 21,
        CoreErrorKind::Truncated => 22,
        CoreErrorKind::Failed => crate::exit_code::FAILED,
    }
}
