//! Whether all files name one version, and the release step that dates the changelog.

use crate::sources::workspace;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::fs;
use std::process::ExitCode;
use toml::Table;

/// The head of what is not released yet.
const UNRELEASED: &str = "## Unreleased";

/// Checks that Cargo.toml, the rockspec and CHANGELOG.md name one version.
///
/// Without options, CHANGELOG.md may still say Unreleased.
#[derive(Args)]
pub struct Version {
    /// The tag that is released, `v0.1.0`: it must be that version, and CHANGELOG.md must have its date.
    #[arg(long)]
    tag: Option<String>,
    /// Write this date, `2026-12-01`, and the version into CHANGELOG.md in the place of Unreleased.
    #[arg(long, conflicts_with = "tag")]
    date: Option<String>,
}

impl Version {
    pub fn execute(&self) -> Result<ExitCode> {
        let version = of_workspace()?;
        let file = workspace().join("CHANGELOG.md");
        let mut changelog = fs::read_to_string(&file).context("cannot read CHANGELOG.md")?;
        if let Some(date) = &self.date {
            ensure!(is_date(date), "{date} is no date such as 2026-12-01");
            changelog = dated(&changelog, &version, date)?;
            fs::write(&file, &changelog).context("cannot write CHANGELOG.md")?;
        }
        let rockspec = format!("snapshot-{version}-1.rockspec");
        let text = fs::read_to_string(workspace().join(&rockspec))
            .with_context(|| format!("the version is {version}, but there is no {rockspec}"))?;
        for line in [
            format!("version = \"{version}-1\""),
            format!("tag = \"v{version}\""),
        ] {
            ensure!(text.contains(&line), "{rockspec} does not say {line}");
        }
        check(&changelog, &version, self.tag.as_deref())?;
        println!("{version}");
        Ok(ExitCode::SUCCESS)
    }
}

/// The version in Cargo.toml.
pub fn of_workspace() -> Result<String> {
    let text =
        fs::read_to_string(workspace().join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let manifest: Table = text.parse().context("cannot read Cargo.toml")?;
    let version = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("package")?.get("version"));
    let version = version.and_then(|version| version.as_str());
    Ok(version.context("Cargo.toml has no version")?.into())
}

/// Checks that the changelog's newest part is of this version, or not released yet where there is no tag.
fn check(changelog: &str, version: &str, tag: Option<&str>) -> Result<()> {
    let newest = changelog.lines().find(|line| line.starts_with("## "));
    let newest = newest.context("CHANGELOG.md has no part that begins with ##")?;
    let date = newest.strip_prefix(&format!("## {version} - "));
    match tag {
        Some(tag) => {
            ensure!(
                tag == format!("v{version}"),
                "the tag is {tag}, and the version {version}"
            );
            ensure!(
                date.is_some_and(is_date),
                "CHANGELOG.md says \"{newest}\" and not \"## {version} - DATE\": `cargo xtask version --date DATE` writes it"
            );
        }
        None => ensure!(
            newest == UNRELEASED || date.is_some_and(is_date),
            "the version is {version}, and CHANGELOG.md says \"{newest}\""
        ),
    }
    Ok(())
}

/// Gives what is not released yet a version and a date.
fn dated(changelog: &str, version: &str, date: &str) -> Result<String> {
    ensure!(
        changelog.lines().filter(|&line| line == UNRELEASED).count() == 1,
        "CHANGELOG.md has no line \"{UNRELEASED}\", or several"
    );
    Ok(changelog.replacen(UNRELEASED, &format!("## {version} - {date}"), 1))
}

/// Whether it is a date in the form of ISO 8601.
fn is_date(text: &str) -> bool {
    let parts = Vec::from_iter(
        text.split('-')
            .map(|part| (part.len(), part.parse::<u32>())),
    );
    matches!(parts[..], [(4, Ok(_)), (2, Ok(1..=12)), (2, Ok(1..=31))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_its_version_and_date() {
        let changelog = "# Changelog\n\n## Unreleased\n\nText.\n";
        check(changelog, "0.1.0", None).expect("not released yet");
        assert!(check(changelog, "0.1.0", Some("v0.1.0")).is_err());
        let changelog = dated(changelog, "0.1.0", "2026-12-01").expect("one head");
        check(&changelog, "0.1.0", Some("v0.1.0")).expect("dated");
        assert!(check(&changelog, "0.1.0", Some("v0.1.1")).is_err());
        assert!(check(&changelog, "0.2.0", None).is_err());
        assert!(dated(&changelog, "0.1.0", "2026-12-01").is_err());
        for wrong in ["", "2026-13-01", "2026-1-1", "tomorrow", "2026-12-01-"] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }
}
