//! `luasnap export`: snapshots for other tools.

use crate::about::about_file;
use crate::exit_code::OF_READERS;
use crate::failure::Result;
use crate::output::{finish, report_problem};
use crate::output_file::OutputFile;
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use clap::{Args, ValueEnum};
use luasnap_format::{
    AnswerError, write_heapsnapshot, write_json, write_json_indented, write_text,
};
use luasnap_heap::Snapshot;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a snapshot in the format of another tool
///
/// `heapsnapshot` opens in the Memory panel of Chrome DevTools ("Load profile") and in memlab. Files of one
/// process can be compared there.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Export {
    /// The snapshot file
    file: PathBuf,

    /// Write this format
    #[arg(long, value_enum, default_value_t = Format::Heapsnapshot)]
    to: Format,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For Chrome DevTools and memlab
    Heapsnapshot,
    /// The tree of shortest paths, on one line, as `snapshot.print_json` writes it
    Json,
    /// The same tree, indented
    JsonIndented,
    /// The table of objects, as `snapshot.print` writes it
    Text,
}

impl Format {
    fn write(self, out: &mut dyn io::Write, snapshot: &Snapshot) -> Result<(), AnswerError> {
        match self {
            Format::Heapsnapshot => write_heapsnapshot(out, snapshot),
            Format::Json => write_json(out, snapshot),
            Format::JsonIndented => write_json_indented(out, snapshot),
            Format::Text => write_text(out, snapshot),
        }
    }
}

impl Export {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(2);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let write = |out: &mut dyn io::Write| self.to.write(out, &file.snapshot);
        match self.output {
            Some(path) => {
                let writing = about_file("progress.writing_file", &path);
                let warning = progress.step(writing, || OutputFile::named(path).write(write))?;
                drop(progress);
                if let Some(warning) = warning {
                    report_problem(&warning);
                }
            }
            None => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                finish(write(&mut out).and_then(|()| Ok(out.flush()?)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
