//! `luasnap sql`: questions in SQL about snapshots, to the user's own DuckDB.

use crate::command_line::wrong_call;
use crate::exit_code::{FAILED, NOT_FOUND};
use crate::failure::Result;
use crate::fleet::views;
use crate::output::{print, report_problem};
use clap::error::ErrorKind;
use clap::{Args, Command as CommandLine};
use luasnap_capture::{leave_interrupts, signal_noted};
use luasnap_words::{Sentence, Spoken};
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::Duration;

/// The program that answers.
const DUCKDB: &str = "duckdb";

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  125  luasnap failed: a file cannot be read, or is a difference
  127  there is no duckdb
  others  those of duckdb";

/// Ask questions in SQL about snapshots
///
/// Writes the tables of the files (`luasnap export --to parquet --objects`) to a temporary folder, and runs DuckDB on them,
/// which is a program of its own: luasnap looks for `duckdb` in PATH. Without a query it is DuckDB's shell. The views are
/// snapshot, groups, path_tree, owner, object and reference; the label `file` of a snapshot is its file. A folder of
/// tables, as `--to parquet` writes it, is asked as it is.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct Sql {
    /// Snapshot files or folders of tables; a last word that is no file is the query
    #[arg(required = true, value_name = "FILE... [QUERY]")]
    words: Vec<OsString>,

    /// Write JSON for programs
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Write CSV
    #[arg(long)]
    csv: bool,
}

impl Sql {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let (files, query) = split(&self.words);
        if files.is_empty() {
            let command = Sql::augment_args(CommandLine::new("sql"));
            let no_file = Sentence::new("sql.no_file");
            wrong_call(command, ErrorKind::MissingRequiredArgument, &no_file);
        }
        if !is_in_path(DUCKDB) {
            report_problem(&Sentence::new("sql.no_duckdb"));
            print(views(None))?;
            return Ok(ExitCode::from(NOT_FOUND));
        }
        // Ctrl-C ends a query, not the shell; and what was written is removed whatever ends it.
        leave_interrupts();
        let folder = tempfile::tempdir().map_err(|error| no_folder(&error))?;
        let mut tables = Vec::new();
        for file in files {
            let file = Path::new(file);
            if file.join("snapshot").is_dir() {
                tables.push(file.to_owned());
                continue;
            }
            match export(file, folder.path())? {
                0 => {}
                code => return Ok(ExitCode::from(code)),
            }
            if !tables.iter().any(|known| known == folder.path()) {
                tables.push(folder.path().to_owned());
            }
        }
        let mut duckdb = Command::new(DUCKDB);
        duckdb.arg("-cmd").arg(views(Some(&tables)));
        for (is_asked_for, option) in [(self.json, "-json"), (self.csv, "-csv")] {
            if is_asked_for {
                duckdb.arg(option);
            }
        }
        if let Some(query) = query {
            duckdb.arg("-c").arg(query);
        }
        run(&mut duckdb, DUCKDB).map(ExitCode::from)
    }
}

/// Returns the files, and the query that may come after them.
fn split(words: &[OsString]) -> (&[OsString], Option<&OsStr>) {
    match words.split_last() {
        // A file that is not there is no query: queries have several words.
        Some((last, files)) if is_query(last) => (files, Some(last)),
        _ => (words, None),
    }
}

fn is_query(word: &OsStr) -> bool {
    let has_words = word.as_bytes().iter().any(u8::is_ascii_whitespace);
    has_words && !Path::new(word).exists()
}

fn is_in_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Writes the tables of a file, by a process of its own, which ends by itself if a signal comes. Returns its exit code.
fn export(file: &Path, folder: &Path) -> Result<u8> {
    let program = env::current_exe().map_err(|error| not_started("luasnap", &error))?;
    let mut label = OsString::from("file=");
    label.push(file);
    let mut command = Command::new(program);
    command.arg("export").arg("--label").arg(label);
    command
        .args(["--objects", "--to", "parquet", "-o"])
        .arg(folder);
    command.arg("--").arg(file);
    run(&mut command, "luasnap")
}

/// Runs a program to its end, and returns its exit code. A signal that ends luasnap ends it.
fn run(command: &mut Command, name: &str) -> Result<u8> {
    /// How often it looks whether the program is still there.
    const GLANCE: Duration = Duration::from_millis(10);
    let mut child = command.spawn().map_err(|error| not_started(name, &error))?;
    let mut is_told = false;
    loop {
        let ended = child
            .try_wait()
            .map_err(|error| not_started(name, &error))?;
        if let Some(status) = ended {
            let signal = status.signal().map(|signal| 128 + signal);
            let code = status.code().or(signal).map(u8::try_from);
            return Ok(code.and_then(Result::ok).unwrap_or(FAILED));
        }
        if signal_noted().is_some() && !is_told {
            is_told = true;
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
        }
        sleep(GLANCE);
    }
}

fn not_started(name: &str, error: &io::Error) -> Sentence {
    Sentence::new("run.not_started")
        .with("name", name.to_owned())
        .with("reason", error.sentence())
}

fn no_folder(error: &io::Error) -> Sentence {
    Sentence::new("folder.cannot_make")
        .with("folder", env::temp_dir().display().to_string())
        .with("reason", error.sentence())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_word_that_is_no_file_is_the_query() {
        let words =
            |words: &[&str]| -> Vec<OsString> { words.iter().map(OsString::from).collect() };
        let query = words(&["a.luasnap", "select 1"]);
        assert_eq!(split(&query), (&query[..1], Some(OsStr::new("select 1"))));
        let two = words(&["a.luasnap", "b.luasnap"]);
        assert_eq!(split(&two), (&two[..], None));
        let alone = words(&["select 1"]);
        assert_eq!(split(&alone), (&[][..], Some(OsStr::new("select 1"))));
    }
}
