//! Which release it is: its version, and the time that all its files have.

use crate::process;
use crate::sources::workspace;
use crate::version;
use anyhow::{Context, Result};
use std::env;
use std::process::Command;
use time::OffsetDateTime;

/// Where releases are published.
pub const ADDRESS: &str = "https://github.com/lua-snapshot/lua-snapshot";

/// A release.
pub struct Release {
    /// `0.1.0`.
    pub version: String,
    time: OffsetDateTime,
}

impl Release {
    /// The one that the repository is at. Its time is `SOURCE_DATE_EPOCH`, else that of the last commit.
    pub fn of_repository() -> Result<Release> {
        let seconds = match env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text,
            Err(_) => {
                let mut git = Command::new("git");
                git.args(["log", "-1", "--format=%ct"])
                    .current_dir(workspace());
                let text = process::output(&mut git)
                    .context("no time: set SOURCE_DATE_EPOCH where there is no git repository")?;
                String::from_utf8(text)?
            }
        };
        let seconds = seconds
            .trim()
            .parse()
            .context("SOURCE_DATE_EPOCH is no number")?;
        Ok(Release {
            version: version::of_workspace()?,
            time: OffsetDateTime::from_unix_timestamp(seconds)?,
        })
    }

    /// Seconds since 1970.
    pub fn time(&self) -> u64 {
        self.time.unix_timestamp().try_into().unwrap_or(0)
    }

    /// The same as a date.
    pub fn date_time(&self) -> OffsetDateTime {
        self.time
    }
}
