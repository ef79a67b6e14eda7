//! Numbers of 64 bits, in half of that where it is enough.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::prefetch::prefetch;

/// A column of numbers of which the largest that there may be is known.
pub(crate) enum Numbers {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

impl Numbers {
    /// Returns so many zeroes. None of them will become more than `most`.
    pub(crate) fn zeroes(len: usize, most: u64) -> Result<Numbers, BuildError> {
        Ok(match u32::try_from(most) {
            Ok(_) => Numbers::Narrow(filled(len, 0)?),
            Err(_) => Numbers::Wide(filled(len, 0)?),
        })
    }

    /// Returns a number.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        match self {
            Numbers::Narrow(numbers) => u64::from(numbers[at]),
            Numbers::Wide(numbers) => numbers[at],
        }
    }

    /// Sets a number.
    #[inline]
    pub(crate) fn set(&mut self, at: usize, number: u64) {
        match self {
            Numbers::Narrow(numbers) => numbers[at] = number as u32,
            Numbers::Wide(numbers) => numbers[at] = number,
        }
    }

    /// Prefetches a number.
    #[inline]
    pub(crate) fn prefetch(&self, at: usize) {
        match self {
            Numbers::Narrow(numbers) => prefetch(numbers[at]),
            Numbers::Wide(numbers) => prefetch(numbers[at]),
        }
    }
}
