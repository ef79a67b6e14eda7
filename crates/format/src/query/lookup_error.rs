//! Why an object was not found.

use crate::answer_error::AnswerError;
use luasnap_words::{Sentence, Spoken, displayed_in_english, list};

/// Why an object was not found, and what is near.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No object is at the address.
    Address {
        /// The address.
        address: u64,
        /// The nearest objects, as they are printed.
        near: Vec<String>,
    },
    /// The path leads nowhere.
    Path {
        /// The part of the path that was found; empty if its first step was not.
        above: String,
        /// The step that was not found, and what follows it.
        missing: String,
        /// Similar steps that exist.
        near: Vec<String>,
    },
    /// Memory ran out.
    Failed(#[from] AnswerError),
}

impl Spoken for LookupError {
    fn sentence(&self) -> Sentence {
        match self {
            LookupError::Address { address, near } => Sentence::new("lookup.no_object")
                .with("address", format!("{address:#x}"))
                .with("near", neighbours(near)),
            LookupError::Path {
                above,
                missing,
                near,
            } => {
                let sentence = match &above[..] {
                    "" => Sentence::new("lookup.not_in_snapshot"),
                    above => Sentence::new("lookup.not_in_object").with("above", above),
                };
                sentence
                    .with("missing", missing)
                    .with("near", suggestions(near))
            }
            LookupError::Failed(error) => error.sentence(),
        }
    }
}

displayed_in_english!(LookupError);

fn neighbours(near: &[String]) -> Option<Sentence> {
    let code = match near {
        [] => return None,
        [_] => "lookup.nearest",
        _ => "lookup.nearest_two",
    };
    Some(Sentence::new(code).with("near", list(near, "list.and")))
}

/// Returns suggestions, as the end of a sentence.
pub(crate) fn suggestions(near: &[String]) -> Option<Sentence> {
    let is_it = || Sentence::new("lookup.is_it").with("near", list(near, "list.or"));
    (!near.is_empty()).then(is_it)
}
