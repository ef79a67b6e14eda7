//! `save` and `load`: snapshots as files.

use crate::functions::{Result, argument, path_argument};
use luasnap_capture::{Call, Error, Return};
use luasnap_format::{LoadError, SaveOptions, open_snapshot, write_file, write_snapshot};
use std::io;
use std::sync::Arc;

/// `save(s, path [, options])`.
pub fn save(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let path = path_argument(call, 2)?;
    let mut options = SaveOptions::default();
    if !call.is_nil_argument(3) {
        let strings = call.boolean_option(3, "strings")?;
        let names = call.boolean_option(3, "names")?;
        options.strings = strings.unwrap_or(options.strings);
        options.names = names.unwrap_or(options.names);
    }
    let write = |out: &mut dyn io::Write| write_snapshot(out, &snapshot, options);
    write_file(&path, write).map_err(|error| match error.source.kind() {
        io::ErrorKind::OutOfMemory => Error::OutOfMemory,
        _ => Error::Message(error.to_string()),
    })?;
    Ok(Return::Nothing)
}

/// `load(path)`.
pub fn load(call: &mut Call<'_>) -> Result {
    let path = path_argument(call, 1)?;
    let snapshot = open_snapshot(&path).map_err(|error| match error.source {
        LoadError::OutOfMemory => Error::OutOfMemory,
        _ => Error::Message(error.to_string()),
    })?;
    Ok(Return::Loaded(Arc::new(snapshot)))
}
