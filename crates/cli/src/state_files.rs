//! The files that Lua states of another process, or of a core file, are saved in.

use crate::about::about_file;
use crate::exit_code;
use crate::failure::Result;
use crate::look;
use crate::output::{print, report_problem};
use crate::output_file::OutputFile;
use luasnap_capture::process::{FoundState, StateCapture};
use luasnap_format::{SaveOptions, byte_size, grouped, is_standard_output, write_snapshot};
use luasnap_heap::{Printable, Snapshot, unaccounted};
use luasnap_words::{Sentence, Spoken};
use serde::Serialize;
use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The most states that get a line each. A node of skynet has hundreds.
const LISTED: usize = 20;

/// The outcome for each state.
pub struct StateFiles {
    states: Vec<(FoundState, Outcome)>,
    warnings: Vec<Sentence>,
    /// The largest of those that were saved, and its file.
    pub largest: Option<(PathBuf, Snapshot)>,
    /// Whether a state went to standard output; then nothing else may go there.
    pub is_standard_output: bool,
}

enum Outcome {
    /// Saved in this file; this many bytes of the VM's total are unaccounted.
    Saved(PathBuf, i64),
    Unreadable(Sentence),
}

/// A state, for programs.
#[derive(Serialize)]
pub struct StateRow {
    /// The address of its main thread.
    state: String,
    vm: String,
    layout: String,
    /// The total that the VM reports, in bytes.
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    /// What it is called, as `luasnap ps` does.
    name: Option<String>,
    /// The file that it was saved in.
    file: Option<String>,
    /// How many bytes of the total are unaccounted for.
    unaccounted: Option<i64>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl StateFiles {
    /// Writes each state that was captured. `remedy` tells the user what to do where several cannot
    /// be written to `output`.
    pub fn write(
        output: &OutputFile,
        captures: Vec<StateCapture>,
        remedy: &Sentence,
    ) -> Result<StateFiles> {
        let is_alone = captures.len() == 1;
        if !is_alone {
            expect_numbers(&output.path, captures.len(), remedy)?;
        }
        let saved = captures.iter().enumerate();
        let saved = saved.filter(|(_, (_, capture))| capture.is_ok());
        let largest = saved.max_by_key(|(_, (state, _))| state.total);
        let largest = largest.map(|(at, _)| at);
        let mut files = StateFiles {
            states: Vec::new(),
            warnings: Vec::new(),
            largest: None,
            // Checked first: a file that is replaced is a different one afterwards.
            is_standard_output: is_alone && is_standard_output(&output.path),
        };
        for (at, (state, capture)) in captures.into_iter().enumerate() {
            let outcome = match capture {
                Ok(heap) => {
                    let path = match is_alone {
                        true => output.path.clone(),
                        false => numbered(&output.path, at + 1),
                    };
                    let snapshot = Snapshot::new(heap);
                    let written = output
                        .at(path.clone())
                        .write(|out| write_snapshot(out, &snapshot, SaveOptions::default()))?;
                    files.warnings.extend(written);
                    let unaccounted = unaccounted(snapshot.everything()).unwrap_or(0);
                    if largest == Some(at) {
                        files.largest = Some((path.clone(), snapshot));
                    }
                    Outcome::Saved(path, unaccounted)
                }
                Err(error) => Outcome::Unreadable(error.sentence()),
            };
            files.states.push((state, outcome));
        }
        Ok(files)
    }

    /// Prints a line for each state: on standard output, unless a state is written there.
    pub fn print(&self) -> Result<()> {
        let listed = self.listed();
        let left_out = self.states.len() - listed.len();
        let more = (left_out > 0).then(|| {
            let count = grouped(left_out as u64);
            Sentence::new("saved.more").with("count", count)
        });
        let lines = listed.into_iter().map(|(state, outcome)| match outcome {
            Outcome::Saved(path, unaccounted) => {
                let unaccounted = (*unaccounted != 0).then(|| {
                    Sentence::new("saved.unaccounted").with("bytes", unaccounted.to_string())
                });
                about_file("saved.file", path)
                    .with("state", described(state))
                    .with("unaccounted", unaccounted)
            }
            Outcome::Unreadable(reason) => unreadable(state, reason),
        });
        self.print_lines(lines.chain(more))
    }

    /// Returns the states that get a line: of many, the largest ones, the first the largest, and those that could not be
    /// read.
    fn listed(&self) -> Vec<&(FoundState, Outcome)> {
        let mut states: Vec<_> = self.states.iter().collect();
        if states.len() <= LISTED {
            return states;
        }
        states.sort_by_key(|(state, outcome)| {
            let is_saved = matches!(outcome, Outcome::Saved(..));
            (is_saved, Reverse(state.total))
        });
        let unreadable = states
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Unreadable(_)));
        states.truncate(unreadable.count() + LISTED);
        states
    }

    /// Prints the files alone, a line each; reports the states that could not be read.
    pub fn print_names(&self) -> Result<()> {
        for (state, outcome) in &self.states {
            if let Outcome::Unreadable(reason) = outcome {
                report_problem(&unreadable(state, reason));
            }
        }
        if self.is_standard_output {
            return Ok(());
        }
        let names = self.states.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Saved(path, _) => Some(about_file("saved.name", path)),
            Outcome::Unreadable(_) => None,
        });
        self.print_lines(names)
    }

    fn print_lines(&self, lines: impl Iterator<Item = Sentence>) -> Result<()> {
        if self.is_standard_output {
            lines.for_each(|line| report_problem(&line));
            return Ok(());
        }
        print(
            lines
                .map(|line| look::sentence(&line) + "\n")
                .collect::<String>(),
        )
    }

    /// Returns the states, for programs.
    pub fn rows(&self) -> Vec<StateRow> {
        let rows = self.states.iter().map(|(state, outcome)| {
            let (file, unaccounted, error) = match outcome {
                Outcome::Saved(path, unaccounted) => {
                    (Some(path.display().to_string()), Some(*unaccounted), None)
                }
                Outcome::Unreadable(reason) => (None, None, Some(reason.to_string())),
            };
            StateRow {
                state: format!("{:#x}", state.main_thread),
                vm: state.vm.to_string(),
                layout: state.layout.to_string(),
                total: state.total,
                script: state.script.clone(),
                name: state.name.clone(),
                file,
                unaccounted,
                error,
            }
        });
        rows.collect()
    }

    /// Prints the warnings about the files.
    pub fn warn(&self) {
        for warning in &self.warnings {
            report_problem(warning);
        }
    }

    /// Returns success if every state was saved.
    pub fn exit_code(&self) -> ExitCode {
        let is_saved = |(_, outcome): &(FoundState, Outcome)| matches!(outcome, Outcome::Saved(..));
        match self.states.iter().all(is_saved) {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(exit_code::INCOMPLETE),
        }
    }
}

