//! The table of paths: a row for each pattern of a path.

use crate::fleet::column::ColumnKind::{Number, Text};
use crate::fleet::column::{Column, Table};
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::SnapshotId;
use luasnap_format::{AnswerError, PathTreeRow, fingerprint_text};

/// The table.
pub const TABLE: Table = Table {
    name: "path_tree",
    columns: &[
        Column::required("snapshot_id", Text),
        Column::required("id", Number).near(),
        Column::optional("parent_id", Number).near(),
        Column::name("name"),
        Column::required("kind", Text),
        Column::required("fingerprint", Text),
        Column::required("self_count", Number),
        Column::required("self_size", Number),
        Column::required("cumulative_count", Number),
        Column::required("cumulative_size", Number),
        Column::name("source"),
        Column::optional("line", Number),
    ],
};

/// Adds the paths of a snapshot.
pub fn write(
    file: &mut ParquetFile<'_>,
    id: &SnapshotId,
    paths: &[PathTreeRow],
) -> Result<(), AnswerError> {
    for (at, path) in paths.iter().enumerate() {
        let code = path.code.as_ref();
        file.row([
            id.0.clone().into(),
            (at as u64).into(),
            path.parent.into(),
            path.name.whole().to_string().into(),
            path.kind.type_name().into(),
            fingerprint_text(path.fingerprint).into(),
            path.own.count.into(),
            path.own.bytes.into(),
            path.all.count.into(),
            path.all.bytes.into(),
            code.map(|(source, _)| source.whole().to_string()).into(),
            code.map(|(_, line)| *line).into(),
        ])?;
    }
    Ok(())
}
