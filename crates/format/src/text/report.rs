//! The short report: the largest groups, and what grew most.

use crate::answer_error::Result;
use crate::answers::report::{Report, ReportOf, ReportRow, report};
use crate::labels::numbers::{byte_size, grouped};
use luasnap_heap::{Engine, Kind, Snapshot};
use luasnap_words::{Argument, Language, Sentence, count};
use std::io;
use unicode_width::UnicodeWidthStr;

/// How much a report lists, and how it speaks.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// The most groups and the most tables.
    pub rows: usize,
    /// The language.
    pub language: Language,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions {
            rows: 10,
            language: Language::default(),
        }
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
    let mut words = Words {
        out,
        language: options.language,
    };
    if report.group_count == 0 && report.resized_count == 0 {
        return words.line(&Sentence::new(match report.of {
            ReportOf::All => "report.empty",
            ReportOf::New => "report.nothing_new",
            ReportOf::Gone => "report.nothing_gone",
        }));
    }
    if let Some(verdict) = &report.verdict {
        words.line(verdict)?;
        words.blank()?;
    }
    if report.group_count > 0 {
        words.line(&summary(&report))?;
        words.blank()?;
        words.groups(&report)?;
    }
    if report.resized_count > 0 {
        if report.group_count > 0 {
            words.blank()?;
        }
        words.resized(&report)?;
    }
    Ok(())
}

fn summary(report: &Report) -> Sentence {
    let groups = Sentence::new(match report.group_count {
        1 => "report.group_holds",
        _ => "report.groups_hold",
    });
    let objects = match report.of {
        ReportOf::New => "new object",
        ReportOf::All | ReportOf::Gone => "object",
    };
    let gone = (report.of == ReportOf::Gone).then(|| Sentence::new("report.gone"));
    let size = byte_size(report.size);
    // Only the native engine's sizes are exact.
    let size: Argument = match report.engine {
        Engine::Native => size.into(),
        Engine::Portable => Sentence::new("report.about").with("bytes", size).into(),
    };
    let without = (!report.with_strings).then(|| Sentence::new("report.without_strings"));
    Sentence::new("report.summary")
        .with(
            "groups",
            groups.with("count", grouped(report.group_count as u64)),
        )
        .with("objects", count(report.count, objects))
        .with("gone", gone)
        .with("bytes", size)
        .with("without", without)
}

/// The report as it is written.
struct Words<'a> {
    out: &'a mut dyn io::Write,
    language: Language,
}

impl Words<'_> {
    fn say(&self, sentence: &Sentence) -> String {
        sentence.text(self.language)
    }

    fn head(&self, code: &'static str) -> String {
        self.say(&Sentence::new(code))
    }

    fn line(&mut self, sentence: &Sentence) -> Result {
        let line = self.say(sentence);
        Ok(writeln!(self.out, "{line}")?)
    }

    fn blank(&mut self) -> Result {
        Ok(writeln!(self.out)?)
    }

    /// Writes a row: objects, bytes, what they retain if that is known, type, and who holds them.
    fn row(
        &mut self,
        [objects, bytes, retained, kind, held_by]: [&str; 5],
        is_known: bool,
    ) -> Result {
        let (objects, bytes) = (to_the_right(objects, 11), to_the_right(bytes, 10));
        let retained = match is_known {
            true => format!("  {}", to_the_right(retained, 10)),
            false => String::new(),
        };
        let kind = kind.to_owned() + &blanks(kind, 8);
        Ok(writeln!(
            self.out,
            "  {objects}  {bytes}{retained}  {kind}  {held_by}"
        )?)
    }

    fn groups(&mut self, report: &Report) -> Result {
        let is_known = report.groups.iter().any(|row| row.retained.is_some());
        let bytes = match report.engine {
            Engine::Native => "head.bytes",
            Engine::Portable => "head.about",
        };
        let heads = [
            "head.objects",
            bytes,
            "head.retained",
            "head.type",
            "head.held_by",
        ];
        let heads = heads.map(|code| self.head(code));
        self.row(heads.each_ref().map(String::as_str), is_known)?;
        for row in &report.groups {
            let (objects, size) = (grouped(row.count), byte_size(row.size));
            let retained = byte_size(row.retained.unwrap_or(0));
            let held_by = self.say(&described(row));
            let kind = row.kind.type_name();
            self.row([&objects, &size, &retained, kind, &held_by], is_known)?;
            if let Some(example) = &row.example {
                let error = row.error.as_ref().filter(|_| row.count > 1);
                let error = error.map(|error| remark(error.to_string()));
                let is = row.example_is.as_ref();
                let example = Sentence::new("report.example")
                    .with("example", example.to_string())
                    .with("is", is.map(|is| remark(is.clone())))
                    .with("error", error);
                let example = self.say(&example);
                self.row(["", "", "", "", &example], is_known)?;
            }
        }
        let more = report.group_count - report.groups.len();
        self.more(more, "smaller group")
    }

    fn resized(&mut self, report: &Report) -> Result {
        self.line(&Sentence::new(match report.of {
            ReportOf::Gone => "report.shrank_most",
            _ => "report.grew_most",
        }))?;
        for row in &report.resized {
            let row = self.say(&row.words(report.of));
            writeln!(self.out, "  {row}")?;
        }
        let more = report.resized_count - report.resized.len();
        let what = match report.resized.iter().all(|row| row.count == 1) {
            true => "more table",
            false => "more group",
        };
        self.more(more, what)
    }

    /// Says how many more there are.
    fn more(&mut self, more: usize, what: &'static str) -> Result {
        if more > 0 {
            let more = Sentence::new("text.more").with("what", count(more as u64, what));
            let more = self.say(&more);
            writeln!(self.out, "  {more}")?;
        }
        Ok(())
    }
}

/// Returns blanks for the columns that a text leaves of so many.
fn blanks(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(text.width()))
}

fn to_the_right(text: &str, columns: usize) -> String {
    blanks(text, columns) + text
}

/// Returns a remark, to be written behind what it is about.
fn remark(what: impl Into<Argument>) -> Sentence {
    Sentence::new("path.remark").with("what", what)
}

/// Returns the path pattern of a group, if it has one, and what else is known about it.
fn described(row: &ReportRow) -> Sentence {
    let name = row.name.to_string();
    let of = |of: String, is: Option<Sentence>, error: Option<Sentence>| {
        let group = Sentence::new("report.group").with("name", of);
        group.with("is", is.map(remark)).with("error", error)
    };
    if let Some(doing) = &row.doing {
        let error = row.error.as_ref().filter(|_| row.count == 1);
        let error =
            error.map(|error| Sentence::new("report.error").with("error", error.to_string()));
        return match &row.path {
            Some(path) => of(path.to_string(), Some(doing.clone()), error),
            None => of(name, None, error),
        };
    }
    match (row.kind, &row.path) {
        (Kind::CFunction, _) => of(name, Some(Sentence::new("report.in_c")), None),
        (Kind::Thread, Some(path)) => {
            let runs = Sentence::new("report.runs").with("name", name);
            of(path.to_string(), Some(runs), None)
        }
        (_, Some(path)) => of(path.to_string(), Some(row.defined_at()), None),
        (_, None) => of(name, None, None),
    }
}
