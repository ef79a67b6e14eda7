//! Where a snapshot comes from, as whoever runs luasnap names it: the service, the host, the release.

use clap::Args;
use luasnap_words::Sentence;
use rustix::system::uname;
use std::collections::BTreeMap;

/// What a process with no other name is a part of.
const NO_SERVICE: &str = "unknown";

/// The names of where a snapshot comes from.
#[derive(Args, Clone)]
pub struct OriginOptions {
    /// The service that the process is a part of
    #[arg(
        long,
        value_name = "NAME",
        env = "LUASNAP_SERVICE",
        hide_env_values = true
    )]
    service: Option<String>,

    /// The host that it runs on
    #[arg(
        long,
        value_name = "NAME",
        env = "LUASNAP_HOST",
        hide_env_values = true
    )]
    host: Option<String>,

    /// The release of the program
    #[arg(
        long,
        value_name = "NAME",
        env = "LUASNAP_RELEASE",
        hide_env_values = true
    )]
    release: Option<String>,

    /// Anything else to tell processes apart by; may be given again
    #[arg(long = "label", value_name = "KEY=VALUE", env = "LUASNAP_LABELS", hide_env_values = true,
        value_delimiter = ',', value_parser = label)]
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
    pub fn here(&self, program: &str) -> Origin {
        let host = || uname().nodename().to_string_lossy().into_owned();
        Origin {
            host: self.host.clone().or_else(|| Some(host())),
            service: self.service.clone().unwrap_or_else(|| program.to_owned()),
            ..self.elsewhere()
        }
    }

    /// Returns the origin of a snapshot in a file: this machine need not be the one where it was taken.
    pub fn elsewhere(&self) -> Origin {
        let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        Origin {
            service: given(&self.service).unwrap_or_else(|| NO_SERVICE.to_owned()),
            host: given(&self.host),
            release: given(&self.release),
            labels: self.labels.iter().cloned().collect(),
        }
    }
}

fn label(text: &str) -> Result<(String, String), Sentence> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Sentence::new("fleet.no_label")),
    }
}
