//! Reading another process's memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::memory::kept_bytes::KeptBytes;
use crate::memory::memory::Memory;
use crate::memory::page_size::page_size;
use crate::process::threads::living_thread;

/// `UIO_MAXIOV`: the most parts that a call takes.
const PARTS: usize = 1024;

/// A part of the other process's memory, and where it goes.
pub(super) struct Part<'a> {
    pub(super) address: u64,
    pub(super) into: &'a mut [u8],
}

/// Another process's memory, as it is at the moment of each read.
#[derive(Debug)]
pub(super) struct RemoteMemory {
    process: u32,
    /// The thread through which it is read: it may end before the others do.
    thread: AtomicU32,
    /// `/proc/TID/mem`, for where the kernel or a sandbox does not provide the system call.
    file: Option<File>,
    /// Whether the system call itself was refused.
    has_no_call: AtomicBool,
}

impl RemoteMemory {
    pub(super) fn new(process: u32) -> RemoteMemory {
        let thread = living_thread(process);
        RemoteMemory {
            process,
            thread: AtomicU32::new(thread),
            file: File::open(format!("/proc/{thread}/mem")).ok(),
            has_no_call: AtomicBool::new(false),
        }
    }

    /// Fills `into` from `address`; returns the number of bytes before the first that could not be
    /// read.
    pub(super) fn read(&self, address: u64, into: &mut [u8]) -> io::Result<usize> {
        self.read_parts(&mut [Part { address, into }])
    }

