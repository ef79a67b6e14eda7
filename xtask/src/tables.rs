//! The tables in the repository, and their contents.

use crate::debian;
use crate::jit;
use crate::layout::Layout;
use crate::output::{JIT, PUC, Tables};
use crate::puc::{self, Release};
use crate::sources;
use anyhow::{Result, ensure};

/// Names of LuaJIT's entries, and versions of luajit-src, the newest first: the first and the last
/// of consecutive versions with the same layout.
const JIT_VERSIONS: [(&str, &str, &str); 6] = [
    ("LuaJIT", "210.7.3", "210.7.4"),
    ("LuaJIT", "210.6.3", "210.7.2"),
    ("LuaJIT", "210.5.8", "210.6.2"),
    ("LuaJIT", "210.5.0", "210.5.7"),
    ("OpenResty's LuaJIT", "210.1.4", "210.4.8"),
    ("OpenResty's LuaJIT", "210.1.1", "210.1.3"),
];

/// Returns the tables of the releases that cargo has: of PUC Lua, and of LuaJIT.
pub fn of_crates() -> Result<[Tables; 2]> {
    Ok([
        Tables {
            file: "puc_tables.rs",
            list: "PUC_LAYOUTS",
            about: "The releases of PUC Lua, the newest first.".into(),
            command: "cargo xtask layouts",
            family: &PUC,
            layouts: puc_releases()?,
        },
        Tables {
            file: "jit_tables.rs",
            list: "JIT_LAYOUTS",
            about: "Revisions of LuaJIT, the newest first.".into(),
            command: "cargo xtask layouts",
            family: &JIT,
            layouts: jit_revisions()?,
        },
    ])
}

/// Returns the tables that only Debian has. Layouts that are already in the other tables are left
/// out.
pub fn of_debian([puc, jit]: &[Tables; 2]) -> Result<[Tables; 2]> {
    let sources = debian::Sources::download(&["luajit", "luajit2", "redis"])?;
    let redis = sources.unpack("redis")?;
    let major = redis.version.split('.').next().unwrap_or_default();
    let name = format!("5.1.5 in Redis {major}");
    let redis = puc::layout(&name, Release(5, 1, 5), &redis.folder.join("deps/lua/src"))?;

    let revision = |package, whose| {
        let source = sources.unpack(package)?;
        let name = format!("{whose} {} in Debian", source.version);
        jit::layout(&name, &source.folder.join("src"))
    };
    let revisions = vec![
        revision("luajit", "LuaJIT")?,
        revision("luajit2", "OpenResty's LuaJIT")?,
    ];

    let tables = |file, list, others: &Tables, layouts| {
        let (layouts, about) = others.without_known(layouts);
        let about = format!("What only Debian's packages have.{about}");
        Tables {
            file,
            list,
            about,
            command: "cargo xtask layouts --debian",
            family: others.family,
            layouts,
        }
    };
    Ok([
        tables(
            "puc_debian_tables.rs",
            "PUC_DEBIAN_LAYOUTS",
            puc,
            vec![redis],
        ),
        tables("jit_debian_tables.rs", "JIT_DEBIAN_LAYOUTS", jit, revisions),
    ])
}

fn puc_releases() -> Result<Vec<Layout>> {
    let releases = sources::puc()?;
    let layouts = releases.iter().rev().map(|(release, sources)| {
        let name = release.to_string();
        puc::layout(&name, *release, sources)
    });
    Ok(crate::output::merge(layouts.collect::<Result<_>>()?))
}

fn jit_revisions() -> Result<Vec<Layout>> {
    let (_, _, newest) = JIT_VERSIONS[0];
    let current = sources::current_jit()?;
    ensure!(
        current == newest,
        "the tests build LuaJIT of luajit-src {current}: add it to JIT_VERSIONS in xtask"
    );
    let layouts = JIT_VERSIONS.iter().map(|(whose, first, last)| {
        let name = format!("{whose} of luajit-src {first} to {last}");
        let layout = jit::layout(&name, &sources::jit(first)?)?;
        let end = jit::layout(&name, &sources::jit(last)?)?;
        ensure!(
            layout == end,
            "luajit-src {first} and {last} have two layouts: split that line of JIT_VERSIONS"
        );
        Ok(layout)
    });
    layouts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compilers for other machines lay out structures differently.
    #[test]
    #[cfg_attr(
        not(all(target_arch = "x86_64", target_os = "linux")),
        ignore = "the tables are of x86-64 Linux"
    )]
    fn the_repository_has_the_current_tables() {
        for tables in of_crates().expect("the tables") {
            if let Some(difference) = tables.difference().expect("the committed tables") {
                panic!("{difference}");
            }
        }
    }
}
