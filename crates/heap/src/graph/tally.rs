//! Counts of objects and bytes.

/// A number of objects, and the sum of their shallow sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// The number of objects.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub bytes: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.count += 1;
        // Sizes read from corrupt memory may be anything.
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(crate) fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
        tallies.fold(Tally::default(), |sum, tally| Tally {
            count: sum.count + tally.count,
            bytes: sum.bytes.saturating_add(tally.bytes),
        })
    }
}