/// Describes a state in a few words.
fn described(state: &FoundState) -> Sentence {
    // The script that runs in a service of skynet is its loader.
    let script = match state.is_of_skynet {
        true => state.name.as_deref(),
        false => state.script.as_deref(),
    };
    let script = script.map(|script| {
        let script = Printable(script.as_bytes()).to_string();
        Sentence::new("saved.script").with("script", script)
    });
    Sentence::new("saved.state")
        .with("address", format!("{:#x}", state.main_thread))
        .with("vm", state.vm.to_string())
        .with("layout", state.layout.to_string())
        .with("bytes", byte_size(state.total))
        .with("script", script)
}

/// Says why a state could not be read.
pub fn unreadable(state: &FoundState, reason: &Sentence) -> Sentence {
    Sentence::new("saved.unreadable")
        .with("state", described(state))
        .with("reason", reason.clone())
}

/// Checks that several states can have files named after this one. Next to a device or a pipe, or
/// where standard output goes, they would be files that nobody asked for.
fn expect_numbers(output: &Path, states: usize, remedy: &Sentence) -> Result<()> {
    let is_other = fs::metadata(output).is_ok_and(|there| !there.is_file());
    let this = match is_other {
        true => "states.no_regular_file",
        false if is_standard_output(output) => "states.standard_output",
        false => return Ok(()),
    };
    Err(about_file("states.no_place", output)
        .with("states", states)
        .with("this", Sentence::new(this))
        .with("remedy", remedy.clone())
        .into())
}

/// `name.luasnap` as `name-2.luasnap`.
pub fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_is_no_file_has_no_numbered_ones_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let [file, fifo] = ["file", "fifo"].map(|name| folder.path().join(name));
        fs::write(&file, "").unwrap();
        let made = Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        for place in [
            Path::new("/dev/null"),
            Path::new("/dev/full"),
            &fifo,
            folder.path(),
        ] {
            let error = expect_numbers(place, 3, &Sentence::new("states.choose_one")).unwrap_err();
            let error = error.why().to_string();
            let start = format!("cannot write 3 Lua states to '{}': each", place.display());
            assert!(error.starts_with(&start), "{error}");
            assert!(
                error.contains("this is no regular file; choose one by --state"),
                "{error}"
            );
        }
        for place in [
            &file,
            &folder.path().join("new"),
            &folder.path().join("no/folder"),
        ] {
            expect_numbers(place, 3, &Sentence::new("states.choose_one")).unwrap();
        }
    }
}
