//! Paths that are short enough to read.

use crate::answer_error::Result;
use crate::answers::name::Name;
use crate::labels::path::push_step_bytes;
use crate::labels::printable::push_bytes;
use luasnap_heap::{
    GroupStep, Groups, Heap, Label, PathStarts, PatternId, Rank, ShortestPathTree, Snapshot,
};
use std::collections::VecDeque;

/// The number of steps of a long path that are shown at its start, ...
const FIRST: usize = 8;
/// ... and at its end.
const LAST: usize = 4;
/// The number of bytes of a long step that are shown.
const STEP_BYTES: usize = 48;

/// Returns the shortest path to the object at a rank of the [tree of everything](Snapshot::everything_tree),
/// for people: it starts at the table of globals, the table of loaded modules or the main thread if it leads
/// through one of them, and its middle and its long steps are cut.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn path_of_everything(snapshot: &Snapshot, rank: Rank) -> Result<Name> {
    short_path(snapshot.everything(), snapshot.everything_tree()?, rank)
}

/// Returns the path to an object for people, as [`path_of_everything`] does, in any heap.
pub(crate) fn short_path(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Result<Name> {
    let starts = PathStarts::of(heap);
    let start = |rank: Rank| starts.step(heap, tree, rank);
    let upward = std::iter::successors(Some(rank), |rank| match start(*rank) {
        Some(_) => None,
        None => tree.parent(*rank),
    });
    // The step to an upvalue's value is the upvalue's name, as in the `objects` view.
    let is_step = |rank: &Rank| heap.label(tree.edge(*rank)) != Label::Value;
    join(upward.filter(is_step), |out, rank| {
        let exact = || GroupStep::Exact(heap.label(tree.edge(rank)));
        push_group_step(out, heap, start(rank).unwrap_or_else(exact))
    })
}

/// Returns a path of these labels, the first step first, with its middle and its long steps cut.
pub(crate) fn steps_text(
    heap: &Heap,
    labels: impl DoubleEndedIterator<Item = Label>,
) -> Result<Name> {
    let is_step = |label: &Label| *label != Label::Value;
    join(labels.rev().filter(is_step), |out, label| {
        push_short_step(out, heap, label)
    })
}

/// Returns the text of a path pattern.
pub(crate) fn pattern_text(heap: &Heap, groups: &Groups, path: PatternId) -> Result<Name> {
    join(groups.patterns().steps(path), |out, step| {
        push_group_step(out, heap, step)
    })
}

/// Appends a step of a pattern.
fn push_group_step(out: &mut Vec<u8>, heap: &Heap, step: GroupStep) -> Result {
    let fixed: &[u8] = match step {
        GroupStep::AnyKey => b"[*]",
        GroupStep::AnyName => b"*",
        GroupStep::Reference => b"[ref]",
        GroupStep::Globals => b"_G",
        GroupStep::Loaded => b"package.loaded",
        GroupStep::Exact(label) => return push_short_step(out, heap, label),
    };
    push_bytes(out, fixed)
}

/// Joins the steps of a path, given from its end upwards.
fn join<T>(
    mut upward: impl Iterator<Item = T>,
    push: impl Fn(&mut Vec<u8>, T) -> Result,
) -> Result<Name> {
    let mut last: Vec<T> = upward.by_ref().take(LAST).collect();
    last.reverse();
    let mut first = VecDeque::with_capacity(FIRST + 1);
    let mut left_out = 0;
    for step in upward {
        first.push_front(step);
        if first.len() > FIRST {
            first.pop_back();
            left_out += 1;
        }
    }
    let mut path = Vec::new();
    for step in first {
        push(&mut path, step)?;
        push_bytes(&mut path, b".")?;
    }
    if left_out > 0 {
        push_bytes(&mut path, format!("..[{left_out} steps]...").as_bytes())?;
    }
    for (at, step) in last.into_iter().enumerate() {
        if at > 0 {
            push_bytes(&mut path, b".")?;
        }
        push(&mut path, step)?;
    }
    Ok(path.into())
}

/// Appends a step, cut if it is long.
fn push_short_step(out: &mut Vec<u8>, heap: &Heap, label: Label) -> Result {
    let start = out.len();
    push_step_bytes(out, heap, label, &mut Vec::new())?;
    cut_end(out, start)
}

/// Cuts the text that begins at `start` if it is long, at the end of a character.
pub(crate) fn cut_end(text: &mut Vec<u8>, start: usize) -> Result {
    if text.len() - start <= STEP_BYTES {
        return Ok(());
    }
    let is_inside = |at: &usize| text[start + *at] & 0xC0 == 0x80;
    // No character has more than 4 bytes.
    let mut ends = (STEP_BYTES - 3..=STEP_BYTES).rev();
    let end = ends.find(|at| !is_inside(at)).unwrap_or(STEP_BYTES);
    text.truncate(start + end);
    push_bytes(text, b"...")
}
