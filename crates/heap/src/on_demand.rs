//! A value that is made when it is asked for first.

use crate::graph::error::BuildError;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Makes a value from what it holds.
pub(crate) type Make<T> = dyn Fn() -> Result<T, BuildError> + Send;

/// A value, or what makes it. What that holds is freed once the value is there.
pub(crate) struct OnDemand<T> {
    made: OnceLock<T>,
    make: Mutex<Option<Box<Make<T>>>>,
}

impl<T> OnDemand<T> {
    pub(crate) fn new(make: impl Fn() -> Result<T, BuildError> + Send + 'static) -> OnDemand<T> {
        OnDemand {
            made: OnceLock::new(),
            make: Mutex::new(Some(Box::new(make))),
        }
    }

    /// Returns the value, which is made by the first call that succeeds.
    pub(crate) fn get(&self) -> Result<&T, BuildError> {
        let mut make = self.make.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.made.get() {
            return Ok(value);
        }
        let value = make.as_ref().expect("it is kept until the value is there")()?;
        *make = None;
        Ok(self.made.get_or_init(|| value))
    }

    /// Returns the value if it is there.
    pub(crate) fn made(&self) -> Option<&T> {
        self.made.get()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnDemand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnDemand").field(&self.made.get()).finish()
    }
}
