//! Failures, in the user's language and with their exit codes.

use crate::exit_code;
use luasnap_capture::process::AttachErrorKind;
use luasnap_words::{Sentence, Spoken};

/// The result of what luasnap does.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why luasnap failed. It can be made of a sentence, or of what has one, and of nothing else: so there is none that is in
/// English alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    sentence: Sentence,
    code: u8,
}

impl Failure {
    /// Returns a failure with an exit code of its own.
    pub fn with_code(reason: &impl Spoken, code: u8) -> Failure {
        Failure {
            sentence: reason.sentence(),
            code,
        }
    }

    /// Returns what happened.
    pub fn why(&self) -> &Sentence {
        &self.sentence
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> u8 {
        self.code
    }

    /// Says what it happened to: puts the reason in the place of `{reason}` of a sentence.
    pub fn about(self, what: Sentence) -> Failure {
        Failure {
            sentence: what.with("reason", self.sentence),
            code: self.code,
        }
    }
}

impl<E: Spoken> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::with_code(&error, exit_code::FAILED)
    }
}

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
