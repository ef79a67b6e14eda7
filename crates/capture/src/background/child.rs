//! Making the process, and what it does first and last.
//!
//! By the system call itself, not by `fork`: that runs the handlers of `pthread_atfork`, which a host may have written
//! for children that go on as the host, and it waits for locks. The signal that tells of its end is none, so that a host
//! that waits for its children never sees this one (`wait` without `__WALL` passes it over, and there is no `SIGCHLD`).

use std::io;
use std::os::fd::RawFd;

/// The exit code where our own code panicked.
pub(super) const PANICKED: i32 = 101;

/// Makes a process that does `work` and ends, and returns its id. It has no descriptor but `descriptor`, none of the host's
/// signal handlers, and one thread. What it allocates is its own.
///
/// # Errors
///
/// What the system says, where there can be no such process.
#[cfg(target_os = "linux")]
pub(super) fn make(descriptor: RawFd, work: impl FnOnce()) -> io::Result<i32> {
    linux::make(descriptor, work)
}

/// As above, where there is no such call.
#[cfg(not(target_os = "linux"))]
pub(super) fn make(_: RawFd, _: impl FnOnce()) -> io::Result<i32> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
mod linux {
    use super::PANICKED;
    use crate::child_memory;
    use std::fs;
    use std::hash::{BuildHasher, Hasher, RandomState};
    use std::hint::black_box;
    use std::io;
    use std::os::fd::RawFd;
    use std::panic::{self, AssertUnwindSafe, catch_unwind};
    use std::ptr::{null, null_mut};
    use std::sync::Once;

    pub(super) fn make(descriptor: RawFd, work: impl FnOnce()) -> io::Result<i32> {
        end_where_the_child_panics();
        // Thread-local variables of a library are allocated by the C library when a thread first uses one.
        black_box(RandomState::new().build_hasher().finish());
        let mask = set_mask(SignalSet::ALL);
        // SAFETY: without flags it is a process with a copy of all memory, which goes on here with the same stack, and
        // no signal tells of its end. Nothing there but this module's code runs: `live` never returns.
        let made =
            unsafe { libc::syscall(libc::SYS_clone, 0_usize, 0_usize, 0_usize, 0_usize, 0_usize) };
        if made == 0 {
            live(descriptor, mask, work);
        }
        let error = io::Error::last_os_error();
        set_mask(mask);
        match made {
            -1 => Err(error),
            id => Ok(id as i32),
        }
    }

    /// What the child does.
    fn live(descriptor: RawFd, mask: SignalSet, work: impl FnOnce()) -> ! {
        child_memory::allocate_alone();
        forget_handlers();
        set_mask(mask);
        close_all_but(descriptor);
        // How it is called in lists of processes. What fails here is no reason to do nothing.
        // SAFETY: a text that ends in a zero; no core file tells more than a sentence.
        unsafe {
            libc::syscall(
                libc::SYS_prctl,
                libc::PR_SET_NAME,
                c"luasnap".as_ptr(),
                0,
                0,
                0,
            );
            let none = [0_u64; 2];
            libc::syscall(
                libc::SYS_prlimit64,
                0,
                libc::RLIMIT_CORE,
                &raw const none,
                null_mut::<u64>(),
            );
        }
        // Where memory runs out, it is this process that ends, not the host.
        let _ = fs::write("/proc/self/oom_score_adj", "1000");
        let done = catch_unwind(AssertUnwindSafe(work));
        end(if done.is_ok() { 0 } else { PANICKED })
    }

    /// Ends the process at once: no destructor and no handler of the host's runs.
    fn end(code: i32) -> ! {
        loop {
            // SAFETY: it does not return.
            unsafe { libc::syscall(libc::SYS_exit_group, code) };
        }
    }

