//! Captures in another process: `snapshot.background`.

use crate::background::job::{self, Job, JobFile};
use crate::background::report::Failure;
use crate::background::room;
use crate::capture_time::CaptureTime;
use crate::lua::snapshot_handle::Handle;
use crate::module::call::Call;
use crate::module::frame::{Hold, push_handle};
use crate::module::result::{Error, Return};
use crate::native::capture::{Unavailable, cannot_fit, capture_by};
use crate::native::facts::Facts;
use luasnap_heap::{BuildError, Heap};
use luasnap_words::{Sentence, Spoken};

impl Call<'_> {
    /// Captures the whole heap in a process of its own, which gives it to `write` and ends. Only with
    /// [`ColumnAllocator`](crate::ColumnAllocator) as the allocator of the program or the library: in that process nobody
    /// may ask another one, start a thread or print.
    pub fn capture_in_background(
        &self,
        file: JobFile,
        write: &mut dyn FnMut(Heap) -> Result<(), Failure>,
    ) -> Result<Return, Error> {
        let (state, origin) = (self.state(), self.origin());
        let facts = || Facts::of(state, origin.metatables);
        if let Some(reason) = cannot_fit(state.version(), facts()) {
            return Err(refusal("background.portable_only", reason));
        }
        if let Some(reason) = state.allocated_bytes().and_then(room::lacks) {
            return Err(refusal("background.refused", reason));
        }
        let handle = self.push_empty_handle()?;
        let held = self.frame.with_outside_memory(|outside| outside.held());
        let moment = CaptureTime::with_memory(held);
        let mut trust = self.frame.trust(|trust| *trust);
        // Pushing the handle has changed how much the VM has.
        let (version, facts) = (state.version(), facts());
        let job = Job::start(file, || {
            let heap = capture_by(version, facts, origin, None, &mut trust);
            write(moment.mark(heap.map_err(failure)?))
        });
        match job {
            Ok(job) => {
                // SAFETY: proved to be a handle, and on the top of the stack.
                unsafe { (*handle).put_job(job) };
                Ok(Return::Job)
            }
            Err(error) => Err(refusal("background.refused", error.sentence())),
        }
    }

    /// Pushes a handle that stands for nothing yet. Made before the process is, so that it is never without one.
    fn push_empty_handle(&self) -> Result<*mut Handle, Error> {
        let mut handle = std::ptr::null_mut();
        self.frame.protected(&[], 1, &mut |state| {
            (handle, _) = push_handle(state, Hold::Nothing);
            1
        })?;
        // With the debug library, someone can replace the inner function.
        match Handle::at_any(self.state(), -1) == Some(handle) {
            true => Ok(handle),
            false => Err(Error::Message("snapshot has lost its functions".into())),
        }
    }

    /// Waits for processes that have ended and of which nobody has a job any more. While others run, a userdata of ours
    /// is left behind, so that the collector comes here again: a process that nobody waits for stays in the system's list.
    pub fn wait_for_abandoned_jobs(&self) {
        if job::wait_for_abandoned() {
            let top = self.state().top();
            // Without memory for it, the next call of any function waits.
            let _ = self.push_empty_handle();
            self.state().set_top(top);
        }
    }
}

/// What the process says of a capture that failed.
fn failure(unavailable: Unavailable) -> Failure {
    match unavailable {
        Unavailable::Failed(BuildError::OutOfMemory) => Failure::OutOfMemory,
        Unavailable::Failed(error) => Failure::Said(error.to_string()),
        Unavailable::Reason(reason) => Failure::Said(why("background.portable_only", reason)),
    }
}

/// The error of a call that makes no process.
fn refusal(code: &'static str, reason: Sentence) -> Error {
    Error::Message(why(code, reason))
}

fn why(code: &'static str, reason: Sentence) -> String {
    Sentence::new(code).with("reason", reason).to_string()
}
