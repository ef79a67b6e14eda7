//! How a VM tells later when a snapshot was captured.

/// When a snapshot was captured, as its VM can tell later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Birthmark {
    /// Which VM of the process: the address of its global state, 0 where unknown.
    pub vm_address: u64,
    /// Grows from capture to capture.
    pub sequence: u64,
    /// The [addresses](crate::Heap::address) of two objects that were allocated right after the
    /// capture and live as long as the snapshot.
    pub marks: [u64; 2],
}
