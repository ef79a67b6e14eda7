//! The process that is watched: a snapshot at each step.

use crate::about::about_file;
use crate::attach::program_name;
use crate::failure::{Failure, Result, code_of_attach};
use crate::fleet::{SaveAs, TableLog};
use crate::kept_files::KeptFiles;
use crate::metrics::{Metrics, MetricsFile, Watched};
use crate::names::NameKey;
use crate::output::report_problem;
use crate::output_file::OutputFile;
use crate::report::Report;
use crate::watch::end::End;
use crate::watch::options::Watch;
use crate::watch::output::{Summary, WatchOutput};
use luasnap_capture::process::{
    AttachError, AttachErrorKind, AttachOptions, Fate, FoundState, ProcessIdentity, StateChoice,
    attach, lua_states, resident,
};
use luasnap_capture::{note_signals, signal_noted};
use luasnap_format::{GrowthAnswer, GrowthSeries, StopTimes, WatchStep, byte_size};
use luasnap_heap::{Process, Snapshot};
use luasnap_words::{Sentence, Spoken};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often it looks whether the process is still there.
const GLANCE: Duration = Duration::from_millis(100);

impl Watch {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        self.check();
        let key = self.names.key()?;
        let pid = self.process.find()?;
        let states = lua_states(pid).map_err(refused)?;
        self.chosen(pid, &states)?;
        let Some(identity) = ProcessIdentity::of(pid) else {
            return Err(ended_early(pid));
        };
        let (files, tables) = match self.to {
            SaveAs::Luasnap => (self.kept_files(pid)?, None),
            SaveAs::Parquet => (None, self.table_log(pid)?),
        };
        if let Some(page) = self.report.clone() {
            OutputFile::named(page).check()?;
        }
        let metrics_file = self.metrics.file()?;
        note_signals();
        let mut watch = Watching {
            output: WatchOutput::new(pid, self.json)?,
            options: &self,
            pid,
            identity,
            state: 0,
            files,
            tables,
            metrics_file,
            metrics: None,
            key,
            process: None,
            series: self.metrics.series(),
            growth: None,
            steps: 0,
            stop_times: StopTimes::default(),
        };
        let end = match watch.run() {
            Ok(end) => end,
            // What was found before is not lost.
            Err(error) if watch.steps > 0 => End::Failed(error),
            Err(error) => return Err(error),
        };
        // They are of a process that is watched.
        watch.metrics = None;
        watch.finish(&end)
    }
}

fn ended_early(pid: u32) -> Failure {
    let ended = Sentence::new("attach.ended").with("process", pid);
    Failure::with_code(&ended, code_of_attach(AttachErrorKind::Ended))
}

fn refused(error: AttachError) -> Failure {
    Failure::with_code(&error, code_of_attach(error.kind()))
}

/// A process that is being watched.
struct Watching<'a> {
    options: &'a Watch,
    pid: u32,
    output: WatchOutput,
    identity: ProcessIdentity,
    /// The address of the state.
    state: u64,
    files: Option<KeptFiles>,
    tables: Option<TableLog>,
    /// Where metrics will be, until it is known of what.
    metrics_file: Option<MetricsFile>,
    metrics: Option<Metrics>,
    key: Option<NameKey>,
    /// The process as the first snapshot knows it.
    process: Option<Process>,
    series: GrowthSeries,
    /// What has grown so far.
    growth: Option<GrowthAnswer>,
    steps: u64,
    /// Of all steps together.
    stop_times: StopTimes,
}

