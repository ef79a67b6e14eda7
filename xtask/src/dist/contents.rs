//! What comes with a program and a module whatever packs them: pages for `man`, completions of shells, licences.

use crate::cargo::cargo;
use crate::dist::entry::{Entry, read};
use crate::dist::notices::notices;
use crate::dist::system::System;
use crate::process;
use crate::sources::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Shells, and the paths of their completions below a `share` folder.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/luasnap"),
    ("zsh", "zsh/site-functions/_luasnap"),
    ("fish", "fish/vendor_completions.d/luasnap.fish"),
];

/// The texts that each package has some of.
pub struct Contents {
    /// `luasnap.1` and so on, by name.
    pub man: Vec<Entry>,
    /// By their path below `share`.
    pub completions: Vec<Entry>,
    /// The licence.
    pub licence: Vec<u8>,
    /// The licences of others whose work is in the files.
    pub notices: Vec<u8>,
    /// The readme.
    pub readme: Vec<u8>,
    /// What changed.
    pub changelog: Vec<u8>,
}

impl Contents {
    /// Makes them. `luasnap` is one that runs here; where there is none, cargo builds it.
    pub fn make(luasnap: Option<&Path>) -> Result<Contents> {
        let call = || match luasnap {
            Some(luasnap) => Command::new(luasnap),
            None => {
                let mut cargo = cargo();
                cargo.args(["run", "--quiet", "--locked", "--package", "luasnap", "--"]);
                cargo
            }
        };
        let completions = SHELLS.map(|(shell, path)| {
            let script = process::output(call().args(["completions", shell]))?;
            Ok(Entry::file(path, script))
        });
        let of_repository = |name: &str| read(&workspace().join(name));
        Ok(Contents {
            man: man_pages(call())?,
            completions: completions.into_iter().collect::<Result<_>>()?,
            licence: of_repository("LICENSE")?,
            notices: notices(System::of_this_machine())?.into_bytes(),
            readme: of_repository("README.md")?,
            changelog: of_repository("CHANGELOG.md")?,
        })
    }
}

/// The pages that a luasnap writes.
fn man_pages(mut luasnap: Command) -> Result<Vec<Entry>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    process::output(luasnap.arg("man").arg(folder.path()))?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder.path()).context("cannot list the pages")? {
        let entry = entry?;
        pages.push(Entry::copy(
            entry.file_name().to_string_lossy(),
            &entry.path(),
        )?);
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pages)
}
