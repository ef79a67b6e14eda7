//! What a verb that captures says of what it saved.

use crate::output::{AnswerAboutFile, print as print_text, print_json};
use crate::progress::Progress;
use crate::state_files::{StateFiles, StateRow};
use crate::top;
use anyhow::{Context, Result};
use clap::Args;
use luasnap_format::{Top, printable_path};
use luasnap_heap::GroupOrder;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// How many groups are listed.
const ROWS: usize = 10;

/// How a verb that captures answers.
#[derive(Args, Clone, Copy)]
pub struct AnswerOptions {
    /// Print nothing but the names of the files, for scripts
    #[arg(short, long)]
    quiet: bool,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,
}

impl AnswerOptions {
    /// Returns the steps of work, of which this many come before the answer.
    pub fn steps(self, before: usize) -> usize {
        before + if self.quiet { 0 } else { top::STEPS }
    }
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a, O> {
    #[serde(flatten)]
    origin: &'a O,
    states: Vec<StateRow>,
    /// Of the largest state.
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<AnswerAboutFile<'a, Top>>,
}

/// Says what was saved, and, of the largest state, what retains most. `origin` is, for programs, where the states
/// come from.
pub fn print(
    files: StateFiles,
    options: AnswerOptions,
    origin: &impl Serialize,
    progress: Progress,
) -> Result<ExitCode> {
    files.warn();
    // Where the snapshot is the output, it is all of it.
    let is_silent = options.quiet || files.is_standard_output;
    let asked = files.largest.as_ref().filter(|_| !is_silent);
    if !options.json {
        match options.quiet {
            true => files.print_names()?,
            false => files.print()?,
        }
    }
    let largest = match asked {
        Some((path, snapshot)) => {
            let top = top::find(snapshot, GroupOrder::Retained, ROWS, &progress);
            let saved = || format!("{} is saved, but not examined", printable_path(path));
            Some((path, top.with_context(saved)?))
        }
        None => None,
    };
    drop(progress);
    if options.json && !files.is_standard_output {
        let top = largest.as_ref();
        print_json(&Answer {
            origin,
            states: files.rows(),
            top: top.map(|(path, top)| AnswerAboutFile::new(path, top)),
        })?;
    } else if let Some((path, top)) = largest {
        let name = shell_word(path);
        print_text(format!(
            "\n{}\nsaved to {name}; next: luasnap top|path|view|report {name}\n",
            top::as_text(path, &top)
        ))?;
    }
    Ok(files.exit_code())
}

/// Returns a path as a shell reads it.
fn shell_word(path: &Path) -> String {
    let path = printable_path(path).to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+,:@%=".contains(letter);
    match !path.is_empty() && path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_can_be_given_to_a_shell() {
        for (path, expected) in [
            (
                "nginx-12-20261130T174012Z.luasnap",
                "nginx-12-20261130T174012Z.luasnap",
            ),
            ("/tmp/my heap.luasnap", "'/tmp/my heap.luasnap'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(shell_word(Path::new(path)), expected);
        }
    }
}
