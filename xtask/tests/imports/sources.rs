//! The files of a crate, and which of them uses which.

use crate::paths::paths;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// A use of one file by another.
#[derive(Clone, Debug)]
pub struct Arrow {
    /// The file, as a path relative to the crate's `src`.
    pub from: PathBuf,
    /// The file or folder that it uses.
    pub to: PathBuf,
    /// The path by which it names what it uses.
    pub path: String,
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.display(), self.to.display());
        write!(f, "{from} -> {to} ({})", self.path)
    }
}

/// A crate's files.
pub struct Crate {
    pub name: &'static str,
    /// Which file uses which.
    pub arrows: Vec<Arrow>,
    /// The other crates that it uses.
    pub others: BTreeSet<String>,
    files: Vec<PathBuf>,
}

impl Crate {
    /// Reads a crate's `src`. `crates` are the other crates to look for.
    pub fn read(name: &'static str, src: &Path, crates: &[&str]) -> Crate {
        let mut files = Vec::new();
        list(src, src, &mut files);
        assert!(!files.is_empty(), "no source in {}", src.display());
        let modules: BTreeMap<Vec<String>, &PathBuf> =
            files.iter().map(|file| (module(file), file)).collect();
        let (mut arrows, mut others) = (Vec::new(), BTreeSet::new());
        for file in &files {
            let text = fs::read_to_string(src.join(file)).expect("a source can be read");
            let code = syn::parse_file(&text).expect("a source is Rust");
            for path in paths(&code) {
                if let Some(to) = target(&modules, &module(file), &path) {
                    arrows.push(Arrow {
                        from: file.clone(),
                        to: to.clone(),
                        path: path.join("::"),
                    });
                } else if crates.contains(&path[0].as_str()) {
                    others.insert(path[0].clone());
                }
            }
        }
        Crate {
            name,
            arrows,
            others,
            files,
        }
    }

    /// Returns every folder that has sources, relative to `src`.
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let folders = self.files.iter().filter_map(|file| file.parent());
        folders.map(Path::to_owned).collect()
    }

    /// Returns the arrows between the entries of a folder, where a subfolder counts as one. The
    /// folder's own root file is left out: it may use all entries, and all may use it.
    pub fn arrows_within(&self, folder: &Path) -> Vec<Arrow> {
        let place = |file: &Path| {
            let first = file.strip_prefix(folder).ok()?.components().next()?;
            let first = Path::new(&first).to_owned();
            let is_front = ["mod.rs", "lib.rs", "main.rs"]
                .iter()
                .any(|name| first == Path::new(name));
            (!is_front).then_some(first)
        };
        let within = |arrow: &Arrow| {
            Some(Arrow {
                from: place(&arrow.from)?,
                to: place(&arrow.to)?,
                path: format!("{}: {}", arrow.from.display(), arrow.path),
            })
        };
        self.arrows.iter().filter_map(within).collect()
    }
}

fn list(src: &Path, folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder can be read")
        .map(|entry| entry.expect("a folder can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list(src, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path.strip_prefix(src).expect("it lies in src").to_owned());
        }
    }
}

/// The module path of a file; empty for the crate root.
fn module(file: &Path) -> Vec<String> {
    let file = file.with_extension("");
    let mut names: Vec<String> = file
        .components()
        .map(|name| name.as_os_str().to_string_lossy().into_owned())
        .collect();
    if names.last().is_some_and(|name| name == "mod")
        || matches!(names.as_slice(), [name] if name == "lib" || name == "main")
    {
        names.pop();
    }
    names
}

/// Returns the file that a path in a module leads to, if it is one of the crate's.
fn target<'a>(
    modules: &BTreeMap<Vec<String>, &'a PathBuf>,
    module: &[String],
    path: &[String],
) -> Option<&'a PathBuf> {
    let mut names: Vec<String> = module.to_vec();
    let mut rest = path;
    match path[0].as_str() {
        "crate" => {
            names.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                names.pop()?;
                rest = &rest[1..];
            }
        }
        first => {
            let mut child = names.clone();
            child.push(first.to_owned());
            if !modules.contains_key(&child) {
                return None;
            }
        }
    }
    for name in rest {
        names.push(name.clone());
        if !modules.contains_key(&names) {
            names.pop();
            break;
        }
    }
    modules.get(&names).copied()
}

#[test]
fn paths_lead_to_files() {
    let files: Vec<PathBuf> = ["lib.rs", "a/mod.rs", "a/b.rs", "a/c.rs", "d.rs"]
        .map(PathBuf::from)
        .into();
    let modules = files.iter().map(|file| (module(file), file)).collect();
    let to = |from: &str, path: &str| {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let found = target(&modules, &module(Path::new(from)), &path);
        found.map(|file| file.display().to_string())
    };
    assert_eq!(to("a/b.rs", "crate::d::Type").as_deref(), Some("d.rs"));
    assert_eq!(to("a/b.rs", "super::c::f").as_deref(), Some("a/c.rs"));
    assert_eq!(to("a/b.rs", "super::Type").as_deref(), Some("a/mod.rs"));
    assert_eq!(to("a/b.rs", "super::super::d").as_deref(), Some("d.rs"));
    assert_eq!(to("a/mod.rs", "b::f").as_deref(), Some("a/b.rs"));
    assert_eq!(to("a/b.rs", "crate::Type").as_deref(), Some("lib.rs"));
    assert_eq!(to("a/b.rs", "std::fmt"), None);
    assert_eq!(to("a/b.rs", "Type::new"), None);
}
