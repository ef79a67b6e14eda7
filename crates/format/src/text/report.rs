//! The short report: the largest groups, and what grew most.

use crate::answer_error::Result;
use crate::answers::report::{Report, ReportOf, ReportRow, report};
use crate::labels::numbers::{byte_size, count_of, grouped};
use luasnap_heap::{Engine, Kind, Snapshot};
use std::fmt::Display;
use std::io;

/// How much a report lists.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// The most groups and the most tables.
    pub rows: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions { rows: 10 }
    }
}

/// Writes a short report for people: the groups of a snapshot's objects, or of a difference's new (or gone) ones,
/// and the tables that grew (or shrank) most.
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails;
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit
/// numbers.
pub fn write_report(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    options: ReportOptions,
) -> Result {
    let report = report(snapshot, options.rows)?;
    if report.group_count == 0 && report.resized_count == 0 {
        let nothing = match report.of {
            ReportOf::All => "the snapshot is empty.",
            ReportOf::New => "nothing new is left behind.",
            ReportOf::Gone => "nothing is gone.",
        };
        return Ok(writeln!(out, "{nothing}")?);
    }
    if let Some(verdict) = &report.verdict {
        writeln!(out, "{verdict}\n")?;
    }
    if report.group_count > 0 {
        write_summary(out, &report)?;
        write_groups(out, &report)?;
    }
    if report.resized_count > 0 {
        if report.group_count > 0 {
            writeln!(out)?;
        }
        write_resized(out, &report)?;
    }
    Ok(())
}

fn write_summary(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    let hold = match report.group_count {
        1 => "group holds",
        _ => "groups hold",
    };
    let object = if report.count == 1 {
        "object"
    } else {
        "objects"
    };
    let (before, after) = match report.of {
        ReportOf::All => ("", ""),
        ReportOf::New => ("new ", ""),
        ReportOf::Gone => ("", " that are gone"),
    };
    // Only the native engine's sizes are exact.
    let about = match report.engine {
        Engine::Native => "",
        Engine::Portable => "about ",
    };
    let without = match report.with_strings {
        true => "",
        false => " (strings not counted)",
    };
    writeln!(
        out,
        "{} {hold} {} {before}{object}{after}, {about}{}{without}:\n",
        grouped(report.group_count as u64),
        grouped(report.count),
        byte_size(report.size),
    )
}

fn write_groups(out: &mut dyn io::Write, report: &Report) -> Result {
    let is_known = report.groups.iter().any(|row| row.retained.is_some());
    let retained = |text: &dyn Display| match is_known {
        true => format!("  {text:>10}"),
        false => String::new(),
    };
    let bytes = match report.engine {
        Engine::Native => "bytes",
        Engine::Portable => "about",
    };
    writeln!(
        out,
        "  {:>11}  {bytes:>10}{}  {:8}  held by",
        "objects",
        retained(&"retained"),
        "type"
    )?;
    for row in &report.groups {
        writeln!(
            out,
            "  {:>11}  {:>10}{}  {:8}  {}",
            grouped(row.count),
            byte_size(row.size),
            retained(&byte_size(row.retained.unwrap_or(0))),
            row.kind.type_name(),
            described(row),
        )?;
        if let Some(example) = &row.example {
            let error = row.error.as_ref().filter(|_| row.count > 1);
            let error = error
                .map(|error| format!("  ({error})"))
                .unwrap_or_default();
            let is = row.example_is.as_ref();
            let is = is.map(|is| format!("  ({is})")).unwrap_or_default();
            let (nothing, no_bytes) = ("", retained(&""));
            writeln!(
                out,
                "  {nothing:11}  {nothing:10}{no_bytes}  {nothing:8}  e.g. {example}{is}{error}"
            )?;
        }
    }
    let more = report.group_count - report.groups.len();
    if more > 0 {
        writeln!(out, "  ... and {}", count_of(more as u64, "smaller group"))?;
    }
    Ok(())
}

/// Returns the path pattern of a group, if it has one, and what else is known about it.
fn described(row: &ReportRow) -> String {
    if let Some(doing) = &row.doing {
        let text = match &row.path {
            Some(path) => format!("{path}  ({doing})"),
            None => row.name.to_string(),
        };
        return match &row.error {
            Some(error) if row.count == 1 => format!("{text}: {error}"),
            _ => text,
        };
    }
    match (row.kind, &row.path) {
        (Kind::CFunction, _) => format!("{}  (in C)", row.name),
        (Kind::Thread, Some(path)) => format!("{path}  (runs {})", row.name),
        (_, Some(path)) => format!("{path}  (defined at {})", row.name),
        _ => row.name.to_string(),
    }
}

fn write_resized(out: &mut dyn io::Write, report: &Report) -> Result {
    let verb = match report.of {
        ReportOf::Gone => "shrank",
        _ => "grew",
    };
    writeln!(out, "Tables that {verb} most:")?;
    for row in &report.resized {
        writeln!(out, "  {}", row.text(verb))?;
    }
    let more = report.resized_count - report.resized.len();
    if more > 0 {
        let what = match report.resized.iter().all(|row| row.count == 1) {
            true => "more table",
            false => "more group",
        };
        writeln!(out, "  ... and {}", count_of(more as u64, what))?;
    }
    Ok(())
}
