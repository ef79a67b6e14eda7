//! `.deb`: an `ar` of a version and two tars, one for dpkg and one with the files
//! (<https://manpages.debian.org/deb.5>).

use crate::dist::build::Built;
use crate::dist::contents::Contents;
use crate::dist::entry::{Content, Entry, gzip, tar};
use crate::dist::release::{ADDRESS, Release};
use crate::dist::system::{GLIBC, Libc, Machine};
use anyhow::Result;
use md5::{Digest, Md5};
use std::fmt::Write;

/// The versions of Lua for which Debian's Luas look below `/usr/lib/MACHINE/lua/`. LuaJIT looks where 5.1 does.
const LUAS: [&str; 5] = ["5.1", "5.2", "5.3", "5.4", "5.5"];

/// The package; `None` for a system without dpkg.
pub fn pack(
    built: &Built,
    contents: &Contents,
    release: &Release,
) -> Result<Option<(String, Vec<u8>)>> {
    if built.system.libc != Libc::Glibc {
        return Ok(None);
    }
    let machine = built.system.machine;
    let files = files(built, contents)?;
    let control = [
        Entry::file("control", control(machine, &files, release)),
        Entry::file("md5sums", sums(&files)),
    ];
    let mut package = ar::Builder::new(Vec::new());
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&tar(&control, "./", release)?)?),
        ("data.tar.gz", gzip(&tar(&files, "./", release)?)?),
    ];
    for (name, bytes) in parts {
        let mut header = ar::Header::new(name.into(), bytes.len() as u64);
        header.set_mode(0o100644);
        header.set_mtime(release.time());
        package.append(&header, &bytes[..])?;
    }
    let name = format!("luasnap_{}_{}.deb", release.version, machine.debian());
    Ok(Some((name, package.into_inner()?)))
}

/// What lies where once it is installed.
fn files(built: &Built, contents: &Contents) -> Result<Vec<Entry>> {
    let docs = "usr/share/doc/luasnap";
    let copyright = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: {ADDRESS}\n\n\
         Files: *\nCopyright: 2026 The lua-snapshot authors\nLicense: Expat\n{}\n\n\
         Comment: the licences of the libraries inside are in THIRD-PARTY.md.gz.\n",
        indented(&contents.licence)
    );
    let mut files = vec![
        Entry::program("usr/bin/luasnap", &built.program)?,
        // Where luasnap looks for it.
        Entry::copy("usr/lib/luasnap/snapshot.so", &built.module)?,
        Entry::file(format!("{docs}/copyright"), copyright),
        Entry::file(
            format!("{docs}/THIRD-PARTY.md.gz"),
            gzip(&contents.notices)?,
        ),
        Entry::file(format!("{docs}/changelog.gz"), gzip(&contents.changelog)?),
    ];
    for version in LUAS {
        let triplet = built.system.machine.name();
        let path = format!("usr/lib/{triplet}-linux-gnu/lua/{version}/snapshot.so");
        files.push(Entry::link(path, "/usr/lib/luasnap/snapshot.so"));
    }
    for page in &contents.man {
        files.push(Entry::file(
            format!("usr/share/man/man1/{}.gz", page.path),
            gzip(page.bytes())?,
        ));
    }
    for script in &contents.completions {
        // zsh has a folder of its own for what packages bring.
        let path = script.path.replace("site-functions", "vendor-completions");
        files.push(Entry::file(format!("usr/share/{path}"), script.bytes()));
    }
    Ok(files)
}

/// What dpkg asks of the package.
fn control(machine: Machine, files: &[Entry], release: &Release) -> String {
    let bytes: usize = files.iter().map(|entry| entry.bytes().len()).sum();
    format!(
        "Package: luasnap\nVersion: {}\nArchitecture: {}\nMaintainer: The lua-snapshot authors <noreply@github.com>\n\
         Installed-Size: {}\nDepends: libc6 (>= {}.{})\nSection: devel\nPriority: optional\nHomepage: {ADDRESS}\n\
         Description: heap snapshots for every Lua\n \
         Shows what grows in the memory of a Lua program, and by which path it is held:\n \
         from outside, of a running process or a core file, and in the program by\n \
         require \"snapshot\", in Lua 5.1 to 5.5 and LuaJIT.\n",
        release.version,
        machine.debian(),
        bytes.div_ceil(1024),
        GLIBC.0,
        GLIBC.1
    )
}

/// The files' checksums, which `dpkg --verify` looks at.
fn sums(files: &[Entry]) -> String {
    let mut sums = String::new();
    for Entry { path, content } in files {
        if let Content::File(bytes, _) = content {
            let _ = writeln!(sums, "{:x}  {path}", Md5::digest(bytes));
        }
    }
    sums
}

/// A text as a field of several lines has it.
fn indented(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.trim_end().lines().map(|line| match line.is_empty() {
        true => " .".to_owned(),
        false => format!(" {line}"),
    });
    Vec::from_iter(lines).join("\n")
}
