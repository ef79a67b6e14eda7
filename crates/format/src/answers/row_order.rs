//! The orders of a level's rows.

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RowOrder {
    /// By retained size, largest first. This order is always there.
    Retained,
    /// By shallow size, largest first.
    Shallow,
    /// By the number of objects that are retained, most first.
    Count,
    /// The nearest to a GC root first, and siblings in the order of their keys.
    Name,
    /// By the bytes that came since the older snapshot, most first.
    Growth,
}
