//! How answers look: what the user asked for, and what the terminal can show.

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use crossterm::terminal;
use luasnap_format::Name;
use luasnap_words::{Language, Sentence};
use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

/// Rows are fitted to a terminal of so many columns at least. A narrower one, or one that says it has none, gets them
/// as a pipe does.
const LEAST_WIDTH: u16 = 60;

static OPTIONS: OnceLock<LookOptions> = OnceLock::new();

/// How answers look. It is set once for all of the program, as colour is for its streams.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct LookOptions {
    /// Write names and paths whole, however long they are
    #[arg(long, global = true)]
    full: bool,

    /// Colour the answers: on a terminal unless NO_COLOR is set, always, or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,

    /// Speak this language (default: that of LC_ALL, LC_MESSAGES or LANG). JSON is always English
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl LookOptions {
    /// Makes all answers look so.
    pub fn set(self) {
        match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        // Nothing else sets them.
        let _ = OPTIONS.set(self);
    }
}

fn options() -> LookOptions {
    OPTIONS.get().copied().unwrap_or_default()
}

/// Returns the language that the user chose by an option.
pub fn chosen_language() -> Option<Language> {
    options().lang.map(|lang| match lang {
        Lang::En => Language::English,
        Lang::Zh => Language::Chinese,
    })
}

/// Returns the language that a command line asks for, before it is parsed, or that of the locale.
pub fn language_of(words: &[OsString]) -> Language {
    let words = words.iter().take_while(|word| *word != "--");
    let words: Vec<&[u8]> = words.map(|word| word.as_bytes()).collect();
    let after = words.windows(2).filter(|pair| pair[0] == b"--lang");
    let after = after.map(|pair| pair[1]);
    let joined = words
        .iter()
        .filter_map(|word| word.strip_prefix(b"--lang="));
    let mut chosen = after.chain(joined).filter_map(Language::from_code);
    chosen.next().unwrap_or_else(of_locale)
}

fn of_locale() -> Language {
    Language::of_locale(|name| env::var(name).ok())
}

/// Returns the language that people are spoken to in.
pub fn language() -> Language {
    chosen_language().unwrap_or_else(of_locale)
}

/// Returns a sentence in the user's language. Long names in it are cut, unless the user asked for all of them.
pub fn sentence(sentence: &Sentence) -> String {
    match options().full {
        true => sentence.whole(language()),
        false => sentence.text(language()),
    }
}

/// Returns the fixed words with a code in the user's language.
pub fn words(code: &'static str) -> String {
    sentence(&Sentence::new(code))
}

/// Returns a name as people see it: cut if it is long, unless they asked for all of it.
pub fn name(name: &Name) -> String {
    match options().full {
        true => name.whole().to_string(),
        false => name.to_string(),
    }
}

/// Returns a path as people see it, and what the object is, if the path does not say it.
pub fn path_and_what(path: &Name, what: Option<&Sentence>) -> String {
    name(path) + &is(what)
}

/// Returns what an object is, to be written behind its path; empty if the path says it.
pub fn is(what: Option<&Sentence>) -> String {
    let is = |what: &Sentence| Sentence::new("text.is").with("what", what.clone());
    what.map_or_else(String::new, |what| sentence(&is(what)))
}

/// Returns the example of a group, which may have a remark behind it.
pub fn example(path: &str, is: &str) -> String {
    let example = Sentence::new("text.example");
    sentence(&example.with("name", path).with("is", is))
}

/// Returns the width that rows are to fit; `None` where they may be of any.
pub fn width() -> Option<u16> {
    let (columns, _) = terminal::size().ok().filter(|_| stdout().is_terminal())?;
    (columns >= LEAST_WIDTH).then_some(columns)
}

/// Whether steps of paths are left out so that rows fit the terminal.
pub fn fits_names() -> bool {
    !options().full
}

/// Whether standard output gets colours.
pub fn has_color() -> bool {
    AutoStream::choice(&stdout()) != ColorChoice::Never
}
