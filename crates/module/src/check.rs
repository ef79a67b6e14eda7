//! `check(fn [, options])`: for tests, whether anything grows each time a function runs.

use crate::arguments::{Result, engine_of_environment};
use crate::failure::comparison_error;
use luasnap_capture::{Call, Error, Return};
use luasnap_format::{GrowthAnswer, GrowthRow, Name, SuspectRow, byte_size, entries_of, grouped};
use luasnap_heap::{Kind, Snapshot};

/// Number of runs by default, at least and at most.
const RUNS: usize = 5;
const FEWEST_RUNS: usize = 2;
const MOST_RUNS: usize = 1000;
/// Most groups that a message names.
const NAMED: usize = 10;

/// `check(fn [, {runs = 5, allow = {...}}])`: runs the function, and raises an error if any group
/// of objects is larger after each run than before it. An extra first run, which is not counted,
/// lets caches fill.
pub fn check(call: &mut Call<'_>) -> Result {
    if !call.is_function_argument(1) {
        return Err(call.type_error(1, "function"));
    }
    let options = Options::of(call)?;
    let engine = engine_of_environment()?;
    call.call_argument(1)?;
    let mut snapshots = Vec::new();
    for run in 0..=options.runs {
        if run > 0 {
            call.call_argument(1)?;
        }
        call.collect_garbage();
        snapshots.push(Snapshot::new(call.capture_whole(engine)?));
    }
    let snapshots: Vec<&Snapshot> = snapshots.iter().collect();
    let answer = luasnap_format::growth(&snapshots, usize::MAX).map_err(comparison_error)?;
    let leaks: Vec<&GrowthRow> = answer
        .growing
        .iter()
        .filter(|row| options.counts(&answer, row))
        .collect();
    match leaks.is_empty() {
        true => Ok(Return::Nothing),
        false => Err(Error::Message(message(&leaks, &options))),
    }
}

/// The options of a call.
struct Options {
    runs: usize,
    /// Names and fingerprints of what may grow.
    allowed: Vec<Vec<u8>>,
}

impl Options {
    fn of(call: &Call<'_>) -> Result<Options> {
        let mut options = Options {
            runs: RUNS,
            allowed: Vec::new(),
        };
        if call.is_nil_argument(2) {
            return Ok(options);
        }
        options.runs = call.count_option(2, "runs")?.unwrap_or(RUNS);
        options.allowed = call.list_option(2, "allow")?;
        if !(FEWEST_RUNS..=MOST_RUNS).contains(&options.runs) {
            let reason = format!(
                "option 'runs' is from {FEWEST_RUNS} to {MOST_RUNS}, got {}",
                options.runs
            );
            return Err(Error::Argument { number: 2, reason });
        }
        Ok(options)
    }

    /// Returns the fingerprint of a group by an older rule if that one is allowed.
    fn older_of<'a>(&self, leak: &'a GrowthRow) -> Option<&'a str> {
        let is_allowed = |older: &&String| self.allowed.iter().any(|one| one == older.as_bytes());
        leak.older_fingerprints
            .iter()
            .find(is_allowed)
            .map(String::as_str)
    }

    /// Whether a group that grew counts as a leak. Code compiled by LuaJIT does not, nor does a
    /// group that is allowed, by itself or through the leak suspect that it belongs to.
    fn counts(&self, answer: &GrowthAnswer, row: &GrowthRow) -> bool {
        let is_allowed = |text: &str| self.allowed.iter().any(|one| one == text.as_bytes());
        let is_allowed_name = |name: &Name| self.allowed.iter().any(|one| name.is_meant_by(one));
        let in_allowed_suspect = answer.suspects.iter().any(|suspect| {
            is_allowed(&suspect.fingerprint) && suspect.groups.contains(&row.fingerprint)
        });
        let is_known =
            is_allowed_name(&row.name) || is_allowed(&row.fingerprint) || in_allowed_suspect;
        row.kind != Kind::Trace && !is_known && !is_explained(answer, row)
    }
}

/// Whether a group has as many members as before, and is larger only because members of another group came into
/// it: that one is told.
fn is_explained(answer: &GrowthAnswer, row: &GrowthRow) -> bool {
    let is_point = |suspect: &&SuspectRow| suspect.groups.contains(&row.fingerprint);
    row.count_change == 0
        && answer.suspects.iter().filter(is_point).any(|suspect| {
            let mut others = answer.rows_of(suspect);
            others.any(|other| other.count_change > 0)
        })
}

fn message(leaks: &[&GrowthRow], options: &Options) -> String {
    let runs = options.runs;
    let groups = match leaks.len() {
        1 => "1 group grows".to_owned(),
        many => format!("{} groups grow", grouped(many as u64)),
    };
    let mut text = format!("{groups} in each of {runs} runs:");
    for leak in leaks.iter().take(NAMED) {
        text += &grown(leak, runs);
        if leak.example != leak.name {
            text += &format!("\n      for example {}", leak.example);
        }
        text += &format!("\n      to allow it: \"{}\"", leak.fingerprint);
        if let Some(older) = options.older_of(leak) {
            text += &format!(" (which replaces \"{older}\", a fingerprint of an older release)");
        }
    }
    if leaks.len() > NAMED {
        text += &format!("\n  ... and {} more", grouped((leaks.len() - NAMED) as u64));
    }
    text
}

/// How much a group grew, and its name. It may have larger members instead of more.
fn grown(leak: &GrowthRow, runs: usize) -> String {
    let (kind, name) = (leak.kind.type_name(), &leak.name);
    let bytes = byte_size(leak.size_change.unsigned_abs());
    let entries = |change: i64| {
        let change_a_run = rate(change, runs);
        format!(
            "+{} ({change_a_run} a run",
            entries_of(change.unsigned_abs())
        )
    };
    match (leak.count_change, leak.size_change, leak.entry_change) {
        (0, 0, more) => format!("\n  {}): {kind} {name}", entries(more)),
        (0, _, 1..) => {
            let entries = entries(leak.entry_change);
            format!("\n  {entries}, {bytes} in all): {kind} {name}")
        }
        (0, ..) => format!("\n  larger by {bytes} in all: {kind} {name}"),
        (more, ..) => format!(
            "\n  +{} {kind} ({} a run, {bytes} in all): {name}",
            grouped(more.unsigned_abs()),
            rate(more, runs),
        ),
    }
}

/// Number of new objects per run, to a tenth where needed.
fn rate(change: i64, runs: usize) -> String {
    let rate = change as f64 / runs as f64;
    match rate.fract() == 0.0 {
        true => format!("{rate}"),
        false => format!("{rate:.1}"),
    }
}
