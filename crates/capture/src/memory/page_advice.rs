//! What Linux is told of memory of our own, so that fetching its pages costs less. Other systems are told nothing.

use std::ffi::c_void;

/// Asks for huge pages. Fetching a column's pages one by one took a third of a native capture's time.
#[cfg(target_os = "linux")]
pub(crate) fn prefer_huge_pages(start: *mut c_void, len: usize) {
    // SAFETY: advice that changes no contents, and may be refused.
    unsafe { libc::madvise(start, len, libc::MADV_HUGEPAGE) };
}

/// Asks for nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prefer_huge_pages(_: *mut c_void, _: usize) {}

/// Asks for small pages.
#[cfg(target_os = "linux")]
pub(crate) fn avoid_huge_pages(start: *mut c_void, len: usize) {
    // SAFETY: advice that changes no contents, and may be refused.
    unsafe { libc::madvise(start, len, libc::MADV_NOHUGEPAGE) };
}

/// Asks for nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn avoid_huge_pages(_: *mut c_void, _: usize) {}

/// Fetches pages, whose contents stay. Returns whether that was done: kernels before 5.14 cannot.
pub(crate) fn populate(pages: &mut [u8]) -> bool {
    populate_at(pages.as_mut_ptr().cast(), pages.len())
}

/// The same for pages at an address.
#[cfg(target_os = "linux")]
pub(crate) fn populate_at(start: *mut c_void, len: usize) -> bool {
    // SAFETY: as if each page were written with what it has.
    unsafe { libc::madvise(start, len, libc::MADV_POPULATE_WRITE) == 0 }
}

/// Fetches nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn populate_at(_: *mut c_void, _: usize) -> bool {
    false
}

/// The flag of a mapping for which no memory is set aside: most of its pages are never touched.
#[cfg(target_os = "linux")]
pub(crate) const NO_RESERVE: i32 = libc::MAP_NORESERVE;
/// No flag: not all systems have it.
#[cfg(not(target_os = "linux"))]
pub(crate) const NO_RESERVE: i32 = 0;
