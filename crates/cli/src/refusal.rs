//! Failures with their own exit codes.

use crate::exit_code;
use luasnap_capture::process::AttachErrorKind;
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

/// The exit code of a reason why a process cannot be read.
pub fn code_of_attach(kind: AttachErrorKind) -> u8 {
    match kind {
        AttachErrorKind::NoSuchProcess => 10,
        AttachErrorKind::Ended => 11,
        AttachErrorKind::NotPermitted => 12,
        AttachErrorKind::Traced => 13,
        AttachErrorKind::ThirtyTwoBit => 14,
        AttachErrorKind::NoLuaState => 15,
        AttachErrorKind::Unsupported => 16,
        AttachErrorKind::DoesNotStop => 17,
        AttachErrorKind::NoRoom => 19,
        AttachErrorKind::Failed => exit_code::FAILED,
    }
}
