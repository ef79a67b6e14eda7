//! A step of watching a process, as a row.

use crate::answer_error::Result;
use crate::answers::growth::{GrowthAnswer, GrowthRow};
use crate::answers::growth_series::GrowthSeries;
use crate::answers::rate_row::RateRow;
use luasnap_heap::{Census, Snapshot};
use luasnap_words::Sentence;
use serde::Serialize;
use std::time::Duration;

/// How a process was stopped for a snapshot.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct StopTimes {
    /// How long the longest stop was.
    pub longest: Duration,
    /// How long it stood still in all.
    pub total: Duration,
    /// The number of stops.
    pub stops: u64,
}

/// A step of watching a process: what was seen, and what has grown since the first step.
#[derive(Clone, Debug, Serialize)]
pub struct WatchStep {
    /// The number of the step, from 1 on.
    pub step: u64,
    /// When the snapshot was taken, in milliseconds since 1970.
    pub taken_at_ms: Option<u64>,
    /// The time since the first step, in milliseconds.
    pub elapsed_ms: Option<u64>,
    /// The process's physical memory (RSS), in bytes.
    pub resident: Option<u64>,
    /// The VM's own total, in bytes.
    pub vm_total: Option<u64>,
    /// The bytes of all objects in use.
    pub size: u64,
    /// The number of objects in use.
    pub objects: u64,
    /// The bytes of objects that the collector has not freed yet; `None` where that is unknown.
    pub garbage: Option<u64>,
    /// Whether every byte of the VM's own total is accounted for.
    #[serde(rename = "exact")]
    pub is_exact: bool,
    /// How long the longest stop of this step was, in milliseconds.
    pub pause: f64,
    /// How long the process stood still for it in all, in milliseconds.
    pub stood_still: f64,
    /// The number of stops.
    pub stops: u64,
    /// What grows, how fast and where, in a sentence; `None` at the first step.
    pub verdict: Option<Sentence>,
    /// The groups that have grown since the first step, those that grew most first.
    pub groups: Vec<RateRow>,
}

impl WatchStep {
    /// Returns a step: its snapshot, the last one that was added to `series`; how the process was stopped for it; and
    /// what has grown since the first step. Lists at most `most` groups.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn new(
        step: u64,
        snapshot: &Snapshot,
        stop: StopTimes,
        series: &GrowthSeries,
        growth: Option<&GrowthAnswer>,
        most: usize,
    ) -> Result<WatchStep> {
        let provenance = snapshot.everything().provenance();
        let taken_at = provenance.taken_at;
        let elapsed = series.elapsed_until(taken_at);
        let census = Census::new(snapshot)?;
        let milliseconds = |time: Duration| time.as_micros() as f64 / 1000.0;
        let grown = growth.map_or(&[][..], |growth| &growth.changed);
        let grown = grown.iter().filter(|row| has_grown(row)).take(most);
        Ok(WatchStep {
            step,
            taken_at_ms: taken_at,
            elapsed_ms: elapsed,
            resident: provenance.process_memory.resident,
            vm_total: provenance.total,
            size: series.size(),
            objects: census.live.count,
            garbage: census.garbage.map(|garbage| garbage.bytes),
            is_exact: census.is_exact(),
            pause: milliseconds(stop.longest),
            stood_still: milliseconds(stop.total),
            stops: stop.stops,
            verdict: growth.map(|growth| growth.verdict.clone()),
            groups: grown
                .map(|row| RateRow::new(row, elapsed.unwrap_or(0)))
                .collect(),
        })
    }
}

/// Whether a group has more bytes, or else more members or entries, than at the first step.
fn has_grown(row: &GrowthRow) -> bool {
    let (size, count, entries) = (row.size_change, row.count_change, row.entry_change);
    size > 0 || size == 0 && (count > 0 || count == 0 && entries > 0)
}