impl Watching<'_> {
    /// Takes snapshots until something ends it.
    fn run(&mut self) -> Result<End> {
        if let Some(end) = self.wait_for_memory()? {
            return Ok(end);
        }
        let states = match lua_states(self.pid) {
            Ok(states) => states,
            Err(error) => {
                let end = self.after_error(error)?;
                return Ok(end.unwrap_or(End::NoState));
            }
        };
        self.begin(&states)?;
        let start = Instant::now();
        let last = self.options.length.map(|length| start + length);
        let mut next = start;
        loop {
            if let Some(end) = self.wait_until(next)? {
                return Ok(end);
            }
            if let Some(end) = self.step()? {
                return Ok(end);
            }
            let now = Instant::now();
            if last.is_some_and(|last| now >= last) {
                return Ok(End::Time);
            }
            // Steps that took too long are left out.
            while next <= now {
                next += self.options.every;
            }
            next = last.map_or(next, |last| next.min(last));
        }
    }

    /// Waits until the process has as much memory as was asked for.
    fn wait_for_memory(&mut self) -> Result<Option<End>> {
        let Some(above) = self.options.above else {
            return Ok(None);
        };
        loop {
            let has = resident(self.pid).unwrap_or(0);
            if has > above {
                return Ok(None);
            }
            let waiting = Sentence::new("watch.waiting")
                .with("above", byte_size(above))
                .with("now", byte_size(has));
            self.output.note(&waiting)?;
            if let Some(end) = self.wait_until(Instant::now() + GLANCE)? {
                return Ok(Some(end));
            }
        }
    }

    /// Waits, unless something ends it.
    fn wait_until(&mut self, time: Instant) -> Result<Option<End>> {
        loop {
            if let Some(signal) = signal_noted() {
                return Ok(Some(End::Signal(signal)));
            }
            match self.identity.fate() {
                Fate::Same => {}
                fate => return Ok(Some(End::of_fate(fate))),
            }
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if self.output.wait(left.min(GLANCE), left)? {
                return Ok(Some(End::Key));
            }
        }
    }

    /// Takes a snapshot, and shows what has grown.
    fn step(&mut self) -> Result<Option<End>> {
        self.output.note(&Sentence::new("watch.reading"))?;
        let options = AttachOptions {
            tries: self.options.tries,
            state: Some(StateChoice::At(self.state)),
            scratch: self.options.scratch.as_deref(),
        };
        let attached = match attach(self.pid, options) {
            Ok(attached) => attached,
            Err(error) => return self.after_error(error),
        };
        let stop = StopTimes {
            longest: attached.pause,
            total: attached.stood_still,
            stops: attached.stops.into(),
        };
        self.stop_times.longest = self.stop_times.longest.max(stop.longest);
        self.stop_times.total += stop.total;
        self.stop_times.stops += stop.stops;
        let heap = match attached.captures.into_iter().next() {
            Some((_, Ok(heap))) => heap,
            Some((_, Err(error))) => {
                self.output.problem(&error.sentence())?;
                return Ok(None);
            }
            None => return Ok(Some(End::NoState)),
        };
        // It may have become another one before it was read.
        let process = heap.provenance().process;
        let is_another = self.process.is_some() && process.is_some() && self.process != process;
        match self.identity.fate() {
            _ if is_another => return Ok(Some(End::of_fate(Fate::Another))),
            fate @ (Fate::Replaced | Fate::Another) => return Ok(Some(End::of_fate(fate))),
            Fate::Same | Fate::Ended => {}
        }
        self.process = process;
        let heap = match &self.key {
            Some(key) => key.hashed(heap)?,
            None => heap,
        };
        let snapshot = Snapshot::new(heap);
        if let Some(files) = &mut self.files
            && let Some(warning) = files.write(&snapshot)?
        {
            self.output.problem(&warning)?;
        }
        if let Some(tables) = &mut self.tables {
            tables.add(&snapshot)?;
        }
        self.output.note(&Sentence::new("progress.comparing"))?;
        let growth = self.series.add(&snapshot, self.options.rows)?;
        self.steps += 1;
        let rows = self.options.rows;
        let step = WatchStep::new(
            self.steps,
            &snapshot,
            stop,
            &self.series,
            growth.as_ref(),
            rows,
        )?;
        self.growth = growth.or(self.growth.take());
        if let Some(metrics) = &mut self.metrics
            && let Some(problem) = metrics.write(&step, self.series.shares())
        {
            self.output.problem(&problem)?;
        }
        let is_read = self.output.step(step, self.stop_times)?;
        Ok((!is_read).then_some(End::NobodyReads))
    }

    /// Chooses the state, and says which one it is.
    fn begin(&mut self, states: &[FoundState]) -> Result<()> {
        let state = self.options.chosen(self.pid, states)?;
        self.state = state.main_thread;
        let pid = self.pid;
        if let Some(file) = self.metrics_file.take() {
            let origin = self.options.tables.origin.here(&program_name(pid))?;
            let has_names = !self.options.names.are_left_out();
            let watched = Watched {
                pid,
                program: program_name(pid),
                state: state.main_thread,
                state_name: state.name.as_deref().map(|name| match &self.key {
                    Some(key) => key.hash(name.as_bytes()),
                    None => name.to_owned(),
                }),
                vm: state.vm.to_string(),
                every: self.options.every,
            };
            self.metrics = Some(self.options.metrics.of(file, watched, (origin, has_names)));
        }
        let address = format!("{:#x}", state.main_thread);
        self.output.begin(
            &Sentence::new("watch.title")
                .with("process", pid)
                .with(
                    "name",
                    state.name.clone().unwrap_or_else(|| program_name(pid)),
                )
                .with("vm", state.vm.to_string())
                .with("address", address.as_str()),
        )?;
        if states.len() > 1 && self.options.state.is_none() {
            let several = Sentence::new("watch.several_states")
                .with("process", pid)
                .with("states", states.len())
                .with("address", address);
            self.output.problem(&several)?;
        }
        Ok(())
    }

    /// Returns how a problem ends it; `None` if the next step may do better. The first step has to be possible.
    fn after_error(&mut self, error: AttachError) -> Result<Option<End>> {
        Ok(match error.kind() {
            AttachErrorKind::NoSuchProcess | AttachErrorKind::Ended => {
                Some(End::of_fate(self.identity.fate()))
            }
            _ if self.steps == 0 => return Err(refused(error)),
            AttachErrorKind::NoLuaState => match self.identity.fate() {
                Fate::Same => Some(End::NoState),
                fate => Some(End::of_fate(fate)),
            },
            AttachErrorKind::NotPermitted
            | AttachErrorKind::ThirtyTwoBit
            | AttachErrorKind::Unsupported => match self.identity.fate() {
                Fate::Same => Some(End::Failed(refused(error))),
                fate => Some(End::of_fate(fate)),
            },
            AttachErrorKind::Traced
            | AttachErrorKind::DoesNotStop
            | AttachErrorKind::NoRoom
            | AttachErrorKind::Failed => {
                let left_out = Sentence::new("watch.left_out").with("reason", error.sentence());
                self.output.problem(&left_out)?;
                None
            }
        })
    }

    /// Says what there is to say at the end.
    fn finish(mut self, end: &End) -> Result<ExitCode> {
        let tables = self.tables.take().map(TableLog::finish);
        // Nobody knows anything about a process that ended so soon.
        if self.steps == 0 && matches!(end, End::Ended | End::Another) {
            drop(self.output);
            return Err(ended_early(self.pid));
        }
        let tables = tables.transpose()?.unwrap_or_default();
        let files = self.files.iter().flat_map(KeptFiles::paths);
        let summary = Summary {
            end,
            steps: self.steps,
            stop_times: self.stop_times,
            times: self.series.times().collect(),
            growth: self.growth.as_ref(),
            files: files.map(Path::to_owned).chain(tables).collect(),
        };
        let files = some_of(&summary.files);
        self.output.finish(&summary)?;
        if let (Some(path), false) = (&self.options.report, files.is_empty()) {
            let page = OutputFile::named(path.clone());
            Report::about(files, path.clone()).write(&page)?;
            report_problem(&about_file("saved.page", path));
        }
        Ok(ExitCode::from(end.exit_code()))
    }
}

/// Returns the files of a page: all of them, or of many the first, the last, and some between them.
fn some_of(files: &[PathBuf]) -> Vec<PathBuf> {
    /// The most snapshots on a page. All of them are in memory at once.
    const MOST: usize = 8;
    if files.len() <= MOST {
        return files.to_vec();
    }
    let last = files.len() - 1;
    let chosen = (0..MOST).map(|number| &files[number * last / (MOST - 1)]);
    chosen.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_first_and_the_last_of_many() {
        let files = |count: usize| -> Vec<PathBuf> {
            (0..count).map(|number| number.to_string().into()).collect()
        };
        assert_eq!(some_of(&files(8)), files(8));
        let some = some_of(&files(50));
        let expected = ["0", "7", "14", "21", "28", "35", "42", "49"].map(PathBuf::from);
        assert_eq!(some, expected);
    }
}
