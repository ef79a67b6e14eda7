//! Work that takes longer than a key may: it is done by a thread of its own, and what it finds appears as it is found.

use crate::failure::Result;
use crate::view::subject::Subject;
use luasnap_words::{Sentence, Spoken};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two reports.
const PAUSE: Duration = Duration::from_millis(40);

/// Work under way. It is given up when this is dropped.
pub struct Task<T> {
    found: Receiver<Result<T>>,
    is_cancelled: Arc<AtomicBool>,
}

/// What the work says.
pub enum News<T> {
    /// It has found this.
    Found(T),
    /// Nothing new.
    None,
    /// It has ended.
    Ended,
}

impl<T: Send + 'static> Task<T> {
    /// Begins work.
    ///
    /// # Errors
    ///
    /// If the system has no thread for it.
    pub fn begin(
        subject: &Arc<Subject>,
        work: impl FnOnce(&Subject, &mut Report<T>) -> Result<()> + Send + 'static,
    ) -> Result<Task<T>> {
        let (sender, found) = channel();
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let mut report = Report {
            sender,
            is_cancelled: Arc::clone(&is_cancelled),
            last: Instant::now(),
        };
        let subject = Arc::clone(subject);
        let begun = thread::Builder::new().spawn(move || {
            if let Err(error) = work(&subject, &mut report) {
                let _ = report.sender.send(Err(error));
            }
        });
        begun.map_err(|error| Sentence::new("fail.no_thread").with("reason", error.sentence()))?;
        Ok(Task {
            found,
            is_cancelled,
        })
    }

    /// Returns what the work has found since, without waiting for it.
    ///
    /// # Errors
    ///
    /// If the work failed.
    pub fn news(&self) -> Result<News<T>> {
        match self.found.try_recv() {
            Ok(found) => Ok(News::Found(found?)),
            Err(TryRecvError::Empty) => Ok(News::None),
            Err(TryRecvError::Disconnected) => Ok(News::Ended),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// Where work says what it has found.
pub struct Report<T> {
    sender: Sender<Result<T>>,
    is_cancelled: Arc<AtomicBool>,
    last: Instant,
}

impl<T> Report<T> {
    /// Whether nobody waits for the work any more.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// Whether it is time to say what was found so far.
    pub fn is_due(&self) -> bool {
        self.last.elapsed() >= PAUSE
    }

    /// Says what was found.
    pub fn found(&mut self, found: T) {
        self.last = Instant::now();
        let _ = self.sender.send(Ok(found));
    }
}
