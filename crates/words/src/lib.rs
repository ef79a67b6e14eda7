//! What people read, in their language.
//!
//! A [`Sentence`] is a code with arguments. The texts of each language are in a file of their own, `english.rs` and
//! `chinese.rs`: each has one for every code. JSON and Lua get English.
//!
//! # Examples
//!
//! ```
//! use luasnap_words::{Language, Sentence};
//!
//! let sentence = Sentence::new("top.one")
//!     .with("kind", luasnap_words::noun("table"))
//!     .with("name", "_G.cache")
//!     .with("bytes", "1.5 MiB")
//!     .with("share", "70%");
//! assert_eq!(sentence.to_string(), "One table, _G.cache, retains 1.5 MiB, 70% of all.");
//! assert!(sentence.text(Language::Chinese).contains("_G.cache"));
//! ```

#![forbid(unsafe_code)]

mod chinese;
mod english;
mod grouped;
mod language;
mod packed;
mod sentence;
mod spoken;
mod system_error;
mod text;
mod texts;

pub use grouped::grouped;
pub use language::Language;
pub use sentence::{Argument, Sentence, count, list, noun, phrase, plural, shown};
pub use spoken::Spoken;
pub use texts::{codes, known_noun, known_phrase, nouns, phrases};
