//! How a verb writes metrics.

use crate::failure::Result;
use crate::fleet::Origin;
use crate::metrics::exposition::{Exposition, Watched};
use crate::metrics::metrics_file::MetricsFile;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use luasnap_format::{GroupShares, GrowthSeries, WatchStep};
use luasnap_words::{Sentence, Spoken};
use std::path::PathBuf;

/// The most groups of each sort that can be asked for: each is a time series on the monitoring system.
const MOST_GROUPS: u64 = 200;

/// How a verb writes metrics.
#[derive(Args)]
pub struct MetricsOptions {
    /// After each step, replace this file: figures in Prometheus' text format, for node_exporter's textfile collector
    /// (NAME.prom in its folder). It is removed at the end
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// In metrics, list the N largest groups and the N that grow most; all others are one
    #[arg(long, value_name = "N", default_value_t = 20, requires = "metrics",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_GROUPS))]
    metrics_groups: usize,
}

/// The metrics of a process that is watched. The file goes when this is dropped.
pub struct Metrics {
    file: MetricsFile,
    exposition: Exposition,
    /// Whether the last step could not be written, which was said then.
    is_failing: bool,
}

impl MetricsOptions {
    /// Returns a series for the steps, which knows what metrics take from it.
    pub fn series(&self) -> GrowthSeries {
        match self.metrics {
            Some(_) => GrowthSeries::with_shares(self.metrics_groups),
            None => GrowthSeries::default(),
        }
    }

    /// Returns the file that metrics are to be written to, if there is one.
    ///
    /// # Errors
    ///
    /// A sentence, if it cannot be written, or if there is one that luasnap did not write.
    pub fn file(&self) -> Result<Option<MetricsFile>> {
        self.metrics.clone().map(MetricsFile::new).transpose()
    }

    /// Whether metrics are to be written.
    pub fn are_asked_for(&self) -> bool {
        self.metrics.is_some()
    }

    /// Returns the metrics of a process, with names or without.
    pub fn of(
        &self,
        file: MetricsFile,
        watched: Watched,
        (origin, has_names): (Origin, bool),
    ) -> Metrics {
        Metrics {
            file,
            exposition: Exposition::new(watched, origin, has_names),
            is_failing: false,
        }
    }
}

impl Metrics {
    /// Replaces the file by what is known of a step. Returns why that could not be, once: the next step may do better.
    pub fn write(&mut self, step: &WatchStep, shares: &GroupShares) -> Option<Sentence> {
        let written = self.exposition.text(step, shares);
        let written = written.and_then(|text| self.file.write(&text));
        let said = self.is_failing;
        self.is_failing = written.is_err();
        let problem = written.err().filter(|_| !said)?;
        Some(Sentence::new("metrics.not_written").with("reason", problem.why().sentence()))
    }
}
