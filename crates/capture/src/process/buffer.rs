//! Memory whose pages are fetched before it is needed, and files as memory.

use crate::memory::page_advice::{NO_RESERVE, populate};
use crate::memory::page_choice::{PageChoice, advise};
use crate::memory::page_size::page_size;
use std::fs::{File, Permissions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::ptr::null_mut;
use std::slice::ChunksMut;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// Pages are fetched in shares of this many bytes, each by whichever thread is free.
const SHARE: usize = 32 << 20;

/// A mapping owned by this value alone.
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
    /// Maps the first `len` bytes of a file, which writes go to, or plain memory.
    fn new(len: usize, protection: i32, file: Option<&File>) -> io::Result<Mapped> {
        // No memory is reserved for what is never used.
        const PLAIN: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | NO_RESERVE;
        let sharing = match protection & libc::PROT_WRITE {
            0 => libc::MAP_PRIVATE,
            _ => libc::MAP_SHARED,
        };
        if len == 0 {
            return Ok(Mapped {
                start: null_mut(),
                len,
            });
        }
        let (flags, descriptor) = match file {
            Some(file) => (sharing, file.as_raw_fd()),
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
        // SAFETY: `len` bytes are mapped for reading for as long as `self` lives. A file that is
        // truncated meanwhile ends this process by a signal, as with any mapped file.
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

/// Where the bytes of a buffer are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// In memory.
    Memory,
    /// In a file without a name in this folder, which nobody else can open.
    Folder(&'a Path),
}

/// Zeroed memory whose first pages are present: writing to these does not wait.
#[derive(Debug)]
pub(super) struct Buffer {
    mapped: Mapped,
    is_file: bool,
}

impl Buffer {
    /// Creates a buffer of `len` bytes. In memory, no page is present yet; in a file, the disk
    /// space is allocated at once, since on a full disk a write to mapped memory ends the process
    /// by a signal.
    pub(super) fn new(len: usize, place: Place<'_>) -> io::Result<Buffer> {
        const BOTH: i32 = libc::PROT_READ | libc::PROT_WRITE;
        let is_file = place != Place::Memory;
        let mapped = match place {
            Place::Folder(folder) if len > 0 => {
                let file = nameless_file(folder)?;
                allocate(&file, len)?;
                Mapped::new(len, BOTH, Some(&file))?
            }
            _ => Mapped::new(len, BOTH, None)?,
        };
        Ok(Buffer { mapped, is_file })
    }

    /// Fetches the pages of the first `len` bytes, by up to `threads` threads: most of the time is
    /// spent zeroing them. The pages of a file are not fetched: there may be no memory for them.
    pub(super) fn fetch(&mut self, len: usize, threads: usize) {
        if self.is_file {
            return;
        }
        let len = len.next_multiple_of(page_size()).min(self.len());
        let (first, rest) = self.split_at_mut(len);
        let shares = Mutex::new(Shares {
            rest: first.chunks_mut(SHARE),
            choice: PageChoice::default(),
        });
        let fetch_all = || while fetch_next(&shares) {};
        thread::scope(|scope| {
            for _ in 1..threads {
                // Where no thread is available, this one does it all.
                if thread::Builder::new()
                    .spawn_scoped(scope, fetch_all)
                    .is_err()
                {
                    break;
                }
            }
            fetch_all();
        });
        if let Ok(shares) = shares.into_inner()
            && !rest.is_empty()
        {
            // What the process has more by then is fetched while it is stopped.
            advise(
                rest.as_mut_ptr().cast(),
                rest.len(),
                shares.choice.is_huge(),
            );
        }
    }

    /// Gives back the memory of whole pages behind the first `len` bytes, which then read as
    /// zeroes. A file keeps its contents.
    pub(super) fn give_back_from(&mut self, len: usize) {
        let len = len.next_multiple_of(page_size());
        if len < self.len() && !self.is_file {
            let rest = &mut self[len..];
            // SAFETY: pages of our own, borrowed alone, which become zeroes.
            unsafe { libc::madvise(rest.as_mut_ptr().cast(), rest.len(), libc::MADV_DONTNEED) };
        }
    }
}

/// Creates a file without a name that belongs to this user alone, however it is opened.
fn nameless_file(folder: &Path) -> io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Makes a file `len` bytes long, with disk space for all of them.
#[cfg(target_os = "linux")]
fn allocate(file: &File, len: usize) -> io::Result<()> {
    let len = libc::off_t::try_from(len).map_err(|_| too_large())?;
    // SAFETY: a call on a file of our own.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, len) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Fails: where nothing is copied, nobody needs it.
#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn too_large() -> io::Error {
    io::Error::from_raw_os_error(libc::EFBIG)
}

/// What is to be fetched yet, and by which pages.
struct Shares<'a> {
    rest: ChunksMut<'a, u8>,
    choice: PageChoice,
}

/// Fetches the next share, if there is one.
fn fetch_next(shares: &Mutex<Shares<'_>>) -> bool {
    let next = shares.lock().ok().and_then(|mut shares| {
        let share = shares.rest.next()?;
        Some((share, shares.choice.is_huge()))
    });
    let Some((share, is_huge)) = next else {
        return false;
    };
    advise(share.as_mut_ptr().cast(), share.len(), is_huge);
    let begin = Instant::now();
    fetch(share);
    if let Ok(mut shares) = shares.lock() {
        shares.choice.note(is_huge, share.len(), begin.elapsed());
    }
    true
}

/// Fetches pages. Their contents stay.
fn fetch(pages: &mut [u8]) {
    if !populate(pages) {
        for page in pages.chunks_mut(page_size()) {
            let first = std::hint::black_box(page[0]);
            page[0] = first;
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.mapped.bytes()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        if self.mapped.len == 0 {
            return &mut [];
        }
        // SAFETY: `len` bytes are mapped for writing, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.mapped.start, self.mapped.len) }
    }
}

/// A file as memory.
#[derive(Debug)]
pub(super) struct FileView(Mapped);

impl FileView {
    /// The whole file at its current size.
    pub(super) fn new(file: &File) -> io::Result<FileView> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        }
        let len = metadata.len();
        let len = usize::try_from(len).map_err(|_| too_large())?;
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
        let folder = tempfile::tempdir().unwrap();
        for place in [Place::Memory, Place::Folder(folder.path())] {
            for len in [0, 1, page_size(), 3 * page_size() + 5] {
                let mut buffer = Buffer::new(len, place).unwrap();
                buffer.fetch(len / 2, 3);
                assert_eq!(buffer.len(), len);
                assert!(buffer.iter().all(|&byte| byte == 0));
                buffer.fill(7);
                assert!(buffer.iter().all(|&byte| byte == 7));
                buffer.give_back_from(0);
            }
        }
        // None of the files has a name.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = folder.path().join("nowhere");
        assert!(Buffer::new(1, Place::Folder(&nowhere)).is_err());
        assert!(Buffer::new(usize::MAX, Place::Folder(folder.path())).is_err());
    }

    #[test]
    fn nobody_else_can_open_a_file() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let file = nameless_file(folder.path()).unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.nlink()), (0o600, 0));
    }

    #[test]
    fn what_is_given_back_becomes_zeroes_and_what_is_fetched_again_stays() {
        let mut buffer = Buffer::new(3 * SHARE, Place::Memory).unwrap();
        buffer.fill(7);
        buffer.give_back_from(SHARE + 1);
        buffer.fetch(3 * SHARE, 2);
        let kept = SHARE + page_size();
        assert!(buffer[..kept].iter().all(|&byte| byte == 7));
        assert!(buffer[kept..].iter().all(|&byte| byte == 0));
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
