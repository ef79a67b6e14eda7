//! `tar.gz`: everything in one folder. The program finds the module that lies beside it.

use crate::dist::build::Built;
use crate::dist::contents::Contents;
use crate::dist::entry::{Entry, gzip, tar};
use crate::dist::release::Release;
use crate::dist::system::System;
use anyhow::Result;

/// The name of the archive and its folder.
pub fn name(system: System, release: &Release) -> String {
    format!("luasnap-{}-{system}", release.version)
}

/// The archive for users.
pub fn pack(built: &Built, contents: &Contents, release: &Release) -> Result<(String, Vec<u8>)> {
    let mut entries = vec![
        Entry::program("luasnap", &built.program)?,
        Entry::copy("snapshot.so", &built.module)?,
        Entry::file("LICENSE", &*contents.licence),
        Entry::file("THIRD-PARTY.md", &*contents.notices),
        Entry::file("README.md", &*contents.readme),
        Entry::file("CHANGELOG.md", &*contents.changelog),
    ];
    let below = |folder, entry: &Entry| Entry {
        path: format!("{folder}/{}", entry.path),
        content: entry.content.clone(),
    };
    entries.extend(contents.man.iter().map(|page| below("man/man1", page)));
    entries.extend(
        contents
            .completions
            .iter()
            .map(|script| below("completions", script)),
    );
    let name = name(built.system, release);
    let packed = gzip(&tar(&entries, &format!("{name}/"), release)?)?;
    Ok((format!("{name}.tar.gz"), packed))
}

/// The archive of the debug information, which debuggers look for beside the files that name it.
pub fn pack_debug(built: &Built, release: &Release) -> Result<(String, Vec<u8>)> {
    let entries = built.debug.iter().map(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Entry::copy(name, file)
    });
    let entries = entries.collect::<Result<Vec<_>>>()?;
    let name = name(built.system, release);
    let packed = gzip(&tar(&entries, &format!("{name}/"), release)?)?;
    Ok((format!("{name}-debug.tar.gz"), packed))
}
