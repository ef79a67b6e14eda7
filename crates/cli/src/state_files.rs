//! The files that Lua states of another process, or of a core file, are saved in.

use crate::exit_code;
use crate::output::{print, report_problem};
use crate::output_file::write_heap;
use anyhow::{Result, ensure};
use luasnap_capture::process::{FoundState, StateCapture};
use luasnap_format::{
    SaveOptions, address_of, byte_size, is_standard_output, printable_path, write_snapshot,
};
use luasnap_heap::{Census, Printable, Snapshot};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The outcome for each state.
pub struct StateFiles {
    states: Vec<(FoundState, Outcome)>,
    warnings: Vec<String>,
    /// Whether a state went to standard output; then nothing else may go there.
    is_standard_output: bool,
}

enum Outcome {
    /// Saved in this file; this many bytes of the VM's total are unaccounted.
    Saved(PathBuf, i64),
    Unreadable(String),
}

impl StateFiles {
    /// Writes each state that was captured. `remedy` tells the user what to do where several cannot
    /// be written to `output`.
    pub fn write(output: &Path, captures: Vec<StateCapture>, remedy: &str) -> Result<StateFiles> {
        let (mut states, mut warnings) = (Vec::new(), Vec::new());
        let is_alone = captures.len() == 1;
        if !is_alone {
            expect_numbers(output, captures.len(), remedy)?;
        }
        // Checked first: a file that is replaced is a different one afterwards.
        let is_standard_output = is_alone && is_standard_output(output);
        for (number, (state, capture)) in (1..).zip(captures) {
            let outcome = match capture {
                Ok(heap) => {
                    let path = match is_alone {
                        true => output.to_owned(),
                        false => numbered(output, number),
                    };
                    let snapshot = Snapshot::new(heap);
                    warnings.extend(write_heap(&path, |out| {
                        write_snapshot(out, &snapshot, SaveOptions::default())
                    })?);
                    Outcome::Saved(path, Census::new(&snapshot)?.unaccounted.unwrap_or(0))
                }
                Err(error) => Outcome::Unreadable(error.to_string()),
            };
            states.push((state, outcome));
        }
        Ok(StateFiles {
            states,
            warnings,
            is_standard_output,
        })
    }

    /// Prints the outcome for each state: on standard output, unless a state is written there.
    pub fn print(&self) -> Result<()> {
        if !self.is_standard_output {
            return print(self);
        }
        self.to_string().lines().for_each(report_problem);
        Ok(())
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

impl fmt::Display for StateFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (state, outcome) in &self.states {
            match outcome {
                Outcome::Saved(path, unaccounted) => {
                    write!(f, "{}: {}", printable_path(path), described(state))?;
                    if *unaccounted != 0 {
                        write!(f, ", {unaccounted} bytes of it unaccounted for")?;
                    }
                    writeln!(f)?;
                }
                Outcome::Unreadable(reason) => writeln!(f, "{}: {reason}", described(state))?,
            }
        }
        Ok(())
    }
}

/// Describes a state in a few words.
fn described(state: &FoundState) -> String {
    let script = state.script.as_deref().map_or(String::new(), |script| {
        format!(", {}", Printable(script.as_bytes()))
    });
    format!(
        "state {:#x}, {} ({}), {}{script}",
        state.main_thread,
        state.vm,
        state.layout,
        byte_size(state.total),
    )
}

/// Checks that several states can have files named after this one. Next to a device or a pipe, or
/// where standard output goes, they would be files that nobody asked for.
fn expect_numbers(output: &Path, states: usize, remedy: &str) -> Result<()> {
    let is_other = fs::metadata(output).is_ok_and(|there| !there.is_file());
    ensure!(
        !is_other && !is_standard_output(output),
        "cannot write {states} Lua states to '{}': each needs a file of its own, with a number in its name, and \
         this is {}; {remedy}",
        printable_path(output),
        match is_other {
            true => "no regular file",
            false => "standard output",
        }
    );
    Ok(())
}

/// `name.luasnap` as `name-2.luasnap`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Parses an address such as `0x55d0`.
pub fn address(text: &str) -> Result<u64, String> {
    address_of(text.as_bytes()).ok_or_else(|| "give an address such as 0x55d0".to_owned())
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
            let error = expect_numbers(place, 3, "choose one by --state").unwrap_err();
            let error = error.to_string();
            let start = format!("cannot write 3 Lua states to '{}': each", place.display());
            assert!(error.starts_with(&start), "{error}");
            assert!(
                error.ends_with("this is no regular file; choose one by --state"),
                "{error}"
            );
        }
        for place in [
            &file,
            &folder.path().join("new"),
            &folder.path().join("no/folder"),
        ] {
            expect_numbers(place, 3, "").unwrap();
        }
    }
}
