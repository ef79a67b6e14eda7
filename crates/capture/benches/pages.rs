//! How long memory takes to be fetched, by huge pages and by small ones: `cargo bench -p luasnap-capture --bench pages`.
//! It is a gigabyte; `-- MEGABYTES` says another size.
//!
//! The second time the memory is one that was in use a moment ago.

use std::error::Error;
use std::time::Instant;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn Error>> {
    let size = std::env::args().find_map(|argument| argument.parse::<usize>().ok());
    let len = size.unwrap_or(1024) << 20;
    for _ in 0..3 {
        for (name, advice) in [
            ("huge", libc::MADV_HUGEPAGE),
            ("small", libc::MADV_NOHUGEPAGE),
        ] {
            let [first, again] = fetched(len, advice)?;
            println!("{name:5} pages    {first:.2} s, again {again:.2} s");
        }
    }
    Ok(())
}

/// Fetches new memory, gives it back, and fetches it again; returns both times in seconds.
#[cfg(target_os = "linux")]
fn fetched(len: usize, advice: i32) -> Result<[f64; 2], Box<dyn Error>> {
    const KIND: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    const BOTH: i32 = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, placed by the kernel, which nobody else has and nobody reads.
    unsafe {
        let start = libc::mmap(std::ptr::null_mut(), len, BOTH, KIND, -1, 0);
        if start == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().into());
        }
        libc::madvise(start, len, advice);
        let fetch = || {
            let begin = Instant::now();
            match libc::madvise(start, len, libc::MADV_POPULATE_WRITE) {
                0 => Ok(begin.elapsed().as_secs_f64()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        let first = fetch()?;
        libc::madvise(start, len, libc::MADV_DONTNEED);
        let again = fetch()?;
        libc::munmap(start, len);
        Ok([first, again])
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> Result<(), Box<dyn Error>> {
    Err("memory is fetched on Linux alone".into())
}
