//! What the fuzz target `core` does with its input.

use luasnap_capture::process::{CoreError, StateCapture, read_core};
use luasnap_heap::Snapshot;
use std::io::Write;

/// Reads any bytes as a core file.
pub fn core(bytes: &[u8]) {
    for (_, heap) in read(bytes).unwrap_or_default() {
        if let Ok(heap) = heap {
            let snapshot = Snapshot::new(heap);
            snapshot.everything_tree().expect("memory");
            snapshot.groups().expect("memory");
            snapshot.dominators().expect("memory");
        }
    }
}

/// Reads a core file of these bytes.
pub fn read(bytes: &[u8]) -> Result<Vec<StateCapture>, CoreError> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("it is written");
    read_core(file.path(), None)
}
