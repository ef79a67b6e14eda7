//! `luasnap report`: a page to look at in a browser, or to send.

use crate::about::about_file;
use crate::comparison::group;
use crate::exit_code::OF_READERS;
use crate::failure::Result;
use crate::kept_answers::KeptAnswers;
use crate::look;
use crate::output::{print, print_json};
use crate::output_file::OutputFile;
use crate::page_file::{Pictured, page_about, write_page};
use crate::progress::Progress;
use crate::shell_word::shell_word;
use crate::snapshot_file::SnapshotFile;
use clap::Args;
use luasnap_format::{Page, PageOptions, byte_size, is_standard_output};
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a report as one HTML file, for a browser
///
/// The page has the verdict, where the memory is, what grew, the leak suspects, the dominator tree, the groups, what is
/// wasted, and how the snapshots were taken. Of one snapshot it shows what retains most; of several, in the order in
/// which they were taken, also what grew. It needs no network, has at most 2 MiB, and can be sent as it is; but it has
/// names of the program in it, and beginnings of texts unless `--no-strings` leaves these out.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Report {
    /// The snapshot files, in the order in which they were taken
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write the page to this file [default: the last snapshot's name with .html, if there is no such file yet]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Give the page this title
    #[arg(long)]
    title: Option<String>,

    /// Leave out the texts of strings
    #[arg(long)]
    no_strings: bool,

    /// List this many groups
    #[arg(short = 'n', long = "rows", default_value_t = PageOptions::default().rows)]
    rows: usize,

    /// Write the data of the page as JSON to standard output instead
    #[arg(long, conflicts_with = "output")]
    json: bool,

    /// Keep nothing of what was found on the way in the files
    #[arg(long)]
    no_cache: bool,
}

impl Report {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let output = match &self.output {
            Some(path) => OutputFile::named(path.clone()),
            None => OutputFile::chosen(self.chosen_name()),
        };
        // Before the snapshots are read.
        if !self.json {
            self.check(&output)?;
        }
        let kept = self
            .files
            .iter()
            .map(|path| KeptAnswers::of(path, !self.no_cache));
        let kept: Vec<KeptAnswers> = kept.collect();
        let progress = Progress::new(self.files.len() + 3);
        let (files, page) = self.page(&output, &progress)?;
        if self.json {
            drop(progress);
            print_json(page.data())?;
        } else {
            self.write_and_say(&output, &page, progress)?;
        }
        for (kept, file) in kept.iter().zip(&files) {
            kept.keep_found(&file.snapshot);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write_and_say(&self, output: &OutputFile, page: &Page, progress: Progress) -> Result<()> {
        let writing = about_file("progress.writing_file", &output.path);
        progress.step(writing, || write_page(output, page))?;
        drop(progress);
        // What is on standard output may be the page.
        if !is_standard_output(&output.path) {
            let written = about_file("report.written", &output.path)
                .with("bytes", byte_size(page.byte_count()));
            print(format!(
                "{}\n\n{}\n",
                page.verdict().map(look::sentence).unwrap_or_default(),
                look::sentence(&written)
            ))?;
        }
        Ok(())
    }

    /// The report about these files, in the order in which they were taken.
    pub fn about(files: Vec<PathBuf>, output: PathBuf) -> Report {
        Report {
            files,
            output: Some(output),
            title: None,
            no_strings: false,
            rows: PageOptions::default().rows,
            json: false,
            no_cache: true,
        }
    }

    /// Writes it, and says nothing.
    pub fn write(&self, output: &OutputFile) -> Result<()> {
        let progress = Progress::new(self.files.len() + 3);
        let (_, page) = self.page(output, &progress)?;
        write_page(output, &page)
    }

    /// Returns the files, and the page about them.
    fn page(&self, output: &OutputFile, progress: &Progress) -> Result<(Vec<SnapshotFile>, Page)> {
        let files = self
            .files
            .iter()
            .map(|path| SnapshotFile::open(path, progress))
            .collect::<Result<Vec<_>>>()?;
        let snapshots: Vec<&Snapshot> = files.iter().map(|file| &file.snapshot).collect();
        progress.step(Sentence::new("progress.grouping"), || group(&snapshots))?;
        let about: Vec<Pictured<'_>> = files
            .iter()
            .map(|file| Pictured {
                snapshot: &file.snapshot,
                path: &file.path,
                bytes: file.bytes,
            })
            .collect();
        let options = PageOptions {
            title: self.title.clone(),
            language: look::chosen_language(),
            strings: !self.no_strings,
            rows: self.rows,
            command: Some(self.command(&output.path)),
        };
        let page = progress.step(Sentence::new("progress.analysing"), || {
            page_about(&about, &options)
        })?;
        drop(about);
        Ok((files, page))
    }

    /// Returns the name that luasnap chooses: that of the last snapshot, in the current folder.
    fn chosen_name(&self) -> PathBuf {
        let last = self.files.last().and_then(|file| file.file_stem());
        let mut name = last.unwrap_or("report".as_ref()).to_owned();
        name.push(".html");
        PathBuf::from(name)
    }

    /// Fails if the page cannot be written.
    fn check(&self, output: &OutputFile) -> Result<()> {
        let is_there = fs::symlink_metadata(&output.path).is_ok();
        if self.output.is_none() && is_there {
            return Err(about_file("report.is_there", &output.path).into());
        }
        output.check()
    }

    /// Returns the command that makes the page again.
    fn command(&self, output: &Path) -> String {
        let mut words = vec!["luasnap".to_owned(), "report".to_owned()];
        words.extend(self.files.iter().map(|file| shell_word(file)));
        let mut option = |name: &str, value: Option<String>| {
            words.push(name.to_owned());
            words.extend(value);
        };
        if let Some(title) = &self.title {
            option("--title", Some(shell_word(Path::new(title))));
        }
        if let Some(language) = look::chosen_language() {
            option("--lang", Some(language.code().to_owned()));
        }
        if self.no_strings {
            option("--no-strings", None);
        }
        if self.rows != PageOptions::default().rows {
            option("-n", Some(self.rows.to_string()));
        }
        match self.json {
            true => option("--json", None),
            false => option("-o", Some(shell_word(output))),
        }
        words.join(" ")
    }
}
