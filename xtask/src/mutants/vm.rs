//! The VMs that are changed, and the structures that are changed in them.

use crate::layout::Layout;
use crate::puc::Release;
use crate::{jit, puc, sources};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A VM, as it was released.
#[derive(Debug)]
pub struct Vm {
    /// `5.4.9`, `LuaJIT`.
    pub name: String,
    pub family: Family,
    /// The folder of its C files.
    pub sources: PathBuf,
}

/// The VM that it is a release of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    Puc(Release),
    Jit,
}

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
    /// Returns the newest release of each version, or every release; for LuaJIT the one that the
    /// tests build.
    pub fn all(every_release: bool) -> Result<Vec<Vm>> {
        let releases = sources::puc()?;
        let mut newest = BTreeMap::new();
        for (release, folder) in &releases {
            newest.insert((release.0, release.1), (*release, folder.clone()));
        }
        let chosen: Vec<(Release, PathBuf)> = match every_release {
            true => releases.into_iter().collect(),
            false => newest.into_values().collect(),
        };
        let mut all: Vec<Vm> = chosen
            .into_iter()
            .map(|(release, sources)| Vm {
                name: release.to_string(),
                family: Family::Puc(release),
                sources,
            })
            .collect();
        all.push(Vm {
            name: "LuaJIT".into(),
            family: Family::Jit,
            sources: sources::jit(&sources::current_jit()?)?,
        });
        Ok(all)
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
            Family::Puc(release) => puc::layout(&self.name, release, folder, &[]),
            Family::Jit => jit::layout(&self.name, folder, jit::Machine::X86_64, &[]),
        }
    }
}
