//! Snapshot files that the verbs read.

use crate::about::about_file;
use crate::failure::{Failure, Result};
use crate::look;
use crate::progress::Progress;
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// A snapshot that was read from a file.
pub struct SnapshotFile {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes; `None` for a pipe.
    pub bytes: Option<u64>,
    /// The snapshot in it.
    pub snapshot: Snapshot,
}

impl SnapshotFile {
    /// Reads a file, as a step of the work.
    pub fn open(path: &Path, progress: &Progress) -> Result<SnapshotFile> {
        let reading = about_file("progress.reading", path);
        let snapshot = progress.step(reading, || luasnap_format::open_snapshot(path));
        let snapshot = snapshot.map_err(|error| match process_meant(path) {
            Some(pid) => Sentence::new("fail.process_not_file")
                .with("process", pid)
                .into(),
            None => Failure::from(error),
        })?;
        Ok(SnapshotFile {
            path: path.to_owned(),
            bytes: file_size(path),
            snapshot,
        })
    }
}

/// Returns the size of a file in bytes; `None` for a pipe.
pub fn file_size(path: &Path) -> Option<u64> {
    let metadata = fs::metadata(path).ok().filter(Metadata::is_file);
    metadata.map(|metadata| metadata.len())
}

/// Returns the ID of the process that was named in place of a file, if there is no such file.
pub fn process_meant(path: &Path) -> Option<u32> {
    let pid: u32 = path.to_str()?.parse().ok()?;
    let is_process = Path::new("/proc").join(pid.to_string()).is_dir();
    (!path.exists() && is_process).then_some(pid)
}

/// Returns a time, given in milliseconds since 1970, as `2026-11-25 17:40:12 UTC`.
pub fn taken_at(milliseconds: u64) -> String {
    let seconds = (milliseconds / 1000) as i64;
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return look::words("time.unknown");
    };
    let (hour, minute, second) = time.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", time.date())
}
