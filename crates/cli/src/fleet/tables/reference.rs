//! The table of references: a row for each one, those of the GC roots first.

use crate::fleet::column::ColumnKind::{Flag, Number, Text};
use crate::fleet::column::{Column, Table};
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::SnapshotId;
use luasnap_format::{AnswerError, HeapFacts};
use luasnap_heap::{NameId, Printable, Strength};
use parquet::data_type::ByteArray;
use std::collections::HashMap;

/// The table.
pub const TABLE: Table = Table {
    name: "reference",
    columns: &[
        Column::required("snapshot_id", Text),
        Column::required("owner_id", Number).near(),
        Column::required("owned_id", Number).near(),
        Column::required("field_kind", Text),
        Column::name("field_name"),
        Column::optional("field_number", Number).near(),
        Column::required("strong", Flag),
    ],
};

/// The most names that are kept as text at a time.
const KEPT: usize = 1 << 16;

/// Adds the references of a snapshot.
pub fn write(
    file: &mut ParquetFile<'_>,
    id: &SnapshotId,
    heap: &HeapFacts<'_>,
) -> Result<(), AnswerError> {
    let mut steps: HashMap<&'static str, ByteArray> = HashMap::new();
    let mut names: HashMap<NameId, ByteArray> = HashMap::new();
    for reference in heap.references() {
        let step = reference.step();
        let step = steps.entry(step).or_insert_with(|| step.into()).clone();
        let name = match reference.label.name() {
            Some(name) => {
                if names.len() == KEPT {
                    names.clear();
                }
                let text = || Printable(heap.heap().name(name)).to_string().into_bytes();
                let name = names.entry(name).or_insert_with(|| text().into());
                Some(name.clone())
            }
            None => reference.key_text().map(|key| key.into_bytes().into()),
        };
        file.row([
            id.0.clone().into(),
            reference.owner.0.into(),
            reference.owned.0.into(),
            step.into(),
            name.into(),
            reference.number().into(),
            (reference.strength == Strength::Strong).into(),
        ])?;
    }
    Ok(())
}
