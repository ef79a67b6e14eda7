//! Differences as unsigned numbers, so that small ones of either sign need few bytes:
//! 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.

#[inline(always)]
pub(super) fn fold32(difference: u32) -> u32 {
    let signed = difference as i32;
    (signed << 1 ^ signed >> 31) as u32
}

#[inline(always)]
pub(super) fn unfold32(folded: u32) -> u32 {
    folded >> 1 ^ (folded & 1).wrapping_neg()
}

#[inline(always)]
pub(super) fn fold64(difference: u64) -> u64 {
    let signed = difference as i64;
    (signed << 1 ^ signed >> 63) as u64
}

#[inline(always)]
pub(super) fn unfold64(folded: u64) -> u64 {
    folded >> 1 ^ (folded & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_become_small_numbers() {
        for (difference, folded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i32::MIN, u32::MAX)] {
            assert_eq!(fold32(difference as u32), folded);
            assert_eq!(unfold32(folded), difference as u32);
        }
        for (difference, folded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MIN, u64::MAX)] {
            assert_eq!(fold64(difference as u64), folded);
            assert_eq!(unfold64(folded), difference as u64);
        }
    }
}
