//! Files of an archive.

use crate::dist::release::Release;
use anyhow::{Context, Result};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file, a folder or a link in an archive.
#[derive(Clone)]
pub struct Entry {
    /// Where it lies in the archive: `usr/bin/luasnap`.
    pub path: String,
    pub content: Content,
}

/// What it is.
#[derive(Clone)]
pub enum Content {
    /// A file, and whether it can be run.
    File(Vec<u8>, bool),
    /// A link to this path.
    Link(String),
}

impl Entry {
    /// A file of these bytes.
    pub fn file(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Entry {
        Entry {
            path: path.into(),
            content: Content::File(bytes.into(), false),
        }
    }

    /// A copy of a program.
    pub fn program(path: impl Into<String>, from: &Path) -> Result<Entry> {
        Ok(Entry {
            path: path.into(),
            content: Content::File(read(from)?, true),
        })
    }

    /// A copy of a file.
    pub fn copy(path: impl Into<String>, from: &Path) -> Result<Entry> {
        Ok(Entry::file(path, read(from)?))
    }

    /// A link.
    pub fn link(path: impl Into<String>, to: impl Into<String>) -> Entry {
        Entry {
            path: path.into(),
            content: Content::Link(to.into()),
        }
    }

    /// The bytes of a file; none of what is no file.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::File(bytes, _) => bytes,
            Content::Link(_) => &[],
        }
    }

    /// The permissions.
    fn mode(&self) -> u32 {
        match self.content {
            Content::File(_, false) => 0o644,
            _ => 0o755,
        }
    }
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A tar of entries, sorted, with the folders that they lie in: all of root's, all of the release's time.
pub fn tar(entries: &[Entry], prefix: &str, release: &Release) -> Result<Vec<u8>> {
    let mut sorted = Vec::from_iter(entries);
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut archive = tar::Builder::new(Vec::new());
    let mut folders = std::collections::BTreeSet::new();
    let header = |kind, mode, size: usize| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size as u64);
        header.set_mtime(release.time());
        header.set_uid(0);
        header.set_gid(0);
        header
    };
    for entry in sorted {
        for (end, _) in entry.path.match_indices('/') {
            let folder = format!("{prefix}{}/", &entry.path[..end]);
            if folders.insert(folder.clone()) {
                let mut header = header(EntryType::Directory, 0o755, 0);
                archive.append_data(&mut header, folder, &[][..])?;
            }
        }
        let path = format!("{prefix}{}", entry.path);
        match &entry.content {
            Content::File(bytes, _) => {
                let mut header = header(EntryType::Regular, entry.mode(), bytes.len());
                archive.append_data(&mut header, path, &bytes[..])?;
            }
            Content::Link(to) => {
                let mut header = header(EntryType::Symlink, 0o777, 0);
                archive.append_link(&mut header, path, to)?;
            }
        }
    }
    Ok(archive.into_inner()?)
}

/// Compresses bytes as `gzip` would, without a name or a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// A zip of entries in the order given, all of the release's time.
pub fn zip(entries: &[Entry], release: &Release) -> Result<Vec<u8>> {
    let time = release.date_time();
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    let year = u16::try_from(year).context("a year that no zip can name")?;
    let time = DateTime::from_date_and_time(year, month.into(), day, hour, minute, second)?;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(time)
            .unix_permissions(entry.mode());
        archive.start_file(&*entry.path, options)?;
        archive.write_all(entry.bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}
