//! The table of owners: a row for each plugin, module or folder of source.

use crate::fleet::column::ColumnKind::{Number, Text};
use crate::fleet::column::{Column, Table};
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::SnapshotId;
use luasnap_format::{AnswerError, OwnerRow, owner_kind};

/// The table.
pub const TABLE: Table = Table {
    name: "owner",
    columns: &[
        Column::required("snapshot_id", Text),
        Column::required("kind", Text),
        Column::name("name"),
        Column::required("files", Number),
        Column::required("count", Number),
        Column::required("self_size", Number),
        Column::name("example"),
    ],
};

/// Adds the owners of a snapshot.
pub fn write(
    file: &mut ParquetFile<'_>,
    id: &SnapshotId,
    owners: &[OwnerRow],
) -> Result<(), AnswerError> {
    for owner in owners {
        let example = owner.example.as_ref();
        file.row([
            id.0.clone().into(),
            owner_kind(owner.kind).into(),
            owner.name.whole().to_string().into(),
            owner.files.into(),
            owner.count.into(),
            owner.size.into(),
            example.map(|path| path.whole().to_string()).into(),
        ])?;
    }
    Ok(())
}
