//! Numbers as byte planes: first the lowest byte of each number, then the next byte of each, up to
//! the highest byte in use. With similar bytes side by side, the data compresses better and faster.

/// A number of a column.
pub(super) trait Word: Copy + Default {
    /// Its number of bytes.
    const BYTES: usize;

    /// Returns the bits that are set in either.
    fn or(self, other: Self) -> Self;

    /// Returns the number of bytes that the number needs.
    fn used_bytes(self) -> usize;

    /// Returns byte number `plane`, from the lowest on.
    fn byte(self, plane: usize) -> u8;

    /// Returns the number that has only this byte, at `plane`.
    fn from_byte(byte: u8, plane: usize) -> Self;
}

macro_rules! word {
    ($word:ty) => {
        impl Word for $word {
            const BYTES: usize = size_of::<$word>();

            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }

            fn used_bytes(self) -> usize {
                (<$word>::BITS - self.leading_zeros()).div_ceil(8) as usize
            }

            #[inline(always)]
            fn byte(self, plane: usize) -> u8 {
                (self >> (8 * plane)) as u8
            }

            #[inline(always)]
            fn from_byte(byte: u8, plane: usize) -> Self {
                <$word>::from(byte) << (8 * plane)
            }
        }
    };
}

word!(u32);
word!(u64);

/// Appends the planes of `words`. Returns their number.
pub(super) fn split<W: Word>(words: &[W], out: &mut Vec<u8>) -> usize {
    let all = words.iter().fold(W::default(), |all, word| all.or(*word));
    let planes = all.used_bytes();
    for plane in 0..planes {
        out.extend(words.iter().map(|word| word.byte(plane)));
    }
    planes
}

/// Fills `words` from their planes, one after the other in `planes`.
pub(super) fn join<W: Word>(planes: &[u8], words: &mut [W]) {
    words.fill(W::default());
    if words.is_empty() {
        return;
    }
    for (number, plane) in planes.chunks_exact(words.len()).enumerate() {
        for (word, byte) in words.iter_mut().zip(plane) {
            *word = word.or(W::from_byte(*byte, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_split_is_joined_again() {
        for (words, expected) in [
            (vec![], 0),
            (vec![0, 0], 0),
            (vec![1, 255, 0], 1),
            (vec![256, 7], 2),
            (vec![u32::MAX, 1, 0x0102_0304], 4),
        ] {
            let mut planes = Vec::new();
            assert_eq!(split(&words, &mut planes), expected);
            assert_eq!(planes.len(), expected * words.len());
            let mut joined = vec![9; words.len()];
            join(&planes, &mut joined);
            assert_eq!(joined, words);
        }
        let words = [u64::MAX, 0x0102_0304_0506_0708];
        let mut planes = Vec::new();
        assert_eq!(split(&words, &mut planes), 8);
        assert_eq!(planes[..4], [255, 8, 255, 7]);
        let mut joined = [0; 2];
        join(&planes, &mut joined);
        assert_eq!(joined, words);
    }
}
