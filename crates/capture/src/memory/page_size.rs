//! The size of the system's pages.

/// What it is where the system says nothing: that of the smallest pages on x86-64 and AArch64.
const SMALLEST: usize = 4096;

/// Size in bytes of the pages in which this system's kernel maps memory, as the system says: 4 KiB on x86-64; 4, 16 or
/// 64 KiB on AArch64, by how the kernel was built. A process that is attached to has the same. (A core file may be of
/// a system with others: its notes say what it counts by.)
pub(crate) fn page_size() -> usize {
    // SAFETY: it takes nothing.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(SMALLEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_maps_whole_pages() {
        let page = page_size();
        assert!(page >= SMALLEST && page.is_power_of_two());
        let maps = std::fs::read("/proc/self/maps").unwrap();
        for mapping in crate::memory::mappings::mappings(&maps) {
            assert!(mapping.start.is_multiple_of(page as u64), "{mapping:?}");
            assert!(mapping.end.is_multiple_of(page as u64), "{mapping:?}");
        }
    }
}
