//! A number of objects, and their bytes.

/// Objects, and their shallow sizes together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many they are.
    pub count: u64,
    /// Their sizes in bytes.
    pub bytes: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.count += 1;
        // A heap that was read from broken memory may say anything.
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(crate) fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
        tallies.fold(Tally::default(), |sum, tally| Tally {
            count: sum.count + tally.count,
            bytes: sum.bytes.saturating_add(tally.bytes),
        })
    }
}
