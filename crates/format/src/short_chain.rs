//! Chains short enough to read, for reports.

use crate::path::push_step;
use crate::printable::push_bytes;
use crate::sink::analysis_failed;
use luasnap_heap::{GroupStep, Groups, Heap, Label, PathId, Rank, Snapshot};
use std::collections::VecDeque;
use std::io;

/// How many steps of a long chain are shown at its start, ...
const FIRST: usize = 8;
/// ... and at its end.
const LAST: usize = 4;
/// What the table of globals is called.
const GLOBALS: &str = "_G";
/// How many bytes of a long step are shown.
const STEP_BYTES: usize = 48;

/// The chain of one object.
pub(crate) fn chain_of(snapshot: &Snapshot, rank: Rank) -> io::Result<String> {
    let heap = snapshot.objects().map_err(analysis_failed)?;
    let tree = snapshot.tree().map_err(analysis_failed)?;
    let is_globals = |rank: Rank| heap.globals() == Some(tree.node(rank));
    let upward = std::iter::successors(Some(rank), |rank| {
        if is_globals(*rank) {
            None
        } else {
            tree.parent(*rank)
        }
    });
    join(upward, |rank| match is_globals(rank) {
        true => Ok(GLOBALS.to_owned()),
        false => step_text(heap, heap.label(tree.edge(rank))),
    })
}

/// The generalised chain of a group.
pub(crate) fn general_chain(heap: &Heap, groups: &Groups, path: PathId) -> io::Result<String> {
    join(groups.steps(path), |step| match step {
        GroupStep::AnyKey => Ok("[*]".to_owned()),
        GroupStep::AnyName => Ok("*".to_owned()),
        GroupStep::Globals => Ok(GLOBALS.to_owned()),
        GroupStep::Exact(label) => step_text(heap, label),
    })
}

/// Joins the steps of a chain, which come from its end upwards.
fn join<T>(
    mut upward: impl Iterator<Item = T>,
    text: impl Fn(T) -> io::Result<String>,
) -> io::Result<String> {
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
    let mut chain = String::new();
    for step in first {
        chain += &text(step)?;
        chain += ".";
    }
    if left_out > 0 {
        chain += &format!("..[{left_out} steps]...");
    }
    for (at, step) in last.into_iter().enumerate() {
        chain += if at > 0 { "." } else { "" };
        chain += &text(step)?;
    }
    Ok(chain)
}

fn step_text(heap: &Heap, label: Label) -> io::Result<String> {
    let mut text = Vec::new();
    push_step(&mut text, heap, label, &mut Vec::new())?;
    if text.len() <= STEP_BYTES {
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    let mut end = STEP_BYTES;
    while text[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    text.truncate(end);
    push_bytes(&mut text, b"...")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
