//! The tables in the repository, and their contents.

use crate::debian;
use crate::derived::Record;
use crate::jit::{self, Machine};
use crate::layout::Layout;
use crate::merge::merge;
use crate::output::{JIT, PUC, Tables};
use crate::puc::{self, Release};
use crate::sources;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;

/// LuaJITs as their users call them, and versions of luajit-src, the newest first: the first and the
/// last of consecutive versions with the same layout on each machine. A month is that of the commit that changed a
/// structure, in the public history: what was built between two of them cannot be told apart.
const JIT_VERSIONS: [(&str, &str, &str); 7] = [
    ("LuaJIT 2.1 since 2026-07", "210.7.3", "210.7.4"),
    ("LuaJIT 2.1 of 2025-11 to 2026-07", "210.6.3", "210.7.2"),
    ("LuaJIT 2.1 of 2024-04 to 2025-11", "210.5.8", "210.6.2"),
    ("LuaJIT 2.1 of 2021-08 to 2024-04", "210.5.0", "210.5.7"),
    (
        "OpenResty's LuaJIT 2.1-20211210 to 2.1-20240314",
        "210.3.0",
        "210.4.8",
    ),
    (
        "OpenResty's LuaJIT of 2021-06 to 2021-08",
        "210.1.4",
        "210.2.0",
    ),
    (
        "OpenResty's LuaJIT 2.1-20201012 to 2.1-20210510",
        "210.1.1",
        "210.1.3",
    ),
];

/// Ways to build LuaJIT that change its structures: what is said of them, and the flags. The usual
/// ones come first.
const JIT_BUILDS: [(&str, &[&str]); 11] = [
    ("", &[]),
    (" without GC64", &[NARROW]),
    (" with table bump", &[BUMP]),
    (" without the profiler", &["-DLUAJIT_DISABLE_PROFILE"]),
    (" without FFI", &[NO_FFI]),
    (" without the compiler", &[NO_JIT]),
    (" without FFI and the compiler", &[NO_FFI, NO_JIT]),
    (" without GC64, with table bump", &[NARROW, BUMP]),
    (" without GC64 and FFI", &[NARROW, NO_FFI]),
    (" without GC64 and the compiler", &[NARROW, NO_JIT]),
    (
        " without GC64, FFI and the compiler",
        &[NARROW, NO_FFI, NO_JIT],
    ),
];
const NARROW: &str = "-DLUAJIT_DISABLE_GC64";
const BUMP: &str = "-DLUAJIT_ENABLE_TABLE_BUMP";
const NO_FFI: &str = "-DLUAJIT_DISABLE_FFI";
const NO_JIT: &str = "-DLUAJIT_DISABLE_JIT";

/// Returns all tables of the repository, those of Debian's packages only where they are asked for.
/// `records` is what was derived from sources that no registry has.
pub fn all(records: &[Record], with_debian: bool) -> Result<Vec<Tables>> {
    let (puc, puc_derived) = of_puc(records)?;
    let [jit, jit_derived, jit_on_aarch64] = of_jit(records)?;
    let mut all = vec![];
    if with_debian {
        all.extend(of_debian(&puc, &jit)?);
    }
    all.extend([puc, puc_derived, jit, jit_derived, jit_on_aarch64]);
    Ok(all)
}

/// PUC Lua's tables: of the releases that cargo has, and those of other releases and of forks.
fn of_puc(records: &[Record]) -> Result<(Tables, Tables)> {
    let released = sources::puc()?;
    let released = released.iter().map(|(&release, sources)| {
        let layout = puc::layout(&release.to_string(), release, sources, &[])?;
        Ok((release, layout))
    });
    let released = released.collect::<Result<BTreeMap<_, _>>>()?;
    let (_, example) = released.last_key_value().context("cargo has no release")?;

    // A release that cargo has not may have the layout of one that it has, which then is called by
    // both names.
    let mut releases = released.clone();
    let mut forks = Vec::new();
    for record in records.iter().filter(|record| record.release.is_some()) {
        let layout = record.layout(example)?;
        match record.own_release() {
            Some(release) => {
                let other = releases.insert(release, layout);
                ensure!(other.is_none(), "cargo has {release}: remove its record");
            }
            None => forks.push(layout),
        }
    }
    let merged = merge(releases.into_values().rev().collect());
    let has_cargo = |layout: &Layout| released.values().any(|released| released.is_same(layout));
    let (layouts, mut others): (Vec<_>, Vec<_>) = merged.into_iter().partition(has_cargo);
    let tables = Tables {
        module: "puc_tables",
        list: "PUC_LAYOUTS",
        about: "The releases of PUC Lua, the newest first.".into(),
        command: "cargo xtask layouts",
        family: &PUC,
        layouts,
        bases: Vec::new(),
    };
    others.extend(forks);
    let derived = derived(&tables, "puc_derived_tables", "PUC_DERIVED_LAYOUTS", others);
    Ok((tables, derived))
}

