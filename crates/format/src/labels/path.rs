//! The path from the root to an object, kept up to date while a tree is walked.

use crate::answer_error::Result;
use crate::labels::printable::{push_bytes, push_printable};
use crate::labels::step::Step;
use luasnap_heap::{Heap, Label, Rank, ShortestPathTree};

/// Paths with more steps may be shortened.
const WHOLE: usize = 100;
/// The number of steps shown at either end of a shortened path.
const END: usize = 16;

/// The steps from the root to the current object, joined by dots.
pub(crate) struct Path<'a> {
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    shorten: bool,
    text: Vec<u8>,
    /// The end of each step in `text`.
    ends: Vec<usize>,
    digits: Vec<u8>,
    /// The last steps of a shortened path.
    tail: Vec<u8>,
}

impl<'a> Path<'a> {
    pub(crate) fn new(heap: &'a Heap, tree: &'a ShortestPathTree, shorten: bool) -> Self {
        Path {
            heap,
            tree,
            shorten,
            text: Vec::new(),
            ends: Vec::new(),
            digits: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// Moves on to the next object of a depth-first walk.
    pub(crate) fn enter(&mut self, rank: Rank, depth: u32) -> Result {
        let depth = depth as usize;
        self.tail.clear();
        if self.shorten && depth >= WHOLE {
            return self.shortened(rank, depth);
        }
        self.ends.truncate(depth);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        if depth > 0 {
            push_bytes(&mut self.text, b".")?;
        }
        let label = self.heap.label(self.tree.edge(rank));
        push_step(&mut self.text, self.heap, label, &mut self.digits)?;
        self.ends.try_reserve(1)?;
        self.ends.push(self.text.len());
        Ok(())
    }

    /// Returns the path in two parts, to be written one after the other.
    pub(crate) fn parts(&self) -> [&[u8]; 2] {
        if self.tail.is_empty() {
            [&self.text, b""]
        } else {
            [&self.text[..self.ends[END - 1]], &self.tail]
        }
    }

    #[cold]
    fn shortened(&mut self, rank: Rank, depth: usize) -> Result {
        let mut last = [Rank::ROOT; END];
        let mut next = Some(rank);
        for slot in last.iter_mut().rev() {
            let Some(rank) = next else { break };
            *slot = rank;
            next = self.tree.parent(rank);
        }
        let left_out = depth + 1 - 2 * END;
        push_bytes(
            &mut self.tail,
            format!("...[{left_out} steps]...").as_bytes(),
        )?;
        for (at, rank) in last.into_iter().enumerate() {
            if at > 0 {
                push_bytes(&mut self.tail, b".")?;
            }
            let label = self.heap.label(self.tree.edge(rank));
            push_step(&mut self.tail, self.heap, label, &mut self.digits)?;
        }
        Ok(())
    }
}

/// Appends the step of a label, escaped.
pub(crate) fn push_step(
    out: &mut Vec<u8>,
    heap: &Heap,
    label: Label,
    digits: &mut Vec<u8>,
) -> Result {
    push_step_by(out, Step::new(heap, label, digits), push_printable)
}

/// Appends the step of a label as answers have it, with its name in the program's own bytes.
pub(crate) fn push_answer_step(
    out: &mut Vec<u8>,
    heap: &Heap,
    label: Label,
    digits: &mut Vec<u8>,
) -> Result {
    push_step_by(out, Step::in_answers(heap, label, digits), push_bytes)
}

fn push_step_by(
    out: &mut Vec<u8>,
    step: Step<'_>,
    push_name: impl FnOnce(&mut Vec<u8>, &[u8]) -> Result,
) -> Result {
    push_bytes(out, step.open.as_bytes())?;
    push_name(out, step.name)?;
    push_bytes(out, step.close.as_bytes())
}
