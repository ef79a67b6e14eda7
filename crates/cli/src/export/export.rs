//! The verb: what is written, and where to.

use crate::about::about_file;
use crate::command_line::wrong_call;
use crate::comparison::cannot_compare;
use crate::exit_code::OF_READERS;
use crate::export::{collapsed, pprof};
use crate::failure::Result;
use crate::fleet::{Destination, Extent, TableOptions, TableShape, write_tables};
use crate::names::{NameKey, NameOptions};
use crate::output::{finish, report_problem};
use crate::output_file::OutputFile;
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use clap::error::ErrorKind;
use clap::{Args, Command, ValueEnum};
use luasnap_format::{
    AnswerError, PathTreeRow, path_tree, path_tree_of_growth, write_heapsnapshot, write_json,
    write_json_indented, write_text,
};
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a snapshot in the format of another tool
///
/// `heapsnapshot` opens in the Memory panel of Chrome DevTools ("Load profile") and in memlab. Files of one
/// process can be compared there. `pprof` and `collapsed` are pictures of paths: each object counts at the shortest path to it
/// by names, at that alone. `parquet` are tables for DuckDB, Spark and their like, in a folder that takes the snapshots of a whole
/// fleet.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Export {
    /// The snapshot file
    file: PathBuf,

    /// Write this format
    #[arg(long, value_enum, default_value_t = Format::Heapsnapshot)]
    to: Format,

    /// Write what grew since this earlier snapshot, in pprof and collapsed
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// Write to this file instead of standard output; tables go into this folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    tables: TableOptions,

    #[command(flatten)]
    names: NameOptions,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For Chrome DevTools and memlab
    Heapsnapshot,
    /// The tree of shortest paths, on one line, as `snapshot.print_json` writes it
    Json,
    /// The same tree, indented
    JsonIndented,
    /// The table of objects, as `snapshot.print` writes it
    Text,
    /// A profile for `go tool pprof`, Pyroscope, Parca and speedscope: objects and bytes by path
    Pprof,
    /// A line for each path, with its bytes, for flamegraph.pl, inferno and speedscope
    Collapsed,
    /// Tables of snapshots, groups and paths for DuckDB, Spark and other engines, in a folder
    Parquet,
}

impl Format {
    fn is_of_paths(self) -> bool {
        matches!(self, Format::Pprof | Format::Collapsed)
    }
}

impl Export {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        if self.since.is_some() && !self.to.is_of_paths() {
            let command = Export::augment_args(Command::new("export"));
            let only_paths = Sentence::new("export.since_of_paths");
            wrong_call(command, ErrorKind::ArgumentConflict, &only_paths);
        }
        if self.to == Format::Parquet {
            return self.write_tables();
        }
        let is_wrong = match self.names.are_left_out() {
            true => Some("tables.names_of_tables"),
            false => self.tables.is_asked_for().then_some("tables.of_parquet"),
        };
        if let Some(code) = is_wrong {
            let command = Export::augment_args(Command::new("export"));
            wrong_call(command, ErrorKind::ArgumentConflict, &Sentence::new(code));
        }
        let files = 1 + usize::from(self.since.is_some());
        let progress = Progress::new(files + 1 + usize::from(self.to.is_of_paths()));
        let before = self.since.as_ref();
        let key = self.names.key()?;
        let before = before.map(|path| open(path, key.as_ref(), &progress));
        let before = before.transpose()?;
        let file = open(&self.file, key.as_ref(), &progress)?;
        let rows = match self.to.is_of_paths() {
            true => {
                let grouping = Sentence::new("progress.grouping");
                progress.step(grouping, || paths(before.as_ref(), &file))?
            }
            false => Vec::new(),
        };
        let write = |out: &mut (dyn io::Write + Send)| self.write(out, &file.snapshot, &rows);
        match &self.output {
            Some(path) => {
                let writing = about_file("progress.writing_file", path);
                let output = OutputFile::named(path.clone());
                let warning = progress.step(writing, || output.write(write))?;
                drop(progress);
                if let Some(warning) = warning {
                    report_problem(&warning);
                }
            }
            None => {
                let mut out = io::BufWriter::new(io::stdout());
                finish(write(&mut out).and_then(|()| Ok(out.flush()?)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write_tables(&self) -> Result<ExitCode> {
        let Some(folder) = &self.output else {
            wrong_call(
                Export::augment_args(Command::new("export")),
                ErrorKind::MissingRequiredArgument,
                &Sentence::new("export.needs_folder"),
            );
        };
        let destination = Destination::new(folder)?;
        let progress = Progress::new(2);
        let file = open(&self.file, self.names.key()?.as_ref(), &progress)?;
        let shape = self.tables.shape(&self.names);
        let shape = TableShape {
            extent: shape.extent.max(Extent::Paths),
            ..shape
        };
        let origin = self.tables.origin.elsewhere()?;
        let writing = about_file("progress.writing_file", folder);
        progress.step(writing, || {
            write_tables(&file.snapshot, &origin, shape, &destination)
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn write(
        &self,
        out: &mut dyn io::Write,
        snapshot: &Snapshot,
        rows: &[PathTreeRow],
    ) -> Result<(), AnswerError> {
        match self.to {
            Format::Heapsnapshot => write_heapsnapshot(out, snapshot),
            Format::Json => write_json(out, snapshot),
            Format::JsonIndented => write_json_indented(out, snapshot),
            Format::Text => write_text(out, snapshot),
            Format::Pprof => {
                let provenance = snapshot.everything().provenance();
                Ok(pprof::write(
                    out,
                    rows,
                    provenance.taken_at,
                    &provenance.vm,
                )?)
            }
            Format::Collapsed => Ok(collapsed::write(out, rows)?),
            // These are several files.
            Format::Parquet => unreachable!(),
        }
    }
}

/// Opens a file; with a key, its names are hashed.
fn open(path: &Path, key: Option<&NameKey>, progress: &Progress) -> Result<SnapshotFile> {
    let mut file = SnapshotFile::open(path, progress)?;
    if let Some(key) = key {
        file.snapshot = key.hashed_snapshot(file.snapshot)?;
    }
    Ok(file)
}

/// Returns the paths of a snapshot, or what grew at them since another one.
fn paths(before: Option<&SnapshotFile>, file: &SnapshotFile) -> Result<Vec<PathTreeRow>> {
    match before {
        None => Ok(path_tree(&file.snapshot)?),
        Some(before) => {
            let paths = [&*before.path, &*file.path];
            path_tree_of_growth(&before.snapshot, &file.snapshot)
                .map_err(|error| cannot_compare(&paths, error))
        }
    }
}
