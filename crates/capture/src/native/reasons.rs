//! Why a VM cannot be read, in words: one sentence, and a line for each layout that was tried.

use crate::layout::Layout;
use crate::native::layout_mismatch::{Failure, LayoutMismatch};
use crate::version::Version;
use luasnap_heap::BuildError;
use luasnap_words::{Sentence, Spoken};

/// Why none of the layouts that were tried is that of a VM.
#[derive(Default)]
pub(super) struct Reasons(Vec<(&'static str, LayoutMismatch)>);

/// Why a VM cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unknown {
    /// What it is, and how it differs from what comes nearest.
    pub(crate) sentence: Sentence,
    /// A sentence for each layout that was tried; none where none was.
    pub(crate) details: Vec<Sentence>,
}

impl From<Sentence> for Unknown {
    fn from(sentence: Sentence) -> Unknown {
        Unknown {
            sentence,
            details: Vec::new(),
        }
    }
}

impl Reasons {
    /// Notes why a layout does not fit. An error that is no fault of the layout is returned.
    pub(super) fn note(&mut self, layout: Layout, failure: Failure) -> Result<(), BuildError> {
        match failure {
            Failure::Build(error) => Err(error),
            Failure::LayoutMismatch(mismatch) => {
                self.0.push((layout.name(), mismatch));
                Ok(())
            }
        }
    }

    /// Returns why this VM cannot be read. Of the layouts the one that failed last in the order of
    /// the checks comes nearest.
    pub(super) fn of_vm(self, version: Version) -> Unknown {
        let all = self.0.iter().rev();
        let nearest = all.max_by_key(|(_, mismatch)| mismatch.checks_passed());
        let sentence = match nearest {
            None | Some((_, LayoutMismatch::GlobalState)) => Sentence::new("layout.unknown_state"),
            Some(&(layout, mismatch)) => Sentence::new("layout.nearest")
                .with("layout", layout)
                .with("reason", mismatch.sentence()),
        };
        let details = self.0.iter();
        Unknown {
            sentence: sentence.with("vm", version.to_string()),
            details: details
                .map(|(layout, mismatch)| {
                    Sentence::new("layout.not")
                        .with("layout", *layout)
                        .with("reason", mismatch.sentence())
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_that_comes_nearest_is_told_and_all_are_in_the_details() {
        let mut reasons = Reasons::default();
        let layouts = Layout::all(Version::Lua54);
        let sum = LayoutMismatch::sum(100, 156);
        for (layout, mismatch) in layouts.iter().zip([LayoutMismatch::GlobalState, sum, sum]) {
            let noted = reasons.note(*layout, mismatch.into());
            assert_eq!(noted, Ok(()));
        }
        let unknown = reasons.of_vm(Version::Lua54);
        assert_eq!(
            unknown.sentence.to_string(),
            "the structures of this Lua 5.4 are not known: those of 5.4.2 come nearest, but its objects have \
             100 bytes, and it says it holds 156"
        );
        assert_eq!(unknown.details.len(), 3);
        assert_eq!(
            unknown.details[0].to_string(),
            "not 5.4.3 to 5.4.9: its global state has another structure"
        );
    }

    #[test]
    fn one_that_is_like_none_is_said_to_be() {
        let mut reasons = Reasons::default();
        let layout = Layout::all(Version::Lua51)[0];
        let noted = reasons.note(layout, LayoutMismatch::GlobalState.into());
        assert_eq!(noted, Ok(()));
        assert_eq!(
            reasons.of_vm(Version::Lua51).sentence.to_string(),
            "the structures of this Lua 5.1 are not known: its global state has another structure"
        );
    }
}
