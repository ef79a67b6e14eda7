//! Errors of the system, in the system's own words.

use crate::sentence::Sentence;
use crate::spoken::Spoken;
use std::error::Error;
use std::io;

/// The system's message, without the number that Rust adds and without the errors that wrap it: those have paths of
/// temporary files in them. The system says it in English, since Rust sets no locale. An error that was made of a
/// [`Sentence`] is that sentence.
impl Spoken for io::Error {
    fn sentence(&self) -> Sentence {
        let own = self.get_ref().and_then(|own| own.downcast_ref());
        if let Some(sentence) = own {
            return Sentence::clone(sentence);
        }
        let mut innermost: &dyn Error = self;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let text = innermost.to_string();
        let end = text.rfind(" (os error ").unwrap_or(text.len());
        Sentence::new("fail.system").with("reason", &text[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_the_system_s_words() {
        // Rust has no kind for the first.
        for (number, expected) in [
            (24, "Too many open files"),
            (19, "No such device"),
            (12, "Cannot allocate memory"),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(error.sentence().to_string(), expected);
            let wrapped = io::Error::other(io::Error::from_raw_os_error(number));
            assert_eq!(wrapped.sentence().to_string(), expected);
        }
        let own = io::Error::other(Sentence::new("fail.no_memory"));
        assert_eq!(own.sentence(), Sentence::new("fail.no_memory"));
    }
}
