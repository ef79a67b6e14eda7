//! Unmapping memory.

/// Unmaps memory. By the system call itself, since musl's function waits for a lock, which nobody may give back in a
/// process made by `clone`.
///
/// # Safety
/// It is a mapping of that size, and not used again.
pub(crate) unsafe fn unmap(start: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: this function's own contract.
    unsafe {
        libc::syscall(libc::SYS_munmap, start, size)
    };
    #[cfg(not(target_os = "linux"))]
    // SAFETY: this function's own contract.
    unsafe {
        libc::munmap(start.cast(), size)
    };
}
