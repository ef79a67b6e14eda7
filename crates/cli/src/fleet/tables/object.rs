//! The table of objects: a row for each one, garbage included.

use crate::fleet::column::ColumnKind::{Flag, Number, Text};
use crate::fleet::column::{Cell, Column, Table};
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::SnapshotId;
use luasnap_format::{AnswerError, HeapFacts, fingerprint_text};
use luasnap_heap::{Fingerprint, Kind, Printable};
use parquet::data_type::ByteArray;
use std::collections::HashMap;

/// The table.
pub const TABLE: Table = Table {
    name: "object",
    columns: &[
        Column::required("snapshot_id", Text),
        Column::required("id", Number).near(),
        Column::required("address", Number).near(),
        Column::required("kind", Text),
        Column::optional("group_fingerprint", Text),
        Column::required("self_size", Number),
        Column::optional("idom_id", Number).near(),
        Column::required("retained_size", Number),
        Column::required("retained_count", Number),
        Column::optional("root_distance", Number),
        Column::optional("parent_id", Number).near(),
        Column::name("step"),
        Column::required("reachable", Flag),
        Column::optional("entries", Number),
        Column::name("source"),
        Column::optional("line", Number),
    ],
};

/// Adds the objects of a snapshot.
pub fn write(
    file: &mut ParquetFile<'_>,
    id: &SnapshotId,
    heap: &HeapFacts<'_>,
) -> Result<(), AnswerError> {
    let kinds = Kind::ALL.map(|kind| (kind, ByteArray::from(kind.type_name())));
    let kind_text = |kind| kinds.iter().find(|of| of.0 == kind).map(|of| of.1.clone());
    // There are far fewer groups than objects; sources repeat one after the other.
    let mut fingerprints: HashMap<Fingerprint, ByteArray> = HashMap::new();
    let mut last_source: (&[u8], ByteArray) = (b"", ByteArray::from(""));
    let mut step = Vec::new();
    for object in heap.objects()? {
        let group = object.group.map(|group| {
            let text = || fingerprint_text(group).into_bytes().into();
            fingerprints.entry(group).or_insert_with(text).clone()
        });
        let source = object.code.map(|(source, _)| {
            if source != last_source.0 {
                let text = Printable(source).to_string();
                last_source = (source, text.into_bytes().into());
            }
            last_source.1.clone()
        });
        let step = object.place.map(|place| {
            step.clear();
            heap.push_step(&mut step, place.edge)?;
            Ok::<_, AnswerError>(Printable(&step).to_string())
        });
        let step = step.transpose()?;
        file.row([
            id.0.clone().into(),
            object.id.0.into(),
            object.address.into(),
            kind_text(object.kind).into(),
            group.into(),
            object.size.into(),
            object.dominator.map(|dominator| dominator.0).into(),
            object.retained.into(),
            object.retained_count.into(),
            object.place.map(|place| place.distance).into(),
            object.place.map(|place| place.parent.0).into(),
            step.into(),
            object.is_reachable.into(),
            object.entries.into(),
            source.into(),
            Cell::from(object.code.map(|(_, line)| line)),
        ])?;
    }
    Ok(())
}
