//! The slots of a table.

use crate::layout::PucLayout;
use crate::native::puc::header::VALUE;
use crate::version::Version;
use luasnap_heap::SlotSizes;

/// Bytes of a slot of either part. In 5.5 an array part has 8 bytes for each value and one for its
/// tag.
#[inline(always)]
pub(super) fn slot_sizes(layout: &PucLayout) -> SlotSizes {
    SlotSizes {
        array: match layout.version {
            Version::Lua55 => 9,
            _ => VALUE as u8,
        },
        hash: layout.node.size as u8,
    }
}
