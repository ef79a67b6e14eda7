//! Where a process's memory is, for people: the head of answers.

use crate::look;
use crate::table::{Column, Columns, to_the_left, to_the_right};
use luasnap_format::{Ledger, LedgerChange, SharedRow, byte_size, grouped};
use luasnap_words::Sentence;
use unicode_width::UnicodeWidthStr;

/// Returns the ledger of a snapshot, a line for each place and one for what there is to say; empty if nothing
/// is known.
pub fn as_text(ledger: &Ledger) -> String {
    let mut lines = Columns::without_head(&[Column::Word("place"), Column::Text("bytes")]);
    for (place, text) in [
        ("ledger.process", process(ledger)),
        ("ledger.vm", vm(ledger)),
        ("ledger.outside_place", outside(ledger)),
        ("ledger.shared_place", ledger.shared.map(shared)),
    ] {
        if let Some(text) = text {
            lines.row([look::words(place), text]);
        }
    }
    format!("{}{}", lines.text(), sentence(ledger.verdict.as_ref()))
}

fn process(ledger: &Ledger) -> Option<String> {
    let mut text = said_of("ledger.resident", ledger.resident?);
    for (code, bytes) in [
        ("ledger.peak", ledger.peak_resident),
        ("ledger.limit", ledger.limit),
    ] {
        if let Some(bytes) = bytes {
            text += &said_of(code, bytes);
        }
    }
    Some(text)
}

/// Returns what a number of bytes is.
fn said_of(code: &'static str, bytes: u64) -> String {
    look::sentence(&Sentence::new(code).with("bytes", byte_size(bytes)))
}

fn vm(ledger: &Ledger) -> Option<String> {
    let parts = [
        (ledger.in_use, "ledger.in_use"),
        (ledger.garbage, "ledger.is_garbage"),
        (ledger.other, "ledger.its_own"),
        (
            ledger.unaccounted.map(i64::unsigned_abs),
            "ledger.unaccounted",
        ),
    ];
    let parts = parts.into_iter().filter_map(|(bytes, code)| {
        let bytes = bytes.filter(|bytes| *bytes > 0)?;
        Some(said_of(code, bytes))
    });
    let parts = parts.collect::<Vec<_>>().join(&look::words("text.comma"));
    let total = byte_size(ledger.vm_total?);
    Some(match parts.is_empty() {
        true => total,
        false => {
            let parts = Sentence::new("ledger.parts").with("parts", parts);
            look::sentence(&parts.with("total", total))
        }
    })
}

/// Returns what a state uses of others.
pub fn shared(shared: SharedRow) -> String {
    let states = shared
        .states
        .map(|states| Sentence::new("ledger.shared_by").with("states", grouped(u64::from(states))));
    look::sentence(
        &Sentence::new("ledger.shared")
            .with("objects", grouped(shared.count))
            .with("bytes", byte_size(shared.bytes))
            .with("states", states),
    )
}

fn outside(ledger: &Ledger) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(bytes) = ledger.outside {
        parts.push(byte_size(bytes));
    }
    if let Some(bytes) = ledger.snapshots.filter(|bytes| *bytes > 0) {
        parts.push(said_of("ledger.snapshots", bytes));
    }
    let holders: Vec<String> = [
        (ledger.cdata.unwrap_or(0), "ledger.cdata"),
        (ledger.finalizers, "ledger.finalizers"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, code)| look::sentence(&Sentence::new(code).with("count", grouped(count))))
    .collect();
    if !holders.is_empty() {
        let holders = holders.join(&look::words("text.and"));
        let holders = Sentence::new("ledger.may_hold").with("holders", holders);
        parts.push(look::sentence(&holders));
    }
    (!parts.is_empty()).then(|| parts.join(&look::words("text.comma")))
}

/// Returns the ledgers of the first and the last of several snapshots, a line for each place; empty if nothing
/// is known.
pub fn change_as_text(change: &LedgerChange) -> String {
    type Bytes = fn(&Ledger) -> Option<u64>;
    let places: [(&str, Bytes); 4] = [
        ("ledger.process", |ledger| ledger.resident),
        ("ledger.vm", |ledger| ledger.vm_total),
        ("ledger.garbage_place", |ledger| ledger.garbage),
        ("ledger.outside_place", |ledger| ledger.outside),
    ];
    let places = places.map(|(code, bytes)| (look::words(code), bytes));
    // Columns of fixed widths, so that other sizes elsewhere do not move them.
    let widest = places.iter().map(|(place, _)| place.width()).max();
    let widest = widest.unwrap_or(0);
    let line = |place: &str, [first, last, change]: [&str; 3]| {
        let [first, last] = [first, last].map(|cell| to_the_right(cell, 10));
        let (place, change) = (to_the_left(place, widest), to_the_right(change, 11));
        format!("{place}  {first}  {last}  {change}\n")
    };
    let mut text = String::new();
    for (place, bytes) in &places {
        let (Some(first), Some(last)) = (bytes(&change.first), bytes(&change.last)) else {
            continue;
        };
        let sign = if last < first { "-" } else { "+" };
        let grown = format!("{sign}{}", byte_size(last.abs_diff(first)));
        let [first, last] = [first, last].map(byte_size);
        text += &line(place, [&first, &last, &grown]);
    }
    if !text.is_empty() {
        let head = ["ledger.first", "ledger.last", "ledger.change"].map(look::words);
        text = line("", [&head[0], &head[1], &head[2]]) + &text;
    }
    text + &sentence(change.verdict.as_ref())
}

/// Returns a sentence on lines of its own.
fn sentence(verdict: Option<&Sentence>) -> String {
    let mut line = Columns::without_head(&[Column::Text("verdict")]);
    if let Some(verdict) = verdict {
        line.row([look::sentence(verdict)]);
    }
    line.text()
}
