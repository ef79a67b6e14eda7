//! Rocks: zips that `luarocks install FILE` takes. A binary one has the module and no Lua version; the source one has the
//! repository and needs Rust.
//!
//! LuaRocks tells a machine by the name `linux-x86_64`, which has no C library in it. So the rock for musl is a package of
//! another name, `snapshot-musl`, with the same module inside.

use crate::dist::build::Built;
use crate::dist::contents::Contents;
use crate::dist::entry::{Entry, read, zip};
use crate::dist::release::Release;
use crate::dist::system::Libc;
use crate::process;
use crate::sources::workspace;
use anyhow::{Context, Result};
use md5::{Digest, Md5};
use std::process::Command;

/// The number of the rockspec among those of one version.
const REVISION: u32 = 1;

/// A rock for a machine and a C library.
pub fn pack(built: &Built, contents: &Contents, release: &Release) -> Result<(String, Vec<u8>)> {
    let package = match built.system.libc {
        Libc::Glibc => "snapshot",
        Libc::Musl => "snapshot-musl",
    };
    let stem = format!("{package}-{}-{REVISION}", release.version);
    let rockspec = rockspec(release)?.replacen(
        "package = \"snapshot\"",
        &format!("package = \"{package}\""),
        1,
    );
    let rockspec = Entry::file(format!("{stem}.rockspec"), rockspec);
    let module = Entry::copy("lib/snapshot.so", &built.module)?;
    let docs = [
        Entry::file("doc/LICENSE", &*contents.licence),
        Entry::file("doc/THIRD-PARTY.md", &*contents.notices),
    ];
    let sum = |entry: &Entry| format!("{:x}", Md5::digest(entry.bytes()));
    let manifest = format!(
        "rock_manifest = {{\n   [\"{stem}.rockspec\"] = \"{}\",\n   doc = {{\n      LICENSE = \"{}\",\n      \
         [\"THIRD-PARTY.md\"] = \"{}\"\n   }},\n   lib = {{\n      [\"snapshot.so\"] = \"{}\"\n   }}\n}}\n",
        sum(&rockspec),
        sum(&docs[0]),
        sum(&docs[1]),
        sum(&module)
    );
    let mut entries = vec![rockspec, Entry::file("rock_manifest", manifest), module];
    entries.extend(docs);
    let name = format!("{stem}.linux-{}.rock", built.system.machine.name());
    Ok((name, zip(&entries, release)?))
}

/// The source rock: the rockspec, and beside it the repository as git has it.
pub fn pack_source(release: &Release) -> Result<(String, Vec<u8>)> {
    let stem = format!("snapshot-{}-{REVISION}", release.version);
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).current_dir(workspace());
    let files = process::output(&mut git).context("the source rock is made of what git has")?;
    let mut entries = vec![Entry::file(format!("{stem}.rockspec"), rockspec(release)?)];
    for path in String::from_utf8(files)?.split_terminator('\0') {
        let file = workspace().join(path);
        // Its name in the rock is what a clone of the address would be called.
        let entry = format!("lua-snapshot/{path}");
        entries.push(match is_program(&file) {
            true => Entry::program(entry, &file)?,
            false => Entry::copy(entry, &file)?,
        });
    }
    Ok((format!("{stem}.src.rock"), zip(&entries, release)?))
}

fn is_program(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|of| of.permissions().mode() & 0o100 != 0)
}

fn rockspec(release: &Release) -> Result<String> {
    let file = workspace().join(format!("snapshot-{}-{REVISION}.rockspec", release.version));
    Ok(String::from_utf8(read(&file)?)?)
}
