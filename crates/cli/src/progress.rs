//! Progress on the terminal, where work takes more than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often what is shown moves.
const TICK: Duration = Duration::from_millis(100);

/// Work of several steps.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For so many steps. Where standard error is no terminal nothing is ever shown.
    pub fn new(steps: usize) -> Progress {
        let target = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style =
            ProgressStyle::with_template("{spinner} [{bar:20}] {pos}/{len} {msg} ({elapsed})");
        bar.set_style(style.expect("the template is well-formed"));
        Progress { bar }
    }

    /// Does a step, which the message says.
    pub fn step<T>(&self, message: impl Into<String>, work: impl FnOnce() -> T) -> T {
        self.bar.set_message(message.into());
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
            // Where there is no thread to be had, nothing is shown.
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
