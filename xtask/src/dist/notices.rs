//! `THIRD-PARTY.md`: the licences of all whose work is in the files, with their texts.

use crate::dependencies::{Dependency, shipped};
use crate::dist::system::System;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// How the names of files with a licence begin, in small letters.
const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "copyright"];
/// A part of a text: from a line that has the first words to a line that has the others.
type Part = Option<(&'static str, &'static str)>;
/// Where packages keep the licence of C code that they bring, beside their own: the package, a folder whose name begins so, a
/// file, and the part of its text that is the licence, unless all is.
const BROUGHT: [(&str, &str, &str, Part); 2] = [
    ("zstd-sys", "zstd", "LICENSE", None),
    (
        "lua-src",
        "lua-5.4",
        "lua.h",
        Some(("Copyright (C)", "SOFTWARE OR THE USE")),
    ),
];
/// What is in the files and comes with the compilers: its name, its copyright, and its licence.
const OF_COMPILERS: [(&str, &str, &str); 3] = [
    (
        "Rust's standard library",
        "Copyright (c) The Rust Project Contributors",
        "MIT",
    ),
    (
        "LLVM's compiler-rt and libunwind",
        "Copyright (c) 2003-2026 the LLVM Project contributors",
        "Apache-2.0",
    ),
    (
        "musl (in the files for musl)",
        "Copyright (c) 2005-2026 Rich Felker, et al.",
        "MIT",
    ),
];

/// Writes them.
pub fn notices(system: System) -> Result<String> {
    // Each text once, with all that come under it.
    let mut texts = BTreeMap::<String, Vec<String>>::new();
    for one in shipped(system.target())? {
        let licence = one
            .licence
            .as_deref()
            .context("a package without a licence")?;
        let head = format!("{} {} ({licence})", one.name, one.version);
        let own = own_texts(&one)?;
        ensure!(!own.is_empty(), "{head} has no text of its licence");
        for text in own {
            texts.entry(text).or_default().push(head.clone());
        }
    }
    for (name, copyright, licence) in OF_COMPILERS {
        let text = format!("{copyright}\n\n{}", text_of(licence)?);
        texts
            .entry(text)
            .or_default()
            .push(format!("{name} ({licence})"));
    }
    let mut all = Vec::from_iter(texts.into_iter().map(|(text, of)| (of, text)));
    all.sort();
    let mut notices = "# The licences of others\n\nluasnap and snapshot.so are under the MIT License. In them is work of others:\n".to_owned();
    for (of, text) in all {
        let _ = write!(
            notices,
            "\n## {}\n\n```text\n{}\n```\n",
            of.join(", "),
            text.trim()
        );
    }
    Ok(notices)
}

/// The texts in a package; where it has none, that of its licence.
fn own_texts(one: &Dependency) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for file in chosen(
        files(&one.folder)?,
        one.licence.as_deref().unwrap_or_default(),
    ) {
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        texts.push(cleaned(&String::from_utf8_lossy(&text)));
    }
    for (package, folder, file, part) in BROUGHT {
        if one.name == package {
            let folder = folder_named(&one.folder, folder)?;
            let file = find(&folder, file).with_context(|| format!("{package} has no {file}"))?;
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            texts.push(cleaned(&match part {
                None => text,
                Some((from, to)) => cut(&text, from, to)
                    .with_context(|| format!("{} has no licence", file.display()))?,
            }));
        }
    }
    if texts.is_empty() {
        // The first of those that may be chosen.
        let licence = one.licence.as_deref().unwrap_or_default();
        let first = licence.split(['/', ' ']).next().unwrap_or_default();
        texts.push(text_of(first)?.into());
    }
    Ok(texts)
}

/// The files with a licence at the top of a package.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths = Vec::from_iter(paths.filter(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        path.is_file() && NAMES.iter().any(|start| name.starts_with(start))
    }));
    paths.sort();
    Ok(paths)
}

/// The files that count: of a package that may be used under the MIT License or another one, that of the MIT License.
fn chosen(files: Vec<PathBuf>, licence: &str) -> Vec<PathBuf> {
    let names = |file: &PathBuf, words: &[&str]| {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    let is_choice = licence.contains(" OR ") || licence.contains('/');
    if !is_choice || licence.contains(" AND ") || !files.iter().any(|file| names(file, &["mit"])) {
        return files;
    }
    let others = ["apache", "unlicense", "zlib", "boost", "bsl"];
    files
        .into_iter()
        .filter(|file| !names(file, &others))
        .collect()
}

/// The folder in another one whose name begins so.
fn folder_named(folder: &Path, start: &str) -> Result<PathBuf> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        path.is_dir()
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(start))
    };
    paths
        .find(is_it)
        .with_context(|| format!("{} has no folder {start}", folder.display()))
}

/// A file of this name, there or in its folder `src`.
fn find(folder: &Path, file: &str) -> Option<PathBuf> {
    [folder.join(file), folder.join("src").join(file)]
        .into_iter()
        .find(|path| path.is_file())
}

/// The lines from one with these words to one with the others.
fn cut(text: &str, from: &str, to: &str) -> Option<String> {
    let lines = Vec::from_iter(text.lines());
    let first = lines.iter().rposition(|line| line.contains(from))?;
    let last = first + lines[first..].iter().position(|line| line.contains(to))?;
    let words = |line: &&str| line.trim_start_matches(['*', ' ']).to_owned();
    Some(Vec::from_iter(lines[first..=last].iter().map(words)).join("\n"))
}

/// A text whose lines end the same on all systems, so that equal ones are one.
fn cleaned(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    Vec::from_iter(lines)
        .join("\n")
        .trim()
        .replace("```", "'''")
}

/// The text of a licence by its SPDX identifier.
fn text_of(licence: &str) -> Result<&'static str> {
    let known = spdx::license_id(licence).with_context(|| format!("{licence} is no licence"))?;
    Ok(known.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_licences_the_mit_license_is_chosen() {
        let files = |names: &[&str]| Vec::from_iter(names.iter().map(PathBuf::from));
        let both = files(&["COPYRIGHT", "LICENSE-APACHE", "LICENSE-MIT"]);
        let mit = files(&["COPYRIGHT", "LICENSE-MIT"]);
        assert_eq!(chosen(both.clone(), "MIT OR Apache-2.0"), mit);
        assert_eq!(chosen(both.clone(), "MIT/Apache-2.0"), mit);
        assert_eq!(chosen(both.clone(), "MIT AND Apache-2.0"), both);
        let one = files(&["LICENSE-APACHE"]);
        assert_eq!(chosen(one.clone(), "MIT OR Apache-2.0"), one);
    }

    #[test]
    fn all_texts_are_there() {
        let notices = notices(System::of_this_machine()).expect("texts");
        for words in [
            "Lua.org, PUC-Rio",
            "Copyright (c) Meta Platforms, Inc.",
            "Rust's standard library (MIT)",
            "clap ",
            "Permission is hereby granted",
            "Apache License",
        ] {
            assert!(notices.contains(words), "{words}");
        }
    }
}
