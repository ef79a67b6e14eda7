//! Where a process's memory is, for people: the head of answers.

use crate::look;
use crate::table::{Column, Columns};
use luasnap_format::{Ledger, LedgerChange, byte_size, grouped};
use luasnap_words::Sentence;

/// Returns the ledger of a snapshot, a line for each place and one for what there is to say; empty if nothing
/// is known.
pub fn as_text(ledger: &Ledger) -> String {
    let mut lines = Columns::without_head(&[Column::Word("place"), Column::Text("bytes")]);
    for (place, text) in [
        ("process", process(ledger)),
        ("Lua VM", vm(ledger)),
        ("outside", outside(ledger)),
    ] {
        if let Some(text) = text {
            lines.row([place.to_owned(), text]);
        }
    }
    format!("{}{}", lines.text(), sentence(ledger.verdict.as_ref()))
}

fn process(ledger: &Ledger) -> Option<String> {
    let mut text = format!("{} resident", byte_size(ledger.resident?));
    for (name, bytes) in [("peak", ledger.peak_resident), ("limit", ledger.limit)] {
        if let Some(bytes) = bytes {
            text += &format!(", {name} {}", byte_size(bytes));
        }
    }
    Some(text)
}

fn vm(ledger: &Ledger) -> Option<String> {
    let parts = [
        (ledger.in_use, "in use"),
        (ledger.garbage, "garbage"),
        (ledger.other, "its own"),
        (ledger.unaccounted.map(i64::unsigned_abs), "unaccounted for"),
    ];
    let parts = parts.into_iter().filter_map(|(bytes, what)| {
        Some(format!(
            "{} {what}",
            byte_size(bytes.filter(|bytes| *bytes > 0)?)
        ))
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    let total = byte_size(ledger.vm_total?);
    Some(match parts.is_empty() {
        true => total,
        false => format!("{total}: {parts}"),
    })
}

fn outside(ledger: &Ledger) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(bytes) = ledger.outside {
        parts.push(byte_size(bytes));
    }
    if let Some(bytes) = ledger.snapshots.filter(|bytes| *bytes > 0) {
        parts.push(format!("{} of it in snapshots", byte_size(bytes)));
    }
    let holders: Vec<String> = [
        (ledger.cdata.unwrap_or(0), "cdata"),
        (ledger.finalizers, "userdata with finalizers"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", grouped(count)))
    .collect();
    if !holders.is_empty() {
        parts.push(format!("{} may hold some", holders.join(" and ")));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Returns the ledgers of the first and the last of several snapshots, a line for each place; empty if nothing
/// is known.
pub fn change_as_text(change: &LedgerChange) -> String {
    type Bytes = fn(&Ledger) -> Option<u64>;
    let places: [(&str, Bytes); 4] = [
        ("process", |ledger| ledger.resident),
        ("Lua VM", |ledger| ledger.vm_total),
        ("garbage", |ledger| ledger.garbage),
        ("outside", |ledger| ledger.outside),
    ];
    let mut text = String::new();
    for (place, bytes) in places {
        let (Some(first), Some(last)) = (bytes(&change.first), bytes(&change.last)) else {
            continue;
        };
        let sign = if last < first { "-" } else { "+" };
        let grown = format!("{sign}{}", byte_size(last.abs_diff(first)));
        let [first, last] = [first, last].map(byte_size);
        // Columns of fixed widths, so that other sizes elsewhere do not move them.
        text += &format!("{place:7}  {first:>10}  {last:>10}  {grown:>11}\n");
    }
    if !text.is_empty() {
        text = format!(
            "         {:>10}  {:>10}  {:>11}\n{text}",
            "first", "last", "change"
        );
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
