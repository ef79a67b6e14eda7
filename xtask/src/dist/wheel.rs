//! Wheels: a zip with the program as a script, which `pip` puts on the PATH, and the module where the program looks for it.
//! There is no Python code (PEP 427, PEP 600 and PEP 656).

use crate::dist::build::Built;
use crate::dist::contents::Contents;
use crate::dist::entry::{Entry, zip};
use crate::dist::release::{ADDRESS, Release};
use crate::dist::system::{GLIBC, Libc, System};
use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The wheel's name and its bytes.
pub fn pack(built: &Built, contents: &Contents, release: &Release) -> Result<(String, Vec<u8>)> {
    let tag = tag(built.system);
    let name = format!("luasnap-{}", release.version);
    let info = format!("{name}.dist-info");
    let mut entries = vec![
        Entry::program(format!("{name}.data/scripts/luasnap"), &built.program)?,
        Entry::copy(
            format!("{name}.data/data/lib/luasnap/snapshot.so"),
            &built.module,
        )?,
        Entry::file(format!("{info}/METADATA"), metadata(contents, release)),
        Entry::file(
            format!("{info}/WHEEL"),
            format!(
                "Wheel-Version: 1.0\nGenerator: cargo xtask dist\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n"
            ),
        ),
        Entry::file(format!("{info}/licenses/LICENSE"), &*contents.licence),
        Entry::file(
            format!("{info}/licenses/THIRD-PARTY.md"),
            &*contents.notices,
        ),
    ];
    let record = format!("{info}/RECORD");
    entries.push(Entry::file(&*record, record_of(&entries, &record)));
    Ok((
        format!("{name}-py3-none-{tag}.whl"),
        zip(&entries, release)?,
    ))
}

/// The systems that it is for, as pip compares them with its own.
fn tag(system: System) -> String {
    let machine = system.machine.name();
    match system.libc {
        // The second is what pip called it before version 20.3.
        Libc::Glibc => format!(
            "manylinux_{}_{}_{machine}.manylinux2014_{machine}",
            GLIBC.0, GLIBC.1
        ),
        Libc::Musl => format!("musllinux_1_2_{machine}"),
    }
}

fn metadata(contents: &Contents, release: &Release) -> String {
    format!(
        "Metadata-Version: 2.4\nName: luasnap\nVersion: {}\n\
         Summary: Finds memory leaks in Lua programs: heap snapshots of running processes, of core files, and from inside\n\
         License-Expression: MIT\nLicense-File: LICENSE\nLicense-File: THIRD-PARTY.md\n\
         Project-URL: Source, {ADDRESS}\nProject-URL: Changelog, {ADDRESS}/blob/main/CHANGELOG.md\n\
         Keywords: lua,luajit,memory,leak,heap,snapshot,profiler\n\
         Classifier: Operating System :: POSIX :: Linux\nClassifier: Topic :: Software Development :: Debuggers\n\
         Requires-Python: >=3.7\nDescription-Content-Type: text/markdown\n\n{}",
        release.version,
        String::from_utf8_lossy(&contents.readme)
    )
}

/// The list of files with their hashes, which names itself last.
fn record_of(entries: &[Entry], own: &str) -> String {
    let mut record = String::new();
    for entry in entries {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(entry.bytes()));
        let _ = writeln!(
            record,
            "{},sha256={hash},{}",
            entry.path,
            entry.bytes().len()
        );
    }
    record + own + ",,\n"
}
