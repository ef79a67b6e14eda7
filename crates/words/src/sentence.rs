//! A code with arguments, and its text in a language.

use crate::argument::Argument;
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
