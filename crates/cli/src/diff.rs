//! `luasnap diff`: growth and leak suspects.

use crate::command_line::wrong_call;
use crate::comparison::{cannot_compare_files, group};
use crate::exit_code::GREW;
use crate::failure::Result;
use crate::growth_text::growth_text;
use crate::kept_answers::KeptGrowth;
use crate::output::{print, print_json, report_problem};
use crate::progress::Progress;
use crate::quantity;
use crate::snapshot_file::SnapshotFile;
use crate::snapshot_folder;
use clap::error::ErrorKind;
use clap::{Args, Command};
use luasnap_format::{GrowthAnswer, byte_size, printable_path};
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  3    memory grew by more than --fail-on-growth allows
  125  luasnap itself failed, or the snapshots cannot be compared";

const USAGE: &str = "\
luasnap diff [OPTIONS] <FILE> <FILE>...
       luasnap diff [OPTIONS] <FOLDER>";

/// Compare snapshots, and find leak suspects
///
/// Of two snapshots, lists the groups of objects that changed. Of three or more, also leak suspects: groups
/// that grew from each snapshot to the next, as leaks do and caches that fill do not, with their
/// accumulation point. The fingerprint of a suspect is the same from run to run.
#[derive(Args)]
#[command(after_help = MORE_HELP, override_usage = USAGE)]
pub struct Diff {
    /// The snapshot files, in the order in which they were taken; or a folder of them, whose .luasnap files are
    /// compared in the order of time
    #[arg(required = true, value_name = "FILE|FOLDER")]
    files: Vec<PathBuf>,

    /// Exit with code 3 if all objects together grew by more than this from the first to the last
    /// snapshot: bytes (65536, 64K, 10M, 1G), or percent (5%)
    #[arg(long, value_name = "BYTES|PERCENT", value_parser = limit)]
    fail_on_growth: Option<Limit>,

    /// List this many groups
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    rows: usize,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,

    /// Neither read nor keep the answer in the last file
    #[arg(long)]
    no_cache: bool,
}

/// How much memory may grow.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Limit {
    Bytes(u64),
    Percent(f64),
}

fn limit(text: &str) -> Result<Limit, Sentence> {
    let wrong = || Sentence::new("quantity.limit");
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().map_err(|_| wrong())?;
        return match percent >= 0.0 && percent.is_finite() {
            true => Ok(Limit::Percent(percent)),
            false => Err(wrong()),
        };
    }
    quantity::bytes(text).map(Limit::Bytes).map_err(|_| wrong())
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Bytes(bytes) => f.write_str(&byte_size(*bytes)),
            Limit::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Limit {
    /// Whether the growth from the first to the last size is more than this.
    fn is_passed(self, sizes: &[u64]) -> bool {
        let (Some(&first), Some(&last)) = (sizes.first(), sizes.last()) else {
            return false;
        };
        let grown = last.saturating_sub(first);
        match self {
            Limit::Bytes(bytes) => grown > bytes,
            Limit::Percent(percent) => grown as f64 > first as f64 * percent / 100.0,
        }
    }
}

impl Diff {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let files = self.listed()?;
        // Which file of a folder is the last one, only their snapshots tell.
        let are_kept = !self.no_cache && matches!(files, Files::Named(_));
        let kept = KeptGrowth::of(files.paths(), self.rows, are_kept);
        if let Some(answer) = &kept.answer {
            return self.print(files.paths(), answer);
        }
        let progress = Progress::new(files.paths().len() + 2);
        let files = files.open(&progress)?;
        let snapshots: Vec<&Snapshot> = files.iter().map(|file| &file.snapshot).collect();
        progress.step(Sentence::new("progress.grouping"), || group(&snapshots))?;
        let answer = progress
            .step(Sentence::new("progress.comparing"), || {
                luasnap_format::growth(&snapshots, self.rows)
            })
            .map_err(|error| cannot_compare_files(&files, error))?;
        drop(progress);
        let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let code = self.print(&paths, &answer)?;
        kept.keep(&answer);
        Ok(code)
    }

    fn print(&self, paths: &[PathBuf], answer: &GrowthAnswer) -> Result<ExitCode> {
        let names = paths.iter().map(|path| printable_path(path).to_string());
        match self.json {
            true => print_json(&Answer::new(paths, answer))?,
            false => print(growth_text(&names.collect::<Vec<_>>(), answer)?)?,
        }
        Ok(match self.fail_on_growth {
            Some(limit) if limit.is_passed(&answer.sizes) => {
                report_problem(&Sentence::new("diff.grew").with("limit", limit.to_string()));
                ExitCode::from(GREW)
            }
            _ => ExitCode::SUCCESS,
        })
    }

    /// Returns the files that are meant.
    fn listed(&self) -> Result<Files<'_>> {
        match &self.files[..] {
            [folder] if folder.is_dir() => {
                let paths = snapshot_folder::several_in(folder)?;
                Ok(Files::InFolder(folder, paths))
            }
            [_] => {
                let command = Diff::augment_args(Command::new("diff"));
                let too_few = Sentence::new("diff.too_few");
                wrong_call(command, ErrorKind::TooFewValues, &too_few)
            }
            paths => Ok(Files::Named(paths)),
        }
    }
}

/// The files that are compared.
enum Files<'a> {
    /// In the order of time.
    Named(&'a [PathBuf]),
    /// Those of a folder, by name.
    InFolder(&'a Path, Vec<PathBuf>),
}

impl Files<'_> {
    fn paths(&self) -> &[PathBuf] {
        match self {
            Files::Named(paths) => paths,
            Files::InFolder(_, paths) => paths,
        }
    }

    /// Reads the files, which are the first steps of the work.
    fn open(&self, progress: &Progress) -> Result<Vec<SnapshotFile>> {
        match self {
            Files::Named(paths) => {
                let files = paths.iter().map(|path| SnapshotFile::open(path, progress));
                files.collect()
            }
            Files::InFolder(folder, paths) => snapshot_folder::open_all(folder, paths, progress),
        }
    }
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    files: Vec<String>,
    #[serde(flatten)]
    growth: &'a GrowthAnswer,
}

impl<'a> Answer<'a> {
    fn new(paths: &[PathBuf], growth: &'a GrowthAnswer) -> Answer<'a> {
        let files = paths.iter().map(|path| path.display().to_string());
        Answer {
            files: files.collect(),
            growth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_kept() {
        for (text, expected) in [
            ("0", Limit::Bytes(0)),
            ("65536", Limit::Bytes(65536)),
            ("64K", Limit::Bytes(65536)),
            ("10m", Limit::Bytes(10 << 20)),
            ("1G", Limit::Bytes(1 << 30)),
            ("5%", Limit::Percent(5.0)),
            ("0.5%", Limit::Percent(0.5)),
        ] {
            assert_eq!(limit(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "%",
            "K",
            "-1",
            "1T",
            "5 %",
            "-5%",
            "inf%",
            "99999999999999999999",
            "99999999999999999G",
        ] {
            assert!(limit(text).is_err(), "{text}");
        }
        assert!(!Limit::Bytes(10).is_passed(&[100, 500, 110]));
        assert!(Limit::Bytes(10).is_passed(&[100, 111]));
        assert!(!Limit::Percent(5.0).is_passed(&[100, 105]));
        assert!(Limit::Percent(5.0).is_passed(&[100, 106]));
        assert!(!Limit::Percent(0.0).is_passed(&[100, 90]));
    }
}