    /// Fills parts, one after the other, up to the first byte that cannot be read; returns the
    /// number of bytes read.
    fn read_parts(&self, parts: &mut [Part<'_>]) -> io::Result<usize> {
        if !self.has_no_call.load(Ordering::Relaxed) {
            let thread = self.thread.load(Ordering::Relaxed);
            match read_by_call(thread, parts) {
                Ok(read) => return Ok(read),
                Err(error) => match error.raw_os_error() {
                    Some(libc::EFAULT) => return Ok(0),
                    Some(libc::ESRCH) if self.has_another(thread) => return self.read_parts(parts),
                    Some(libc::ENOSYS | libc::EPERM) if self.file.is_some() => {
                        self.has_no_call.store(true, Ordering::Relaxed);
                    }
                    _ => return Err(error),
                },
            }
        }
        self.read_by_file(parts)
    }

    /// Whether there is another thread to read through, once one has ended.
    fn has_another(&self, ended: u32) -> bool {
        let thread = living_thread(self.process);
        self.thread.store(thread, Ordering::Relaxed);
        thread != ended
    }

    fn read_by_file(&self, parts: &mut [Part<'_>]) -> io::Result<usize> {
        let denied = || io::Error::from_raw_os_error(libc::EACCES);
        let file = self.file.as_ref().ok_or_else(denied)?;
        let mut done = 0;
        for part in parts {
            let mut start = 0;
            while start < part.into.len() {
                match file.read_at(&mut part.into[start..], part.address + start as u64) {
                    Ok(0) => return Ok(done),
                    Ok(read) => {
                        start += read;
                        done += read;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.raw_os_error() == Some(libc::EIO) => return Ok(done),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(done)
    }

    /// Fills all parts. A page that cannot be read, since it was unmapped meanwhile, becomes
    /// zeroes.
    pub(super) fn copy(&self, parts: &mut [Part<'_>]) -> io::Result<()> {
        let mut parts = parts;
        while !parts.is_empty() {
            let count = parts.len().min(PARTS);
            let mut read = self.read_parts(&mut parts[..count])?;
            let mut whole = 0;
            while whole < count && read >= parts[whole].into.len() {
                read -= parts[whole].into.len();
                whole += 1;
            }
            parts = &mut parts[whole..];
            if whole < count {
                skip(&mut parts[0], read);
            }
        }
        Ok(())
    }
}

/// Drops `read` bytes from the start of a part, and zeroes the rest of the page behind them.
fn skip(part: &mut Part<'_>, read: usize) {
    let stopped = part.address + read as u64;
    let page = page_size();
    let in_page = page - (stopped % page as u64) as usize;
    let into = std::mem::take(&mut part.into);
    let end = into.len().min(read + in_page);
    let (first, rest) = into.split_at_mut(end);
    first[read..].fill(0);
    part.address += end as u64;
    part.into = rest;
}

#[cfg(target_os = "linux")]
fn read_by_call(thread: u32, parts: &mut [Part<'_>]) -> io::Result<usize> {
    const NONE: libc::iovec = libc::iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    };
    // On the stack, since the process is stopped meanwhile, and memory may be short.
    let (mut local, mut remote) = ([NONE; PARTS], [NONE; PARTS]);
    let most = PARTS.min(parts.len());
    let parts = &mut parts[..most];
    for ((part, local), remote) in parts.iter_mut().zip(&mut local).zip(&mut remote) {
        *local = libc::iovec {
            iov_base: part.into.as_mut_ptr().cast(),
            iov_len: part.into.len(),
        };
        *remote = libc::iovec {
            iov_base: part.address as *mut _,
            iov_len: part.into.len(),
        };
    }
    let count = parts.len() as libc::c_ulong;
    let thread = thread as libc::pid_t;
    // SAFETY: what `local` names is ours to write; a bad remote address is an error, not a fault.
    let read =
        unsafe { libc::process_vm_readv(thread, local.as_ptr(), count, remote.as_ptr(), count, 0) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Other systems have no such call.
#[cfg(not(target_os = "linux"))]
fn read_by_call(_: u32, _: &mut [Part<'_>]) -> io::Result<usize> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

/// A running process's memory as [`Memory`]. Each new address takes a system call, so this is for
/// the few bytes around a main state, not for a heap.
#[derive(Debug)]
pub(super) struct LiveMemory<'a> {
    remote: &'a RemoteMemory,
    read: KeptBytes,
}

impl LiveMemory<'_> {
    /// Most bytes read at once from a running process.
    const MAX_READ: usize = 1 << 16;

    pub(super) fn new(remote: &RemoteMemory) -> LiveMemory<'_> {
        LiveMemory {
            remote,
            read: KeptBytes::default(),
        }
    }
}

impl Memory for LiveMemory<'_> {
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        if len > Self::MAX_READ {
            return None;
        }
        let read = |into: &mut [u8]| {
            self.remote
                .read(address, into)
                .is_ok_and(|read| read == len)
        };
        self.read.get(address, len, read)
    }

    fn is_writable(&self, _: u64) -> bool {
        true
    }

    fn prefetch(&self, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_are_gone_become_zeroes() {
        let remote = RemoteMemory::new(std::process::id());
        let source = [7u8; 100];
        let address = source.as_ptr() as u64;
        for has_no_call in [false, true] {
            remote.has_no_call.store(has_no_call, Ordering::Relaxed);
            let mut all = [1u8; 8192 + 100];
            let (gone, kept) = all.split_at_mut(8192);
            let mut parts = [
                Part {
                    address: 8,
                    into: gone,
                },
                Part {
                    address,
                    into: kept,
                },
            ];
            remote.copy(&mut parts).unwrap();
            assert!(all[..8192].iter().all(|&byte| byte == 0));
            assert_eq!(all[8192..], source);
        }
    }

    #[test]
    fn many_parts_need_several_calls() {
        let remote = RemoteMemory::new(std::process::id());
        let source: Vec<u8> = (0..5000u32).map(|at| at as u8).collect();
        let mut copy = vec![0; source.len()];
        let mut parts: Vec<Part<'_>> = (source.as_ptr() as u64..)
            .zip(copy.chunks_mut(1))
            .map(|(address, into)| Part { address, into })
            .collect();
        remote.copy(&mut parts).unwrap();
        assert_eq!(copy, source);
    }
}
