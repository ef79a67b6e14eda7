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

/// How many layouts of PUC Lua there are.
pub(crate) const PUC_COUNT: usize =
    puc_tables::PUC_LAYOUTS.len() + puc_debian_tables::PUC_DEBIAN_LAYOUTS.len();

/// Layout number `number` of PUC Lua. Those of one version stand newest first.
pub(crate) const fn puc(number: usize) -> &'static PucLayout {
    let released = puc_tables::PUC_LAYOUTS;
    if number < released.len() {
        &released[number]
    } else {
        &puc_debian_tables::PUC_DEBIAN_LAYOUTS[number - released.len()]
    }
}

/// A layout of either family.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// By its number.
    Puc(usize),
    Jit(&'static JitLayout),
}

impl Layout {
    /// The layouts of a family of VMs, newest first.
    pub(crate) fn all(version: Version) -> Vec<Layout> {
        Layout::every()
            .filter(|layout| layout.version() == version)
            .collect()
    }

    /// The layouts of all VMs, those of one family newest first.
    pub(crate) fn every() -> impl Iterator<Item = Layout> {
        let known = jit_tables::JIT_LAYOUTS.iter();
        let others = jit_debian_tables::JIT_DEBIAN_LAYOUTS;
        (0..PUC_COUNT)
            .map(Layout::Puc)
            .chain(known.chain(others).map(Layout::Jit))
    }

    /// The releases that have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Puc(number) => puc(number).name,
            Layout::Jit(layout) => layout.name,
        }
    }

    pub(crate) fn version(self) -> Version {
        match self {
            Layout::Puc(number) => puc(number).version,
            Layout::Jit(_) => Version::LuaJit,
        }
    }
}
