//! Leaks in words, as a test says why it fails: a block for each cause.

use crate::answers::growth::GrowthRow;
use crate::answers::leak::{Allowed, LeakRow};
use crate::labels::numbers::{byte_size, entries_of, grouped};

/// Most leaks that are told, and most groups of one.
const MOST_LEAKS: usize = 10;
const MOST_GROUPS: usize = 10;

/// Returns what leaks in each of so many runs: where it accumulates, which groups grow, and how to allow it. `leaks` are
/// [those](crate::leaks) that `allowed` leaves.
pub fn leak_text(leaks: &[LeakRow<'_>], allowed: &Allowed, runs: usize) -> String {
    let each = format!("in each of {runs} runs:");
    if let [leak] = leaks {
        let point = point(leak).map(|point| format!(" {point},"));
        let head = format!("1 leak,{} {each}", point.unwrap_or_default());
        return head + &block(leak, allowed, runs, "\n  ");
    }
    let mut text = format!("{} leaks {each}", grouped(leaks.len() as u64));
    for leak in leaks.iter().take(MOST_LEAKS) {
        let point = point(leak).unwrap_or_else(|| "one group".to_owned());
        text += &format!("\n  {point}:");
        text += &block(leak, allowed, runs, "\n    ");
    }
    if leaks.len() > MOST_LEAKS {
        let more = grouped((leaks.len() - MOST_LEAKS) as u64);
        text += &format!("\n  ... and {more} more");
    }
    text
}

/// Says where a leak accumulates.
fn point(leak: &LeakRow<'_>) -> Option<String> {
    let suspect = leak.suspect?;
    let is = suspect.point_is.as_ref().map(|is| format!(" ({is})"));
    let held_by = suspect.held_by.map(|who| format!(" (held by {who})"));
    Some(format!(
        "accumulating at {}{}{}",
        suspect.point,
        is.unwrap_or_default(),
        held_by.unwrap_or_default()
    ))
}

/// Returns the lines of a leak; each begins with `indent`.
fn block(leak: &LeakRow<'_>, allowed: &Allowed, runs: usize, indent: &str) -> String {
    let mut text = String::new();
    for group in leak.groups.iter().take(MOST_GROUPS) {
        text += indent;
        text += &growth(group, runs);
    }
    if leak.groups.len() > MOST_GROUPS {
        let more = grouped((leak.groups.len() - MOST_GROUPS) as u64);
        text += &format!("{indent}... and {more} more groups");
    }
    if let Some((example, is)) = leak.example() {
        let is = is.map(|is| format!(" ({is})"));
        text += &format!("{indent}for example {example}{}", is.unwrap_or_default());
    }
    text += &format!("{indent}to allow it: \"{}\"", leak.fingerprint());
    let replaced = allowed.replaced_by(leak);
    if !replaced.is_empty() {
        let quoted = replaced.iter().map(|older| format!("\"{older}\""));
        let quoted = quoted.collect::<Vec<_>>().join(", ");
        text += &match replaced.len() {
            1 => format!(" (which replaces {quoted}, a fingerprint of an older release)"),
            _ => format!(" (which replaces {quoted}, fingerprints of an older release)"),
        };
    }
    text
}

/// How much a group grew, and its name. It may have larger members instead of more.
fn growth(row: &GrowthRow, runs: usize) -> String {
    let (kind, name) = (row.kind.type_name(), &row.name);
    let bytes = byte_size(row.size_change.unsigned_abs());
    let entries = |change: i64| {
        let change_a_run = rate(change, runs);
        format!(
            "+{} ({change_a_run} a run",
            entries_of(change.unsigned_abs())
        )
    };
    match (row.count_change, row.size_change, row.entry_change) {
        (0, 0, more) => format!("{}): {kind} {name}", entries(more)),
        (0, _, more @ 1..) => format!("{}, {bytes} in all): {kind} {name}", entries(more)),
        (0, ..) => format!("larger by {bytes} in all: {kind} {name}"),
        (more, ..) => format!(
            "+{} {kind} ({} a run, {bytes} in all): {name}",
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
