//! A value that is made when it is asked for first.

use crate::graph::error::BuildError;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

/// What a value is made from.
pub(crate) trait Make<T>: Send {
    fn make(&self) -> Result<T, BuildError>;

    /// Returns the bytes of memory that this takes.
    fn memory(&self) -> usize;
}

/// A value, or what it is made from, which is freed once the value is there.
pub(crate) struct OnDemand<T> {
    made: OnceLock<T>,
    from: Mutex<Option<Box<dyn Make<T>>>>,
}

impl<T> OnDemand<T> {
    pub(crate) fn new(from: impl Make<T> + 'static) -> OnDemand<T> {
        OnDemand {
            made: OnceLock::new(),
            from: Mutex::new(Some(Box::new(from))),
        }
    }

    /// Returns a value that is there already.
    pub(crate) fn made(value: T) -> OnDemand<T> {
        OnDemand {
            made: OnceLock::from(value),
            from: Mutex::new(None),
        }
    }

    /// Returns the value, which is made by the first call that succeeds.
    pub(crate) fn get(&self) -> Result<&T, BuildError> {
        let mut from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.made.get() {
            return Ok(value);
        }
        let source = from.as_ref().expect("it is kept until the value is there");
        let value = source.make()?;
        *from = None;
        Ok(self.made.get_or_init(|| value))
    }

    /// Returns the bytes of memory that it takes: of a value that is there, what `of_value` says.
    pub(crate) fn memory(&self, of_value: impl FnOnce(&T) -> usize) -> usize {
        match self.made.get() {
            Some(value) => of_value(value),
            None => {
                let from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
                from.as_ref().map_or(0, |from| from.memory())
            }
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for OnDemand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnDemand").field(&self.made.get()).finish()
    }
}
