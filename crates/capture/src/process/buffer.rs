//! Memory that is there before it is needed, and files as memory.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::ptr::null_mut;
use std::thread;

/// Bytes of a page; larger ones do no harm.
const PAGE: usize = 4096;
/// Pages are fetched so many bytes at a time, each such share by whichever thread is free.
const SHARE: usize = 32 << 20;

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
    /// So many bytes, of which none is there yet.
    pub(super) fn new(len: usize) -> io::Result<Buffer> {
        let mapped = Mapped::new(len, libc::PROT_READ | libc::PROT_WRITE, None)?;
        if len > 0 {
            // SAFETY: advice on a mapping of our own, which may be refused.
            unsafe { libc::madvise(mapped.start.cast(), len, libc::MADV_HUGEPAGE) };
        }
        Ok(Buffer(mapped))
    }

    /// Fetches the pages of the first `len` bytes, by so many threads: most of the time goes into making
    /// zeroes of them.
    pub(super) fn fetch(&mut self, len: usize, threads: usize) {
        let len = len.min(self.len());
        let shares = std::sync::Mutex::new(self[..len].chunks_mut(SHARE));
        let fetch_all = || {
            while let Some(share) = shares.lock().ok().and_then(|mut shares| shares.next()) {
                fetch(share);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(fetch_all);
            }
            fetch_all();
        });
    }

    /// Gives back whole pages behind the first `len` bytes. They are zeroes when they are there again.
    pub(super) fn give_back_from(&mut self, len: usize) {
        let len = len.next_multiple_of(PAGE);
        if len < self.len() {
            let rest = &mut self[len..];
            // SAFETY: pages of our own, borrowed alone, which become zeroes.
            unsafe { libc::madvise(rest.as_mut_ptr().cast(), rest.len(), libc::MADV_DONTNEED) };
        }
    }
}

/// Fetches pages. What is in them stays.
fn fetch(pages: &mut [u8]) {
    let (start, len) = (pages.as_mut_ptr().cast(), pages.len());
    // SAFETY: advice on a mapping of our own, which may be refused.
    if unsafe { libc::madvise(start, len, libc::MADV_POPULATE_WRITE) } != 0 {
        // Kernels before 5.14 do not know it.
        for page in pages.chunks_mut(PAGE) {
            let first = std::hint::black_box(page[0]);
            page[0] = first;
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
            let mut buffer = Buffer::new(len).unwrap();
            buffer.fetch(len / 2, 3);
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&byte| byte == 0));
            buffer.fill(7);
            assert!(buffer.iter().all(|&byte| byte == 7));
        }
    }

    #[test]
    fn what_is_given_back_becomes_zeroes_and_what_is_fetched_again_stays() {
        let mut buffer = Buffer::new(3 * SHARE).unwrap();
        buffer.fill(7);
        buffer.give_back_from(SHARE + 1);
        buffer.fetch(3 * SHARE, 2);
        assert!(buffer[..SHARE + PAGE].iter().all(|&byte| byte == 7));
        assert!(buffer[SHARE + PAGE..].iter().all(|&byte| byte == 0));
        buffer.give_back_from(3 * SHARE - 1);
    }

    #[test]
    fn a_file_is_seen_as_it_is() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(&FileView::new(&file).unwrap()[..], b"");
        file.write_all(b"some text").unwrap();
        assert_eq!(&FileView::new(&file).unwrap()[..], b"some text");
    }
}
