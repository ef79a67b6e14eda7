//! `save` and `load`: snapshots as files.

use crate::arguments::{Result, argument, path_argument};
use crate::failure::{read_error, write_error};
use luasnap_capture::{Call, Return};
use luasnap_format::{FileOptions, SaveOptions, open_snapshot, write_file, write_snapshot};

/// `save(s, path [, options])`.
pub fn save(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let path = path_argument(call, 2)?;
    let (options, file) = save_options(call, 3)?;
    write_file(&path, file, |out| write_snapshot(out, &snapshot, options)).map_err(write_error)?;
    Ok(Return::Nothing)
}

/// How a snapshot is saved, by the options in argument `number`.
pub fn save_options(call: &Call<'_>, number: u32) -> Result<(SaveOptions, FileOptions)> {
    let mut options = SaveOptions::default();
    let mut file = FileOptions {
        private: true,
        ..FileOptions::default()
    };
    if !call.is_nil_argument(number) {
        let strings = call.boolean_option(number, "strings")?;
        let names = call.boolean_option(number, "names")?;
        options.strings = strings.unwrap_or(options.strings);
        options.names = names.unwrap_or(options.names);
        file.synced = call.boolean_option(number, "sync")?.unwrap_or(file.synced);
    }
    Ok((options, file))
}

/// `load(path)`.
pub fn load(call: &mut Call<'_>) -> Result {
    let path = path_argument(call, 1)?;
    let snapshot = open_snapshot(&path).map_err(read_error)?;
    Ok(Return::Loaded(snapshot))
}
