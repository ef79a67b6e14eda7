//! Pages that luasnap writes.

use crate::comparison::cannot_compare;
use crate::failure::Result;
use crate::output::report_problem;
use crate::output_file::OutputFile;
use luasnap_format::{Page, PageError, PageOptions, PageSnapshot, printable_path};
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use std::path::Path;

/// A snapshot for a page.
#[derive(Clone, Copy)]
pub struct Pictured<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The file that it is in, or what it is called.
    pub path: &'a Path,
    /// The size of that file in bytes, if known.
    pub bytes: Option<u64>,
}

/// Makes the page about these snapshots, in the order in which they were taken.
pub fn page_about(about: &[Pictured<'_>], options: &PageOptions) -> Result<Page> {
    let names: Vec<String> = about
        .iter()
        .map(|of| printable_path(of.path).to_string())
        .collect();
    let snapshots = about.iter().zip(&names).map(|(of, name)| PageSnapshot {
        snapshot: of.snapshot,
        name: Some(name),
        file_bytes: of.bytes,
    });
    let snapshots: Vec<PageSnapshot<'_>> = snapshots.collect();
    Page::new(&snapshots, options).map_err(|error| match error {
        PageError::Difference(number) => Sentence::new("files.difference_on_page")
            .with("file", &names[number - 1])
            .into(),
        PageError::Incomparable(error) => {
            let paths: Vec<&Path> = about.iter().map(|of| of.path).collect();
            cannot_compare(&paths, error)
        }
        error => error.into(),
    })
}

/// Writes a page; an older file stays as it was if that fails.
pub fn write_page(output: &OutputFile, page: &Page) -> Result<()> {
    if let Some(warning) = output.write(|out| page.write(out))? {
        report_problem(&warning);
    }
    Ok(())
}
