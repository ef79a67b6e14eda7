//! The table of snapshots: a row for each one.

use crate::fleet::column::ColumnKind::{Flag, Labels, Number, Text, Time};
use crate::fleet::column::{Cell, Column, Table};
use crate::fleet::origin::Origin;
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::SnapshotId;
use luasnap_format::{AnswerError, Stats};
use luasnap_heap::{FINGERPRINT_RULE, Provenance};

/// The table.
pub const TABLE: Table = Table {
    name: "snapshot",
    columns: &[
        Column::required("snapshot_id", Text),
        Column::optional("taken_at", Time),
        Column::optional("host", Text),
        Column::optional("pid", Number),
        Column::optional("state", Text),
        Column::name("state_name"),
        Column::required("vm", Text),
        Column::optional("layout", Text),
        Column::required("engine", Text),
        Column::required("exact", Flag),
        Column::optional("total_bytes", Number),
        Column::required("objects", Number),
        Column::required("object_bytes", Number),
        Column::required("reference_count", Number),
        Column::optional("garbage_objects", Number),
        Column::optional("garbage_bytes", Number),
        Column::optional("rss_bytes", Number),
        Column::optional("peak_rss_bytes", Number),
        Column::optional("limit_bytes", Number),
        Column::required("group_count", Number),
        Column::required("fingerprint_rule", Number),
        Column::optional("release", Text),
        Column::required("labels", Labels),
    ],
};

/// A snapshot as a row.
pub struct SnapshotFacts {
    /// Its name.
    pub id: SnapshotId,
    /// Its VM, its process and its time.
    pub provenance: Provenance,
    /// What is in it.
    pub stats: Stats,
    /// The number of its groups in all.
    pub groups: usize,
}

/// Adds a snapshot.
pub fn write(
    file: &mut ParquetFile<'_>,
    of: &SnapshotFacts,
    origin: &Origin,
) -> Result<(), AnswerError> {
    let SnapshotFacts {
        id,
        provenance,
        stats,
        groups,
    } = of;
    let state = provenance.vm_address;
    let state_name = provenance.state_name.as_deref();
    file.row([
        id.0.clone().into(),
        provenance.taken_at.into(),
        origin.host.as_deref().into(),
        provenance.process.map(|process| process.id).into(),
        (state != 0).then(|| format!("{state:#x}")).into(),
        state_name.into(),
        stats.vm.as_str().into(),
        stats.layout.as_deref().into(),
        stats.engine.into(),
        stats.exact.into(),
        stats.total.into(),
        stats.objects.count.into(),
        stats.objects.bytes.into(),
        stats.references.into(),
        stats.garbage.map(|garbage| garbage.count).into(),
        stats.garbage.map(|garbage| garbage.bytes).into(),
        stats.ledger.resident.into(),
        stats.ledger.peak_resident.into(),
        stats.ledger.limit.into(),
        (*groups as u64).into(),
        FINGERPRINT_RULE.into(),
        origin.release.as_deref().into(),
        Cell::Labels(origin.labels.clone()),
    ])
}
