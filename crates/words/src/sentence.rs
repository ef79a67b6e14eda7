//! A code with arguments, and its text in a language.

use crate::grouped::grouped;
use crate::language::Language;
use crate::texts;
use serde::{Serialize, Serializer};
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

    /// Returns the sentence in a language.
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        let mut rest = texts::template(language, self.code);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            text += before;
            let argument = self.arguments.iter().find(|(known, _)| *known == name);
            debug_assert!(argument.is_some(), "{} has no '{name}'", self.code);
            if let Some((_, argument)) = argument {
                text += &argument.text(language);
            }
            rest = behind;
        }
        text + rest
    }
}

impl Display for Sentence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value in a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Argument {
    /// Text that is the same in all languages: a name, a size. It must be printable.
    Text(String),
    /// A noun, by its English singular.
    Noun(&'static str),
    /// A number of things, by their English singular.
    Count(u64, &'static str),
    /// A part that is a sentence of its own.
    Sentence(Box<Sentence>),
}

/// Returns a noun by its English singular: `table`.
pub fn noun(one: &'static str) -> Argument {
    Argument::Noun(one)
}

/// Returns a number of things by their English singular: `2,000 tables`.
pub fn count(number: u64, one: &'static str) -> Argument {
    Argument::Count(number, one)
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
    fn text(&self, language: Language) -> String {
        match self {
            Argument::Text(text) => text.clone(),
            Argument::Noun(one) => texts::noun(language, one).0.to_owned(),
            Argument::Count(number, one) => {
                let (singular, plural) = texts::noun(language, one);
                let noun = if *number == 1 { singular } else { plural };
                match language {
                    Language::English => format!("{} {noun}", grouped(*number)),
                    Language::Chinese => format!("{} 个{noun}", grouped(*number)),
                }
            }
            Argument::Sentence(sentence) => sentence.text(language),
        }
    }
}
