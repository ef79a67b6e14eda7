//! `check(fn [, options])`: for tests, whether anything grows each time a function runs.

use crate::arguments::{Result, engine_of_environment, language_option};
use crate::failure::comparison_error;
use luasnap_capture::{Call, Error, Return};
use luasnap_format::{Allowed, leak_text};
use luasnap_heap::Snapshot;
use luasnap_words::Language;

/// Number of runs by default, at least and at most.
const RUNS: usize = 5;
const FEWEST_RUNS: usize = 2;
const MOST_RUNS: usize = 1000;

/// `check(fn [, {runs = 5, allow = {...}, language = "en"}])`: runs the function, and raises a failure of the test framework, or an
/// error where there is none, if any group of objects is larger after each run than before it. An extra first run,
/// which is not counted, lets caches fill.
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
    let leaks = luasnap_format::leaks(&answer, &options.allowed);
    match leaks.is_empty() {
        true => Ok(Return::Nothing),
        false => Err(Error::Failure(leak_text(
            &leaks,
            &options.allowed,
            options.runs,
            options.language,
        ))),
    }
}

/// The options of a call.
struct Options {
    runs: usize,
    allowed: Allowed,
    language: Language,
}

impl Options {
    fn of(call: &Call<'_>) -> Result<Options> {
        let mut options = Options {
            runs: RUNS,
            allowed: Allowed::default(),
            language: Language::default(),
        };
        if call.is_nil_argument(2) {
            return Ok(options);
        }
        options.runs = call.count_option(2, "runs")?.unwrap_or(RUNS);
        options.language = language_option(call, 2)?.unwrap_or_default();
        options.allowed = Allowed::new(call.list_option(2, "allow")?);
        if !(FEWEST_RUNS..=MOST_RUNS).contains(&options.runs) {
            let reason = format!(
                "option 'runs' is from {FEWEST_RUNS} to {MOST_RUNS}, got {}",
                options.runs
            );
            return Err(Error::Argument { number: 2, reason });
        }
        Ok(options)
    }
}
