//! The command line. clap repeats unknown words in its messages, so they are escaped.

use clap::error::{ContextKind, ContextValue, Error};
use clap::{CommandFactory, Parser};
use luasnap_format::printable;
use std::env;
use std::ffi::OsString;
use std::path::Path;

/// Returns the parsed command line. If it is wrong, exits with clap's message.
pub fn parse<T: Parser>() -> T {
    let words = with_verb::<T>(env::args_os().collect());
    T::try_parse_from(words).unwrap_or_else(|error| escaped(error).exit())
}

/// `luasnap FILE` means `luasnap top FILE`.
fn with_verb<T: CommandFactory>(mut words: Vec<OsString>) -> Vec<OsString> {
    let is_verb = |word: &OsString| T::command().find_subcommand(word).is_some();
    let is_file = |word: &&OsString| Path::new(word).is_file() && !is_verb(word);
    if words.get(1).filter(is_file).is_some() {
        words.insert(1, "top".into());
    }
    words
}

/// Returns the error with its words escaped.
fn escaped(mut error: Error) -> Error {
    let shown = |word: &String| printable(word.as_bytes());
    let words = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(word) => Some((kind, ContextValue::String(shown(word)))),
        ContextValue::Strings(words) => {
            let words = words.iter().map(shown);
            Some((kind, ContextValue::Strings(words.collect())))
        }
        _ => None,
    });
    let words: Vec<_> = words.collect();
    let is_changed = |(kind, shown): &(ContextKind, _)| error.get(*kind) != Some(shown);
    if words.iter().any(is_changed) {
        // Suggestions repeat them, among clap's own escapes.
        error.insert(ContextKind::Suggested, ContextValue::None);
    }
    for (kind, value) in words {
        error.insert(kind, value);
    }
    error
}
