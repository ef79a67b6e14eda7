//! Sentences about files and folders.

use luasnap_format::printable_path;
use luasnap_words::{Sentence, Spoken};
use std::io;
use std::path::Path;

/// Returns the sentence with this code, which is about a file.
pub fn about_file(code: &'static str, path: &Path) -> Sentence {
    Sentence::new(code).with("file", printable_path(path).to_string())
}

/// Returns the sentence with this code, which says why something cannot be done with a folder.
pub fn about_folder(code: &'static str, folder: &Path, error: &io::Error) -> Sentence {
    Sentence::new(code)
        .with("folder", printable_path(folder).to_string())
        .with("reason", error.sentence())
}
