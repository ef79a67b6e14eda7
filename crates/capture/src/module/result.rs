//! What a function of a module returns or raises.

use crate::module::value::Value;
use crate::native::capture::Unavailable;
use luasnap_heap::{BuildError, Snapshot};

/// What a function returns to Lua.
pub enum Return {
    /// Nothing.
    Nothing,
    /// A snapshot, as a new userdata.
    Snapshot(Snapshot),
    /// A snapshot that was captured earlier, as a new userdata.
    Loaded(Snapshot),
    /// A job, which is on the top of the stack. Made by this crate alone.
    Job,
    /// The same snapshot as the argument of that number, as another userdata.
    Copy(Snapshot, u32),
    /// `nil`.
    Nil,
    /// A string.
    Text(Vec<u8>),
    /// A number.
    Count(usize),
    /// Any value, including tables.
    Value(Value),
    /// `nil`, and a sentence that says why.
    Absent(String),
}

/// What a function raises.
#[derive(Debug)]
pub enum Error {
    /// `bad argument #NUMBER to 'FUNCTION' (REASON)`.
    Argument {
        /// The number of the argument; the first is 1.
        number: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// A sentence, to which the position of the call is prepended.
    Message(String),
    /// A sentence with its position in the same way, as a failure of the test framework that is loaded (busted or
    /// luaunit); where none is, as [`Error::Message`].
    Failure(String),
    /// Out of memory, with Lua's own message.
    OutOfMemory,
    /// Whatever the VM raised; it is on the top of the stack. Made by this crate alone.
    Raised,
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::OutOfMemory => Error::OutOfMemory,
            error => Error::Message(error.to_string()),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Failed(error) => error.into(),
            Unavailable::Reason(reason) => {
                Error::Message(format!("the native engine is not available here: {reason}"))
            }
        }
    }
}
