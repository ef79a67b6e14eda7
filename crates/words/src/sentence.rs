//! A code with arguments, and its text in a language.

use crate::grouped::grouped;
use crate::language::Language;
use crate::texts;
use serde::{Serialize, Serializer};
use std::error::Error;
use std::fmt::{self, Display, Formatter};

/// A sentence, or a part of one. It is written and serialized in English.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentence {
    code: &'static str,
    arguments: Vec<(&'static str, Argument)>,
}

impl Sentence {
    /// Returns the sentence with this code. Every language must have a text for it.
    pub fn new(code: &'static str) -> Sentence {
        Sentence {
            code,
            arguments: Vec::new(),
        }
    }

    /// Puts a value in the place of `{name}`.
    pub fn with(mut self, name: &'static str, argument: impl Into<Argument>) -> Sentence {
        self.arguments.push((name, argument.into()));
        self
    }

    /// Returns the code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the values and their names, for those who store the sentence.
    pub fn arguments(&self) -> &[(&'static str, Argument)] {
        &self.arguments
    }

    /// Returns a sentence that was stored; `None` if no text has this code, or a text has a place for which there
    /// is no value.
    pub fn stored(code: &str, mut values: Vec<(String, Argument)>) -> Option<Sentence> {
        let mut sentence = Sentence::new(texts::known_code(code)?);
        for name in texts::places(sentence.code) {
            if sentence.arguments.iter().all(|(known, _)| *known != name) {
                let at = values.iter().position(|(known, _)| known == name)?;
                sentence.arguments.push((name, values.swap_remove(at).1));
            }
        }
        Some(sentence)
    }

    /// Returns the sentence in a language. Long names in it are cut.
    pub fn text(&self, language: Language) -> String {
        self.as_string(language, Form::Cut)
    }

    /// Returns the sentence in a language, with whole names.
    pub fn whole(&self, language: Language) -> String {
        self.as_string(language, Form::Whole)
    }

    fn as_string(&self, language: Language, form: Form) -> String {
        let mut text = Vec::new();
        self.push(&mut text, language, form);
        // Nothing is lost: of these forms all parts are text.
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Returns the sentence in English, with whole names in the program's own bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.push(&mut text, Language::English, Form::Bytes);
        text
    }

    fn push(&self, text: &mut Vec<u8>, language: Language, form: Form) {
        let mut rest = texts::template(language, self.code);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            text.extend_from_slice(before.as_bytes());
            let argument = self.arguments.iter().find(|(known, _)| *known == name);
            debug_assert!(argument.is_some(), "{} has no '{name}'", self.code);
            if let Some((_, argument)) = argument {
                argument.push(text, language, form);
            }
            rest = behind;
        }
        text.extend_from_slice(rest.as_bytes());
    }
}

/// In which form names are in a sentence.
#[derive(Clone, Copy)]
enum Form {
    Cut,
    Whole,
    Bytes,
}

impl Display for Sentence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

/// As an error it says what happened.
impl Error for Sentence {}

impl Serialize for Sentence {
    /// With whole names; formats of bytes get them in the program's own bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_str(&self.whole(Language::English)),
            false => serializer.serialize_bytes(&self.bytes()),
        }
    }
}

/// A sentence is equal to its English text.
impl PartialEq<str> for Sentence {
    fn eq(&self, text: &str) -> bool {
        self.bytes() == text.as_bytes()
    }
}

