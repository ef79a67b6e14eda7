//! The files that luasnap writes: they contain heaps, and so a program's secrets.

use crate::failure::Result;
use luasnap_format::{
    AnswerError, FileOptions, Written, check_writable, printable_path, write_file,
};
use luasnap_words::Sentence;
use std::io;
use std::path::{Path, PathBuf};

/// Readable by their owner only, and synced: unlike a game's thread, a person can wait for the
/// disk.
const OPTIONS: FileOptions = FileOptions {
    private: true,
    synced: true,
    tidy: true,
    modified: None,
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
        Ok(check_writable(&self.path, self.options)?)
    }

    /// Writes it; may return a warning about it.
    pub fn write(
        &self,
        write: impl FnOnce(&mut (dyn io::Write + Send)) -> Result<(), AnswerError>,
    ) -> Result<Option<Sentence>> {
        let written: Written = write_file(&self.path, self.options, write)?;
        let mode = written.readable_by_others;
        Ok(mode.map(|mode| warning(&self.path, mode)))
    }
}

/// The warning that others can read a file with these permissions.
pub fn warning(path: &Path, mode: u32) -> Sentence {
    Sentence::new("output.readable")
        .with("file", printable_path(path).to_string())
        .with("mode", format!("{mode:03o}"))
}
