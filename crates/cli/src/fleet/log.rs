//! The tables of a process that is watched: a file for each step, or for all steps of an hour.

use crate::failure::Result;
use crate::fleet::destination::{Destination, day};
use crate::fleet::options::TableOptions;
use crate::fleet::origin::Origin;
use crate::fleet::writing::{Found, TableShape, write_found, write_tables};
use crate::names::NameOptions;
use luasnap_heap::Snapshot;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The tables of a process that is watched.
pub struct TableLog {
    to: Destination,
    origin: Origin,
    shape: TableShape,
    /// How long rows are gathered for a file; without it each step has its own.
    rotate: Option<Duration>,
    gathered: Vec<Found>,
    /// When the first of these came.
    since: Option<Instant>,
    files: Vec<PathBuf>,
}

impl TableLog {
    /// Begins tables about a process of this machine.
    ///
    /// # Errors
    ///
    /// A sentence if the folder cannot be made.
    pub fn new(
        folder: &Path,
        (options, names): (&TableOptions, &NameOptions),
        program: &str,
        rotate: Option<Duration>,
    ) -> Result<TableLog> {
        Ok(TableLog {
            to: Destination::new(folder)?,
            origin: options.origin.here(program)?,
            shape: options.shape(names),
            rotate,
            gathered: Vec::new(),
            since: None,
            files: Vec::new(),
        })
    }

    /// Adds a snapshot. It is written now, or gathered; then a kill loses what is gathered.
    ///
    /// # Errors
    ///
    /// A sentence if a file cannot be written.
    pub fn add(&mut self, snapshot: &Snapshot) -> Result<()> {
        let Some(rotate) = self.rotate else {
            let files = write_tables(snapshot, &self.origin, self.shape, &self.to)?;
            self.files.extend(files);
            return Ok(());
        };
        let found = Found::new(snapshot, &self.origin, self.shape)?;
        let is_another_day = |of: &Found| day(of.taken_at()) != day(found.taken_at());
        let is_over = self.since.is_some_and(|since| since.elapsed() >= rotate);
        if is_over || self.gathered.first().is_some_and(is_another_day) {
            self.write()?;
        }
        self.since.get_or_insert_with(Instant::now);
        self.gathered.push(found);
        Ok(())
    }

    /// Writes what is gathered, and returns all files.
    ///
    /// # Errors
    ///
    /// A sentence if a file cannot be written.
    pub fn finish(mut self) -> Result<Vec<PathBuf>> {
        self.write()?;
        Ok(self.files)
    }

    fn write(&mut self) -> Result<()> {
        let files = write_found(&self.gathered, &self.origin, &self.to)?;
        self.files.extend(files);
        self.gathered.clear();
        self.since = None;
        Ok(())
    }
}
