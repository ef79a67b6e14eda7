//! Progress on the terminal, if work takes more than a second.

use crate::look;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use luasnap_words::Sentence;
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// The time before progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time between updates.
const TICK: Duration = Duration::from_millis(100);

/// Work of several steps.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Returns progress for this many steps. Nothing is shown if standard error is not a terminal.
    pub fn new(steps: usize) -> Progress {
        let target = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style =
            ProgressStyle::with_template("{spinner} [{bar:20}] {pos}/{len} {msg} ({elapsed})");
        bar.set_style(style.expect("the template is well-formed"));
        Progress { bar }
    }

    /// Runs a step of the work, and shows the message meanwhile.
    pub fn step<T>(&self, message: Sentence, work: impl FnOnce() -> T) -> T {
        self.bar.set_message(look::sentence(&message));
        let done = match stderr().is_terminal() {
            true => self.shown(work),
            false => work(),
        };
        self.bar.inc(1);
        done
    }

    fn shown<T>(&self, work: impl FnOnce() -> T) -> T {
        let (done, is_done) = channel::<()>();
        let bar = &self.bar;
        thread::scope(|scope| {
            // If no thread is available, nothing is shown.
            let _ = thread::Builder::new().spawn_scoped(scope, move || {
                while let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(TICK) {
                    if bar.elapsed() > PATIENCE && bar.is_hidden() {
                        bar.set_draw_target(ProgressDrawTarget::stderr());
                    }
                    bar.tick();
                }
            });
            let result = work();
            drop(done);
            result
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
