//! Captures of the states in one process: the best one of each.

use crate::capture_time::CaptureTime;
use crate::memory::memory_pieces::MemoryPieces;
use crate::native::foreign_objects::{ForeignObject, sharers};
use crate::native::main_state::MainState;
use crate::native::stopped::{self, NotCaptured, Stopped};
use crate::process::found_state::{FoundState, script};
use luasnap_heap::Heap;
use luasnap_words::{Sentence, Spoken, displayed_in_english};

/// Why a state that was found was not captured: a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Uncaptured {
    address: u64,
    reason: NotCaptured,
}

impl Spoken for Uncaptured {
    fn sentence(&self) -> Sentence {
        Sentence::new("attach.state_unreadable")
            .with("address", format!("{:#x}", self.address))
            .with("reason", self.reason.sentence())
    }
}

displayed_in_english!(Uncaptured);

impl Uncaptured {
    /// Why each layout that was tried does not fit, a sentence for each.
    pub fn details(&self) -> &[Sentence] {
        match &self.reason {
            NotCaptured::Unknown(unknown) => &unknown.details,
            NotCaptured::Failed(_) => &[],
        }
    }

    /// Whether no known layout fits the state.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.reason, NotCaptured::Unknown(_))
    }
}

/// A state, and its heap or why it was not captured.
pub type StateCapture = (FoundState, Result<Heap, Uncaptured>);

/// A state, and the best capture of it so far.
struct Best {
    state: FoundState,
    /// The heap, and its unaccounted bytes.
    heap: Result<(Heap, u64), NotCaptured>,
    /// The objects of other states that this one refers to.
    foreign: Vec<ForeignObject>,
    /// Number of captures with the same total and the same unaccounted bytes; `None` once two
    /// differed.
    alike: Option<u32>,
}

/// This many captures with the same unaccounted bytes show that these are no accident of the
/// moment: the layout is wrong.
const SETTLED: u32 = 3;

impl Best {
    fn new(memory: &MemoryPieces<'_>, state: &MainState, moment: CaptureTime) -> Best {
        let mut found = FoundState::named(memory, state);
        let most = memory.writable_bytes();
        let mut foreign = Vec::new();
        let heap = stopped::capture(memory, state, most).map(|stopped| {
            let Stopped {
                mut heap,
                layout,
                unaccounted,
                foreign: objects,
            } = stopped;
            found.layout = layout;
            found.script = script(&heap);
            foreign = objects;
            heap.set_state_name(found.name.clone());
            (moment.mark(heap), unaccounted)
        });
        Best {
            state: found,
            heap,
            foreign,
            alike: Some(1),
        }
    }

    /// Adds another capture of the same state, which replaces this one if it is better.
    fn take(&mut self, again: Best) {
        let left = |best: &Best| {
            let (_, unaccounted) = best.heap.as_ref().ok()?;
            Some((best.state.total, *unaccounted))
        };
        let alike = self.alike.filter(|_| left(self) == left(&again));
        if again.is_better_than(self) {
            *self = again;
        }
        self.alike = alike.map(|alike| alike + 1);
    }

    /// Whether another capture would tell nothing new.
    fn is_settled(&self) -> bool {
        let is_alike = self.heap.is_ok() && self.alike.is_some_and(|alike| alike >= SETTLED);
        self.is_exact() || is_alike
    }

    fn is_exact(&self) -> bool {
        matches!(self.heap, Ok((_, 0)))
    }

    fn is_of(&self, state: &MainState) -> bool {
        self.state.main_thread == state.main_thread
            && self.state.vm == FoundState::uncaptured(state).vm
    }

    fn is_better_than(&self, other: &Best) -> bool {
        match (&self.heap, &other.heap) {
            (Ok((_, own)), Ok((_, others))) => own < others,
            (own, others) => own.is_ok() && others.is_err(),
        }
    }
}

/// The states of one process.
#[derive(Default)]
pub(super) struct Captures(Vec<Best>);

impl Captures {
    /// Captures a state, unless there is an exact capture of it.
    pub(super) fn add(
        &mut self,
        memory: &MemoryPieces<'_>,
        state: &MainState,
        moment: CaptureTime,
    ) {
        let known = self.0.iter_mut().find(|known| known.is_of(state));
        match known {
            Some(known) if known.is_exact() => {}
            Some(known) => {
                known.take(Best::new(memory, state, moment));
            }
            None => self.0.push(Best::new(memory, state, moment)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any state was captured.
    pub(super) fn have_heap(&self) -> bool {
        self.0.iter().any(|best| best.heap.is_ok())
    }

    /// Whether any state was not captured.
    pub(super) fn have_failed(&self) -> bool {
        self.0.iter().any(|best| best.heap.is_err())
    }

    /// Whether another attempt would tell nothing new about any state.
    pub(super) fn are_settled(&self) -> bool {
        !self.is_empty() && self.0.iter().all(Best::is_settled)
    }

    /// Notes in each heap how many of the states refer to the same objects of others.
    fn count_sharers(&mut self) {
        if self.0.len() < 2 {
            return;
        }
        let foreign = |best: &mut Best| std::mem::take(&mut best.foreign);
        let objects: Vec<_> = self.0.iter_mut().map(foreign).collect();
        for (best, count) in self.0.iter_mut().zip(sharers(&objects)) {
            if let Ok((heap, _)) = &mut best.heap {
                heap.set_sharers(count);
            }
        }
    }

    /// Returns the states by address. The error says why none of them can be captured: no known
    /// layout fits, or there is not enough memory.
    pub(super) fn finish(mut self) -> Result<Vec<StateCapture>, Uncaptured> {
        self.count_sharers();
        let mut captures: Vec<StateCapture> = self.0.into_iter().map(Best::finish).collect();
        captures.sort_by_key(|(state, _)| state.main_thread);
        let errors = || captures.iter().map(|(_, heap)| heap.as_ref().err());
        // A state that could be read with more memory does not have an unknown layout.
        let is_failed = |error: &&Uncaptured| !error.is_unknown();
        let first = errors().flatten().find(is_failed);
        match first.or(errors().flatten().next()) {
            Some(error) if errors().all(|error| error.is_some()) => Err(error.clone()),
            _ => Ok(captures),
        }
    }
}

impl Best {
    fn finish(self) -> StateCapture {
        let address = self.state.main_thread;
        let is_accident = self.alike.is_none_or(|alike| alike == 1);
        let heap = match self.heap {
            Ok((_, bytes)) if bytes != 0 && !is_accident => {
                let sentence = Sentence::new("layout.missing")
                    .with("vm", self.state.vm.to_string())
                    .with("layout", self.state.layout.to_string())
                    .with("bytes", bytes);
                Err(NotCaptured::Unknown(sentence.into()))
            }
            Ok((heap, _)) => Ok(heap),
            Err(reason) => Err(reason),
        };
        let heap = heap.map_err(|reason| Uncaptured { address, reason });
        (self.state, heap)
    }
}
