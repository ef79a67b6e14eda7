//! A VM that was stopped anywhere, perhaps in the middle of an allocation or of the collector's work.

use crate::layout::{self, Layout};
use crate::memory::memory::Memory;
use crate::native::capture::{make_heap, sweep};
use crate::native::foreign_objects::ForeignObject;
use crate::native::layout_mismatch::{Failure, LayoutMismatch};
use crate::native::main_state::MainState;
use crate::native::origin::Origin;
use crate::native::reasons::{Reasons, Unknown};
use crate::native::swept::SweptHeap;
use luasnap_heap::{BuildError, Heap};
use luasnap_words::{Sentence, Spoken, displayed_in_english};
use std::borrow::Cow;

/// At most one byte in this many may be missing from the total: memory that was allocated and is on
/// no list yet, such as a table's new slots while it grows.
const MISSING: u64 = 8;

/// A capture of a VM that was stopped anywhere.
pub(crate) struct Stopped {
    pub(crate) heap: Heap,
    /// The releases whose structures the VM has, or may have.
    pub(crate) layout: Cow<'static, str>,
    /// Bytes that the VM counts as its own and that were not found.
    pub(crate) unaccounted: u64,
    /// The objects of other VMs to which it refers.
    pub(crate) foreign: Vec<ForeignObject>,
}

/// Why there is no capture.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NotCaptured {
    /// No layout fits.
    Unknown(Unknown),
    /// The heap could not be built.
    Failed(BuildError),
}

impl Spoken for NotCaptured {
    fn sentence(&self) -> Sentence {
        match self {
            NotCaptured::Unknown(unknown) => unknown.sentence.clone(),
            NotCaptured::Failed(error) => error.sentence(),
        }
    }
}

displayed_in_english!(NotCaptured);

/// Captures the VM of a main state, in a process that holds at most `most` bytes. A layout that
/// accounts for all bytes is best; otherwise one that misses a few will do, since with it no object
/// in use refers to something that is not an object.
pub(crate) fn capture(
    memory: &impl Memory,
    state: &MainState,
    most: u64,
) -> Result<Stopped, NotCaptured> {
    if state.total > most {
        let reason = Sentence::new("layout.too_many_bytes").with("total", state.total);
        return Err(NotCaptured::Unknown(reason.into()));
    }
    let origin = Origin {
        is_stopped_at_any_instruction: true,
        ..Origin::default()
    };
    let mut reasons = Reasons::default();
    let mut best: Option<(SweptHeap, Layout)> = None;
    // All layouts that leave bytes unaccounted: any of them may be the right one.
    let mut names = Vec::new();
    // Those of them that were tried, and how much they leave.
    let mut tried_before: Vec<(Layout, u64)> = Vec::new();
    for &layout in &state.layouts {
        let would_leave = tried_before.iter().find_map(|&(other, missing)| {
            let more = layout.finds_more_than(other)?;
            Some(missing as i64 - more)
        });
        if would_leave.is_some_and(|bytes| bytes != 0) {
            continue;
        }
        let tried = sweep(memory, layout, state.global_state, origin).and_then(|swept| {
            let missing = swept.total - swept.found;
            if missing == 0 {
                let name = layout.names(swept.tells_apart);
                return Ok(Some(finish(swept, layout, name, state)?));
            }
            tried_before.push((layout, missing));
            if missing > swept.total / MISSING {
                let (found, total) = (swept.found, swept.total);
                return Err(LayoutMismatch::sum(found, total).into());
            }
            names.insert(0, layout.names(swept.tells_apart));
            if best
                .as_ref()
                .is_none_or(|(other, _)| other.found < swept.found)
            {
                best = Some((swept, layout));
            }
            Ok(None)
        });
        match tried {
            Ok(Some(stopped)) => return Ok(stopped),
            Ok(None) => {}
            Err(failure) => reasons.note(layout, failure).map_err(NotCaptured::Failed)?,
        }
    }
    if let Some((swept, layout)) = best {
        let name = layout::either(names.into_iter());
        match finish(swept, layout, name, state) {
            Ok(stopped) => return Ok(stopped),
            Err(failure) => reasons.note(layout, failure).map_err(NotCaptured::Failed)?,
        }
    }
    Err(NotCaptured::Unknown(reasons.of_vm(state.version())))
}

fn finish(
    swept: SweptHeap,
    layout: Layout,
    name: Cow<'static, str>,
    state: &MainState,
) -> Result<Stopped, Failure> {
    Ok(Stopped {
        unaccounted: swept.total - swept.found,
        layout: name.clone(),
        foreign: swept.foreign.clone().unwrap_or_default(),
        heap: make_heap(swept, layout, name, state.global_state, None)?,
    })
}
