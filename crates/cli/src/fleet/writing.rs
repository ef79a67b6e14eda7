//! Snapshots as tables: what is found of them, and the files.

use crate::derived::find_paths_and_dominators;
use crate::failure::Result;
use crate::fleet::column::Table;
use crate::fleet::destination::Destination;
use crate::fleet::origin::Origin;
use crate::fleet::parquet_file::ParquetFile;
use crate::fleet::tables::snapshot::SnapshotFacts;
use crate::fleet::tables::{SnapshotId, group, object, owner, path_tree, reference, snapshot};
use crate::output_file::OutputFile;
use luasnap_format::{
    AnswerError, GroupFacts, HeapFacts, OwnerRow, PathTreeRow, Stats, both, largest_groups,
    path_tree as paths, top_owners,
};
use luasnap_heap::{Census, Provenance, Snapshot};
use luasnap_words::Sentence;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// How much of a snapshot goes into tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Extent {
    /// The snapshot and its groups: some kilobytes.
    Groups,
    /// The tree of paths and the owners as well.
    Paths,
    /// Each object and each reference as well.
    Objects,
}

/// What of a snapshot goes into tables.
#[derive(Clone, Copy, Debug)]
pub struct TableShape {
    /// How much.
    pub extent: Extent,
    /// The number of groups: see [`largest_groups`].
    pub groups: usize,
    /// Whether names go there, too.
    pub has_names: bool,
}

/// What tables have of a snapshot, but for its objects: nothing that grows with the heap.
pub struct Found {
    has_names: bool,
    snapshot: SnapshotFacts,
    groups: Vec<GroupFacts>,
    paths: Option<(Vec<PathTreeRow>, Vec<OwnerRow>)>,
}

impl Found {
    /// Finds what tables have of a snapshot, with this many of its groups.
    ///
    /// # Errors
    ///
    /// A sentence if it is a difference, or if memory runs out.
    pub fn new(of: &Snapshot, origin: &Origin, shape: TableShape) -> Result<Found> {
        if of.is_difference() {
            return Err(Sentence::new("fleet.difference").into());
        }
        find_paths_and_dominators(of).map_err(AnswerError::from)?;
        let found = largest_groups(of, shape.groups)?;
        let census = Census::new(of).map_err(AnswerError::from)?;
        let provenance = of.everything().provenance().clone();
        let all = of.groups().map_err(AnswerError::from)?.groups().len();
        let stats = Stats::new(of, &census)?;
        let paths = match shape.extent {
            Extent::Groups => None,
            Extent::Paths | Extent::Objects => {
                Some((paths(of)?, top_owners(of, usize::MAX)?.owners))
            }
        };
        Ok(Found {
            has_names: shape.has_names,
            snapshot: SnapshotFacts {
                id: name_of(&provenance, &stats, origin),
                provenance,
                stats,
                groups: all,
            },
            groups: found,
            paths,
        })
    }

    /// Returns when it was taken, in milliseconds since 1970, if that is known.
    pub fn taken_at(&self) -> Option<u64> {
        self.snapshot.provenance.taken_at
    }

    fn id(&self) -> &SnapshotId {
        &self.snapshot.id
    }
}

/// Writes the tables of a snapshot, each to a file of its own, and returns the files.
///
/// # Errors
///
/// A sentence if a file cannot be written, and as for [`Found::new`].
pub fn write_tables(
    of: &Snapshot,
    origin: &Origin,
    shape: TableShape,
    to: &Destination,
) -> Result<Vec<PathBuf>> {
    let found = Found::new(of, origin, shape)?;
    let mut files = Vec::new();
    if shape.extent == Extent::Objects {
        let heap = HeapFacts::new(of)?;
        let id = found.id();
        let (objects, references) = both(
            || {
                write_file(&object::TABLE, &found, origin, to, |file| {
                    object::write(file, id, &heap)
                })
            },
            || {
                write_file(&reference::TABLE, &found, origin, to, |file| {
                    reference::write(file, id, &heap)
                })
            },
        );
        files.extend([objects?, references?]);
    }
    files.extend(write_found(&[found], origin, to)?);
    Ok(files)
}

/// Writes what was found of snapshots of one process and one day, a file for each table, and returns the files. That of the rows
/// about the snapshots themselves comes last: what they stand for is there.
///
/// # Errors
///
/// A sentence if a file cannot be written.
pub fn write_found(found: &[Found], origin: &Origin, to: &Destination) -> Result<Vec<PathBuf>> {
    let Some(first) = found.first() else {
        return Ok(Vec::new());
    };
    let write = |table, rows: &dyn Fn(&mut ParquetFile<'_>, &Found) -> Result<(), AnswerError>| {
        write_file(table, first, origin, to, |file| {
            found.iter().try_for_each(|of| rows(file, of))
        })
    };
    let mut files = vec![write(&group::TABLE, &|file, of| {
        group::write(file, of.id(), &of.groups)
    })?];
    if first.paths.is_some() {
        files.push(write(&path_tree::TABLE, &|file, of| {
            let mut paths = of.paths.iter();
            paths.try_for_each(|(paths, _)| path_tree::write(file, of.id(), paths))
        })?);
        files.push(write(&owner::TABLE, &|file, of| {
            let mut owners = of.paths.iter();
            owners.try_for_each(|(_, owners)| owner::write(file, of.id(), owners))
        })?);
    }
    files.push(write(&snapshot::TABLE, &|file, of| {
        snapshot::write(file, &of.snapshot, origin)
    })?);
    Ok(files)
}

fn write_file(
    table: &'static Table,
    first: &Found,
    origin: &Origin,
    to: &Destination,
    rows: impl FnOnce(&mut ParquetFile<'_>) -> Result<(), AnswerError>,
) -> Result<PathBuf> {
    let about = (first.taken_at(), origin.service.as_str());
    let path = to.file(table, about, &first.id().text())?;
    OutputFile::named(path.clone()).write(|out| {
        let mut file = ParquetFile::new(out, table, first.has_names)?;
        rows(&mut file)?;
        file.finish()
    })?;
    Ok(path)
}

/// Returns the name of a snapshot: it is the same when the same snapshot is written again, and then replaces what was written, and
/// no other one has it, on any host.
fn name_of(provenance: &Provenance, stats: &Stats, origin: &Origin) -> SnapshotId {
    const BYTES: usize = 12;
    let process = provenance.process.unwrap_or_default();
    let mut hash = Sha256::new();
    let host = origin.host.as_deref().unwrap_or_default();
    hash.update((host.len() as u64).to_le_bytes());
    hash.update(host);
    for number in [
        process.id.into(),
        process.instance,
        provenance.vm_address,
        provenance.taken_at.unwrap_or_default(),
        stats.objects.count,
        stats.objects.bytes,
        stats.references,
        stats.total.unwrap_or_default(),
    ] {
        hash.update(number.to_le_bytes());
    }
    let hash = hash.finalize();
    SnapshotId::new(&hash[..BYTES])
}