/// LuaJIT's tables: of the revisions that cargo has, those of others and of forks, and the revisions on AArch64.
fn of_jit(records: &[Record]) -> Result<[Tables; 3]> {
    let tables = Tables {
        module: "jit_tables",
        list: "JIT_LAYOUTS",
        about: "Revisions of LuaJIT, the newest first.".into(),
        command: "cargo xtask layouts",
        family: &JIT,
        layouts: jit_revisions(Machine::X86_64)?,
        bases: Vec::new(),
    };
    let on_aarch64 = Tables {
        module: "jit_aarch64_tables",
        list: "JIT_AARCH64_LAYOUTS",
        about: "Revisions of LuaJIT on AArch64, the newest first.".into(),
        command: "cargo xtask layouts",
        family: &JIT,
        layouts: jit_revisions(Machine::AArch64)?,
        bases: vec![tables.clone()],
    };
    let example = tables.layouts.first().context("cargo has no LuaJIT")?;
    let records = records.iter().filter(|record| record.release.is_none());
    let others = records.map(|record| record.layout(example));
    let others = others.collect::<Result<_>>()?;
    let derived = derived(&tables, "jit_derived_tables", "JIT_DERIVED_LAYOUTS", others);
    Ok([tables, derived, on_aarch64])
}

/// The tables of what was derived from sources that no registry has. Layouts that cargo's releases
/// have are left out.
fn derived(
    tables: &Tables,
    module: &'static str,
    list: &'static str,
    layouts: Vec<Layout>,
) -> Tables {
    let (layouts, about) = tables.without_known(layouts);
    Tables {
        module,
        list,
        about: format!(
            "Releases and forks that no registry has; `xtask/derived` says when and from what \
             each was derived.{about}"
        ),
        command: "cargo xtask layouts",
        family: tables.family,
        layouts,
        bases: vec![tables.clone()],
    }
}

/// Returns the tables that only Debian has. Layouts that are already in the other tables are left
/// out.
fn of_debian(puc: &Tables, jit: &Tables) -> Result<[Tables; 2]> {
    let sources = debian::Sources::download(&["luajit", "luajit2", "redis"])?;
    let redis = sources.unpack("redis")?;
    let major = redis.version.split('.').next().unwrap_or_default();
    let name = format!("5.1.5 in Redis {major}");
    let redis = redis.folder.join("deps/lua/src");
    let redis = puc::layout(&name, Release(5, 1, 5), &redis, &[])?;

    let revision = |package, whose| {
        let source = sources.unpack(package)?;
        let name = format!("{whose} {} in Debian", source.version);
        jit::layout(&name, &source.folder.join("src"), Machine::X86_64, &[])
    };
    let revisions = vec![
        revision("luajit", "LuaJIT")?,
        revision("luajit2", "OpenResty's LuaJIT")?,
    ];

    let tables = |module, list, others: &Tables, layouts| {
        let (layouts, about) = others.without_known(layouts);
        let about = format!("What only Debian's packages have.{about}");
        Tables {
            module,
            list,
            about,
            command: "cargo xtask layouts --debian",
            family: others.family,
            layouts,
            bases: vec![others.clone()],
        }
    };
    Ok([
        tables("puc_debian_tables", "PUC_DEBIAN_LAYOUTS", puc, vec![redis]),
        tables("jit_debian_tables", "JIT_DEBIAN_LAYOUTS", jit, revisions),
    ])
}

/// The layouts of the revisions of LuaJIT on a machine, in each of the ways to build them.
fn jit_revisions(machine: Machine) -> Result<Vec<Layout>> {
    let (_, _, newest) = JIT_VERSIONS[0];
    let current = sources::current_jit()?;
    ensure!(
        current == newest,
        "the tests build LuaJIT of luajit-src {current}: add it to JIT_VERSIONS in xtask"
    );
    let sources = JIT_VERSIONS.iter().map(|&(name, first, last)| {
        let both = (sources::jit(first)?, sources::jit(last)?);
        Ok((name, both))
    });
    let sources = sources.collect::<Result<Vec<_>>>()?;
    // On AArch64 references always have 64 bits.
    let can_be = |flags: &[&str]| machine == Machine::X86_64 || !flags.contains(&NARROW);
    let builds = JIT_BUILDS.iter().filter(|(_, flags)| can_be(flags));
    let builds = builds.flat_map(|build| sources.iter().map(move |revision| (build, revision)));
    let layouts = builds.map(|((how, flags), (name, (first, last)))| {
        let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        let name = format!("{name}{how}");
        let layout = jit::layout(&name, last, machine, &flags)?;
        // What differs between two versions does in each build.
        let is_usual = flags.is_empty();
        ensure!(
            !is_usual || layout == jit::layout(&name, first, machine, &flags)?,
            "the first and the last version of {name} have two layouts: split that line of \
             JIT_VERSIONS"
        );
        Ok(layout)
    });
    layouts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compilers for other machines may lay out structures differently.
    #[test]
    #[cfg_attr(
        not(all(
            any(target_arch = "x86_64", target_arch = "aarch64"),
            target_os = "linux"
        )),
        ignore = "the tables are of Linux on x86-64 and AArch64"
    )]
    fn the_repository_has_the_current_tables() {
        let records = crate::derived::records().expect("the records");
        for tables in all(&records, false).expect("the tables") {
            if let Some(difference) = tables.difference().expect("the committed tables") {
                panic!("{difference}");
            }
        }
    }
}
