//! What `luasnap watch` shows: a screen that is drawn in place, a line a step, or JSON.

use crate::failure::Result;
use crate::growth_text::{growth_text, signed, signed_bytes};
use crate::look;
use crate::output::{not_written, report_problem};
use crate::screen::Screen;
use crate::snapshot_file::taken_at;
use crate::table::{Column, Columns};
use crate::terminal;
use crate::watch::end::End;
use crate::wrap::wrap;
use luasnap_format::{
    GrowthAnswer, RateRow, StopTimes, WatchStep, byte_size, duration, grouped, printable,
    printable_path, readable_json,
};
use luasnap_words::{Sentence, Spoken, count};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

/// The most lines of the verdict on the screen.
const VERDICT_LINES: usize = 4;

/// Where the steps go.
pub struct WatchOutput {
    how: How,
    process: u32,
    /// What is watched, and how often.
    title: String,
    /// What goes on.
    note: String,
    /// What went wrong last.
    problem: Option<String>,
    last: Option<WatchStep>,
    stop_times: StopTimes,
}

enum How {
    Screen(Screen),
    Lines,
    Json,
}

/// What there is to say at the end.
pub struct Summary<'a> {
    /// Why it ends.
    pub end: &'a End,
    /// The number of steps.
    pub steps: u64,
    /// How the process was stopped in all steps together.
    pub stop_times: StopTimes,
    /// When the snapshots that are compared were taken, in milliseconds since 1970.
    pub times: Vec<Option<u64>>,
    /// What has grown; `None` if there were not two snapshots.
    pub growth: Option<&'a GrowthAnswer>,
    /// The files that were kept.
    pub files: Vec<PathBuf>,
}

impl WatchOutput {
    /// Returns the output about a process: JSON, or what standard output is made for.
    pub fn new(process: u32, is_json: bool) -> Result<WatchOutput> {
        let how = match (is_json, stdout().is_terminal()) {
            (true, _) => How::Json,
            (false, true) => How::Screen(Screen::new()?),
            (false, false) => How::Lines,
        };
        Ok(WatchOutput {
            how,
            process,
            title: look::sentence(&process_of(process)),
            note: String::new(),
            problem: None,
            last: None,
            stop_times: StopTimes::default(),
        })
    }

    /// Says what is watched.
    pub fn begin(&mut self, what: &Sentence) -> Result<()> {
        self.title = printable(look::sentence(what).as_bytes());
        self.draw()
    }

    /// Says what goes on, on the screen.
    pub fn note(&mut self, note: &Sentence) -> Result<()> {
        let note = look::sentence(note);
        if self.note != note {
            self.note = note;
            self.draw()?;
        }
        Ok(())
    }

    /// Says that something went wrong, or is worth knowing.
    pub fn problem(&mut self, problem: &Sentence) -> Result<()> {
        match self.how {
            How::Screen(_) => self.problem = Some(printable(look::sentence(problem).as_bytes())),
            How::Lines | How::Json => report_problem(problem),
        }
        self.draw()
    }

    /// Waits for a moment of the time that is left until the next step. Returns whether a key that ends it was pressed.
    pub fn wait(&mut self, moment: Duration, left: Duration) -> Result<bool> {
        let seconds = left.as_millis().div_ceil(1000);
        if self.last.is_some() {
            let next = Sentence::new("watch.next").with("seconds", seconds.to_string());
            self.note(&next)?;
        }
        Ok(match &self.how {
            How::Screen(screen) => screen.wait(moment),
            How::Lines | How::Json => {
                sleep(moment);
                false
            }
        })
    }

    /// Shows a step. Returns whether anybody reads it.
    pub fn step(&mut self, step: WatchStep, stop_times: StopTimes) -> Result<bool> {
        self.stop_times = stop_times;
        let is_read = match &self.how {
            How::Screen(_) => true,
            How::Lines => write_line(&line(&step))?,
            How::Json => write_line(&readable_json(
                &serde_json::to_string(&step).map_err(io::Error::from)?,
            ))?,
        };
        self.last = Some(step);
        self.draw()?;
        Ok(is_read)
    }

    /// Leaves the screen, and says what there is to say at the end.
    pub fn finish(self, summary: &Summary<'_>) -> Result<()> {
        let text = match self.how {
            How::Json => {
                if let End::Failed(failure) = summary.end {
                    report_problem(failure.why());
                }
                let json = serde_json::to_string(&Ending::new(self.process, summary))
                    .map_err(io::Error::from)?;
                readable_json(&json).to_string()
            }
            How::Screen(screen) => {
                drop(screen);
                summary.text(self.process)?
            }
            How::Lines => format!("\n{}", summary.text(self.process)?),
        };
        write_line(text.trim_end())?;
        Ok(())
    }

