//! Sums of numbers, in four bytes each.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push, room, shrink};
use std::ops::Range;

/// The sums of the first numbers of a list: of none, of one, of two. What some that follow one another add up to is the
/// difference of two sums.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    /// The lower 32 bits of each sum.
    low: Vec<u32>,
    /// The upper bits, where they change: from which sum on, and what they are. One for each 4 GiB, as long as sizes are
    /// not read from corrupt memory.
    high: Vec<(u32, u64)>,
    /// The last sum. Fewer than 2^32 numbers add up to less than 2^96.
    all: u128,
}

impl Default for Sums {
    fn default() -> Self {
        Sums {
            low: vec![0],
            high: Vec::new(),
            all: 0,
        }
    }
}

impl Sums {
    /// Returns the sum of nothing, with room for so many numbers.
    pub(crate) fn with_room_for(numbers: usize) -> Result<Sums, BuildError> {
        let mut low = room(numbers + 1)?;
        low.push(0);
        Ok(Sums {
            low,
            high: Vec::new(),
            all: 0,
        })
    }

    /// Returns the sums of one number, zero.
    pub(crate) fn of_zero() -> Sums {
        Sums {
            low: vec![0, 0],
            high: Vec::new(),
            all: 0,
        }
    }

    /// Adds a number.
    #[inline]
    pub(crate) fn push(&mut self, number: u64) -> Result<(), BuildError> {
        let all = self.all + u128::from(number);
        if all >> 32 != self.all >> 32 {
            self.note_high(all)?;
        }
        push(&mut self.low, all as u32)?;
        self.all = all;
        Ok(())
    }

    #[cold]
    fn note_high(&mut self, all: u128) -> Result<(), BuildError> {
        self.low.try_reserve(1)?;
        push(&mut self.high, (self.low.len() as u32, (all >> 32) as u64))
    }

    /// Returns how many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.low.len() - 1
    }

    /// Returns the sum of all numbers.
    pub(crate) fn all(&self) -> u128 {
        self.all
    }

    /// Returns the sum of the numbers before this one, and with it: where it lies in bytes, if the numbers are the lengths
    /// of what lies one behind the other.
    #[inline]
    pub(crate) fn place(&self, at: usize) -> Range<usize> {
        match self.high.is_empty() {
            true => self.low[at] as usize..self.low[at + 1] as usize,
            false => self.far_place(at),
        }
    }

    #[cold]
    fn far_place(&self, at: usize) -> Range<usize> {
        self.before(at) as usize..self.before(at + 1) as usize
    }

    /// Returns the sum of these numbers; the most that 64 bits hold if it is more.
    #[inline]
    pub(crate) fn of(&self, numbers: Range<usize>) -> u64 {
        match self.high.is_empty() {
            true => u64::from(self.low[numbers.end] - self.low[numbers.start]),
            false => self.large(numbers),
        }
    }

    #[cold]
    fn large(&self, numbers: Range<usize>) -> u64 {
        let sum = self.before(numbers.end) - self.before(numbers.start);
        u64::try_from(sum).unwrap_or(u64::MAX)
    }

    /// Returns the sum of the numbers before this one.
    fn before(&self, at: usize) -> u128 {
        let changes = self.high.partition_point(|(from, _)| *from as usize <= at);
        let high = changes.checked_sub(1).map_or(0, |last| self.high[last].1);
        u128::from(high) << 32 | u128::from(self.low[at])
    }

    /// Gives back unused capacity.
    pub(crate) fn shrink(&mut self) {
        shrink(&mut self.low);
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.low) + held(&self.high)
    }

    /// Returns the bytes of memory that it takes where nothing more was asked for.
    pub(crate) fn least_memory(&self) -> usize {
        size_of_val(&self.low[..]) + size_of_val(&self.high[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_as_many_bits_as_they_need() {
        let large = u64::from(u32::MAX);
        for numbers in [
            vec![],
            vec![0, 40, 56],
            vec![large, 1, 0, large - 1, 2, 3 * large, 7],
            vec![1 << 40, 8, u64::MAX / 2, u64::MAX / 2, 9, u64::MAX],
        ] {
            let mut sums = Sums::default();
            for number in &numbers {
                sums.push(*number).unwrap();
            }
            assert_eq!(sums.len(), numbers.len());
            assert_eq!(
                sums.all(),
                numbers.iter().map(|number| u128::from(*number)).sum()
            );
            for start in 0..=numbers.len() {
                for end in start..=numbers.len() {
                    let some = numbers[start..end].iter();
                    let expected = some.fold(0u64, |sum, number| sum.saturating_add(*number));
                    assert_eq!(sums.of(start..end), expected, "{numbers:?}");
                }
                if let Some(number) = numbers.get(start) {
                    let place = sums.place(start);
                    let length = place.end.wrapping_sub(place.start);
                    assert_eq!(length, *number as usize, "{numbers:?}");
                }
            }
        }
    }
}
