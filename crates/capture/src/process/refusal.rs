//! Why the system does not let us read a process, and what can be done about it.

use crate::process::error::{AttachError, AttachErrorKind};
use crate::process::threads::living_thread;
use luasnap_words::Sentence;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// `CAP_SYS_PTRACE`, as a bit of `CapEff`.
const SYS_PTRACE: u64 = 1 << 19;

/// The `status` of a process, or of this one.
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

    /// The ids of the users, or groups, that it runs as: real, effective and saved.
    fn ids(&self, name: &str) -> Option<[u32; 3]> {
        let mut ids = self.words(name)?.map_while(|id| id.parse().ok());
        Some([ids.next()?, ids.next()?, ids.next()?])
    }

    /// The effective user.
    fn user(&self) -> Option<u32> {
        self.ids("Uid").map(|[_, effective, _]| effective)
    }

    /// A set of capabilities.
    fn capabilities(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.words(name)?.next()?, 16).ok()
    }

    fn may_trace_all(&self) -> bool {
        let capabilities = self.capabilities("CapEff");
        capabilities.is_some_and(|bits| bits & SYS_PTRACE != 0)
    }

    /// Whether its system calls go through a filter.
    fn is_filtered(&self) -> bool {
        self.number("Seccomp") == Some(2)
    }
}

/// The thread that traces another thread, if any.
pub(super) fn tracing_thread(thread: u32) -> Option<u32> {
    Status::of(&thread.to_string())?.tracer()
}

/// The process that traces another, if any.
pub(super) fn tracer(process: u32) -> Option<u32> {
    let thread = tracing_thread(living_thread(process))?;
    let of_thread = Status::of(&thread.to_string());
    let tracer = of_thread.and_then(|status| status.number("Tgid"));
    Some(tracer.unwrap_or(thread))
}

/// The error for a process that is already traced.
pub(super) fn traced(process: u32, tracer: u32) -> AttachError {
    let name = fs::read_to_string(format!("/proc/{tracer}/comm")).unwrap_or_default();
    let name = match name.trim_end() {
        "" => None,
        name => Some(Sentence::new("text.is").with("what", name)),
    };
    AttachError::new(
        AttachErrorKind::Traced,
        Sentence::new("attach.traced")
            .with("process", process)
            .with("tracer", tracer)
            .with("name", name),
    )
}

/// Why the system refused access to a process with an error.
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
        false => AttachError::failed(process, error),
    }
}

/// The facts that decide which of the system's rules forbids access.
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// Whether this process has the capability SYS_PTRACE.
    may_trace_all: bool,
    /// The user that this process runs as.
    own_user: Option<u32>,
    /// The user that the other process runs as.
    user: Option<u32>,
    /// Whether the other process has another group, or its real, effective and saved ids differ.
    has_other_ids: bool,
    /// Whether the other process has capabilities that this one does not have.
    is_more_capable: bool,
    /// Whether the other process protects its memory even from its own user.
    is_protected: bool,
    /// `kernel.yama.ptrace_scope`, where the system has it.
    yama: Option<u32>,
    /// Whether the other process was seen to be in another user namespace.
    is_in_other_namespace: bool,
    /// Whether this process's system calls go through a filter.
    is_filtered: bool,
    /// Whether security modules that may have rules of their own are active.
    has_security_module: bool,
}

/// Explains which of the system's rules forbids access.
fn explain(process: u32, status: &Status) -> Sentence {
    let own = Status::of("self");
    let own = own.as_ref();
    let user = status.user();
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
    let modules = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let facts = Facts {
        may_trace_all: own.is_some_and(Status::may_trace_all),
        own_user: own.and_then(Status::user),
        user,
        has_other_ids: own.is_some_and(|own| has_other_ids(own, status)),
        is_more_capable: own.is_some_and(|own| is_more_capable(own, status)),
        is_protected: user.is_some_and(|user| is_protected(process, user)),
        yama: scope.ok().and_then(|scope| scope.trim().parse().ok()),
        is_in_other_namespace: !has_all_users() && is_in_other_namespace(process),
        is_filtered: own.is_some_and(Status::is_filtered),
        has_security_module: has_security_module(&modules),
    };
    Sentence::new("attach.forbidden")
        .with("process", process)
        .with("reason", reason(facts))
}

