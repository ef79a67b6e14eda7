//! The command line. clap repeats unknown words in its messages, so they are escaped.

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error};
use luasnap_format::printable;

/// Returns the parsed command line. If it is wrong, exits with clap's message.
pub fn parse<T: Parser>() -> T {
    T::try_parse().unwrap_or_else(|error| escaped(error).exit())
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
