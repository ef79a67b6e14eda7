//! What is said in the language of whoever reads it: errors, above all.

use crate::sentence::Sentence;
use std::fmt;

/// What has a sentence: why something failed, for example. Its `Display`, which logs, JSON and Lua get, is that sentence in
/// English; [`displayed_in_english!`](crate::displayed_in_english) writes it.
pub trait Spoken {
    /// Returns the sentence.
    fn sentence(&self) -> Sentence;
}

impl Spoken for Sentence {
    fn sentence(&self) -> Sentence {
        self.clone()
    }
}

impl Spoken for fmt::Error {
    fn sentence(&self) -> Sentence {
        Sentence::new("fail.unwritten")
    }
}

/// Displays types by their sentences, in English.
///
/// # Examples
///
/// ```
/// use luasnap_words::{Sentence, Spoken, displayed_in_english};
///
/// struct NoMemory;
///
/// impl Spoken for NoMemory {
///     fn sentence(&self) -> Sentence {
///         Sentence::new("fail.no_memory")
///     }
/// }
///
/// displayed_in_english!(NoMemory);
/// assert_eq!(NoMemory.to_string(), "not enough memory");
/// ```
#[macro_export]
macro_rules! displayed_in_english {
    ($($spoken:ty),+) => {$(
        impl ::std::fmt::Display for $spoken {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&$crate::Spoken::sentence(self), f)
            }
        }
    )+};
}
