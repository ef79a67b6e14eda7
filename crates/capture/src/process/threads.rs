//! The threads of a process, as any user may see them.

use std::fs;
use std::io;

/// Returns the numbers of a process's threads.
pub(super) fn threads(process: u32) -> io::Result<impl Iterator<Item = u32>> {
    let threads = fs::read_dir(format!("/proc/{process}/task"))?;
    Ok(threads
        .flatten()
        .filter_map(|thread| thread.file_name().to_str()?.parse().ok()))
}

/// Whether a thread has ended, or is about to.
pub(super) fn has_ended(process: u32, thread: u32) -> bool {
    const EXITING: u32 = 4; // PF_EXITING
    let Some((state, flags)) = state_and_flags(process, thread) else {
        return true;
    };
    matches!(state, b'Z' | b'X') || flags & EXITING != 0
}

/// The thread through which a process's memory is read: the first, or, if that has ended before the
/// others, one of these. The system does not show the memory through a thread that has ended.
pub(super) fn living_thread(process: u32) -> u32 {
    if !has_ended(process, process) {
        return process;
    }
    let mut others = threads(process).into_iter().flatten();
    let living = others.find(|&thread| !has_ended(process, thread));
    living.unwrap_or(process)
}

/// A thread that waits in the kernel where neither signals nor requests to stop reach it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Waiting {
    /// Its number.
    pub(super) thread: u32,
    /// Number of its voluntary context switches so far: if it differs, the thread went on
    /// meanwhile.
    times: Option<u64>,
}

/// The threads of a process that wait uninterruptibly.
pub(super) fn waiting(process: u32) -> Vec<Waiting> {
    let threads = threads(process).into_iter().flatten();
    let waits = |&thread: &u32| {
        let state = state_and_flags(process, thread);
        state.is_some_and(|(state, _)| state == b'D')
    };
    threads
        .filter(waits)
        .map(|thread| Waiting {
            thread,
            times: times_waited(process, thread),
        })
        .collect()
}

/// Whether a thread waits only for a processor, or is stopped by its tracer.
pub(super) fn runs_or_is_traced(process: u32, thread: u32) -> bool {
    let state = state_and_flags(process, thread);
    state.is_some_and(|(state, _)| matches!(state, b'R' | b't'))
}

fn times_waited(process: u32, thread: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/task/{thread}/status")).ok()?;
    let mut lines = status.lines();
    let times = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    times.trim().parse().ok()
}

/// A thread's state and the kernel's flags, from `stat`.
fn state_and_flags(process: u32, thread: u32) -> Option<(u8, u32)> {
    let stat = fs::read(format!("/proc/{process}/task/{thread}/stat")).ok()?;
    // The name before it may contain blanks and parentheses.
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let mut words = stat[name_end..].split(|&byte| byte == b' ').skip(1);
    let state = *words.next()?.first()?;
    let flags = words
        .nth(5)
        .and_then(|flags| std::str::from_utf8(flags).ok());
    let flags = flags.and_then(|flags| flags.parse().ok()).unwrap_or(0);
    Some((state, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_by_its_first_thread() {
        let process = std::process::id();
        assert_eq!(living_thread(process), process);
        assert!(threads(process).unwrap().any(|thread| thread == process));
        assert!(has_ended(u32::MAX, u32::MAX) && threads(u32::MAX).is_err());
        assert_eq!(living_thread(u32::MAX), u32::MAX);
        assert!(times_waited(process, process).is_some());
        // SAFETY: it takes nothing and always succeeds.
        let own = unsafe { libc::gettid() } as u32;
        assert!(runs_or_is_traced(process, own) && !runs_or_is_traced(u32::MAX, u32::MAX));
    }
}
