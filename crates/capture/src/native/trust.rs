//! What is known of a VM already.

use crate::layout::Layout;

/// What is known of a VM already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Trust {
    /// Nothing.
    #[default]
    None,
    /// The layout of this name has proved itself.
    In(&'static str),
}

impl Trust {
    /// Whether it is this layout that has proved itself.
    pub(crate) fn is(&self, layout: Layout) -> bool {
        *self == Trust::In(layout.name())
    }

    /// The layouts in the order in which they are to be tried: what has proved itself first.
    pub(crate) fn first(self, mut layouts: Vec<Layout>) -> Vec<Layout> {
        layouts.sort_by_key(|&layout| !self.is(layout));
        layouts
    }
}
