//! Pages of this process that were copied through the kernel, each once: other threads may change or unmap
//! what is there.

use crate::memory::careful_read;
use crate::memory::kept_bytes::KeptBytes;

/// Bytes that are read together, and lie in one page on every machine.
const TOGETHER: usize = 4096;

/// The copies of those pages that were asked for.
#[derive(Debug, Default)]
pub(crate) struct CopiedPages {
    pages: KeptBytes,
    /// What lies in several pages.
    across: KeptBytes,
}

impl CopiedPages {
    /// The `len` bytes at `address`, which do not change any more; `None` if some cannot be read.
    pub(crate) fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let offset = (address % TOGETHER as u64) as usize;
        let end = offset.checked_add(len)?;
        if end > TOGETHER {
            return self
                .across
                .get(address, len, |into| careful_read::read(address, into));
        }
        let start = address - offset as u64;
        let page = self
            .pages
            .get(start, TOGETHER, |into| careful_read::read(start, into))?;
        page.get(offset..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_stays_and_what_is_not_there_is_no_fault() {
        let mut bytes = vec![7u8; 3 * TOGETHER];
        let start = bytes.as_ptr() as u64;
        let border = start.next_multiple_of(TOGETHER as u64) + TOGETHER as u64;
        let copied = CopiedPages::default();
        assert_eq!(copied.bytes(border - 2, 2), Some(&[7, 7][..]));
        assert_eq!(copied.bytes(border - 2, 4), Some(&[7; 4][..]));
        bytes.fill(8);
        assert_eq!(copied.bytes(border - 2, 1), Some(&[7][..]));
        assert_eq!(copied.bytes(border - 2, 4), Some(&[7; 4][..]));
        assert_eq!(copied.bytes(border - 2, 3), Some(&[8; 3][..]));
        for wrong in [0, 4095, u64::MAX - 1, 1 << 47] {
            assert_eq!(copied.bytes(wrong, 2), None);
        }
        assert_eq!(copied.bytes(border, usize::MAX), None);
    }
}
