//! The command line, whose words clap repeats where it does not know them.

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error};
use luasnap_format::printable;

/// What the command line says. Where it says nothing that is known, this ends with clap's message.
pub fn parse<T: Parser>() -> T {
    T::try_parse().unwrap_or_else(|error| escaped(error).exit())
}

/// The words in an error as a terminal can show them.
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
        // Suggestions have them too, among escapes that are clap's own.
        error.insert(ContextKind::Suggested, ContextValue::None);
    }
    for (kind, value) in words {
        error.insert(kind, value);
    }
    error
}
