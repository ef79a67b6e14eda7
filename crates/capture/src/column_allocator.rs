//! Memory for columns: large blocks come from the system and go straight back to it.
//!
//! A snapshot consists of a dozen columns of many megabytes each, which grow while it is taken.
//! From `malloc` they would be copied whenever they grow, and freed ones would stay with the
//! process, fragmented. As mappings of their own they are moved by the kernel without copying, and
//! `snapshot.free` really gives memory back.
//!
//! In the process that `snapshot.background` makes, no block is from `malloc`.

use crate::child_memory;
use crate::memory::page_choice::{prefer_pages_as_before, prefer_quick_pages};
use crate::memory::unmap::unmap;
use crate::reserve::Reserve;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;

/// Size in bytes from which a block is a mapping of its own.
const LARGE: usize = 256 << 10;

/// Alignment in bytes that every mapping has: the size of the smallest pages there are. (An allocator asks nobody.)
const SMALLEST_PAGE: usize = 4096;

/// For small blocks, where `malloc` has none left.
static RESERVE: Reserve = Reserve::new();

/// The module's allocator: `malloc`, mappings for large blocks, and a reserve for small ones, most
/// of which are requested where failure is not an option.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnAllocator;

/// Whether a block is a mapping. The layout alone decides, so that freeing comes to the same
/// answer.
fn is_mapping(size: usize, align: usize) -> bool {
    cfg!(target_os = "linux") && size >= LARGE && align <= SMALLEST_PAGE
}

fn map(size: usize) -> *mut u8 {
    let (protection, flags) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a new mapping, placed by the kernel.
    let start = unsafe { libc::mmap(null_mut(), size, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        null_mut()
    } else {
        if size >= HUGE {
            prefer_quick_pages(start, size);
        }
        start.cast()
    }
}

/// Size in bytes from which a mapping is worth huge pages.
const HUGE: usize = 4 << 20;

#[cfg(target_os = "linux")]
fn remap(start: *mut u8, old: usize, new: usize) -> *mut u8 {
    // SAFETY: `start` and `old` belong to a mapping that `map` or an earlier `remap` made.
    let start = unsafe { libc::mremap(start.cast(), old, new, libc::MREMAP_MAYMOVE) };
    if start == libc::MAP_FAILED {
        null_mut()
    } else {
        if old < HUGE && new >= HUGE {
            prefer_pages_as_before(start, new);
        }
        start.cast()
    }
}

#[cfg(not(target_os = "linux"))]
fn remap(_: *mut u8, _: usize, _: usize) -> *mut u8 {
    null_mut()
}

// SAFETY: blocks are malloc's, the reserve's, the child's or mappings; which of these follows from the layout,
// the process and the address, and a block is freed with the layout it was allocated with. Mappings are aligned
// to pages, and new ones are zero.
unsafe impl GlobalAlloc for ColumnAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_mapping(layout.size(), layout.align()) {
            return map(layout.size());
        }
        if child_memory::is_alone() {
            return child_memory::take(layout.size(), layout.align());
        }
        // SAFETY: this function's own contract.
        let block = unsafe { System.alloc(layout) };
        match block.is_null() {
            false => block,
            true => RESERVE.take(layout.size(), layout.align()),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_mapping(layout.size(), layout.align()) {
            return map(layout.size());
        }
        let block = match child_memory::is_alone() {
            true => child_memory::take(layout.size(), layout.align()),
            false => {
                // SAFETY: this function's own contract.
                let block = unsafe { System.alloc_zeroed(layout) };
                if !block.is_null() {
                    return block;
                }
                RESERVE.take(layout.size(), layout.align())
            }
        };
        if !block.is_null() {
            // SAFETY: a new block of that size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_mapping(layout.size(), layout.align()) {
            // SAFETY: a mapping of that size, by this function's contract.
            unsafe { unmap(block, layout.size()) };
        } else if child_memory::is_alone() {
            // SAFETY: this function's own contract.
            unsafe { child_memory::give_back(block, layout.size(), layout.align()) };
        } else if RESERVE.has(block) {
            // SAFETY: this function's own contract.
            unsafe { RESERVE.give_back(block, layout.size(), layout.align()) };
        } else {
            // SAFETY: this function's own contract.
            unsafe { System.dealloc(block, layout) };
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        let (old, align) = (layout.size(), layout.align());
        let moved = match (is_mapping(old, align), is_mapping(new, align)) {
            (true, true) => return remap(block, old, new),
            (false, false) if child_memory::is_alone() => {
                if child_memory::has_room(block, old, align, new) {
                    return block;
                }
                null_mut()
            }
            (false, false) if RESERVE.has(block) => {
                if Reserve::has_room(old, align, new) {
                    return block;
                }
                null_mut()
            }
            // SAFETY: this function's own contract.
            (false, false) => unsafe { System.realloc(block, layout, new) },
            _ => null_mut(),
        };
        if !moved.is_null() {
            return moved;
        }
        // SAFETY: both blocks are valid for what is copied, and are not the same.
        unsafe {
            let Ok(to) = Layout::from_size_align(new, align) else {
                return null_mut();
            };
            let moved = self.alloc(to);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, old.min(new));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_contents_across_the_border() {
        let allocator = ColumnAllocator;
        let sizes = [
            100,
            LARGE - 1,
            LARGE,
            4 * LARGE,
            64 * LARGE,
            LARGE,
            LARGE - 1,
            10,
        ];
        // SAFETY: each block is used within its size and freed with its last layout.
        unsafe {
            let mut layout = Layout::from_size_align(8, 8).unwrap();
            let mut block = allocator.alloc(layout);
            block.cast::<u64>().write(42);
            for size in sizes {
                block = allocator.realloc(block, layout, size);
                layout = Layout::from_size_align(size, 8).unwrap();
                assert_eq!(block.cast::<u64>().read(), 42);
                block.add(size - 1).write(7);
                block.cast::<u64>().write(42);
            }
            allocator.dealloc(block, layout);
            let zeroed = allocator.alloc_zeroed(Layout::from_size_align(LARGE, 64).unwrap());
            assert_eq!(zeroed.add(LARGE - 1).read(), 0);
            allocator.dealloc(zeroed, Layout::from_size_align(LARGE, 64).unwrap());
        }
    }
}