    /// A panic in the child is said by its exit code: to print it and to unwind takes locks, of standard error and of the
    /// dynamic linker.
    fn end_where_the_child_panics() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| match child_memory::is_alone() {
                true => end(PANICKED),
                false => before(panic),
            }));
        });
    }

    /// Signals, a bit for each, as the kernel has them.
    #[derive(Clone, Copy)]
    struct SignalSet(u64);

    impl SignalSet {
        const ALL: SignalSet = SignalSet(!0);
    }

    /// Sets which signals wait, and returns which did. By the system call, since the C library leaves out two of its own.
    fn set_mask(mask: SignalSet) -> SignalSet {
        let (new, mut old) = (mask.0, 0_u64);
        // SAFETY: both have the size that is given.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigprocmask,
                libc::SIG_SETMASK,
                &raw const new,
                &raw mut old,
                size_of::<u64>(),
            )
        };
        SignalSet(old)
    }

    /// Lets each signal that a handler waits for do what it does by default, as in a program that is started: what is
    /// ignored stays ignored. A pipe that nobody reads is an error of the write.
    fn forget_handlers() {
        /// What the kernel takes: the handler, flags, the way back and a mask, a word each.
        type Action = [u64; 4];
        static DEFAULT: Action = [libc::SIG_DFL as u64, 0, 0, 0];
        static IGNORED: Action = [libc::SIG_IGN as u64, 0, 0, 0];
        let action = |signal: i32, new: *const Action, old: *mut Action| {
            // SAFETY: each is null or has the size that the kernel reads or writes.
            unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, size_of::<u64>()) }
        };
        for signal in 1..=64 {
            let mut old = DEFAULT;
            action(signal, null(), &raw mut old);
            if old[0] != DEFAULT[0] && old[0] != IGNORED[0] {
                action(signal, &raw const DEFAULT, null_mut());
            }
        }
        action(libc::SIGPIPE, &raw const IGNORED, null_mut());
    }

    /// Closes all descriptors but one: whoever waits for the other end of a pipe or a socket would wait for this process
    /// too.
    fn close_all_but(kept: RawFd) {
        let kept = kept as u32;
        let close_range = |first: u32, last: u32| {
            // SAFETY: nobody uses these descriptors in this process.
            first > last || unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0
        };
        // Where `kept` is 0, the first range is empty.
        let below = kept == 0 || close_range(0, kept - 1);
        if below && close_range(kept + 1, u32::MAX) {
            return;
        }
        // Before Linux 5.9.
        let mut most = [0_u64; 2];
        // SAFETY: there is room for the limits.
        unsafe {
            libc::syscall(
                libc::SYS_prlimit64,
                0,
                libc::RLIMIT_NOFILE,
                null::<u64>(),
                &raw mut most,
            )
        };
        let mut listed = Listed::new();
        while let Some(descriptor) = listed.as_mut().and_then(Listed::next) {
            let is_own = listed
                .as_ref()
                .is_some_and(|listed| listed.folder == descriptor);
            if descriptor as u32 != kept && !is_own {
                close(descriptor);
            }
        }
        match listed {
            Some(listed) => close(listed.folder),
            None => (0..most[0].min(1 << 20) as RawFd)
                .filter(|&descriptor| descriptor as u32 != kept)
                .for_each(close),
        }
    }

    fn close(descriptor: RawFd) {
        // SAFETY: nobody uses it in this process.
        unsafe { libc::syscall(libc::SYS_close, descriptor) };
    }

    /// The open descriptors, from `/proc/self/fd`. Not by `opendir`, which allocates.
    struct Listed {
        folder: RawFd,
        names: [u8; 4096],
        len: usize,
        at: usize,
    }

    impl Listed {
        fn new() -> Option<Listed> {
            let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
            let path = c"/proc/self/fd".as_ptr();
            // SAFETY: a text that ends in a zero.
            let folder = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, 0) };
            (folder >= 0).then_some(Listed {
                folder: folder as RawFd,
                names: [0; 4096],
                len: 0,
                at: 0,
            })
        }

        fn next(&mut self) -> Option<RawFd> {
            /// The bytes before a name: an inode, an offset, the entry's length and its kind.
            const BEFORE_NAME: usize = 19;
            loop {
                if self.at >= self.len {
                    let (folder, names) = (self.folder, self.names.as_mut_ptr());
                    // SAFETY: there is room for so many bytes.
                    let len = unsafe {
                        libc::syscall(libc::SYS_getdents64, folder, names, self.names.len())
                    };
                    if len <= 0 {
                        return None;
                    }
                    (self.len, self.at) = (len as usize, 0);
                }
                let entry = self.names.get(self.at..self.len)?;
                let len = u16::from_ne_bytes([*entry.get(16)?, *entry.get(17)?]);
                let name = entry.get(BEFORE_NAME..usize::from(len))?;
                self.at += usize::from(len);
                let end = name.iter().position(|&byte| byte == 0)?;
                let number = std::str::from_utf8(&name[..end]).ok()?.parse();
                if let Ok(number) = number {
                    return Some(number);
                }
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::os::fd::AsRawFd;

        #[test]
        fn descriptors_are_listed() {
            let files: Vec<_> = (0..300)
                .map(|_| fs::File::open("/dev/null").unwrap())
                .collect();
            let mut listed = Listed::new().unwrap();
            let numbers: Vec<RawFd> = std::iter::from_fn(|| listed.next()).collect();
            close(listed.folder);
            for file in &files {
                assert!(numbers.contains(&file.as_raw_fd()));
            }
        }
    }
}
