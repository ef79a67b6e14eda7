//! The errors raised in Lua where an answer could not be made, written or read.

use luasnap_capture::Error;
use luasnap_format::QueryError;
use luasnap_format::{AnswerError, FileError, GrowthError, LoadError, LookupError, OpenError};

/// The error for an answer that could not be made: Lua's own for lack of memory, a sentence
/// otherwise.
pub fn answer_error(error: AnswerError) -> Error {
    told(&error, |error| error.to_string())
}

/// The error for a file that could not be written.
pub fn write_error(error: FileError) -> Error {
    told(&error.source, |_| error.to_string())
}

/// The error for standard output that could not be written to.
pub fn print_error(error: AnswerError) -> Error {
    told(&error, |error| {
        format!("cannot write to standard output: {error}")
    })
}

/// The error for a file that could not be read.
pub fn read_error(error: OpenError) -> Error {
    match error.source {
        LoadError::OutOfMemory => Error::OutOfMemory,
        _ => Error::Message(error.to_string()),
    }
}

/// The error for snapshots that could not be compared.
pub fn comparison_error(error: GrowthError) -> Error {
    match error {
        GrowthError::Incomparable(error) => Error::Message(error.to_string()),
        GrowthError::Failed(error) => answer_error(error),
    }
}

/// Returns why a query has no result, or the error if that could not be found out.
pub fn query_error(error: QueryError) -> Result<String, Error> {
    match error {
        QueryError::Object(LookupError::Failed(error)) => Err(answer_error(error)),
        error => Ok(error.to_string()),
    }
}

fn told(error: &AnswerError, sentence: impl FnOnce(&AnswerError) -> String) -> Error {
    match error {
        AnswerError::OutOfMemory => Error::OutOfMemory,
        error => Error::Message(sentence(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::path::PathBuf;

    #[test]
    fn no_memory_here_and_none_where_it_is_written_to_are_told_apart() {
        let elsewhere = || AnswerError::from(io::Error::from_raw_os_error(libc::ENOMEM));
        let file = |source| FileError {
            path: PathBuf::from("f"),
            source,
        };
        for here in [
            answer_error(AnswerError::OutOfMemory),
            print_error(AnswerError::OutOfMemory),
            write_error(file(AnswerError::OutOfMemory)),
        ] {
            assert!(matches!(here, Error::OutOfMemory), "{here:?}");
        }
        for (there, expected) in [
            (
                print_error(elsewhere()),
                "cannot write to standard output: Cannot allocate memory",
            ),
            (
                write_error(file(elsewhere())),
                "cannot write 'f': Cannot allocate memory",
            ),
        ] {
            let Error::Message(message) = there else {
                panic!("{there:?}")
            };
            assert_eq!(message, expected);
        }
    }
}
