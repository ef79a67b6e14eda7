//! Memory of a process that was made by `clone` alone: another thread may have had the lock of the C library's
//! allocator at that moment, and nobody will ever give it back there. So all small blocks are from mappings of our own.
//! Large ones are mappings anyway.

use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// The smallest and largest blocks have 2 to the power of these many bytes.
const SMALLEST: u32 = 4;
const LARGEST: u32 = 18;
const CLASSES: usize = (LARGEST - SMALLEST + 1) as usize;

/// The largest alignment that a block can have: that of a mapping, with the smallest pages there are.
const ALIGN: usize = 4096;

/// Bytes of the first mapping. Each later one is twice as large, up to [`LARGEST_CHUNK`].
const FIRST_CHUNK: usize = 1 << 20;
const LARGEST_CHUNK: usize = 64 << 20;
const MOST_CHUNKS: usize = 256;

/// Whether this process is such a child.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

static BLOCKS: Blocks = Blocks(UnsafeCell::new(State {
    fresh: 0,
    end: 0,
    freed: [null_mut(); CLASSES],
    chunks: [(0, 0); MOST_CHUNKS],
    chunk_count: 0,
}));

struct Blocks(UnsafeCell<State>);

// SAFETY: only the child uses it, which has one thread.
unsafe impl Sync for Blocks {}

struct State {
    /// The part of the last mapping that was never used.
    fresh: usize,
    end: usize,
    /// Freed blocks, one list for each size; each block begins with the address of the next.
    freed: [*mut u8; CLASSES],
    /// Begin and end of each mapping.
    chunks: [(usize, usize); MOST_CHUNKS],
    chunk_count: usize,
}

/// From now on, this process allocates by itself. It has one thread, and forks no other process.
pub(crate) fn allocate_alone() {
    IS_CHILD.store(true, Ordering::Relaxed);
}

/// Whether this process allocates by itself.
#[inline]
pub(crate) fn is_alone() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// The mappings' state, which nobody else has.
///
/// # Safety
/// This process allocates by itself, and no other reference to the state is in use.
#[allow(clippy::mut_from_ref)]
unsafe fn state() -> &'static mut State {
    // SAFETY: this function's own contract.
    unsafe { &mut *BLOCKS.0.get() }
}

/// Returns a block of `size` bytes, aligned to `align`; null where it is too large or there is no memory.
pub(crate) fn take(size: usize, align: usize) -> *mut u8 {
    let Some(class) = class(size, align) else {
        return null_mut();
    };
    // SAFETY: the callers are in the child; the reference ends in this function.
    let state = unsafe { state() };
    let freed = state.freed[class];
    if !freed.is_null() {
        // SAFETY: a freed block begins with the next one's address.
        state.freed[class] = unsafe { freed.cast::<*mut u8>().read() };
        return freed;
    }
    let len = len(class);
    let mut start = state.fresh.next_multiple_of(len.min(ALIGN));
    if start + len > state.end {
        if !state.add_chunk() {
            return null_mut();
        }
        start = state.fresh;
    }
    state.fresh = start + len;
    start as *mut u8
}

/// Takes a block back. One that the process had before it was made stays where it is.
///
/// # Safety
/// The block has this size and alignment, and is not used again.
pub(crate) unsafe fn give_back(block: *mut u8, size: usize, align: usize) {
    let Some(class) = class(size, align).filter(|_| has(block)) else {
        return;
    };
    // SAFETY: as in `take`. The block is from there, has room for an address and is aligned for one.
    unsafe {
        let state = state();
        block.cast::<*mut u8>().write(state.freed[class]);
        state.freed[class] = block;
    }
}

/// Whether a block is from here and has room for another size.
pub(crate) fn has_room(block: *mut u8, size: usize, align: usize, new: usize) -> bool {
    has(block) && class(size, align) == class(new, align)
}

fn has(block: *mut u8) -> bool {
    // SAFETY: as in `take`.
    let state = unsafe { state() };
    let mut chunks = state.chunks[..state.chunk_count].iter();
    chunks.any(|&(start, end)| (start..end).contains(&(block as usize)))
}

impl State {
    /// Adds a mapping, from which blocks are taken then. False where there is no memory.
    fn add_chunk(&mut self) -> bool {
        let size = FIRST_CHUNK << self.chunk_count.min(6);
        let size = size.min(LARGEST_CHUNK);
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        if self.chunk_count == MOST_CHUNKS {
            return false;
        }
        // SAFETY: a new mapping, placed by the kernel.
        let start = unsafe { libc::mmap(null_mut(), size, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return false;
        }
        let start = start as usize;
        self.chunks[self.chunk_count] = (start, start + size);
        self.chunk_count += 1;
        (self.fresh, self.end) = (start, start + size);
        true
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

    /// The process does not count as a child here, and no other test uses these blocks.
    #[test]
    fn blocks_are_apart_aligned_and_used_again() {
        let sizes = [1, 8, 16, 17, 100, 4096, 5000, 1 << 16, 1 << 18];
        let mut highest = 0;
        for round in 0..3 {
            let mut blocks = Vec::new();
            for number in 0..400 {
                let (size, align) = (sizes[number % sizes.len()], 1 << (number % 13));
                let block = take(size, align);
                assert!(has(block) && (block as usize).is_multiple_of(align.max(16)));
                // SAFETY: the block has so many bytes.
                unsafe { block.write_bytes(number as u8, size) };
                blocks.push((block, size, align));
            }
            for (number, &(block, size, align)) in blocks.iter().enumerate() {
                // SAFETY: the block has so many bytes, all written.
                let bytes = unsafe { std::slice::from_raw_parts(block, size) };
                assert!(bytes.iter().all(|&byte| byte == number as u8));
                // SAFETY: nobody uses it any more.
                unsafe { give_back(block, size, align) };
            }
            // SAFETY: no other reference is in use.
            let chunks = unsafe { state() }.chunk_count;
            match round {
                0 => highest = chunks,
                _ => assert_eq!(chunks, highest, "what is freed is used again"),
            }
        }
        let mut value = 5_u64;
        let foreign = (&raw mut value).cast::<u8>();
        assert!(!has(foreign) && !has_room(foreign, 8, 8, 8));
        // SAFETY: it is not from here, and so left alone.
        unsafe { give_back(foreign, 8, 8) };
        assert_eq!(value, 5);
        let block = take(100, 8);
        assert!(has_room(block, 100, 8, 128) && !has_room(block, 100, 8, 129));
        assert!(take((1 << 18) + 1, 8).is_null() && take(8, 8192).is_null());
    }
}
