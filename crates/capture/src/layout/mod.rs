//! Offsets and sizes of a VM's structures. Layouts are data, derived from the released sources by
//! `cargo xtask layouts`; what differs in kind is code, in `native/puc` and `native/jit`.

pub(crate) mod jit;
mod jit_aarch64_tables;
mod jit_debian_tables;
mod jit_derived_tables;
mod jit_tables;
pub(crate) mod puc;
mod puc_debian_tables;
mod puc_derived_tables;
mod puc_tables;

pub(crate) use jit::JitLayout;
pub(crate) use puc::{ABSENT, PucLayout};

use crate::machine::Machine;
use crate::version::Version;
use std::borrow::Cow;
use std::collections::HashSet;

/// The layouts of PUC Lua: of the releases, and of what only Debian has, or none of the registries.
const PUC: [&[PucLayout]; 3] = [
    puc_tables::PUC_LAYOUTS,
    puc_derived_tables::PUC_DERIVED_LAYOUTS,
    puc_debian_tables::PUC_DEBIAN_LAYOUTS,
];

/// Number of layouts of PUC Lua.
pub(crate) const PUC_COUNT: usize = PUC[0].len() + PUC[1].len() + PUC[2].len();

/// Layout number `number` of PUC Lua. Those of one version are ordered newest first, before those of
/// its forks.
pub(crate) const fn puc(mut number: usize) -> &'static PucLayout {
    let mut list = 0;
    while number >= PUC[list].len() {
        number -= PUC[list].len();
        list += 1;
    }
    &PUC[list][number]
}

/// The number of the layout of the newest release of a family of PUC Lua.
pub(crate) const fn number_of_newest(version: Version) -> usize {
    let mut number = 0;
    while puc(number).version as u8 != version as u8 {
        number += 1;
    }
    number
}

/// That layout.
pub(crate) const fn newest(version: Version) -> &'static PucLayout {
    puc(number_of_newest(version))
}

/// The layouts of LuaJIT on x86-64: of the revisions, and of what only Debian has, or none of the registries.
const JIT_X86_64: [&[JitLayout]; 3] = [
    jit_tables::JIT_LAYOUTS,
    jit_derived_tables::JIT_DERIVED_LAYOUTS,
    jit_debian_tables::JIT_DEBIAN_LAYOUTS,
];

/// The layouts of LuaJIT on AArch64.
const JIT_AARCH64: [&[JitLayout]; 1] = [jit_aarch64_tables::JIT_AARCH64_LAYOUTS];

/// The layouts of LuaJIT on a machine, newest first.
pub(crate) fn jit_layouts(machine: Machine) -> impl DoubleEndedIterator<Item = &'static JitLayout> {
    let lists = match machine {
        Machine::X86_64 => &JIT_X86_64[..],
        Machine::AArch64 => &JIT_AARCH64,
        Machine::Other => &[],
    };
    lists.iter().copied().flatten()
}

/// The revisions of a LuaJIT with this layout, and, unless it has traces, those that differ only in
/// these.
fn names_of_jit(layout: &'static JitLayout, has_traces: bool) -> Cow<'static, str> {
    let is_alike = |other: &JitLayout| {
        let mut like = *other;
        like.name = layout.name;
        like.trace = layout.trace;
        like.jit_state.snapshot_size = layout.jit_state.snapshot_size;
        like == *layout
    };
    let all = JIT_X86_64.iter().chain(&JIT_AARCH64).copied().flatten();
    let names = all.rev().filter(|other| match has_traces {
        true => other.name == layout.name,
        false => is_alike(other),
    });
    either(names.map(|layout| layout.name))
}

/// Several names as one: `5.5.0 or 5.5.1`. Names that are equal, as of one revision on two machines,
/// are said once.
pub(crate) fn either<N: Into<Cow<'static, str>>>(
    names: impl Iterator<Item = N>,
) -> Cow<'static, str> {
    let mut said = HashSet::new();
    let names = names.map(Into::into);
    let mut names = names.filter(|name: &Cow<'static, str>| said.insert(name.clone()));
    let first = names.next().unwrap_or_default();
    names.fold(first, |all, name| format!("{all} or {name}").into())
}

