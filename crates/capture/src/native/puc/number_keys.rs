//! The names of the numbers that tell how wide numbers are.

/// Addresses of the strings that lead from the registry to these
/// numbers; 0 where there are none.
#[derive(Clone, Copy, Default)]
pub(super) struct NumberKeys {
    pub(super) loaded: u64,
    pub(super) math: u64,
    pub(super) pi: u64,
    pub(super) max_integer: u64,
    pub(super) min_integer: u64,
}
