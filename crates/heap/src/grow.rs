//! Growing columns without aborting the host when memory runs out.

use crate::error::BuildError;

/// Appends to a column, or says that there is no memory for it.
#[inline]
pub(crate) fn push<T>(column: &mut Vec<T>, value: T) -> Result<(), BuildError> {
    if column.len() == column.capacity() {
        column.try_reserve(1)?;
    }
    column.push(value);
    Ok(())
}

/// A column of `len` times `value`, or the word that there is no memory for it.
pub(crate) fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, BuildError> {
    let mut column = room(len)?;
    column.resize(len, value);
    Ok(column)
}

/// An empty column with room for `len` values, or the word that there is no memory for it.
pub(crate) fn room<T>(len: usize) -> Result<Vec<T>, BuildError> {
    let mut column = Vec::new();
    column.try_reserve_exact(len)?;
    Ok(column)
}

/// Bytes of memory that a column holds.
pub(crate) fn held<T>(column: &Vec<T>) -> usize {
    column.capacity() * size_of::<T>()
}
