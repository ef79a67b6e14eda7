//! Figures of a process that is watched, for a monitoring system: a file in Prometheus' text format, which node_exporter's
//! textfile collector reads.

mod exposition;
mod help;
mod metrics_file;
mod options;

pub use exposition::Watched;
pub use metrics_file::{MetricsFile, remove_published};
pub use options::{Metrics, MetricsOptions};
