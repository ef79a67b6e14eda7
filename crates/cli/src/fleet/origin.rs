//! Where a snapshot comes from, as whoever runs luasnap names it: the service, the host, the release.

use crate::failure::Result;
use clap::Args;
use luasnap_words::Sentence;
use rustix::system::uname;
use std::collections::BTreeMap;
use std::env;

/// What a process with no other name is a part of.
const NO_SERVICE: &str = "unknown";

/// The variable that has labels, with commas between them.
const LABELS: &str = "LUASNAP_LABELS";

/// The names of where a snapshot comes from.
#[derive(Args, Clone)]
pub struct OriginOptions {
    /// The service that the process is a part of (or by the variable LUASNAP_SERVICE)
    #[arg(long, value_name = "NAME", env = "LUASNAP_SERVICE", hide_env = true)]
    service: Option<String>,

    /// The host that it runs on (or by the variable LUASNAP_HOST)
    #[arg(long, value_name = "NAME", env = "LUASNAP_HOST", hide_env = true)]
    host: Option<String>,

    /// The release of the program (or by the variable LUASNAP_RELEASE)
    #[arg(long, value_name = "NAME", env = "LUASNAP_RELEASE", hide_env = true)]
    release: Option<String>,

    /// Anything else to tell processes apart by; may be given again (or by the variable
    /// LUASNAP_LABELS, with commas between them)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
}

/// Where a snapshot comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The service.
    pub service: String,
    /// The host, if it is known.
    pub host: Option<String>,
    /// The release, if it is known.
    pub release: Option<String>,
    /// All else.
    pub labels: BTreeMap<String, String>,
}

impl OriginOptions {
    /// Returns the origin of a process of this machine.
    ///
    /// # Errors
    ///
    /// A sentence if the environment has a label that is none.
    pub fn here(&self, program: &str) -> Result<Origin> {
        let host = || uname().nodename().to_string_lossy().into_owned();
        let origin = self.elsewhere()?;
        Ok(Origin {
            host: origin.host.or_else(|| Some(host())),
            service: given(&self.service).unwrap_or_else(|| program.to_owned()),
            ..origin
        })
    }

    /// Returns the origin of a snapshot in a file: this machine need not be the one where it was taken.
    ///
    /// # Errors
    ///
    /// A sentence if the environment has a label that is none.
    pub fn elsewhere(&self) -> Result<Origin> {
        let mut labels = BTreeMap::new();
        let listed = env::var(LABELS).unwrap_or_default();
        for text in listed.split(',').filter(|text| !text.is_empty()) {
            let about = |reason| {
                Sentence::new("fleet.of_environment")
                    .with("name", LABELS)
                    .with("reason", reason)
            };
            let (key, value) = label(text).map_err(about)?;
            labels.insert(key, value);
        }
        labels.extend(self.labels.iter().cloned());
        Ok(Origin {
            service: given(&self.service).unwrap_or_else(|| NO_SERVICE.to_owned()),
            host: given(&self.host),
            release: given(&self.release),
            labels,
        })
    }
}

/// An empty name is none.
fn given(name: &Option<String>) -> Option<String> {
    name.clone().filter(|name| !name.is_empty())
}

fn label(text: &str) -> Result<(String, String), Sentence> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Sentence::new("fleet.no_label")),
    }
}
