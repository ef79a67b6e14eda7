//! Why a process cannot be read.

use std::collections::TryReserveError;
use std::fmt;
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
    message: String,
}

impl AttachError {
    /// Returns the kind of reason.
    pub fn kind(&self) -> AttachErrorKind {
        self.kind
    }

    pub(super) fn new(kind: AttachErrorKind, message: impl Into<String>) -> AttachError {
        AttachError {
            kind,
            message: message.into(),
        }
    }

    pub(super) fn no_such_process(process: u32) -> AttachError {
        AttachError::new(
            AttachErrorKind::NoSuchProcess,
            format!(
                "there is no process {process}; `luasnap ps` lists those that have a Lua state"
            ),
        )
    }

    pub(super) fn ended(process: u32) -> AttachError {
        AttachError::new(
            AttachErrorKind::Ended,
            format!("process {process} ended before its memory was read"),
        )
    }

    pub(super) fn no_lua_state(process: u32) -> AttachError {
        AttachError::new(
            AttachErrorKind::NoLuaState,
            format!(
                "process {process} has no Lua state that is known: it has no Lua inside, or one whose \
                 structures were changed, or a LuaJIT with 32-bit references; from inside, the \
                 module `snapshot` captures those too"
            ),
        )
    }

    /// For a thread that does not stop; `stood_still` is how long the process stood still in failed
    /// attempts.
    pub(super) fn does_not_stop(process: u32, thread: u32, stood_still: Duration) -> AttachError {
        let stood = match stood_still {
            Duration::ZERO => "the process was not stopped".to_owned(),
            time => format!(
                "the process stood still for {:.1} ms in vain, and goes on",
                time.as_secs_f64() * 1000.0
            ),
        };
        AttachError::new(
            AttachErrorKind::DoesNotStop,
            format!(
                "thread {thread} of process {process} does not stop: it waits in the kernel, for a \
                 device perhaps, or for a program that it starts; {stood}; try again later"
            ),
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
            format!("process {process} cannot be read: {}", reason(error)),
        )
    }

    /// For lack of a thread of our own, which needs memory for its stack.
    pub(super) fn no_thread(process: u32, error: &io::Error) -> AttachError {
        AttachError::new(
            AttachErrorKind::Failed,
            format!(
                "process {process} cannot be read: not enough memory for a thread of luasnap's own, or too \
                 many are there ({})",
                reason(error)
            ),
        )
    }
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AttachError {}

/// The system's message for an error, without the number that Rust adds.
pub(super) fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return "not enough memory".to_owned();
    }
    // A wrapper's own message has the paths of temporary files.
    let system = error.raw_os_error().or_else(|| {
        let inner = error.get_ref()?.source()?.downcast_ref::<io::Error>()?;
        inner.raw_os_error()
    });
    let text = match system {
        Some(number) => io::Error::from_raw_os_error(number).to_string(),
        None => error.to_string(),
    };
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
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
            assert_eq!(reason(&error), expected);
            for error in [
                AttachError::failed(7, &error),
                crate::process::refusal::of_process(std::process::id(), &error),
            ] {
                let end = format!(" cannot be read: {expected}");
                assert!(error.to_string().ends_with(&end), "{error}");
            }
        }
        let nowhere = tempfile::tempfile_in("/nowhere/at/all").unwrap_err();
        assert_eq!(reason(&nowhere), "No such file or directory");
    }
}