impl PartialEq<&str> for Sentence {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

/// A value in a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Argument {
    /// Text that is the same in all languages: a name, a size. It must be printable.
    Text(String),
    /// A name of the program's, which people see cut if it is long.
    Name {
        /// In the program's own bytes.
        bytes: Vec<u8>,
        /// All of it, printable.
        whole: String,
        /// What people see, printable.
        cut: String,
    },
    /// A noun, by its English singular.
    Noun(&'static str),
    /// A number of things, by their English singular.
    Count(u64, &'static str),
    /// The plural of a noun, by its English singular.
    Plural(&'static str),
    /// A part that is a sentence of its own.
    Sentence(Box<Sentence>),
    /// Such a part with its names as people see them, whoever reads the whole.
    Shown(Box<Sentence>),
    /// A part of a sentence, by its English text.
    Phrase(&'static str),
    /// Parts, and the code of what is between them.
    List(Vec<Argument>, &'static str),
}

/// Returns a noun by its English singular: `table`.
pub fn noun(one: &'static str) -> Argument {
    Argument::Noun(one)
}

/// Returns the plural of a noun by its English singular: `tables`.
pub fn plural(one: &'static str) -> Argument {
    Argument::Plural(one)
}

/// Returns a part of a sentence for people: its names are cut and printable, whoever reads the whole.
pub fn shown(part: Sentence) -> Argument {
    Argument::Shown(Box::new(part))
}

/// Returns a part of a sentence by its English text: `the table of strings`.
pub fn phrase(english: &'static str) -> Argument {
    Argument::Phrase(english)
}

/// Returns a number of things by their English singular: `2,000 tables`.
pub fn count(number: u64, one: &'static str) -> Argument {
    Argument::Count(number, one)
}

/// Returns parts with the text of a code between them: `list.comma`.
pub fn list<T: Into<Argument>>(
    parts: impl IntoIterator<Item = T>,
    between: &'static str,
) -> Argument {
    Argument::List(parts.into_iter().map(T::into).collect(), between)
}

impl From<String> for Argument {
    fn from(text: String) -> Argument {
        Argument::Text(text)
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Argument {
        Argument::Text(text.to_owned())
    }
}

impl From<&String> for Argument {
    fn from(text: &String) -> Argument {
        Argument::Text(text.clone())
    }
}

macro_rules! from_numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Argument {
            fn from(number: $number) -> Argument {
                Argument::Text(number.to_string())
            }
        }
    )*};
}

from_numbers!(u8 u16 u32 u64 usize i32);

impl From<Sentence> for Argument {
    fn from(sentence: Sentence) -> Argument {
        Argument::Sentence(Box::new(sentence))
    }
}

/// Nothing is an empty part.
impl<T: Into<Argument>> From<Option<T>> for Argument {
    fn from(part: Option<T>) -> Argument {
        part.map_or_else(|| Argument::Text(String::new()), T::into)
    }
}

impl Argument {
    fn push(&self, text: &mut Vec<u8>, language: Language, form: Form) {
        let mut push = |part: &str| text.extend_from_slice(part.as_bytes());
        match (self, form) {
            (Argument::Text(part), _)
            | (Argument::Name { cut: part, .. }, Form::Cut)
            | (Argument::Name { whole: part, .. }, Form::Whole) => push(part),
            (Argument::Name { bytes, .. }, Form::Bytes) => text.extend_from_slice(bytes),
            (Argument::Noun(one), _) => push(texts::noun(language, one).0),
            (Argument::Plural(one), _) => push(texts::noun(language, one).1),
            (Argument::Count(number, one), _) => {
                let (singular, plural) = texts::noun(language, one);
                let noun = if *number == 1 { singular } else { plural };
                push(&grouped(*number));
                push(match language {
                    Language::English => " ",
                    Language::Chinese => " 个",
                });
                push(noun);
            }
            (Argument::Sentence(sentence), _) => sentence.push(text, language, form),
            (Argument::Shown(sentence), _) => sentence.push(text, language, Form::Cut),
            (Argument::Phrase(english), _) => push(texts::phrase(language, english)),
            (Argument::List(parts, between), _) => {
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        text.extend_from_slice(texts::template(language, between).as_bytes());
                    }
                    part.push(text, language, form);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_for_people_and_whole_for_programs() {
        let name = Argument::Name {
            bytes: b"long\xff.lua".to_vec(),
            whole: r"long\xFF.lua".to_owned(),
            cut: "lo…ua".to_owned(),
        };
        let inner = Sentence::new("text.is").with("what", name);
        let sentence = Sentence::new("text.example")
            .with("name", "f")
            .with("is", inner);
        assert_eq!(sentence.to_string(), "e.g. f (lo…ua)");
        assert_eq!(sentence.whole(Language::Chinese), r"例如 f（long\xFF.lua）");
        assert_eq!(sentence.bytes(), b"e.g. f (long\xff.lua)");
    }
}
