//! Which layout of a VM was verified before.

use crate::layout::Layout;

/// Which layout of a VM was verified before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Trust {
    /// None.
    #[default]
    None,
    /// The layout of this name.
    Verified(&'static str),
}

impl Trust {
    /// Whether this layout was verified.
    pub(crate) fn is(&self, layout: Layout) -> bool {
        *self == Trust::Verified(layout.name())
    }

    /// Returns the layouts in the order in which to try them: the one that was verified first.
    pub(crate) fn first(self, mut layouts: Vec<Layout>) -> Vec<Layout> {
        if let Some(at) = layouts.iter().position(|&layout| self.is(layout)) {
            layouts[..=at].rotate_right(1);
        }
        layouts
    }
}