    fn draw(&self) -> Result<()> {
        let How::Screen(screen) = &self.how else {
            return Ok(());
        };
        let (columns, rows) = terminal::size();
        let lines = self.lines(columns.into(), rows.into());
        screen.draw(&lines).map_err(|error| {
            Sentence::new("terminal.cannot_draw")
                .with("reason", error.sentence())
                .into()
        })
    }

    /// Returns the lines of the screen, the rows of groups as many as there is room for.
    fn lines(&self, columns: usize, rows: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let status = match &self.last {
            Some(step) => Sentence::new("watch.status")
                .with("step", step.step.to_string())
                .with("time", elapsed(step)),
            None => Sentence::new("watch.status_first"),
        };
        let status = look::sentence(&status.with("note", self.note.as_str()));
        lines.extend(cut(&self.title));
        lines.extend(cut(&status));
        if let Some(problem) = &self.problem {
            lines.extend(cut(problem));
        }
        let Some(step) = &self.last else {
            return lines;
        };
        lines.extend(cut(&look::sentence(&memory(step))));
        lines.extend(cut(&stops(step, self.stop_times)));
        lines.push(String::new());
        let Some(verdict) = &step.verdict else {
            lines.extend(cut(&look::words("watch.from_second")));
            return lines;
        };
        lines.extend(
            wrap(&look::sentence(verdict), columns)
                .into_iter()
                .take(VERDICT_LINES),
        );
        lines.push(String::new());
        if !step.groups.is_empty() {
            let room = rows.saturating_sub(lines.len() + 1);
            let table = groups(&step.groups[..step.groups.len().min(room)], columns);
            lines.extend(table.lines().map(str::to_owned));
        }
        lines
    }
}

/// Returns a line that fits the terminal.
fn cut(text: &str) -> Option<String> {
    let mut line = Columns::without_head(&[Column::Line("line")]);
    line.row([text.to_owned()]);
    line.text().lines().next().map(str::to_owned)
}

/// Returns what a process is called.
fn process_of(process: u32) -> Sentence {
    Sentence::new("watch.process").with("process", process.to_string())
}

fn elapsed(step: &WatchStep) -> Option<Sentence> {
    let elapsed = step.elapsed_ms.filter(|elapsed| *elapsed >= 1000)?;
    Some(Sentence::new("watch.elapsed").with("time", duration(elapsed)))
}

fn memory(step: &WatchStep) -> Sentence {
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| look::words("watch.unknown"), byte_size);
    Sentence::new("watch.memory")
        .with("resident", bytes(step.resident))
        .with("vm", bytes(step.vm_total))
        .with("size", byte_size(step.size))
}

fn milliseconds(time: f64) -> String {
    format!("{time:.1} ms")
}

fn stops(step: &WatchStep, all: StopTimes) -> String {
    let milliseconds_of = |time: Duration| milliseconds(time.as_secs_f64() * 1000.0);
    look::sentence(
        &Sentence::new("watch.stops")
            .with("time", milliseconds(step.pause))
            .with("stops", count(all.stops, "stop"))
            .with("total", milliseconds_of(all.total))
            .with("longest", milliseconds_of(all.longest)),
    )
}

/// A column of the table of groups, the least width of the screen on which there is room for it, and what it has.
type GroupColumn = (Column, usize, fn(&RateRow) -> String);

/// Returns the groups that have grown, with fewer columns where there is less room.
fn groups(rows: &[RateRow], width: usize) -> String {
    let all: [GroupColumn; 7] = [
        (Column::Number("head.bytes_a_minute"), 0, |row| {
            signed_bytes(row.bytes_per_minute)
        }),
        (Column::Number("head.objects_a_minute"), 60, |row| {
            signed(row.objects_per_minute)
        }),
        (Column::Number("head.grown"), 100, |row| {
            signed_bytes(row.size_change)
        }),
        (Column::Number("head.size_now"), 80, |row| {
            byte_size(row.size)
        }),
        (Column::Number("head.count_now"), 100, |row| {
            grouped(row.count)
        }),
        (Column::Word("head.type"), 80, |row| {
            row.kind.type_name().to_owned()
        }),
        (Column::Line("head.group"), 0, |row| look::name(&row.name)),
    ];
    let shown = || all.iter().filter(|(_, least, _)| width >= *least);
    let columns: Vec<Column> = shown().map(|(column, ..)| *column).collect();
    let mut table = Columns::new(&columns);
    for row in rows {
        table.row(shown().map(|(_, _, cell)| cell(row)));
    }
    table.text()
}

