//! The snapshot files that a watch keeps in a folder.

use crate::about::about_folder;
use crate::failure::Result;
use crate::file_identity::FileIdentity;
use crate::output_file::OutputFile;
use luasnap_format::{SaveOptions, printable_path, write_snapshot};
use luasnap_heap::Snapshot;
use luasnap_words::Sentence;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder, and the files that were written to it.
pub struct KeptFiles {
    folder: PathBuf,
    /// The beginning of the files' names.
    name: String,
    /// The most files that are kept.
    most: Option<usize>,
    number: u32,
    files: VecDeque<KeptFile>,
}

/// A file that was written.
struct KeptFile {
    path: PathBuf,
    identity: FileIdentity,
}

impl KeptFiles {
    /// Makes the folder, if it is not there, and checks that files can be written to it. Their names begin with `name`.
    pub fn new(folder: &Path, name: String, most: Option<usize>) -> Result<KeptFiles> {
        make_folder(folder)?;
        // Found out before the process is stopped.
        tempfile::tempfile_in(folder)
            .map_err(|error| about_folder("folder.cannot_write", folder, &error))?;
        Ok(KeptFiles {
            folder: folder.to_owned(),
            name,
            most,
            number: 0,
            files: VecDeque::new(),
        })
    }

    /// Writes a snapshot to the next file, and removes the oldest one if there are too many. Returns a warning, if there
    /// is one.
    pub fn write(&mut self, snapshot: &Snapshot) -> Result<Option<Sentence>> {
        let path = self.next_path()?;
        let warning = OutputFile::chosen(path.clone())
            .write(|out| write_snapshot(out, snapshot, SaveOptions::default()))?;
        let identity = FileIdentity::of(&path)?;
        self.files.push_back(KeptFile { path, identity });
        while self.most.is_some_and(|most| self.files.len() > most) {
            if let Some(oldest) = self.files.pop_front() {
                oldest.remove();
            }
        }
        Ok(warning)
    }

    /// Returns the files that are there, the oldest first.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Returns the next name that no file has.
    fn next_path(&mut self) -> Result<PathBuf> {
        loop {
            self.number += 1;
            if self.number == u32::MAX {
                let folder = printable_path(&self.folder).to_string();
                return Err(Sentence::new("folder.full").with("folder", folder).into());
            }
            let name = format!("{}-{:04}.luasnap", self.name, self.number);
            let path = self.folder.join(name);
            if fs::symlink_metadata(&path).is_err() {
                return Ok(path);
            }
        }
    }
}

/// Makes a folder, if it is not there.
pub fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .map_err(|error| about_folder("folder.cannot_make", folder, &error).into())
}

impl KeptFile {
    /// Removes the file, unless somebody has put another one in its place.
    fn remove(&self) {
        if FileIdentity::of(&self.path).is_ok_and(|now| now == self.identity) {
            // One that cannot be removed is no reason to stop watching.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Strength};

    fn snapshot() -> Snapshot {
        let mut builder = HeapBuilder::new();
        let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
        let root = Label::Root(builder.name(b"_G").unwrap());
        builder
            .edge(NodeId::ROOT, globals, root, Strength::Strong)
            .unwrap();
        Snapshot::new(builder.finish().unwrap())
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_files_of_its_own_are_replaced_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        // Another one had the second name before, and somebody puts a file in the place of the first.
        fs::write(folder.join("a-0002.luasnap"), "of somebody else").unwrap();
        let mut files = KeptFiles::new(folder, "a".to_owned(), Some(2)).unwrap();
        let snapshot = snapshot();
        files.write(&snapshot).unwrap();
        fs::remove_file(folder.join("a-0001.luasnap")).unwrap();
        fs::write(folder.join("other"), "of somebody else").unwrap();
        fs::rename(folder.join("other"), folder.join("a-0001.luasnap")).unwrap();
        for _ in 0..3 {
            files.write(&snapshot).unwrap();
        }
        let expected = [
            "a-0001.luasnap",
            "a-0002.luasnap",
            "a-0004.luasnap",
            "a-0005.luasnap",
        ];
        assert_eq!(names(folder), expected);
        for name in &expected[..2] {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            assert_eq!(text, "of somebody else");
        }
        let paths: Vec<_> = files.paths().collect();
        assert_eq!(paths, [folder.join(expected[2]), folder.join(expected[3])]);
    }

    #[test]
    fn a_folder_that_cannot_be_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = KeptFiles::new(&file, String::new(), None).err().unwrap();
        let expected = format!("cannot make the folder {}: File exists", file.display());
        assert_eq!(error.why().to_string(), expected);
    }
}
