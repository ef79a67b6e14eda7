//! The forms in which people see a step.

use crate::answer_error::Result;
use crate::answers::short_path::push_cut;
use crate::labels::path::{push_answer_step, push_step};
use crate::labels::printable::push_printable;
use luasnap_heap::{Heap, Label};

/// The text of a step, in buffers that are used again.
#[derive(Default)]
pub(crate) struct ShownStep {
    text: Vec<u8>,
    whole: Vec<u8>,
    cut: Vec<u8>,
    digits: Vec<u8>,
}

impl ShownStep {
    /// Returns the step of a label as answers have it, escaped: a key with dots or blanks is quoted.
    pub(crate) fn quoted(&mut self, heap: &Heap, label: Label) -> Result<&[u8]> {
        self.text.clear();
        self.whole.clear();
        push_answer_step(&mut self.whole, heap, label, &mut self.digits)?;
        push_printable(&mut self.text, &self.whole)?;
        Ok(&self.text)
    }

    /// Returns what `find` finds in the step of a label, in the first of its forms in which it finds something: as
    /// answers have it; as the eleven functions have it, and as people type it; and, if that is asked for, with the
    /// middle of a long name left out. Each is escaped.
    pub(crate) fn first_form<T>(
        &mut self,
        heap: &Heap,
        label: Label,
        may_be_cut: bool,
        find: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>> {
        let quoted = self.quoted(heap, label)?;
        let is_quoted = quoted.starts_with(b"[\"");
        if let Some(found) = find(quoted) {
            return Ok(Some(found));
        }
        // Otherwise they are the same.
        if is_quoted {
            self.text.clear();
            push_step(&mut self.text, heap, label, &mut self.digits)?;
            if let Some(found) = find(&self.text) {
                return Ok(Some(found));
            }
        }
        if !may_be_cut {
            return Ok(None);
        }
        self.cut.clear();
        push_cut(&mut self.cut, &self.whole)?;
        if self.cut == self.whole {
            return Ok(None);
        }
        self.text.clear();
        push_printable(&mut self.text, &self.cut)?;
        Ok(find(&self.text))
    }
}
