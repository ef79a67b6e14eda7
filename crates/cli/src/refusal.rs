//! Failures with their own exit codes.

use crate::exit_code;
use std::error::Error;
use std::fmt;

/// A failure with an exit code.
#[derive(Debug)]
pub struct Refusal {
    reason: String,
    code: u8,
}

impl Refusal {
    /// Returns a failure with this message and this exit code.
    pub fn new(reason: &impl fmt::Display, code: u8) -> Refusal {
        Refusal {
            reason: reason.to_string(),
            code,
        }
    }

    /// Returns the exit code of any failure.
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
