//! Making a page, and writing it.

use crate::answer_error::Result;
use crate::luasnap::SaveOptions;
use crate::luasnap::redacted::redacted;
use crate::page::contents::Contents;
use crate::page::html;
use crate::page::options::{PageError, PageOptions, PageSnapshot};
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use serde_json::Value;
use std::io;

/// The most bytes of a page. Mail takes that, and any browser opens it at once.
const MOST_BYTES: usize = 2 << 20;
/// The most cells of the dominator tree, without those for what is left below one.
const MOST_CELLS: usize = 10_000;

/// A report as one HTML file, which needs no network: the verdict, where the memory is, what grew, where to look, the
/// dominator tree, groups, waste, and how it was taken. It takes at most 2 MiB, whatever the heap.
pub struct Page {
    verdict: Option<Sentence>,
    data: Value,
    html: String,
}

impl Page {
    /// Makes the page of a snapshot, or of several of one program in the order in which they were taken.
    ///
    /// # Errors
    ///
    /// [`PageError`] if there is no snapshot, if one is a difference, if they cannot be compared, or if memory runs
    /// out.
    ///
    /// # Examples
    ///
    /// ```
    /// use luasnap_format::{Page, PageOptions, PageSnapshot};
    /// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut builder = HeapBuilder::new();
    /// let (globals, _) = builder.node(Kind::Table, 0x10)?;
    /// builder.set_size(globals, 100);
    /// let root = Label::Root(builder.name(b"_G")?);
    /// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
    /// let snapshot = Snapshot::new(builder.finish()?);
    ///
    /// let about = PageSnapshot { snapshot: &snapshot, name: None, file_bytes: None };
    /// let page = Page::new(&[about], &PageOptions::default())?;
    /// assert_eq!(page.data()["top"]["size"], 100);
    /// let mut html = Vec::new();
    /// page.write(&mut html)?;
    /// assert!(html.starts_with(b"<!doctype html>"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(about: &[PageSnapshot<'_>], options: &PageOptions) -> Result<Page, PageError> {
        if about.is_empty() {
            return Err(PageError::NoSnapshot);
        }
        if let Some(at) = about.iter().position(|of| of.snapshot.is_difference()) {
            return Err(PageError::Difference(at + 1));
        }
        if options.strings {
            return Page::of(about, options);
        }
        let without = |of: &PageSnapshot<'_>| {
            let options = SaveOptions {
                strings: false,
                ..SaveOptions::default()
            };
            redacted(of.snapshot, options)
        };
        let snapshots: Vec<Snapshot> = about.iter().map(without).collect::<Result<_>>()?;
        let redacted = about.iter().zip(&snapshots);
        let redacted = redacted.map(|(of, snapshot)| PageSnapshot { snapshot, ..*of });
        Page::of(&redacted.collect::<Vec<_>>(), options)
    }

    fn of(about: &[PageSnapshot<'_>], options: &PageOptions) -> Result<Page, PageError> {
        let mut contents = Contents::new(about, options)?;
        let (mut cells, mut rows) = (MOST_CELLS, options.rows);
        // Names may be long, and of any number of groups: then there are fewer.
        loop {
            let data = contents.data(cells, rows)?;
            let html = html::page(&data, contents.verdict.as_ref(), options.language)?;
            if html.len() <= MOST_BYTES || cells < 2 {
                return Ok(Page {
                    verdict: contents.verdict,
                    data,
                    html,
                });
            }
            (cells, rows) = (cells / 2, rows / 2);
        }
    }

    /// Returns the data of the page, as they are in it.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// Returns what there is to say, in a sentence or two.
    pub fn verdict(&self) -> Option<&Sentence> {
        self.verdict.as_ref()
    }

    /// Returns the size of the page, in bytes.
    pub fn byte_count(&self) -> u64 {
        self.html.len() as u64
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Io`](crate::AnswerError::Io) if the writer fails.
    pub fn write(&self, out: &mut dyn io::Write) -> Result {
        Ok(out.write_all(self.html.as_bytes())?)
    }
}
