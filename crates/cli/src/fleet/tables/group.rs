//! The table of groups: a row for each of the largest groups of a snapshot.

use crate::fleet::column::ColumnKind::{Number, Text};
use crate::fleet::column::{Column, Table};
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::SnapshotId;
use luasnap_format::{AnswerError, GroupFacts};
use luasnap_heap::FINGERPRINT_RULE;

/// The table.
pub const TABLE: Table = Table {
    name: "group",
    columns: &[
        Column::required("snapshot_id", Text),
        Column::required("fingerprint", Text),
        Column::required("fingerprint_rule", Number),
        Column::required("stable_fingerprint", Text),
        Column::required("kind", Text),
        Column::name("name"),
        Column::required("count", Number),
        Column::required("self_size", Number),
        Column::required("retained_size", Number),
        Column::name("example"),
    ],
};

/// Adds the groups of a snapshot.
pub fn write(
    file: &mut ParquetFile<'_>,
    id: &SnapshotId,
    groups: &[GroupFacts],
) -> Result<(), AnswerError> {
    for group in groups {
        let row = &group.row;
        file.row([
            id.0.clone().into(),
            row.fingerprint.as_str().into(),
            FINGERPRINT_RULE.into(),
            group.stable_fingerprint.as_str().into(),
            row.kind.type_name().into(),
            row.name.whole().to_string().into(),
            row.count.into(),
            row.shallow.into(),
            row.retained.into(),
            row.example.whole().to_string().into(),
        ])?;
    }
    Ok(())
}
