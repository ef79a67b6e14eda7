//! Leaks in words, as a test says why it fails: a block for each cause.

use crate::answers::growth::GrowthRow;
use crate::answers::leak::{Allowed, LeakRow};
use crate::labels::numbers::{byte_size, grouped};
use luasnap_words::{Language, Sentence, count};

/// Most leaks that are told, and most groups of one.
const MOST_LEAKS: usize = 10;
const MOST_GROUPS: usize = 10;

/// Returns what leaks in each of so many runs: where it accumulates, which groups grow, and how to allow it. `leaks` are
/// [those](crate::leaks) that `allowed` leaves.
pub fn leak_text(
    leaks: &[LeakRow<'_>],
    allowed: &Allowed,
    runs: usize,
    language: Language,
) -> String {
    let say = |sentence: Sentence| sentence.text(language);
    if let [leak] = leaks {
        let point = point(leak).map(|point| Sentence::new("leak.of_one").with("point", point));
        let head = Sentence::new("leak.one").with("point", point);
        let mut text = say(head.with("runs", runs.to_string()));
        for line in lines(leak, allowed, runs) {
            text += &format!("\n  {}", say(line));
        }
        return text;
    }
    let head = Sentence::new("leak.many").with("count", grouped(leaks.len() as u64));
    let mut text = say(head.with("runs", runs.to_string()));
    for leak in leaks.iter().take(MOST_LEAKS) {
        let point = point(leak).unwrap_or_else(|| Sentence::new("leak.one_group"));
        text += &format!(
            "\n  {}",
            say(Sentence::new("leak.head").with("point", point))
        );
        for line in lines(leak, allowed, runs) {
            text += &format!("\n    {}", say(line));
        }
    }
    if leaks.len() > MOST_LEAKS {
        let more = grouped((leaks.len() - MOST_LEAKS) as u64);
        text += &format!(
            "\n  {}",
            say(Sentence::new("leak.more").with("count", more))
        );
    }
    text
}

/// Says where a leak accumulates.
fn point(leak: &LeakRow<'_>) -> Option<Sentence> {
    let suspect = leak.suspect?;
    let in_brackets = |code, what: &Sentence| Sentence::new(code).with("what", what.clone());
    let is = suspect.point_is.as_ref();
    let holder = suspect.held_by.as_ref();
    let point = Sentence::new("leak.point")
        .with("name", suspect.point.to_string())
        .with("is", is.map(|is| in_brackets("text.is", is)))
        .with(
            "holder",
            holder.map(|who| in_brackets("growth.is_held_by", who)),
        );
    Some(point)
}

/// Returns the lines of a leak.
fn lines(leak: &LeakRow<'_>, allowed: &Allowed, runs: usize) -> Vec<Sentence> {
    let groups = leak.groups.iter().take(MOST_GROUPS);
    let mut lines: Vec<Sentence> = groups.map(|group| growth(group, runs)).collect();
    if leak.groups.len() > MOST_GROUPS {
        let more = count((leak.groups.len() - MOST_GROUPS) as u64, "more group");
        lines.push(Sentence::new("text.more").with("what", more));
    }
    if let Some((example, is)) = leak.example() {
        let is = is.map(|is| Sentence::new("text.is").with("what", is.clone()));
        let example = Sentence::new("leak.example").with("example", example.to_string());
        lines.push(example.with("is", is));
    }
    let replaced = allowed.replaced_by(leak);
    let code = match replaced.len() {
        1 => "leak.replaces_one",
        _ => "leak.replaces",
    };
    let quoted = replaced.iter().map(|older| format!("\"{older}\""));
    let quoted = quoted.collect::<Vec<_>>().join(", ");
    let replaces = (!replaced.is_empty()).then(|| Sentence::new(code).with("older", quoted));
    let allow = Sentence::new("leak.allow").with("fingerprint", leak.fingerprint());
    lines.push(allow.with("replaces", replaces));
    lines
}

/// How much a group grew, and its name. It may have larger members instead of more.
fn growth(row: &GrowthRow, runs: usize) -> Sentence {
    let bytes = byte_size(row.size_change.unsigned_abs());
    let entries = |code, change: i64| {
        let entries = count(change.unsigned_abs(), "entry");
        let sentence = Sentence::new(code).with("entries", entries);
        sentence.with("rate", rate(change, runs))
    };
    let sentence = match (row.count_change, row.size_change, row.entry_change) {
        (0, 0, more) => entries("leak.entries", more),
        (0, _, more @ 1..) => entries("leak.entries_and_bytes", more).with("bytes", bytes),
        (0, ..) => Sentence::new("leak.larger").with("bytes", bytes),
        (more, ..) => Sentence::new("leak.members")
            .with("count", grouped(more.unsigned_abs()))
            .with("rate", rate(more, runs))
            .with("bytes", bytes),
    };
    sentence
        .with("kind", row.kind.type_name())
        .with("name", row.name.to_string())
}

/// Number of new objects per run, to a tenth where needed.
fn rate(change: i64, runs: usize) -> String {
    let rate = change as f64 / runs as f64;
    match rate.fract() == 0.0 {
        true => format!("{rate}"),
        false => format!("{rate:.1}"),
    }
}
