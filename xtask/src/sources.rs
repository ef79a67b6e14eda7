//! The released sources of the VMs, as cargo has them.

use crate::process;
use crate::puc;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The root of the repository.
pub fn workspace() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("this crate lies in the repository")
}

/// Returns the releases of PUC Lua that this crate depends on, each with the folder of its C files.
pub fn puc() -> Result<BTreeMap<puc::Release, PathBuf>> {
    let mut packages = Packages::of(workspace(), &["--locked"])?.named("lua-src")?;
    // Several of them have the same release: the newest has its last patches.
    packages.sort_by_key(|package| package.numbers());
    let mut releases = BTreeMap::new();
    for Package { folder, .. } in packages {
        let entries = fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("cannot list {}", folder.display()))? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("lua-"));
            if let Some(release) = number.and_then(puc::Release::parse) {
                releases.insert(release, folder.join(name));
            }
        }
    }
    Ok(releases)
}

/// The version of luajit-src that the tests build.
pub fn current_jit() -> Result<String> {
    let packages = Packages::of(workspace(), &["--locked"])?.named("luajit-src")?;
    let [package] = &packages[..] else {
        anyhow::bail!("there are {} versions of luajit-src", packages.len());
    };
    Ok(package.number().into())
}

/// Returns the folder of the C files in a version of luajit-src. Cargo considers its versions
/// compatible, so no workspace can have two: this makes a workspace for each.
pub fn jit(version: &str) -> Result<PathBuf> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let manifest = format!(
        "[package]\nname = \"borrower\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
         [dependencies]\nluajit-src = \"={version}\"\n"
    );
    let write = |name, text| fs::write(scratch.path().join(name), text);
    write("Cargo.toml", &*manifest).context("cannot write a manifest")?;
    write("lib.rs", "").context("cannot write a crate")?;
    // No network is needed for what was downloaded before.
    let packages = Packages::of(scratch.path(), &["--offline"])
        .or_else(|_| Packages::of(scratch.path(), &[]))?
        .named("luajit-src")?;
    let package = packages.first().context("there is no luajit-src")?;
    Ok(package.folder.join("luajit2/src"))
}

/// What cargo reports about a workspace and all its dependencies.
struct Packages(Value);

/// An unpacked crate.
struct Package {
    /// `210.7.4+c6ffc14`.
    version: String,
    folder: PathBuf,
}

impl Packages {
    /// Asks cargo, which downloads what is missing.
    fn of(workspace: &Path, flags: &[&str]) -> Result<Packages> {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args(["metadata", "--format-version", "1"]);
        command.args(flags).current_dir(workspace);
        let metadata = process::output(&mut command)?;
        let metadata = serde_json::from_slice(&metadata).context("cargo says no JSON")?;
        Ok(Packages(metadata))
    }

    /// All versions of a crate.
    fn named(&self, name: &str) -> Result<Vec<Package>> {
        let packages = self.0["packages"].as_array();
        let packages = packages.context("cargo tells of no packages")?.iter();
        let found: Option<Vec<_>> = packages
            .filter(|package| package["name"] == name)
            .map(Package::read)
            .collect();
        let found = found.with_context(|| format!("cargo does not tell where {name} is"))?;
        ensure!(!found.is_empty(), "nothing depends on {name}");
        Ok(found)
    }
}

impl Package {
    fn read(package: &Value) -> Option<Package> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        Some(Package {
            version: package["version"].as_str()?.into(),
            folder: manifest.parent()?.into(),
        })
    }

    /// The version without the build metadata after the `+`.
    fn number(&self) -> &str {
        let (number, _) = self.version.split_once('+').unwrap_or((&self.version, ""));
        number
    }

    fn numbers(&self) -> Vec<u64> {
        let parts = self.number().split('.');
        parts.map_while(|part| part.parse().ok()).collect()
    }
}
