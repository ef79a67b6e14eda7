//! Where a VM has what. Layouts are data, derived from the released sources by
//! `cargo xtask layouts`; what differs in kind is code, in `puc` and `jit`.

pub(crate) mod jit;
mod jit_debian_tables;
mod jit_tables;
pub(crate) mod puc;
mod puc_debian_tables;
mod puc_tables;

pub(crate) use jit::JitLayout;
pub(crate) use puc::{ABSENT, PucLayout};

use crate::version::Version;

/// A layout of either family.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    Puc(&'static PucLayout),
    Jit(&'static JitLayout),
}

impl Layout {
    /// The layouts of a family of VMs, newest first.
    pub(crate) fn all(version: Version) -> Vec<Layout> {
        if version == Version::LuaJit {
            let known = jit_tables::JIT_LAYOUTS.iter();
            let others = jit_debian_tables::JIT_DEBIAN_LAYOUTS;
            return known.chain(others).map(Layout::Jit).collect();
        }
        puc_tables::PUC_LAYOUTS
            .iter()
            .chain(puc_debian_tables::PUC_DEBIAN_LAYOUTS)
            .filter(|layout| layout.version == version)
            .map(Layout::Puc)
            .collect()
    }

    /// The releases that have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Puc(layout) => layout.name,
            Layout::Jit(layout) => layout.name,
        }
    }

    pub(crate) fn version(self) -> Version {
        match self {
            Layout::Puc(layout) => layout.version,
            Layout::Jit(_) => Version::LuaJit,
        }
    }
}