/// A layout of either family.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// The number of a layout of PUC Lua.
    Puc(usize),
    Jit(&'static JitLayout),
}

impl Layout {
    /// The layouts of a family of VMs on this machine, newest first.
    pub(crate) fn all(version: Version) -> Vec<Layout> {
        Layout::every(Machine::HERE)
            .filter(|layout| layout.version() == version)
            .collect()
    }

    /// The layouts of all VMs on a machine, those of one family newest first.
    pub(crate) fn every(machine: Machine) -> impl Iterator<Item = Layout> {
        (0..PUC_COUNT)
            .map(Layout::Puc)
            .chain(jit_layouts(machine).map(Layout::Jit))
    }

    /// The releases that have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Puc(number) => puc(number).name,
            Layout::Jit(layout) => layout.name,
        }
    }

    /// The releases of a VM with this layout. Unless it has what tells some of them apart
    /// (`tells_apart`: user values of userdata, or traces), this includes releases that differ only
    /// in that.
    pub(crate) fn names(self, tells_apart: bool) -> Cow<'static, str> {
        let number = match self {
            Layout::Puc(number) => number,
            Layout::Jit(layout) => return names_of_jit(layout, tells_apart),
        };
        let is_alike = |other: &PucLayout| {
            let mut userdata = other.userdata;
            userdata.user_values = puc(number).userdata.user_values;
            let other = PucLayout {
                name: self.name(),
                userdata,
                ..*other
            };
            other == *puc(number)
        };
        // The newest come first in the list, and last in a name.
        let others = (0..PUC_COUNT).rev().map(puc);
        let names = others.filter(|other| match tells_apart {
            true => other.name == self.name(),
            false => is_alike(other),
        });
        either(names.map(|layout| layout.name))
    }

    /// Bytes that a sweep by this layout finds beyond those that one by `other` does, where that is
    /// certain: options of LuaJIT's add fields at the end of its global state and change nothing
    /// else.
    pub(crate) fn finds_more_than(self, other: Layout) -> Option<i64> {
        let (Layout::Jit(one), Layout::Jit(other)) = (self, other) else {
            return None;
        };
        let mut alike = *other;
        alike.name = one.name;
        alike.global_state.whole = one.global_state.whole;
        let more = i64::from(one.global_state.whole) - i64::from(other.global_state.whole);
        (alike == *one).then_some(more)
    }

    pub(crate) fn version(self) -> Version {
        match self {
            Layout::Puc(number) => puc(number).version,
            Layout::Jit(_) => Version::LuaJit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Layout {
        let found = Layout::every(Machine::HERE).find(|layout| layout.name() == name);
        found.expect("a layout of this name")
    }

    #[test]
    fn no_name_is_said_twice() {
        assert_eq!(either(["a", "b", "a", "b"].into_iter()), "a or b");
        // Revisions have the same names on both machines.
        let jit = |machine| jit_layouts(machine).map(|layout| layout.name);
        let both = |name: &&str| jit(Machine::AArch64).any(|other| other == *name);
        assert!(jit(Machine::X86_64).filter(both).count() > 0);
        for machine in [Machine::X86_64, Machine::AArch64] {
            for layout in Layout::every(machine) {
                assert_eq!(layout.names(true), layout.name());
                let names = layout.names(false);
                let names: Vec<&str> = names.split(" or ").collect();
                let different: HashSet<&str> = names.iter().copied().collect();
                assert_eq!(different.len(), names.len(), "{names:?}");
            }
        }
    }

    #[test]
    fn where_two_layouts_fit_both_are_named() {
        for name in ["5.5.0", "5.5.1"] {
            assert_eq!(named(name).names(false), "5.5.0 or 5.5.1");
            assert_eq!(named(name).names(true), name);
        }
        for has_user_values in [false, true] {
            let name = named("5.4.3 to 5.4.9").names(has_user_values);
            assert_eq!(name, "5.4.3 to 5.4.9");
        }
    }
}
