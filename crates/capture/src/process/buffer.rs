//! Memory that is there before it is needed, and files as memory.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

/// Bytes of a page; larger ones do no harm.
const PAGE: usize = 4096;

/// A mapping that belongs to this value alone.
#[derive(Debug)]
struct Mapped {
    start: *mut u8,
    len: usize,
}

// SAFETY: it is plain memory that nobody else has.
unsafe impl Send for Mapped {}
// SAFETY: shared references only read it.
unsafe impl Sync for Mapped {}

impl Mapped {
    fn new(len: usize, protection: i32, file: Option<&File>) -> io::Result<Mapped> {
        // Nobody has to have room for what is never used.
        const PLAIN: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        if len == 0 {
            return Ok(Mapped {
                start: null_mut(),
                len,
            });
        }
        let (flags, descriptor) = match file {
            Some(file) => (libc::MAP_PRIVATE, file.as_raw_fd()),
            None => (PLAIN, -1),
        };
        // SAFETY: a new mapping, placed by the kernel.
        let start = unsafe { libc::mmap(null_mut(), len, protection, flags, descriptor, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapped {
            start: start.cast(),
            len,
        })
    }

    fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: so many bytes are mapped for reading for as long as `self` lives. A file that
        // somebody cuts off meanwhile ends this process by a signal, as any mapped file does.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: the mapping is this value's own, and this was its last use.
            unsafe { libc::munmap(self.start.cast(), self.len) };
        }
    }
}

/// Zeroed memory, of which the first pages are there: writing to these waits for nothing.
#[derive(Debug)]
pub(super) struct Buffer(Mapped);

impl Buffer {
    /// So many bytes, of which the first `fetched` are there.
    pub(super) fn new(len: usize, fetched: usize) -> io::Result<Buffer> {
        let mapped = Mapped::new(len, libc::PROT_READ | libc::PROT_WRITE, None)?;
        let mut buffer = Buffer(mapped);
        buffer.fetch_pages(fetched.min(len));
        Ok(buffer)
    }

    fn fetch_pages(&mut self, len: usize) {
        if len == 0 {
            return;
        }
        let start = self.0.start.cast();
        // SAFETY: advice on a mapping of our own, which may be refused.
        let done = unsafe {
            libc::madvise(start, self.0.len, libc::MADV_HUGEPAGE);
            libc::madvise(start, len, libc::MADV_POPULATE_WRITE)
        };
        if done != 0 {
            // Kernels before 5.14 do not know the second.
            for page in self[..len].chunks_mut(PAGE) {
                page[0] = 0;
            }
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        if self.0.len == 0 {
            return &mut [];
        }
        // SAFETY: so many bytes are mapped for writing, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.0.start, self.0.len) }
    }
}

/// A file as memory.
#[derive(Debug)]
pub(super) struct FileView(Mapped);

impl FileView {
    /// All that the file has now.
    pub(super) fn new(file: &File) -> io::Result<FileView> {
        let len = file.metadata()?.len();
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(FileView(Mapped::new(len, libc::PROT_READ, Some(file))?))
    }
}

impl Deref for FileView {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_buffer_is_zeroed_and_can_be_written() {
        for len in [0, 1, PAGE, 3 * PAGE + 5] {
            let mut buffer = Buffer::new(len, len / 2).unwrap();
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&byte| byte == 0));
            buffer.fill(7);
            assert!(buffer.iter().all(|&byte| byte == 7));
        }
    }

    #[test]
    fn a_file_is_seen_as_it_is() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(&FileView::new(&file).unwrap()[..], b"");
        file.write_all(b"some text").unwrap();
        assert_eq!(&FileView::new(&file).unwrap()[..], b"some text");
    }
}
