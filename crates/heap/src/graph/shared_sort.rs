//! Sorting with one sort for items of all types, for what is sorted seldom: each sort of the standard library's is 5 to
//! 10 kB of code.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::room;
use std::cmp::Ordering;

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
    put_in_order(items, &mut order);
    Ok(())
}

/// Sorts items by comparing them; equal ones keep their order. It takes 16 bytes an item meanwhile, and each comparison is
/// a call.
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out; then the items stay as they are.
pub(crate) fn sort_by_comparison<T>(
    items: &mut [T],
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<(), BuildError> {
    let mut order: Vec<(u64, usize)> = room(items.len())?;
    order.extend((0..items.len()).map(|at| (0, at)));
    sort_positions(&mut order, &|a, b| compare(&items[a], &items[b]));
    put_in_order(items, &mut order);
    Ok(())
}

fn sort_positions(order: &mut [(u64, usize)], compare: &dyn Fn(usize, usize) -> Ordering) {
    order.sort_unstable_by(|a, b| compare(a.1, b.1).then(a.1.cmp(&b.1)));
}

/// Moves to each place the item that lies where `order` says.
fn put_in_order<T>(items: &mut [T], order: &mut [(u64, usize)]) {
    for at in 0..items.len() {
        // What lay there may have moved by an earlier swap.
        let mut from = order[at].1;
        while from < at {
            from = order[from].1;
        }
        order[at].1 = from;
        items.swap(at, from);
    }
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
            let mut compared = items.clone();
            expected.sort_by_key(|(number, _)| *number);
            sort_by_number(&mut items, |(number, _)| *number).unwrap();
            sort_by_comparison(&mut compared, |a, b| a.0.cmp(&b.0)).unwrap();
            prop_assert_eq!(&items, &expected);
            prop_assert_eq!(&compared, &expected);
            expected.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
            sort_by_number(&mut items, |(number, _)| !*number).unwrap();
            sort_by_comparison(&mut compared, |a, b| b.0.cmp(&a.0)).unwrap();
            prop_assert_eq!(&items, &expected);
            prop_assert_eq!(&compared, &expected);
        }
    }
}
