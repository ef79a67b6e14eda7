//! The tables, a file for each: its columns, and what is in its rows.

pub mod group;
pub mod object;
pub mod owner;
pub mod path_tree;
pub mod reference;
pub mod snapshot;

use parquet::data_type::ByteArray;

/// The name of a snapshot, by which the rows of all tables belong together.
#[derive(Clone)]
pub struct SnapshotId(pub ByteArray);

impl SnapshotId {
    /// Returns the name that is these bytes in hexadecimal.
    pub fn new(bytes: &[u8]) -> SnapshotId {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        SnapshotId(digits.into_bytes().into())
    }

    /// Returns the name as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.0.data()).into_owned()
    }
}
