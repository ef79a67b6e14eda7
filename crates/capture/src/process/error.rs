//! Why a process cannot be read.

use luasnap_words::{Sentence, Spoken, displayed_in_english};
use std::collections::TryReserveError;
use std::io;
use std::time::Duration;

/// The kind of reason, so that a program can handle each in its own way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachErrorKind {
    /// There is no process with that id.
    NoSuchProcess,
    /// The process ended before it could be read.
    Ended,
    /// The system does not allow it; the message has the remedy.
    NotPermitted,
    /// Another program, perhaps a debugger, already traces the process.
    Traced,
    /// It is a 32-bit process.
    ThirtyTwoBit,
    /// It has no known Lua state.
    NoLuaState,
    /// It has Lua states, but none of them has a known layout.
    Unsupported,
    /// One of its threads does not stop.
    DoesNotStop,
    /// There is not enough memory or disk space for its copy; it was not stopped.
    NoRoom,
    /// The system failed in some other way, perhaps for lack of memory.
    Failed,
}

/// Why a process cannot be read: a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachError {
    kind: AttachErrorKind,
    sentence: Sentence,
    details: Vec<Sentence>,
}

impl AttachError {
    /// Returns the kind of reason.
    pub fn kind(&self) -> AttachErrorKind {
        self.kind
    }

    pub(super) fn new(kind: AttachErrorKind, sentence: Sentence) -> AttachError {
        AttachError {
            kind,
            sentence,
            details: Vec::new(),
        }
    }

    pub(super) fn with_details(self, details: &[Sentence]) -> AttachError {
        AttachError {
            details: details.to_vec(),
            ..self
        }
    }

    /// Returns why each layout that was tried does not fit; nothing where none was.
    pub fn details(&self) -> &[Sentence] {
        &self.details
    }

    pub(super) fn no_such_process(process: u32) -> AttachError {
        AttachError::new(
            AttachErrorKind::NoSuchProcess,
            Sentence::new("attach.no_such_process").with("process", process),
        )
    }

    pub(super) fn ended(process: u32) -> AttachError {
        AttachError::new(
            AttachErrorKind::Ended,
            Sentence::new("attach.ended").with("process", process),
        )
    }

    pub(super) fn no_lua_state(process: u32) -> AttachError {
        AttachError::new(
            AttachErrorKind::NoLuaState,
            Sentence::new("attach.no_lua_state").with("process", process),
        )
    }

    /// For a thread that does not stop; `stood_still` is how long the process stood still in failed
    /// attempts.
    pub(super) fn does_not_stop(process: u32, thread: u32, stood_still: Duration) -> AttachError {
        let stood = match stood_still {
            Duration::ZERO => Sentence::new("attach.not_stopped"),
            time => Sentence::new("attach.stopped_in_vain")
                .with("ms", format!("{:.1}", time.as_secs_f64() * 1000.0)),
        };
        AttachError::new(
            AttachErrorKind::DoesNotStop,
            Sentence::new("attach.does_not_stop")
                .with("thread", thread)
                .with("process", process)
                .with("stood", stood),
        )
    }

    /// For a system error while a process is read.
    pub(super) fn failed(process: u32, error: &io::Error) -> AttachError {
        let is_gone = error.raw_os_error() == Some(libc::ESRCH);
        if is_gone || error.kind() == io::ErrorKind::NotFound {
            return AttachError::ended(process);
        }
        AttachError::new(
            AttachErrorKind::Failed,
            Sentence::new("attach.failed")
                .with("process", process)
                .with("reason", reason(error)),
        )
    }

    /// For lack of a thread of our own, which needs memory for its stack.
    pub(super) fn no_thread(process: u32, error: &io::Error) -> AttachError {
        AttachError::new(
            AttachErrorKind::Failed,
            Sentence::new("attach.no_thread")
                .with("process", process)
                .with("reason", reason(error)),
        )
    }
}

impl Spoken for AttachError {
    fn sentence(&self) -> Sentence {
        self.sentence.clone()
    }
}

displayed_in_english!(AttachError);

impl std::error::Error for AttachError {}

/// The system's message for an error; memory that the system has not is memory that luasnap lacks.
pub(super) fn reason(error: &io::Error) -> Sentence {
    match error.kind() {
        io::ErrorKind::OutOfMemory => Sentence::new("fail.no_memory"),
        _ => error.sentence(),
    }
}

/// The system error for lack of memory.
pub(super) fn no_memory(_: TryReserveError) -> io::Error {
    io::ErrorKind::OutOfMemory.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_the_system_s_words() {
        // Rust has no kind for the first.
        for (number, expected) in [
            (libc::EMFILE, "Too many open files"),
            (libc::ENODEV, "No such device"),
            (libc::ENOMEM, "not enough memory"),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(reason(&error).to_string(), expected);
            for error in [
                AttachError::failed(7, &error),
                crate::process::refusal::of_process(std::process::id(), &error),
            ] {
                let end = format!(" cannot be read: {expected}");
                assert!(error.to_string().ends_with(&end), "{error}");
            }
        }
        let nowhere = tempfile::tempfile_in("/nowhere/at/all").unwrap_err();
        assert_eq!(reason(&nowhere).to_string(), "No such file or directory");
    }
}
