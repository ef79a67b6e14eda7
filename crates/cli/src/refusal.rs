//! A failure whose reason has an exit code of its own.

use crate::exit_code;
use std::error::Error;
use std::fmt;

/// Why there is no answer, and the exit code that says so.
#[derive(Debug)]
pub struct Refusal {
    reason: String,
    code: u8,
}

impl Refusal {
    /// For this reason, with this code.
    pub fn new(reason: &impl fmt::Display, code: u8) -> Refusal {
        Refusal {
            reason: reason.to_string(),
            code,
        }
    }

    /// The exit code of any failure.
    pub fn code_of(error: &anyhow::Error) -> u8 {
        error
            .downcast_ref()
            .map_or(exit_code::FAILED, |refusal: &Refusal| refusal.code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Refusal {}
