//! Why the system does not let us read a process, and what helps.

use super::error::{AttachError, AttachErrorKind};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

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

/// What decides which of the system's rules stands in the way.
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// Whether this process has the capability SYS_PTRACE.
    may_trace_all: bool,
    /// The user that this process runs as.
    own_user: Option<u32>,
    /// The other process's.
    user: Option<u32>,
    /// Whether the other process keeps its memory even from its own user.
    is_protected: bool,
    /// `kernel.yama.ptrace_scope`, where the system has it.
    yama: Option<u32>,
}

/// Which of the system's rules stands in the way.
fn explain(process: u32, status: &Status) -> String {
    let own = Status::of("self");
    let user = status.user();
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
    let facts = Facts {
        may_trace_all: own.as_ref().is_some_and(Status::may_trace_all),
        own_user: own.as_ref().and_then(Status::user),
        user,
        is_protected: user.is_some_and(|user| is_protected(process, user)),
        yama: scope.ok().and_then(|scope| scope.trim().parse().ok()),
    };
    format!("process {process} may not be read: {}", reason(facts))
}

/// Whether a process of a user's is not dumpable: then what the system says of it is root's.
fn is_protected(process: u32, user: u32) -> bool {
    let status = fs::metadata(format!("/proc/{process}/status"));
    status.is_ok_and(|status| status.uid() != user)
}

fn reason(facts: Facts) -> String {
    let Facts { user, yama, .. } = facts;
    let reason = match (facts.may_trace_all, yama) {
        (_, Some(3)) => {
            "the system allows nobody to trace others (kernel.yama.ptrace_scope is 3), until it is \
             started anew; a core file can be read"
        }
        (true, _) => {
            "though this process has the capability SYS_PTRACE, something forbids it: the process \
             belongs to another user namespace, or a security module or a seccomp filter has a rule \
             against it"
        }
        (false, _) if facts.own_user == Some(0) => return without_capability(facts),
        (false, _) if facts.is_protected => {
            "it is protected, as programs are that changed their user or have secrets \
             (`prctl(PR_SET_DUMPABLE)`); run luasnap as root"
        }
        (false, _) if facts.own_user != user => {
            return match user {
                Some(user) => {
                    format!("it belongs to user {user}; run luasnap as that user, or as root")
                }
                None => "it belongs to another user; run luasnap as root".to_owned(),
            };
        }
        (false, Some(1)) => {
            "the system allows it for a program's own children alone (kernel.yama.ptrace_scope is 1); \
             run luasnap as root, or, where any process may trace those of its user, \
             `sysctl kernel.yama.ptrace_scope=0`"
        }
        (false, Some(2)) => {
            "the system allows it for root alone (kernel.yama.ptrace_scope is 2); run luasnap as root"
        }
        (false, _) => {
            "it has capabilities that this process has not, or a seccomp filter forbids it; run \
             luasnap as root"
        }
    };
    reason.to_owned()
}

/// What helps root without the capability. Another user's process is no obstacle to that user.
fn without_capability(facts: Facts) -> String {
    let as_user = match (facts.user, facts.yama) {
        (Some(user), None | Some(0)) if user != 0 && !facts.is_protected => {
            format!(", or as user {user}, to whom the process belongs")
        }
        _ => String::new(),
    };
    format!(
        "this process is root without the capability SYS_PTRACE, as in a container; start the container \
         with `--cap-add SYS_PTRACE`, or run luasnap outside of it{as_user}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ordinary user, and a process of the same one.
    const FACTS: Facts = Facts {
        may_trace_all: false,
        own_user: Some(1),
        user: Some(1),
        is_protected: false,
        yama: None,
    };
    const ROOT: Facts = Facts {
        own_user: Some(0),
        ..FACTS
    };

    #[track_caller]
    fn check(facts: Facts, has: &[&str], has_not: &[&str]) {
        let reason = reason(facts);
        assert!(has.iter().all(|part| reason.contains(part)), "{reason}");
        assert!(
            !has_not.iter().any(|part| reason.contains(part)),
            "{reason}"
        );
    }

    #[test]
    fn each_scope_of_yama_has_its_remedy() {
        let sysctl = "`sysctl kernel.yama.ptrace_scope=0`";
        let with = |scope| Facts {
            yama: Some(scope),
            ..FACTS
        };
        check(with(0), &[], &["ptrace_scope"]);
        let one = ["scope is 1", "run luasnap as root, or", sysctl];
        check(with(1), &one, &[]);
        check(with(2), &["scope is 2", "run luasnap as root"], &[sysctl]);
        check(
            with(3),
            &["scope is 3", "a core file can be read"],
            &["root", sysctl],
        );
        // The capability makes up for all but the last.
        let able = |scope| Facts {
            may_trace_all: true,
            ..with(scope)
        };
        check(able(1), &["security module"], &["ptrace_scope"]);
        check(able(2), &["security module"], &["ptrace_scope"]);
        check(able(3), &["scope is 3", "a core file can be read"], &[]);
    }

    #[test]
    fn root_without_the_capability_is_not_told_to_be_root() {
        let remedy = ["--cap-add SYS_PTRACE", "outside of it"];
        check(ROOT, &remedy, &["as root"]);
        check(ROOT, &["or as user 1"], &[]);
        // Where that user could not read it either.
        for facts in [
            Facts {
                yama: Some(1),
                ..ROOT
            },
            Facts {
                user: Some(0),
                ..ROOT
            },
            Facts { user: None, ..ROOT },
            Facts {
                is_protected: true,
                ..ROOT
            },
        ] {
            check(facts, &remedy, &["as user"]);
        }
    }

    #[test]
    fn each_other_reason_has_its_remedy() {
        let able = Facts {
            may_trace_all: true,
            ..FACTS
        };
        check(able, &["seccomp"], &["as root"]);
        let another = Facts {
            user: Some(2),
            yama: Some(1),
            ..FACTS
        };
        check(another, &["belongs to user 2", "as that user"], &[]);
        let unknown = Facts {
            user: None,
            ..FACTS
        };
        check(unknown, &["another user", "as root"], &[]);
        // Neither its user nor Yama's rule would help.
        for facts in [FACTS, another] {
            let facts = Facts {
                is_protected: true,
                ..facts
            };
            check(
                facts,
                &["PR_SET_DUMPABLE", "as root"],
                &["that user", "sysctl"],
            );
        }
        check(FACTS, &["capabilities", "as root"], &["PR_SET_DUMPABLE"]);
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
