//! Whether paths end in what a user typed.

use crate::answer_error::Result;
use crate::labels::step::GAP;
use crate::query::shown_step::ShownStep;
use luasnap_heap::{Heap, Label, Rank, ShortestPathTree};

/// Compares the ends of paths with words, which are escaped as they are printed.
pub(crate) struct PathEnd<'a> {
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    step: ShownStep,
}

impl<'a> PathEnd<'a> {
    pub(crate) fn new(heap: &'a Heap, tree: &'a ShortestPathTree) -> PathEnd<'a> {
        PathEnd {
            heap,
            tree,
            step: ShownStep::default(),
        }
    }

    /// Returns what a word has before its last step, if that is the step of this label.
    pub(crate) fn before_step<'w>(
        &mut self,
        label: Label,
        word: &'w [u8],
    ) -> Result<Option<&'w [u8]>> {
        let has_gap = word.windows(GAP.len()).any(|part| part == GAP.as_bytes());
        let find = |step: &[u8]| before(word, step);
        self.step.first_form(self.heap, label, has_gap, find)
    }

    /// Returns the number of steps in a word, if the path to a rank ends in them.
    pub(crate) fn steps(&mut self, rank: Rank, word: &[u8]) -> Result<Option<usize>> {
        let (mut rest, mut steps) = (word, 0);
        let mut at = Some(rank);
        while let Some(rank) = at.filter(|_| !rest.is_empty()) {
            let label = self.heap.label(self.tree.edge(rank));
            // The step to an upvalue's value is the upvalue's name.
            if label != Label::Value {
                match self.before_step(label, rest)? {
                    Some(before) => rest = before,
                    None => return Ok(None),
                }
                steps += 1;
            }
            at = self.tree.parent(rank);
        }
        Ok(rest.is_empty().then_some(steps))
    }
}

/// Returns what a word has before its last step.
fn before<'w>(word: &'w [u8], step: &[u8]) -> Option<&'w [u8]> {
    let before = word.strip_suffix(step).filter(|_| !step.is_empty())?;
    match before.last() {
        None => Some(before),
        Some(b'.') => Some(&before[..before.len() - 1]),
        Some(_) => (step[0] == b'[').then_some(before),
    }
}
