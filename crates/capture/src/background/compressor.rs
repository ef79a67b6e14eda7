//! zstd whose memory is from Rust's allocator. By itself it asks `malloc`.

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::{c_int, c_void};
use std::ptr::{NonNull, null_mut};
use zstd_sys::{
    ZSTD_CCtx, ZSTD_CCtx_setParameter, ZSTD_cParameter, ZSTD_compress2, ZSTD_compressBound,
    ZSTD_createCCtx_advanced, ZSTD_customMem, ZSTD_freeCCtx, ZSTD_isError,
};

/// Compresses blocks, one after the other, each to a frame of its own.
pub struct Compressor(NonNull<ZSTD_CCtx>);

impl Compressor {
    /// A compressor of this level; `None` if memory ran out.
    pub fn new(level: c_int) -> Option<Compressor> {
        let memory = ZSTD_customMem {
            customAlloc: Some(take),
            customFree: Some(give_back),
            opaque: null_mut(),
        };
        // SAFETY: the two functions are an allocator, and remain.
        let context = unsafe { ZSTD_createCCtx_advanced(memory) };
        let compressor = Compressor(NonNull::new(context)?);
        // SAFETY: a context of our own.
        let set = unsafe {
            ZSTD_CCtx_setParameter(context, ZSTD_cParameter::ZSTD_c_compressionLevel, level)
        };
        // SAFETY: it looks at the number alone.
        (unsafe { ZSTD_isError(set) } == 0).then_some(compressor)
    }

    /// Puts the frame of a block into `to`, whatever was there before. False if memory ran out.
    pub fn compress(&mut self, block: &[u8], to: &mut Vec<u8>) -> bool {
        to.clear();
        // SAFETY: it looks at the number alone.
        let most = unsafe { ZSTD_compressBound(block.len()) };
        if to.try_reserve(most).is_err() {
            return false;
        }
        // SAFETY: a context of our own, so many bytes to read and room for so many to write, of which the function says
        // how many it wrote.
        unsafe {
            let (from, into) = (block.as_ptr().cast(), to.as_mut_ptr().cast());
            let len = ZSTD_compress2(self.0.as_ptr(), into, most, from, block.len());
            if ZSTD_isError(len) != 0 {
                return false;
            }
            to.set_len(len);
        }
        true
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        // SAFETY: a context of our own, not used again.
        unsafe { ZSTD_freeCCtx(self.0.as_ptr()) };
    }
}

/// Bytes before each block, which say how many it has: whoever frees it does not. They keep the alignment of `malloc`.
const HEADER: usize = 16;

unsafe extern "C" fn take(_: *mut c_void, size: usize) -> *mut c_void {
    let Some(layout) = layout(size) else {
        return null_mut();
    };
    // SAFETY: the layout has more than no bytes, and room for the size at its beginning.
    unsafe {
        let start = alloc(layout);
        if start.is_null() {
            return null_mut();
        }
        start.cast::<usize>().write(size);
        start.add(HEADER).cast()
    }
}

unsafe extern "C" fn give_back(_: *mut c_void, block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: zstd gives back what `take` returned, once.
    unsafe {
        let start = block.cast::<u8>().sub(HEADER);
        if let Some(layout) = layout(start.cast::<usize>().read()) {
            dealloc(start, layout);
        }
    }
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_zstd() {
        let mut compressor = Compressor::new(3).unwrap();
        let mut frame = b"from before".to_vec();
        for len in [0, 1, 1000, 1 << 20, 5] {
            let block: Vec<u8> = (0..len).map(|at: usize| (at / 3 % 251) as u8).collect();
            assert!(compressor.compress(&block, &mut frame));
            let mut again = vec![0; len];
            // SAFETY: so many bytes to read, and room for so many.
            let got = unsafe {
                let (from, into) = (frame.as_ptr().cast(), again.as_mut_ptr().cast());
                zstd_sys::ZSTD_decompress(into, len, from, frame.len())
            };
            assert_eq!((got, again), (len, block));
        }
    }
}
