//! `luasnap diff`: growth and leak suspects.

use crate::command_line::wrong_call;
use crate::comparison::{cannot_compare_files, group};
use crate::exit_code::GREW;
use crate::failure::Result;
use crate::growth_text::growth_text;
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
use std::path::PathBuf;
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
        let (progress, files) = self.open()?;
        let snapshots: Vec<&Snapshot> = files.iter().map(|file| &file.snapshot).collect();
        progress.step(Sentence::new("progress.grouping"), || group(&snapshots))?;
        let answer = progress
            .step(Sentence::new("progress.comparing"), || {
                luasnap_format::growth(&snapshots, self.rows)
            })
            .map_err(|error| cannot_compare_files(&files, error))?;
        drop(progress);
        let names: Vec<String> = files
            .iter()
            .map(|file| printable_path(&file.path).to_string())
            .collect();
        match self.json {
            true => print_json(&Answer::new(&files, &answer))?,
            false => print(growth_text(&names, &answer)?)?,
        }
        Ok(match self.fail_on_growth {
            Some(limit) if limit.is_passed(&answer.sizes) => {
                report_problem(&Sentence::new("diff.grew").with("limit", limit.to_string()));
                ExitCode::from(GREW)
            }
            _ => ExitCode::SUCCESS,
        })
    }
}

impl Diff {
    /// Reads the files, which are the first steps of the work.
    fn open(&self) -> Result<(Progress, Vec<SnapshotFile>)> {
        let progress = |files: usize| Progress::new(files + 2);
        match &self.files[..] {
            [folder] if folder.is_dir() => {
                let paths = snapshot_folder::several_in(folder)?;
                let progress = progress(paths.len());
                let files = snapshot_folder::open_all(folder, &paths, &progress)?;
                Ok((progress, files))
            }
            [_] => {
                let command = Diff::augment_args(Command::new("diff"));
                let too_few = Sentence::new("diff.too_few");
                wrong_call(command, ErrorKind::TooFewValues, &too_few)
            }
            paths => {
                let progress = progress(paths.len());
                let files = paths.iter().map(|path| SnapshotFile::open(path, &progress));
                let files = files.collect::<Result<Vec<_>>>()?;
                Ok((progress, files))
            }
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
    fn new(files: &[SnapshotFile], growth: &'a GrowthAnswer) -> Answer<'a> {
        let files = files.iter().map(|file| file.path.display().to_string());
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