/// Whether any id of a process differs from this one's.
fn has_other_ids(own: &Status, other: &Status) -> bool {
    ["Uid", "Gid"].into_iter().any(|name| {
        let (Some([own, ..]), Some(ids)) = (own.ids(name), other.ids(name)) else {
            return false;
        };
        ids.into_iter().any(|id| id != own)
    })
}

/// Whether a process has capabilities that this one does not have.
fn is_more_capable(own: &Status, other: &Status) -> bool {
    let [own, other] = [own, other].map(|status| status.capabilities("CapPrm"));
    matches!((own, other), (Some(own), Some(other)) if other & !own != 0)
}

/// Whether a process was seen to be in another user namespace than this one. Where its namespace is
/// not visible, its user map tells: each namespace has one, and they nearly always differ.
fn is_in_other_namespace(process: u32) -> bool {
    let link = |process: &str| fs::read_link(format!("/proc/{process}/ns/user")).ok();
    let users = |process: &str| fs::read_to_string(format!("/proc/{process}/uid_map")).ok();
    let process = &process.to_string();
    match (link("self"), link(process)) {
        (Some(own), Some(other)) => own != other,
        _ => matches!((users("self"), users(process)), (Some(own), Some(other)) if own != other),
    }
}

/// Whether this process is in the initial user namespace. There its capabilities count everywhere,
/// and processes without any are refused for other reasons.
fn has_all_users() -> bool {
    let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut words = users.split_ascii_whitespace();
    ["0", "0", "4294967295"]
        .into_iter()
        .all(|word| words.next() == Some(word))
}

/// Whether a list of security modules has one that may forbid access, other than Yama, whose rule
/// is looked up separately.
fn has_security_module(modules: &str) -> bool {
    const WITH_RULES: [&str; 5] = ["selinux", "apparmor", "smack", "tomoyo", "landlock"];
    let mut modules = modules.trim().split(',');
    modules.any(|module| WITH_RULES.contains(&module))
}

/// Whether a process of a given user is not dumpable: then its files in `/proc` are root's.
fn is_protected(process: u32, user: u32) -> bool {
    // The files of a thread that has ended are root's.
    let status = fs::metadata(format!("/proc/{}/status", living_thread(process)));
    status.is_ok_and(|status| status.uid() != user)
}

fn reason(facts: Facts) -> Sentence {
    let Facts { user, yama, .. } = facts;
    Sentence::new(match (facts.may_trace_all, yama) {
        (_, Some(3)) => "forbidden.yama_3",
        (_, _) if facts.is_in_other_namespace => "forbidden.namespace",
        (true, _) => return unexplained(facts),
        (false, _) if facts.own_user == Some(0) => return without_capability(facts),
        (false, _) if facts.is_protected => "forbidden.protected",
        (false, _) if facts.own_user != user => {
            return match user {
                Some(user) => Sentence::new("forbidden.user").with("user", user),
                None => Sentence::new("forbidden.other_user"),
            };
        }
        (false, Some(1)) => "forbidden.yama_1",
        (false, Some(2)) => "forbidden.yama_2",
        (false, _) if facts.has_other_ids => "forbidden.other_ids",
        (false, _) if facts.is_more_capable => "forbidden.more_capable",
        (false, _) => return unexplained(facts),
    })
}

/// The message where no rule was seen that forbids access: what was seen that may forbid it.
fn unexplained(facts: Facts) -> Sentence {
    let although = Sentence::new(match facts.may_trace_all {
        true => "forbidden.although_capable",
        false => "forbidden.although_same_user",
    });
    Sentence::new(match (facts.is_filtered, facts.has_security_module) {
        (true, _) => "forbidden.filtered",
        (false, true) => "forbidden.security_module",
        (false, false) => "forbidden.unexplained",
    })
    .with("although", although)
}

