//! Why layouts do not fit a VM, in words.

use crate::layout::Layout;
use crate::native::layout_mismatch::Failure;
use luasnap_heap::BuildError;
use std::fmt::Write;

/// A sentence that grows with each layout that does not fit.
#[derive(Default)]
pub(super) struct Reasons(String);

impl Reasons {
    /// Notes why a layout does not fit. An error that is no fault of the layout is returned.
    pub(super) fn note(&mut self, layout: Layout, failure: Failure) -> Result<(), BuildError> {
        match failure {
            Failure::Build(error) => Err(error),
            Failure::LayoutMismatch(mismatch) => {
                let separator = if self.0.is_empty() { "" } else { "; " };
                let _ = write!(self.0, "{separator}not {}: {mismatch}", layout.name());
                Ok(())
            }
        }
    }

    /// Returns all of them.
    pub(super) fn into_words(self) -> String {
        self.0
    }
}
