//! What luasnap and the module are made of, as cargo resolves it.

use crate::cargo::cargo;
use crate::process;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The packages that people install something of.
const SHIPPED: [&str; 2] = ["luasnap", "snapshot"];

/// A package that is not ours.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Dependency {
    pub name: String,
    pub version: String,
    /// An SPDX expression.
    pub licence: Option<String>,
    /// Where cargo has it from; `None` for a folder.
    pub source: Option<String>,
    /// The oldest Rust that it says it needs.
    pub rust: Option<String>,
    pub folder: PathBuf,
}

/// Returns the packages whose code is in what is built for a target: not those that only run while it is built, but those whose
/// C sources these compile.
pub fn shipped(target: &str) -> Result<BTreeSet<Dependency>> {
    let metadata = metadata(&["--filter-platform", target])?;
    let nodes = list(&metadata["resolve"]["nodes"])?;
    let nodes: BTreeMap<&str, &Value> = nodes
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let packages = list(&metadata["packages"])?;
    let by_id: BTreeMap<&str, &Value> = packages
        .iter()
        .filter_map(|one| Some((one["id"].as_str()?, one)))
        .collect();
    let is_shipped = |package: &&Value| {
        package["source"].is_null() && SHIPPED.iter().any(|&name| package["name"] == name)
    };
    let mut queue = Vec::from_iter(
        packages
            .iter()
            .filter(is_shipped)
            .filter_map(|package| package["id"].as_str()),
    );
    let mut seen = BTreeSet::from_iter(queue.iter().copied());
    let mut found = BTreeSet::new();
    while let Some(id) = queue.pop() {
        let package = by_id
            .get(id)
            .context("cargo names a package that it does not list")?;
        // What a macro made is ours; what made it stays behind.
        if is_macro(package) {
            continue;
        }
        if !is_own(package) {
            found.insert(dependency(package)?);
        }
        if brings_sources(package) {
            continue; // what is beneath it compiles them
        }
        for next in list(&nodes.get(id).context("a package is not resolved")?["deps"])? {
            let id = next["pkg"]
                .as_str()
                .context("a dependency without a package")?;
            let kinds = list(&next["dep_kinds"])?;
            let of_sources = by_id.get(id).is_some_and(|package| brings_sources(package));
            let is_part =
                |kind: &Value| kind["kind"].is_null() || (kind["kind"] == "build" && of_sources);
            if kinds.iter().any(is_part) && seen.insert(id) {
                queue.push(id);
            }
        }
    }
    Ok(found)
}

/// Returns all packages that cargo may fetch, tests' too.
pub fn all() -> Result<BTreeSet<Dependency>> {
    let metadata = metadata(&[])?;
    let packages = list(&metadata["packages"])?;
    let others = packages.iter().filter(|package| !is_own(package));
    others.map(dependency).collect()
}

/// Whether it lies in this repository.
fn is_own(package: &Value) -> bool {
    package["source"].is_null()
}

/// Whether its C sources end up in what is built, though it only runs while that is built.
fn brings_sources(package: &Value) -> bool {
    package["name"] == "lua-src"
}

fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    let mut kinds = targets.flat_map(|target| target["kind"].as_array().into_iter().flatten());
    kinds.any(|kind| kind == "proc-macro")
}

fn dependency(package: &Value) -> Result<Dependency> {
    let text = |name: &str| package[name].as_str().map(str::to_owned);
    let manifest = PathBuf::from(text("manifest_path").context("a package without a manifest")?);
    Ok(Dependency {
        name: text("name").context("a package without a name")?,
        version: text("version").context("a package without a version")?,
        licence: text("license"),
        source: text("source"),
        rust: text("rust_version"),
        folder: manifest.parent().context("a manifest in no folder")?.into(),
    })
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().context("cargo metadata has another form")
}

fn metadata(options: &[&str]) -> Result<Value> {
    let mut command = cargo();
    command
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(options);
    let text = process::output(&mut command)?;
    serde_json::from_slice(&text).context("cargo metadata is no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_has_its_c_sources_and_no_build_tools() {
        let shipped = shipped("x86_64-unknown-linux-gnu").expect("cargo metadata");
        let has = |name: &str| shipped.iter().any(|one| one.name == name);
        for name in ["zstd-sys", "lua-src", "mlua-sys", "clap", "object"] {
            assert!(has(name), "{name}");
        }
        for name in [
            "cc",
            "pkg-config",
            "clap_derive",
            "proptest",
            "luajit-src",
            "syn",
        ] {
            assert!(!has(name), "{name}");
        }
    }
}
