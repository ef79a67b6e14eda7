//! The command line. clap repeats unknown words in its messages, so they are escaped.

use crate::chinese_error::InChinese;
use crate::chinese_help::with_chinese_help;
use crate::look;
use crate::snapshot_file::process_meant;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Command, CommandFactory, Parser};
use luasnap_format::printable;
use luasnap_words::{Language, Sentence};
use std::env;
use std::ffi::OsString;
use std::path::Path;

/// Letters that are wrong, missing, too many or two that changed places, in a word that is still taken for a verb.
const MOST_TYPOS: usize = 1;

/// Returns the parsed command line. If it is wrong, exits with clap's message.
pub fn parse<T: Parser>() -> T {
    let words = with_verb::<T>(env::args_os().collect());
    let language = look::language_of(&words);
    let parsed = match language {
        Language::English => T::try_parse_from(words),
        Language::Chinese => parse_in_chinese(words),
    };
    parsed.unwrap_or_else(|error| end(with_hint::<T>(escaped(error), language), language))
}

/// Says what is wrong with the call of a verb, and ends.
pub fn wrong_call(mut command: Command, kind: ErrorKind, what: &Sentence) -> ! {
    let language = look::language();
    let text = what.text(language);
    if language == Language::English {
        command.error(kind, text).exit();
    }
    let mut error = Error::new(kind).with_cmd(&command);
    error.insert(ContextKind::Custom, ContextValue::String(text));
    let usage = ContextValue::StyledStr(command.render_usage());
    error.insert(ContextKind::Usage, usage);
    end(error, language)
}

/// Prints clap's message, and ends with its exit code.
fn end(error: Error, language: Language) -> ! {
    match language {
        Language::English => error.exit(),
        Language::Chinese => error.apply::<InChinese>().exit(),
    }
}

/// Parses the command line as `try_parse_from` does, with help in Chinese.
fn parse_in_chinese<T: Parser>(words: Vec<OsString>) -> Result<T, Error> {
    let mut command = with_chinese_help(T::command());
    let mut matches = command.try_get_matches_from_mut(words)?;
    T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
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

/// Adds what the user may have meant by a word that is no verb. clap compares words by what they share, and finds no
/// `top` in `tpo`.
fn with_hint<T: CommandFactory>(mut error: Error, language: Language) -> Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    if let Some(pid) = process_meant(Path::new(word)) {
        let hint = Sentence::new("pid.is_process").with("process", pid);
        let hint = ContextValue::StyledStrs(vec![hint.text(language).into()]);
        error.insert(ContextKind::Suggested, hint);
    } else if error.get(ContextKind::SuggestedSubcommand).is_none() {
        let command_line = T::command();
        let verbs = command_line.get_subcommands();
        let verbs = verbs
            .filter(|verb| !verb.is_hide_set())
            .map(|verb| verb.get_name());
        let is_near = |verb: &&str| strsim::osa_distance(word, verb) <= MOST_TYPOS;
        let near: Vec<String> = verbs.filter(is_near).map(str::to_owned).collect();
        if !near.is_empty() {
            error.insert(
                ContextKind::SuggestedSubcommand,
                ContextValue::Strings(near),
            );
        }
    }
    error
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
