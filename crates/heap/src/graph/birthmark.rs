//! When a snapshot was captured, in terms of its VM.

/// When a snapshot was captured, in terms that later captures of the same VM can compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Birthmark {
    /// The address of the VM's global state, which identifies it in its process; 0 if unknown.
    pub vm_address: u64,
    /// Grows from capture to capture.
    pub sequence: u64,
    /// The [addresses](crate::Heap::address) of two objects that were allocated right after the
    /// capture and live as long as the snapshot.
    pub marks: [u64; 2],
}
