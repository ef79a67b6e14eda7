//! Memory for small blocks when the system has none left.
//!
//! Whatever grows with a heap allocates in a way that may fail. But a piece of an error message, or
//! a box inside the standard library, does not: there a failed allocation ends the process, and the
//! host with it. So some memory is set aside for small blocks alone; it costs only address space
//! until it is used.

use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// Total size in bytes.
const LEN: usize = 1 << 20;
/// The smallest and largest blocks have 2 to the power of these many bytes.
const SMALLEST: u32 = 4;
const LARGEST: u32 = 16;
const CLASSES: usize = (LARGEST - SMALLEST + 1) as usize;

/// The largest alignment: a page, since not every loader honours larger ones.
const ALIGN: usize = 4096;

/// All of the memory, aligned to `ALIGN`.
#[repr(C, align(4096))]
struct Memory(UnsafeCell<[u8; LEN]>);

/// The free parts. Freed blocks form one list per size; each block begins with the address of the
/// next.
struct Free {
    /// Offset from which nothing was ever used.
    fresh: usize,
    /// Number of blocks in use.
    used: usize,
    freed: [*mut u8; CLASSES],
}

/// A reserve of memory.
pub(crate) struct Reserve {
    memory: Memory,
    free: UnsafeCell<Free>,
    is_locked: AtomicBool,
}

// SAFETY: what is free is touched only under the lock, and what is in use belongs to its user.
unsafe impl Sync for Reserve {}

impl Reserve {
    pub(crate) const fn new() -> Reserve {
        Reserve {
            memory: Memory(UnsafeCell::new([0; LEN])),
            free: UnsafeCell::new(Free {
                fresh: 0,
                used: 0,
                freed: [null_mut(); CLASSES],
            }),
            is_locked: AtomicBool::new(false),
        }
    }

    fn start(&self) -> *mut u8 {
        self.memory.0.get().cast()
    }

    /// Whether a block is from this reserve.
    pub(crate) fn has(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.start() as usize) < LEN
    }

    /// Returns a block of `size` bytes, aligned to `align`; null where it is too large or nothing
    /// is left.
    pub(crate) fn take(&self, size: usize, align: usize) -> *mut u8 {
        let Some(class) = class(size, align) else {
            return null_mut();
        };
        self.with_free(|free| {
            let freed = free.freed[class];
            if !freed.is_null() {
                // SAFETY: a freed block begins with the next one's address.
                free.freed[class] = unsafe { freed.cast::<*mut u8>().read() };
                free.used += 1;
                return freed;
            }
            let len = len(class);
            let begin = free.fresh.next_multiple_of(len);
            if begin + len > LEN {
                return null_mut();
            }
            free.fresh = begin + len;
            free.used += 1;
            // SAFETY: it lies within the memory.
            unsafe { self.start().add(begin) }
        })
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// It was taken here, with this size and alignment, and is not used again.
    pub(crate) unsafe fn give_back(&self, block: *mut u8, size: usize, align: usize) {
        let Some(class) = class(size, align) else {
            return;
        };
        self.with_free(|free| {
            free.used -= 1;
            if free.used == 0 {
                // Start afresh, so that blocks of one size do not keep memory that other sizes
                // need.
                (free.fresh, free.freed) = (0, [null_mut(); CLASSES]);
                return;
            }
            // SAFETY: nobody uses the block, which has room for an address and is aligned for one.
            unsafe { block.cast::<*mut u8>().write(free.freed[class]) };
            free.freed[class] = block;
        });
    }

    /// Whether the block for one size and alignment has room for another size.
    pub(crate) fn has_room(size: usize, align: usize, new: usize) -> bool {
        class(size, align) == class(new, align)
    }

    fn with_free<T>(&self, work: impl FnOnce(&mut Free) -> T) -> T {
        while self.is_locked.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: whoever has the lock is alone.
        let done = work(unsafe { &mut *self.free.get() });
        self.is_locked.store(false, Ordering::Release);
        done
    }
}

/// The class of the smallest blocks that will do.
fn class(size: usize, align: usize) -> Option<usize> {
    if align > ALIGN {
        return None;
    }
    let bits = size.max(align).checked_next_power_of_two()?.ilog2();
    (bits <= LARGEST).then(|| bits.saturating_sub(SMALLEST) as usize)
}

fn len(class: usize) -> usize {
    1 << (class as u32 + SMALLEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    static RESERVE: Reserve = Reserve::new();

    #[test]
    fn blocks_are_apart_aligned_and_used_again() {
        let sizes = [1, 8, 16, 17, 100, 4096, 5000, 1 << 16];
        for _ in 0..3 {
            let mut blocks = Vec::new();
            loop {
                let size = sizes[blocks.len() % sizes.len()];
                let block = RESERVE.take(size, 8);
                if block.is_null() {
                    break;
                }
                assert!(RESERVE.has(block) && (block as usize).is_multiple_of(16));
                // SAFETY: the block has so many bytes.
                unsafe { block.write_bytes(blocks.len() as u8, size) };
                blocks.push((block, size));
            }
            assert!(blocks.len() > 40, "{}", blocks.len());
            for (number, &(block, size)) in blocks.iter().enumerate() {
                // SAFETY: the block has so many bytes, all written.
                let bytes = unsafe { std::slice::from_raw_parts(block, size) };
                assert!(bytes.iter().all(|&byte| byte == number as u8));
            }
            // What was given back is there again, at the same size.
            let (block, size) = blocks[5];
            // SAFETY: it was taken with this size, and is not used again.
            unsafe { RESERVE.give_back(block, size, 8) };
            assert_eq!(RESERVE.take(size, 8), block);
            for (block, size) in blocks {
                // SAFETY: it was taken with this size, and is not used again.
                unsafe { RESERVE.give_back(block, size, 8) };
            }
        }
        assert!(RESERVE.take((1 << 16) + 1, 8).is_null());
        assert!(RESERVE.take(8, 1 << 13).is_null());
        assert!(RESERVE.take(usize::MAX, 8).is_null());
        assert!(!RESERVE.has(null_mut()));
        assert!((RESERVE.take(8, 4096) as usize).is_multiple_of(4096));
        assert!(Reserve::has_room(17, 8, 32) && !Reserve::has_room(17, 8, 33));
    }
}
