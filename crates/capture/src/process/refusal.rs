//! Why the system does not let us read a process, and what helps.

use super::error::{AttachError, AttachErrorKind};
use std::fs;
use std::io;

/// `CAP_SYS_PTRACE`, as a bit of `CapEff`.
const SYS_PTRACE: u64 = 1 << 19;

/// What is known of a process, or of this one, from its `status`.
struct Status(String);

impl Status {
    fn of(process: &str) -> Option<Status> {
        fs::read_to_string(format!("/proc/{process}/status"))
            .ok()
            .map(Status)
    }

    fn words(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let line = self.0.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.strip_prefix(':')
        })?;
        Some(line.split_ascii_whitespace())
    }

    /// The thread that traces it; `None` where none does.
    fn tracer(&self) -> Option<u32> {
        let tracer = self.number("TracerPid")?;
        (tracer != 0).then_some(tracer)
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.words(name)?.next()?.parse().ok()
    }

    /// The effective user.
    fn user(&self) -> Option<u32> {
        self.words("Uid")?.nth(1)?.parse().ok()
    }

    fn may_trace_all(&self) -> bool {
        let capabilities = self.words("CapEff").and_then(|mut words| words.next());
        let capabilities = capabilities.and_then(|bits| u64::from_str_radix(bits, 16).ok());
        capabilities.is_some_and(|bits| bits & SYS_PTRACE != 0)
    }
}

/// The process that traces another, if one does.
pub(super) fn tracer(process: u32) -> Option<u32> {
    let thread = Status::of(&process.to_string())?.tracer()?;
    let of_thread = Status::of(&thread.to_string());
    let tracer = of_thread.and_then(|status| status.number("Tgid"));
    Some(tracer.unwrap_or(thread))
}

/// That a process is traced already.
pub(super) fn traced(process: u32, tracer: u32) -> AttachError {
    let name = fs::read_to_string(format!("/proc/{tracer}/comm")).unwrap_or_default();
    let name = match name.trim_end() {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    AttachError::new(
        AttachErrorKind::Traced,
        format!(
            "process {process} is traced by process {tracer}{name} already, and a process can have one \
             tracer alone; end that one, or let it write a core file"
        ),
    )
}

/// Why a process was refused with an error of the system's.
pub(super) fn of_process(process: u32, error: &io::Error) -> AttachError {
    let denied = matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES));
    let Some(status) = Status::of(&process.to_string()) else {
        return AttachError::ended(process);
    };
    if let Some(tracer) = tracer(process) {
        return traced(process, tracer);
    }
    match denied {
        true => AttachError::new(AttachErrorKind::NotPermitted, explain(process, &status)),
        false if error.raw_os_error() == Some(libc::ESRCH) => AttachError::ended(process),
        false => AttachError::failed(process, io::Error::from(error.kind())),
    }
}

/// Which of the system's rules stands in the way.
fn explain(process: u32, status: &Status) -> String {
    let own = Status::of("self");
    let may_trace_all = own.as_ref().is_some_and(Status::may_trace_all);
    let (own_user, user) = (own.as_ref().and_then(Status::user), status.user());
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
    let scope = scope.ok().and_then(|scope| scope.trim().parse().ok());
    reason(process, may_trace_all, own_user, user, scope)
}

fn reason(
    process: u32,
    may_trace_all: bool,
    own_user: Option<u32>,
    user: Option<u32>,
    yama: Option<u32>,
) -> String {
    let start = format!("process {process} may not be read: ");
    start
        + &match (may_trace_all, yama) {
            (_, Some(3)) => "the system allows nobody to trace others (kernel.yama.ptrace_scope is 3), \
                             until it is started anew; a core file can be read"
                .to_owned(),
            (true, _) => "though this process has the capability SYS_PTRACE, something forbids it: the \
                          process belongs to another user namespace, or a security module or a \
                          seccomp filter has a rule against it"
                .to_owned(),
            (false, _) if own_user == Some(0) => "this process is root without the capability \
                SYS_PTRACE, as in a container; start the container with `--cap-add SYS_PTRACE`, or run \
                luasnap outside of it"
                .to_owned(),
            (false, _) if own_user != user => match user {
                Some(user) => format!(
                    "it belongs to user {user}; run luasnap as that user, or as root"
                ),
                None => "it belongs to another user; run luasnap as root".to_owned(),
            },
            (false, Some(1 | 2)) => "the system allows it for root alone \
                (kernel.yama.ptrace_scope); run luasnap as root, or, where any process may trace \
                those of its user, `sysctl kernel.yama.ptrace_scope=0`"
                .to_owned(),
            (false, _) => "it is protected, as programs are that changed their user or have \
                secrets (`prctl(PR_SET_DUMPABLE)`), or a seccomp filter forbids it; run luasnap \
                as root"
                .to_owned(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_remedy() {
        let cases = [
            (true, Some(0), Some(1), Some(3), "a core file can be read"),
            (true, Some(0), Some(1), None, "seccomp"),
            (false, Some(0), Some(1), Some(1), "--cap-add SYS_PTRACE"),
            (false, Some(1), Some(2), Some(0), "belongs to user 2"),
            (false, Some(1), None, Some(0), "another user"),
            (
                false,
                Some(1),
                Some(1),
                Some(1),
                "sysctl kernel.yama.ptrace_scope=0",
            ),
            (false, Some(1), Some(1), Some(2), "ptrace_scope"),
            (false, Some(1), Some(1), None, "PR_SET_DUMPABLE"),
        ];
        for (may_trace_all, own, user, yama, expected) in cases {
            let reason = reason(9, may_trace_all, own, user, yama);
            assert!(
                reason.starts_with("process 9 may not be read: "),
                "{reason}"
            );
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn a_status_is_read() {
        let status = Status(
            "Name:\tlua\nTracerPid:\t0\nUid:\t1\t2\t3\t4\nCapEff:\t000001ffffffffff\n".to_owned(),
        );
        assert_eq!(status.tracer(), None);
        assert_eq!(status.user(), Some(2));
        assert!(status.may_trace_all());
        let traced = Status("TracerPid:\t17\nCapEff:\t00000000a80425fb\n".to_owned());
        assert_eq!(traced.tracer(), Some(17));
        assert!(!traced.may_trace_all());
        assert_eq!(traced.user(), None);
    }
}