/// What helps root without the capability. A process of another user may be read by that user.
fn without_capability(facts: Facts) -> Sentence {
    let as_user = match (facts.user, facts.yama) {
        (Some(user), None | Some(0)) if user != 0 && !facts.is_protected => {
            Some(Sentence::new("forbidden.or_as_user").with("user", user))
        }
        _ => None,
    };
    Sentence::new("forbidden.no_capability").with("as_user", as_user)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ordinary user, and a process of the same one.
    const FACTS: Facts = Facts {
        may_trace_all: false,
        own_user: Some(1),
        user: Some(1),
        has_other_ids: false,
        is_more_capable: false,
        is_protected: false,
        yama: None,
        is_in_other_namespace: false,
        is_filtered: false,
        has_security_module: false,
    };
    const ROOT: Facts = Facts {
        own_user: Some(0),
        ..FACTS
    };

    #[track_caller]
    fn check(facts: Facts, has: &[&str], has_not: &[&str]) {
        let reason = reason(facts).to_string();
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
        // The capability overrides all but the last.
        let able = |scope| Facts {
            may_trace_all: true,
            ..with(scope)
        };
        check(able(1), &["no rule was seen"], &["ptrace_scope"]);
        check(able(2), &["no rule was seen"], &["ptrace_scope"]);
        check(able(3), &["scope is 3", "a core file can be read"], &[]);
    }

    #[test]
    fn root_without_the_capability_is_not_told_to_be_root() {
        let remedy = ["--cap-add SYS_PTRACE", "outside of it"];
        check(ROOT, &remedy, &["as root"]);
        check(ROOT, &["or as user 1"], &[]);
        // Where that user could not read the process either.
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
        // Neither its user's rights nor Yama's rule would help.
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
        let more_capable = Facts {
            is_more_capable: true,
            ..FACTS
        };
        check(
            more_capable,
            &["capabilities", "as root"],
            &["PR_SET_DUMPABLE"],
        );
        let other_group = Facts {
            has_other_ids: true,
            ..FACTS
        };
        check(
            other_group,
            &["another group", "as root"],
            &["capabilities"],
        );
        for facts in [FACTS, ROOT, able] {
            let facts = Facts {
                is_in_other_namespace: true,
                ..facts
            };
            check(
                facts,
                &["user namespace", "nsenter"],
                &["seccomp", "SYS_PTRACE"],
            );
        }
    }

    #[test]
    fn only_what_was_seen_is_said() {
        let able = Facts {
            may_trace_all: true,
            ..FACTS
        };
        const ALL: [&str; 3] = ["namespace", "seccomp", "security module"];
        for (facts, start) in [
            (able, "though this process has the capability SYS_PTRACE"),
            (FACTS, "though it belongs to the same user"),
        ] {
            check(facts, &[start, "try again"], &ALL);
            let filtered = Facts {
                is_filtered: true,
                ..facts
            };
            check(
                filtered,
                &[start, "seccomp", "outside"],
                &["namespace", "security module"],
            );
            let modules = Facts {
                has_security_module: true,
                ..facts
            };
            check(
                modules,
                &[start, "security module", "log"],
                &["namespace", "seccomp"],
            );
        }
        assert!(has_security_module("lockdown,capability,yama,apparmor\n"));
        assert!(!has_security_module("lockdown,capability,yama\n") && !has_security_module(""));
        assert!(!is_in_other_namespace(std::process::id()));
    }

    #[test]
    fn a_status_is_read() {
        let status = Status(
            "Name:\tlua\nTracerPid:\t0\nUid:\t1\t2\t3\t4\nCapEff:\t000001ffffffffff\n".to_owned(),
        );
        assert_eq!(status.tracer(), None);
        assert_eq!(status.user(), Some(2));
        assert!(status.may_trace_all());
        assert!(!status.is_filtered() && has_other_ids(&status, &status));
        let same =
            Status("Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nCapPrm:\t0\nSeccomp:\t2\n".to_owned());
        let other = Status("Uid:\t1\t1\t1\t1\nGid:\t1\t1\t2\t2\nCapPrm:\t1\n".to_owned());
        assert!(same.is_filtered() && !has_other_ids(&same, &same));
        assert!(has_other_ids(&same, &other) && !has_other_ids(&other, &same));
        assert!(is_more_capable(&same, &other) && !is_more_capable(&other, &same));
        let traced = Status("TracerPid:\t17\nCapEff:\t00000000a80425fb\n".to_owned());
        assert_eq!(traced.tracer(), Some(17));
        assert!(!traced.may_trace_all());
        assert_eq!(traced.user(), None);
    }
}
