//! Growing columns without aborting the process when memory runs out.

use crate::graph::error::BuildError;

/// Appends to a column; fails if memory runs out.
#[inline]
pub(crate) fn push<T>(column: &mut Vec<T>, value: T) -> Result<(), BuildError> {
    if column.len() == column.capacity() {
        return push_and_grow(column, value);
    }
    column.push(value);
    Ok(())
}

/// The same for a column that is full: apart, since there are many places that append.
#[cold]
#[inline(never)]
fn push_and_grow<T>(column: &mut Vec<T>, value: T) -> Result<(), BuildError> {
    column.try_reserve(1)?;
    column.push(value);
    Ok(())
}

/// Returns a column of `len` times `value`; fails if memory runs out.
pub(crate) fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, BuildError> {
    let mut column = room(len)?;
    column.resize(len, value);
    Ok(column)
}

/// Returns an empty column with room for `len` values; fails if memory runs out.
pub(crate) fn room<T>(len: usize) -> Result<Vec<T>, BuildError> {
    let mut column = Vec::new();
    column.try_reserve_exact(len)?;
    Ok(column)
}

/// Gives back unused capacity of a column, if possible: most allocators move a large block that
/// becomes small to another block, for which there may be no memory.
pub(crate) fn shrink<T: Copy>(column: &mut Vec<T>) {
    const LARGE: usize = 256 << 10;
    let is_large = |count: usize| count * size_of::<T>() >= LARGE;
    if is_large(column.capacity()) == is_large(column.len()) {
        return column.shrink_to_fit();
    }
    if let Ok(mut small) = room(column.len()) {
        small.extend_from_slice(column);
        *column = small;
    }
}

/// Returns the bytes of memory that a column takes.
pub(crate) fn held<T>(column: &Vec<T>) -> usize {
    column.capacity() * size_of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_made_smaller_and_stays_what_it_was() {
        for (len, room) in [(0, 10), (10, 1000), (10, 1 << 20), (1 << 18, 1 << 20)] {
            let mut column = Vec::with_capacity(room);
            column.extend(0..len as u32);
            shrink(&mut column);
            assert!(column.iter().copied().eq(0..len as u32));
            assert!(
                column.capacity() < room.min(len + 10),
                "{}",
                column.capacity()
            );
        }
    }
}
