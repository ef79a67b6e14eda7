//! The files that luasnap writes: they contain heaps, and so a program's secrets.

use anyhow::{Result, anyhow};
use luasnap_format::{
    AnswerError, FileOptions, Written, check_writable, printable_path, write_file,
};
use std::io;
use std::path::{Path, PathBuf};

/// Readable by their owner only, and synced: unlike a game's thread, a person can wait for the
/// disk.
const OPTIONS: FileOptions = FileOptions {
    private: true,
    synced: true,
    tidy: true,
    keep_older: false,
};

/// A file that luasnap is to write.
#[derive(Clone, Debug)]
pub struct OutputFile {
    /// Its path.
    pub path: PathBuf,
    options: FileOptions,
}

impl OutputFile {
    /// The file that the user named. It replaces an older one.
    pub fn named(path: PathBuf) -> OutputFile {
        OutputFile {
            path,
            options: OPTIONS,
        }
    }

    /// A file whose name luasnap chose. It replaces nothing.
    pub fn chosen(path: PathBuf) -> OutputFile {
        OutputFile {
            path,
            options: FileOptions {
                keep_older: true,
                ..OPTIONS
            },
        }
    }

    /// The same way to write, at another path.
    pub fn at(&self, path: PathBuf) -> OutputFile {
        OutputFile {
            path,
            options: self.options,
        }
    }

    /// Fails if it cannot be written.
    pub fn check(&self) -> Result<()> {
        check_writable(&self.path, self.options).map_err(|error| anyhow!(error.to_string()))
    }

    /// Writes it; may return a warning about it.
    pub fn write(
        &self,
        write: impl FnOnce(&mut dyn io::Write) -> Result<(), AnswerError>,
    ) -> Result<Option<String>> {
        // The message already includes its causes.
        let written: Written = write_file(&self.path, self.options, write)
            .map_err(|error| anyhow!(error.to_string()))?;
        let mode = written.readable_by_others;
        Ok(mode.map(|mode| warning(&self.path, mode)))
    }
}

/// The warning that others can read a file with these permissions.
pub fn warning(path: &Path, mode: u32) -> String {
    format!(
        "warning: '{}' keeps its mode {mode:03o}, by which others can read it, and a heap may \
         have secrets in it: chmod 600 keeps them out",
        printable_path(path)
    )
}
