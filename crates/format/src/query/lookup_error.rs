//! Why an object was not found.

use crate::answer_error::AnswerError;

/// Why an object was not found, and what is near.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No object is at the address.
    #[error("no object lies at {address:#x}{}", neighbours(near))]
    Address {
        /// The address.
        address: u64,
        /// The nearest objects, as they are printed.
        near: Vec<String>,
    },
    /// The path leads nowhere.
    #[error("{} has no '{missing}'{}", place(above), suggestions(near))]
    Path {
        /// The part of the path that was found; empty if its first step was not.
        above: String,
        /// The step that was not found, and what follows it.
        missing: String,
        /// Similar steps that exist.
        near: Vec<String>,
    },
    /// Memory ran out.
    #[error(transparent)]
    Failed(#[from] AnswerError),
}

fn neighbours(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [nearest] => format!("; the nearest is {nearest}"),
        near => format!("; the nearest are {}", near.join(" and ")),
    }
}

fn place(above: &str) -> &str {
    match above {
        "" => "the snapshot",
        above => above,
    }
}

/// Returns suggestions, as the end of a sentence.
pub(crate) fn suggestions(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; is it {}?", near.join(" or ")),
    }
}