/// Returns a step as a line of text.
fn line(step: &WatchStep) -> String {
    let time = step.taken_at_ms.map(taken_at);
    let growth = match step.groups.first() {
        Some(row) => Some(
            Sentence::new("watch.line_growth")
                .with("bytes", signed_bytes(row.bytes_per_minute))
                .with("objects", signed(row.objects_per_minute))
                .with("name", look::name(&row.name)),
        ),
        None if step.verdict.is_some() => Some(Sentence::new("watch.line_nothing")),
        None => None,
    };
    look::sentence(
        &Sentence::new("watch.line")
            .with("time", time)
            .with("memory", memory(step))
            .with("pause", milliseconds(step.pause))
            .with("growth", growth),
    )
}

/// Writes a line to standard output. Returns whether anybody reads it.
fn write_line(line: &str) -> Result<bool> {
    let mut out = anstream::stdout();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(not_written(&error)),
        Ok(()) => Ok(true),
    }
}

impl Summary<'_> {
    fn text(&self, process: u32) -> Result<String> {
        let mut text = String::new();
        if let Some(sentence) = self.end.sentence(process) {
            writeln!(
                text,
                "{}\n",
                printable(look::sentence(&sentence).as_bytes())
            )?;
        }
        let watched = match self.elapsed() {
            Some(elapsed @ 1000..) => {
                Some(Sentence::new("watch.for").with("time", duration(elapsed)))
            }
            _ => None,
        };
        let milliseconds_of = |time: Duration| milliseconds(time.as_secs_f64() * 1000.0);
        let watched = Sentence::new("watch.watched")
            .with("process", process.to_string())
            .with("time", watched)
            .with("steps", count(self.steps, "step"))
            .with("total", milliseconds_of(self.stop_times.total))
            .with("longest", milliseconds_of(self.stop_times.longest))
            .with("stops", count(self.stop_times.stops, "stop"));
        writeln!(text, "{}", look::sentence(&watched))?;
        if let [first, .., last] = &self.files[..] {
            let kept = Sentence::new("watch.kept_many")
                .with("count", grouped(self.files.len() as u64))
                .with("first", printable_path(first).to_string())
                .with("last", printable_path(last).to_string());
            writeln!(text, "{}", look::sentence(&kept))?;
        } else if let [file] = &self.files[..] {
            let file = printable_path(file).to_string();
            let kept = Sentence::new("watch.kept").with("file", file);
            writeln!(text, "{}", look::sentence(&kept))?;
        }
        match self.growth {
            Some(growth) => {
                let at = |time: &Option<u64>| time.map(taken_at).unwrap_or_default();
                let times: Vec<String> = self.times.iter().map(at).collect();
                write!(text, "\n{}", growth_text(&times, growth)?)?;
            }
            None => writeln!(text, "{}", look::words("watch.nothing"))?,
        }
        Ok(text)
    }

    /// Returns the time from the first to the last step, in milliseconds.
    fn elapsed(&self) -> Option<u64> {
        let (first, last) = (self.times.first()?, self.times.last()?);
        (*last)?.checked_sub((*first)?)
    }
}

/// The last line for programs.
#[derive(Serialize)]
struct Ending<'a> {
    end: &'static str,
    pid: u32,
    steps: u64,
    elapsed_ms: Option<u64>,
    /// In milliseconds.
    pause: f64,
    /// In milliseconds.
    stood_still: f64,
    stops: u64,
    files: Vec<String>,
    taken_at_ms: &'a [Option<u64>],
    growth: Option<&'a GrowthAnswer>,
}

impl<'a> Ending<'a> {
    fn new(process: u32, summary: &'a Summary<'a>) -> Ending<'a> {
        let milliseconds = |time: Duration| time.as_micros() as f64 / 1000.0;
        let files = summary.files.iter();
        Ending {
            end: summary.end.word(),
            pid: process,
            steps: summary.steps,
            elapsed_ms: summary.elapsed(),
            pause: milliseconds(summary.stop_times.longest),
            stood_still: milliseconds(summary.stop_times.total),
            stops: summary.stop_times.stops,
            files: files.map(|path| path.display().to_string()).collect(),
            taken_at_ms: &summary.times,
            growth: summary.growth,
        }
    }
}
