//! Bytes that were read once and are kept: copies of memory that cannot be viewed in place.

use rustc_hash::FxHashMap;
use std::cell::RefCell;

/// What was read so far, by address and length.
#[derive(Debug, Default)]
pub(crate) struct KeptBytes(RefCell<FxHashMap<(u64, usize), Vec<u8>>>);

impl KeptBytes {
    /// Returns the `len` bytes at `address`: those read earlier, or else what `read` fills in.
    /// `None` where `read` fails, or where there is no memory for them.
    pub(crate) fn get(
        &self,
        address: u64,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> bool,
    ) -> Option<&[u8]> {
        let mut kept = self.0.borrow_mut();
        let bytes = match kept.get(&(address, len)) {
            Some(bytes) => bytes,
            None => {
                let mut bytes = Vec::new();
                bytes.try_reserve_exact(len).ok()?;
                bytes.resize(len, 0);
                if !read(&mut bytes) {
                    return None;
                }
                kept.try_reserve(1).ok()?;
                kept.entry((address, len)).or_insert(bytes)
            }
        };
        let bytes: *const [u8] = bytes.as_slice();
        // SAFETY: a vector's contents stay in place when the vector moves. None of these is changed
        // or dropped before `self` is, which the result borrows.
        Some(unsafe { &*bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_stays() {
        let kept = KeptBytes::default();
        let fill = |value| move |bytes: &mut [u8]| bytes.iter_mut().for_each(|byte| *byte = value);
        let first = kept.get(8, 4, |bytes| {
            fill(1)(bytes);
            true
        });
        assert_eq!(kept.get(16, 4, |_| false), None);
        for address in 100..200 {
            assert_eq!(kept.get(address, 2, |_| true), Some(&[0, 0][..]));
        }
        assert_eq!(kept.get(8, 2, |_| true), Some(&[0, 0][..]));
        assert_eq!(kept.get(8, 4, |_| panic!("it is there")), first);
        assert_eq!(first, Some(&[1, 1, 1, 1][..]));
        assert_eq!(kept.get(0, usize::MAX, |_| true), None);
    }
}
