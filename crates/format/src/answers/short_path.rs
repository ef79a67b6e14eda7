//! Paths short enough to read, for reports.

use crate::answer_error::Result;
use crate::labels::path::push_step;
use crate::labels::printable::push_bytes;
use luasnap_heap::{GroupStep, Groups, Heap, Label, PathStarts, PatternId, Rank, Snapshot};
use std::collections::VecDeque;

/// How many steps of a long path are shown at its start, ...
const FIRST: usize = 8;
/// ... and at its end.
const LAST: usize = 4;
/// How many bytes of a long step are shown.
const STEP_BYTES: usize = 48;

/// The shortest path to an object at a rank of the [tree of
/// everything](Snapshot::everything_tree), for people: it starts at the table of globals, that
/// of loaded modules or the main thread where it leads through one, and its middle and its long
/// steps are cut.
///
/// Fails for lack of memory alone.
pub fn path_of_everything(snapshot: &Snapshot, rank: Rank) -> Result<String> {
    let heap = snapshot.everything();
    let tree = snapshot.everything_tree()?;
    let starts = PathStarts::of(heap);
    let start = |rank: Rank| starts.step(heap, tree, rank);
    let upward = std::iter::successors(Some(rank), |rank| match start(*rank) {
        Some(_) => None,
        None => tree.parent(*rank),
    });
    // A value is held by its upvalue's name, as where upvalues are not shown.
    let is_step = |rank: &Rank| heap.label(tree.edge(*rank)) != Label::Value;
    join(upward.filter(is_step), |rank| {
        let exact = || GroupStep::Exact(heap.label(tree.edge(rank)));
        group_step_text(heap, start(rank).unwrap_or_else(exact))
    })
}

/// A path of these labels, its first step first; its middle and its long steps are cut.
pub(crate) fn steps_text(
    heap: &Heap,
    labels: impl DoubleEndedIterator<Item = Label>,
) -> Result<String> {
    let is_step = |label: &Label| *label != Label::Value;
    join(labels.rev().filter(is_step), |label| step_text(heap, label))
}

/// The path pattern of a group.
pub(crate) fn pattern_text(heap: &Heap, groups: &Groups, path: PatternId) -> Result<String> {
    join(groups.patterns().steps(path), |step| {
        group_step_text(heap, step)
    })
}

fn group_step_text(heap: &Heap, step: GroupStep) -> Result<String> {
    Ok(match step {
        GroupStep::AnyKey => "[*]".to_owned(),
        GroupStep::AnyName => "*".to_owned(),
        GroupStep::Reference => "[ref]".to_owned(),
        GroupStep::Globals => "_G".to_owned(),
        GroupStep::Loaded => "package.loaded".to_owned(),
        GroupStep::Exact(label) => step_text(heap, label)?,
    })
}

/// Joins the steps of a path, which come from its end upwards.
fn join<T>(
    mut upward: impl Iterator<Item = T>,
    text: impl Fn(T) -> Result<String>,
) -> Result<String> {
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
    let mut path = String::new();
    for step in first {
        path += &text(step)?;
        path += ".";
    }
    if left_out > 0 {
        path += &format!("..[{left_out} steps]...");
    }
    for (at, step) in last.into_iter().enumerate() {
        path += if at > 0 { "." } else { "" };
        path += &text(step)?;
    }
    Ok(path)
}

fn step_text(heap: &Heap, label: Label) -> Result<String> {
    let mut text = Vec::new();
    push_step(&mut text, heap, label, &mut Vec::new())?;
    cut_step(text)
}

/// A step's text, its end cut off where it is long.
pub(crate) fn cut_step(mut text: Vec<u8>) -> Result<String> {
    if text.len() > STEP_BYTES {
        let mut end = STEP_BYTES;
        while text[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        text.truncate(end);
        push_bytes(&mut text, b"...")?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
