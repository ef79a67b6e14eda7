//! The licences and sources of what we depend on, against `deny.toml`, as `cargo deny` does where that is installed. The
//! advisories, which that also looks at, need a network.

use crate::dependencies::{Dependency, all};
use crate::sources::workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::process::ExitCode;
use toml::{Table, Value};

/// Checks licences, sources and banned packages of all that cargo may fetch, by the rules in deny.toml.
#[derive(Args)]
pub struct Licences {}

impl Licences {
    pub fn execute(&self) -> Result<ExitCode> {
        let mut rules = Rules::read()?;
        let dependencies = all()?;
        // What clap comes from is the registry of cargo itself.
        let own = dependencies.iter().find(|one| one.name == "clap");
        let own = own.and_then(|one| one.source.clone());
        rules
            .registries
            .push(own.context("cargo does not say where clap is from")?);
        let wrong: Vec<String> = dependencies
            .iter()
            .filter_map(|one| rules.objection(one))
            .collect();
        if !wrong.is_empty() {
            bail!("deny.toml does not allow:\n{}", wrong.join("\n"));
        }
        println!("{} packages of others, all allowed", dependencies.len());
        Ok(ExitCode::SUCCESS)
    }
}

/// What is allowed.
struct Rules {
    /// Licences.
    licences: Vec<String>,
    /// Registries, as the ends of what cargo calls them.
    registries: Vec<String>,
    /// Packages that nothing may use.
    banned: Vec<String>,
}

impl Rules {
    fn read() -> Result<Rules> {
        let text =
            fs::read_to_string(workspace().join("deny.toml")).context("cannot read deny.toml")?;
        Rules::parse(&text)
    }

    fn parse(text: &str) -> Result<Rules> {
        let table: Table = text.parse().context("cannot read deny.toml")?;
        let list = |part: &str, name: &str| -> Vec<Value> {
            let list = table.get(part).and_then(|part| part.get(name)?.as_array());
            list.cloned().unwrap_or_default()
        };
        let texts = |list: Vec<Value>| {
            list.iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect()
        };
        let banned = list("bans", "deny")
            .iter()
            .filter_map(|one| {
                let name = one.get("crate").or(Some(one))?;
                name.as_str().map(str::to_owned)
            })
            .collect();
        Ok(Rules {
            licences: texts(list("licenses", "allow")),
            registries: texts(list("sources", "allow-registry")),
            banned,
        })
    }

    /// Why a package is not allowed.
    fn objection(&self, one: &Dependency) -> Option<String> {
        let named = format!("{} {}", one.name, one.version);
        if self.banned.contains(&one.name) {
            return Some(format!("{named}: it is banned"));
        }
        let is_known = match &one.source {
            None => true,
            Some(source) => {
                let mut known = self.registries.iter();
                known.any(|known| source.ends_with(known.as_str()))
            }
        };
        if !is_known {
            return Some(format!(
                "{named}: from {}",
                one.source.as_deref().unwrap_or("nowhere")
            ));
        }
        let Some(licence) = &one.licence else {
            return Some(format!("{named}: it names no licence"));
        };
        // Some crates still write "MIT/Apache-2.0".
        let Ok(expression) = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) else {
            return Some(format!("{named}: {licence} is no licence"));
        };
        let allowed =
            expression.evaluate(|requirement| self.licences.contains(&requirement.to_string()));
        (!allowed).then(|| format!("{named}: {licence}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "registry+https://example.com/index";

    #[test]
    fn rules_are_those_of_cargo_deny() {
        let rules = "[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\"]\n[bans]\ndeny = [{ crate = \"openssl\" }]\n";
        let mut rules = Rules::parse(rules).expect("rules");
        rules.registries.push(REGISTRY.to_owned());
        let objection = |name: &str, licence: Option<&str>, source: &str| {
            let one = Dependency {
                name: name.into(),
                version: "1.0.0".into(),
                licence: licence.map(str::to_owned),
                source: Some(source.into()),
                rust: None,
                folder: Default::default(),
            };
            rules.objection(&one)
        };
        assert_eq!(objection("one", Some("MIT/Apache-2.0"), REGISTRY), None);
        assert_eq!(
            objection("one", Some("GPL-3.0-only OR MIT"), REGISTRY),
            None
        );
        assert_eq!(
            objection("one", Some("Apache-2.0 WITH LLVM-exception"), REGISTRY),
            None
        );
        for (name, licence, source) in [
            ("one", Some("GPL-3.0-only"), REGISTRY),
            ("one", Some("MIT AND GPL-3.0-only"), REGISTRY),
            ("one", Some("Apache-2.0"), REGISTRY),
            ("one", Some("whatever"), REGISTRY),
            ("one", None, REGISTRY),
            ("openssl", Some("MIT"), REGISTRY),
            ("one", Some("MIT"), "git+https://example.com/one"),
        ] {
            assert!(
                objection(name, licence, source).is_some(),
                "{name} {licence:?} {source}"
            );
        }
    }
}
