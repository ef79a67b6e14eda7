//! Sorting by numbers, with one sort for items of all types: each sort of the standard library's is 5 to 10 kB of code.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::room;

/// Sorts items by their numbers; those with equal numbers keep their order. It takes 16 bytes an item meanwhile.
/// `!number` as the number puts the largest first.
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out; then the items stay as they are.
pub fn sort_by_number<T>(items: &mut [T], number: impl Fn(&T) -> u64) -> Result<(), BuildError> {
    let mut order: Vec<(u64, usize)> = room(items.len())?;
    order.extend(items.iter().map(number).zip(0..));
    order.sort_unstable();
    for at in 0..items.len() {
        // What lay there may have moved by an earlier swap.
        let mut from = order[at].1;
        while from < at {
            from = order[from].1;
        }
        order[at].1 = from;
        items.swap(at, from);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_a_stable_sort(numbers in prop::collection::vec(0u64..9, 0..60)) {
            let mut items: Vec<_> = numbers.iter().copied().zip(0u8..).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(number, _)| *number);
            sort_by_number(&mut items, |(number, _)| *number).unwrap();
            prop_assert_eq!(&items, &expected);
            expected.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
            sort_by_number(&mut items, |(number, _)| !*number).unwrap();
            prop_assert_eq!(&items, &expected);
        }
    }
}
