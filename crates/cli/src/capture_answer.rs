//! What a verb that captures says of what it saved.

use crate::about::about_file;
use crate::failure::Result;
use crate::kept_answers::KeptAnswers;
use crate::look;
use crate::output::{AnswerAboutFile, print as print_text, print_json};
use crate::output_file::OutputFile;
use crate::page_file::{Pictured, page_about, write_page};
use crate::progress::Progress;
use crate::shell_word::shell_word;
use crate::state_files::{StateFiles, StateRow};
use crate::top::{self, Found};
use clap::Args;
use luasnap_format::{Info, NewAnswers, PageOptions, Top};
use luasnap_heap::{GroupOrder, Snapshot};
use luasnap_words::Sentence;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How many groups are listed.
const ROWS: usize = 10;

/// How a verb that captures answers.
#[derive(Args)]
pub struct AnswerOptions {
    /// Print nothing but the names of the files, for scripts
    #[arg(short, long)]
    quiet: bool,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,

    /// Keep no answers in the files
    #[arg(long)]
    no_cache: bool,

    /// Write a page for a browser to this file, too, as `luasnap report` does; of several states about the largest
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl AnswerOptions {
    /// Returns the steps of work, of which this many come before the answer.
    pub fn steps(&self, before: usize) -> usize {
        before + if self.quiet { 0 } else { top::STEPS } + usize::from(self.report.is_some())
    }

    /// Fails if the page cannot be written.
    pub fn check(&self) -> Result<()> {
        match self.page() {
            Some(page) => page.check(),
            None => Ok(()),
        }
    }

    /// Whether a page is to be written, too.
    pub fn has_page(&self) -> bool {
        self.report.is_some()
    }

    /// Whether the answer is for programs.
    pub fn is_json(&self) -> bool {
        self.json
    }

    fn page(&self) -> Option<OutputFile> {
        self.report.clone().map(OutputFile::named)
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
    options: &AnswerOptions,
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
            let kept = KeptAnswers::of(path, !options.no_cache);
            let found = top::find(snapshot, GroupOrder::Retained, ROWS, &kept, &progress);
            let found = found.map_err(|error| error.about(about_file("saved.not_examined", path)));
            Some((path, found?, kept))
        }
        None => None,
    };
    let page = match (options.page(), &files.largest) {
        (Some(page), Some((path, snapshot))) => {
            progress.step(Sentence::new("progress.writing_report"), || {
                write_page_of(&page, path, snapshot)
            })?;
            Some(page)
        }
        _ => None,
    };
    drop(progress);
    if options.json && !files.is_standard_output {
        let top = largest.as_ref();
        print_json(&Answer {
            origin,
            states: files.rows(),
            top: top.map(|(path, found, _)| AnswerAboutFile::new(path, &found.top)),
        })?;
    } else if let Some((path, Found { top, .. }, _)) = &largest {
        let name = shell_word(path);
        let next = Sentence::new("saved.next")
            .with("command", format!("luasnap top|path|view|report {name}"))
            .with("file", name);
        let (top, next) = (top::as_text(path, top), look::sentence(&next));
        print_text(format!("\n{top}\n{next}\n"))?;
        if let Some(page) = page {
            let page = about_file("saved.page", &page.path);
            print_text(look::sentence(&page) + "\n")?;
        }
    }
    if let (Some((_, found, kept)), Some((_, snapshot))) = (&largest, &files.largest)
        && kept.can_keep()
    {
        // The next question may be this one. What fails here is said when it is asked.
        let info = Info::new(snapshot, Info::STORED).ok();
        kept.keep(&NewAnswers {
            info: info.as_ref(),
            found: Some(snapshot),
            ..found.new_answers()
        });
    }
    Ok(files.exit_code())
}

/// Writes the page about a snapshot that is saved in a file.
fn write_page_of(page: &OutputFile, path: &Path, snapshot: &Snapshot) -> Result<()> {
    let about = Pictured {
        snapshot,
        path,
        bytes: fs::metadata(path).ok().map(|file| file.len()),
    };
    let name = [path, &page.path].map(shell_word);
    let options = PageOptions {
        command: Some(format!("luasnap report {} -o {}", name[0], name[1])),
        language: look::chosen_language(),
        ..PageOptions::default()
    };
    write_page(page, &page_about(&[about], &options)?)
}
