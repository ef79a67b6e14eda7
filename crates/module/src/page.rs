//! `save_page(s1, s2, ..., path [, options])`: a report as one HTML file.

use crate::arguments::{Result, argument, language_option, path_argument};
use crate::failure::{answer_error, write_error};
use luasnap_capture::{Call, Error, Return};
use luasnap_format::{FileOptions, Page, PageError, PageOptions, PageSnapshot, write_file};
use luasnap_heap::{Printable, Snapshot};

/// `save_page(s1 [, s2, ...], path [, {title = ..., strings = true, language = ...}])`.
pub fn save_page(call: &mut Call<'_>) -> Result {
    let given = (1..=call.argument_count()).rfind(|number| !call.is_nil_argument(*number));
    let last = given.unwrap_or(1);
    // What comes before the path are snapshots, and one at least.
    let path_at = match call.is_table_argument(last) {
        true => last - 1,
        false => last,
    };
    let path_at = path_at.max(2);
    let snapshots = (1..path_at)
        .map(|number| argument(call, number))
        .collect::<Result<Vec<Snapshot>>>()?;
    let path = path_argument(call, path_at)?;
    let options = match call.is_table_argument(path_at + 1) {
        true => options(call, path_at + 1)?,
        false => PageOptions::default(),
    };
    let about: Vec<PageSnapshot<'_>> = snapshots
        .iter()
        .map(|snapshot| PageSnapshot {
            snapshot,
            name: None,
            file_bytes: None,
        })
        .collect();
    let page = Page::new(&about, &options).map_err(page_error)?;
    let file = FileOptions {
        private: true,
        ..FileOptions::default()
    };
    write_file(&path, file, |out| page.write(out)).map_err(write_error)?;
    Ok(Return::Nothing)
}

fn options(call: &Call<'_>, number: u32) -> Result<PageOptions> {
    let default = PageOptions::default();
    let title = call.string_option(number, "title")?;
    Ok(PageOptions {
        title: title.map(|title| Printable(&title).to_string()),
        language: language_option(call, number)?,
        strings: call
            .boolean_option(number, "strings")?
            .unwrap_or(default.strings),
        ..default
    })
}

fn page_error(error: PageError) -> Error {
    match error {
        PageError::Failed(error) => answer_error(error),
        error => Error::Message(error.to_string()),
    }
}
