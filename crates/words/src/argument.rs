//! What is put into a sentence.

use crate::grouped::grouped;
use crate::language::Language;
use crate::sentence::Sentence;
use crate::texts;

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
    pub(crate) fn text(&self, language: Language) -> String {
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
