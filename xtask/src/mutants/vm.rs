//! The VMs that are changed, and the structures that are changed in them.

use super::copies::copy_files;
use crate::layout::Layout;
use crate::puc::Release;
use crate::{jit, puc, sources};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A VM, as it was released, or as others build or change it.
#[derive(Debug)]
pub struct Vm {
    /// `5.4.9`, `LuaJIT`, `LuaJIT-without-GC64`, `5.4.7-of-skynet`.
    pub name: String,
    pub family: Family,
    /// The folder of its C files.
    pub sources: PathBuf,
    /// Options that it is compiled with.
    pub flags: Vec<String>,
    /// Has the sources, where they are not those of a release.
    _own_sources: Option<TempDir>,
}

/// The VM that it is a release of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    Puc(Release),
    Jit,
}

/// Builds of LuaJIT with other structures: the ends of their names, and options. The first has to allocate by itself in the
/// low part of memory.
const JIT_BUILDS: [(&str, &[&str]); 2] = [
    (
        "-without-GC64",
        &["-DLUAJIT_DISABLE_GC64", "-DHOST_OWN_ALLOCATOR"],
    ),
    ("-with-table-bump", &["-DLUAJIT_ENABLE_TABLE_BUMP"]),
];

/// The releases that skynet's Luas are made of.
const OF_SKYNET: [Release; 2] = [Release(5, 4, 7), Release(5, 5, 0)];

/// What stands in `lobject.h` of both, and what instead in skynet's: strings have a number.
const SKYNET_HASH: [&str; 2] = [
    "  unsigned int hash;\n",
    "  unsigned int hash;\n  size_t id;\n",
];
/// The same in `lstring.c`.
const SKYNET_ID: [&str; 2] = ["  ts->extra = 0;\n", "  ts->extra = 0;\n  ts->id = 0;\n"];

/// Macros that expand to members.
pub const MACROS: [&str; 6] = [
    "CommonHeader",
    "TValuefields",
    "ClosureHeader",
    "GCHeader",
    "GCfuncHeader",
    "SBufHeader",
];

/// The structures of PUC Lua that the native engine reads, by file.
const PUC: [(&str, &[&str]); 5] = [
    (
        "lobject.h",
        &[
            "CommonHeader",
            "TValuefields",
            "ClosureHeader",
            "TString",
            "Udata",
            "Upvaldesc",
            "LocVar",
            "AbsLineInfo",
            "Proto",
            "UpVal",
            "CClosure",
            "LClosure",
            "TKey",
            "Node",
            "Table",
        ],
    ),
    ("lfunc.h", &["UpVal"]),
    (
        "lstate.h",
        &["stringtable", "CallInfo", "global_State", "lua_State", "LX"],
    ),
    ("lzio.h", &["Mbuffer"]),
    ("lstate.c", &["LX", "LG"]),
];

/// The same for LuaJIT.
const JIT: [(&str, &[&str]); 4] = [
    (
        "lj_obj.h",
        &[
            "GCHeader",
            "GCfuncHeader",
            "SBufHeader",
            "GCstr",
            "GCudata",
            "GCcdata",
            "GCcdataVar",
            "GCproto",
            "GCupval",
            "GCfuncC",
            "GCfuncL",
            "Node",
            "GCtab",
            "GCState",
            "StrInternState",
            "global_State",
            "lua_State",
        ],
    ),
    ("lj_jit.h", &["SnapShot", "GCtrace", "jit_State"]),
    ("lj_ctype.h", &["CType", "CCallback", "CTState"]),
    ("lj_dispatch.h", &["GG_State"]),
];

impl Vm {
    /// Returns the newest release of each version, or every release; those that skynet's Luas are made of, with its numbers in
    /// strings; and the LuaJIT that the tests build, as it is and built otherwise.
    pub fn all(every_release: bool) -> Result<Vec<Vm>> {
        let releases = sources::puc()?;
        let mut newest = BTreeMap::new();
        for (release, folder) in &releases {
            newest.insert((release.0, release.1), (*release, folder.clone()));
        }
        let chosen: Vec<(Release, PathBuf)> = match every_release {
            true => releases.clone().into_iter().collect(),
            false => newest.into_values().collect(),
        };
        let mut all: Vec<Vm> = chosen
            .into_iter()
            .map(|(release, sources)| Vm::of(release.to_string(), Family::Puc(release), sources))
            .collect();
        for release in OF_SKYNET {
            let released = releases.get(&release);
            all.push(Vm::of_skynet(
                release,
                released.context("a release is missing")?,
            )?);
        }
        let jit = sources::jit(&sources::current_jit()?)?;
        all.push(Vm::of("LuaJIT".into(), Family::Jit, jit.clone()));
        for (end, flags) in JIT_BUILDS {
            let vm = Vm::of(format!("LuaJIT{end}"), Family::Jit, jit.clone());
            let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
            all.push(Vm { flags, ..vm });
        }
        Ok(all)
    }

    fn of(name: String, family: Family, sources: PathBuf) -> Vm {
        Vm {
            name,
            family,
            sources,
            flags: Vec::new(),
            _own_sources: None,
        }
    }

    /// A release with what skynet changes of its structures.
    fn of_skynet(release: Release, released: &Path) -> Result<Vm> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        copy_files(released, folder.path())?;
        for (file, [old, new]) in [("lobject.h", SKYNET_HASH), ("lstring.c", SKYNET_ID)] {
            let path = folder.path().join(file);
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(text.contains(old), "{} has no {old}", path.display());
            fs::write(&path, text.replacen(old, new, 1))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let name = format!("{release}-of-skynet");
        let vm = Vm::of(name, Family::Puc(release), folder.path().to_owned());
        Ok(Vm {
            _own_sources: Some(folder),
            ..vm
        })
    }

    /// The files with structures that are read, and those structures.
    pub fn structures(&self) -> &'static [(&'static str, &'static [&'static str])] {
        match self.family {
            Family::Puc(_) => &PUC,
            Family::Jit => &JIT,
        }
    }

    /// Returns the text of one of its files; `None` if this release has no such file.
    pub fn text(&self, file: &str) -> Result<Option<String>> {
        let path = self.sources.join(file);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path);
        text.map(Some)
            .with_context(|| format!("cannot read {}", path.display()))
    }

    /// Returns the layout of the sources in a folder.
    pub fn layout(&self, folder: &Path) -> Result<Layout> {
        match self.family {
            Family::Puc(release) => puc::layout(&self.name, release, folder, &self.flags),
            Family::Jit => jit::layout(&self.name, folder, jit::Machine::X86_64, &self.flags),
        }
    }
}
