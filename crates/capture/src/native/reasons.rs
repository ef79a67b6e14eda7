//! Why layouts do not fit a VM, in words.

use crate::layout::Layout;
use crate::native::layout_mismatch::Failure;
use luasnap_heap::BuildError;
use luasnap_words::{Argument, Sentence, Spoken, list};

/// A sentence for each layout that does not fit.
#[derive(Default)]
pub(super) struct Reasons(Vec<Sentence>);

impl Reasons {
    /// Notes why a layout does not fit. An error that is no fault of the layout is returned.
    pub(super) fn note(&mut self, layout: Layout, failure: Failure) -> Result<(), BuildError> {
        match failure {
            Failure::Build(error) => Err(error),
            Failure::LayoutMismatch(mismatch) => {
                self.0.push(not(layout.name(), mismatch.sentence()));
                Ok(())
            }
        }
    }

    /// Returns all of them.
    pub(super) fn into_words(self) -> Argument {
        list(self.0, "list.semicolon")
    }
}

/// Says why a VM does not have these structures.
pub(crate) fn not(layout: &str, reason: Sentence) -> Sentence {
    Sentence::new("layout.not")
        .with("layout", layout)
        .with("reason", reason)
}
