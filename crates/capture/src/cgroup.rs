//! The limits that control groups set on the memory of processes (`cgroups(7)`, both versions).

use std::fs;
use std::path::{Path, PathBuf};

/// The version of control groups in a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Interface {
    First,
    Second,
}

/// Bytes that the control groups of this process still allow; `None` where none has a limit.
pub(crate) fn left() -> Option<u64> {
    let groups = read("/proc/self/cgroup")?;
    least(&groups, left_in)
}

/// The smallest limit, in bytes, that the control groups of this process set on its memory.
pub(crate) fn limit() -> Option<u64> {
    let groups = read("/proc/self/cgroup")?;
    least(&groups, limit_in)
}

/// The smallest limit, in bytes, that the control groups of the process that this one knows as `id`
/// set on its memory, as far as they are visible here.
pub(crate) fn limit_of(id: u32) -> Option<u64> {
    let groups = read(format!("/proc/{id}/cgroup"))?;
    least(&visible(&groups), limit_in)
}

/// The groups of another process without those outside what this one may see, whose place of the
/// same name here would be of another group.
fn visible(groups: &str) -> String {
    let is_visible = |line: &&str| !line.contains("/..");
    let lines: Vec<&str> = groups.lines().filter(is_visible).collect();
    lines.join("\n")
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The files of a group, by their names.
type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The smallest number of bytes in these groups, of those that have one.
fn least(groups: &str, of: fn(Interface, Files<'_>) -> Option<u64>) -> Option<u64> {
    let mounts = read("/proc/self/mountinfo")?;
    let folders = folders(groups, &mounts);
    let numbers = folders
        .iter()
        .filter_map(|(folder, interface)| of(*interface, &|name| read(folder.join(name))));
    numbers.min()
}

/// The folders of these groups of a process, and of their ancestors.
fn folders(groups: &str, mounts: &str) -> Vec<(PathBuf, Interface)> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else {
            continue;
        };
        let interface = match controllers {
            "" => Interface::Second,
            names if names.split(',').any(|name| name == "memory") => Interface::First,
            _ => continue,
        };
        for (root, place) in mounts.lines().filter_map(|line| mount(line, interface)) {
            // In a container the group may have the host's path, which is not visible here.
            let inside = group.strip_prefix(root.trim_end_matches('/')).unwrap_or("");
            let inside = inside.trim_start_matches('/');
            let inside = match inside.split('/').any(|name| name == "..") {
                true => "",
                false => inside,
            };
            let place = Path::new(place);
            let group = match inside {
                "" => place.to_owned(),
                inside => place.join(inside),
            };
            let around = group.ancestors().take_while(|path| path.starts_with(place));
            folders.extend(around.map(|path| (path.to_owned(), interface)));
        }
    }
    folders
}

/// The root and the mount point, if a line of `mountinfo` is of control groups that limit memory.
fn mount(line: &str, interface: Interface) -> Option<(&str, &str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut words = file_system.split(' ');
    let (kind, options) = (words.next()?, words.nth(1)?);
    let is_one = match interface {
        Interface::First => kind == "cgroup" && options.split(',').any(|one| one == "memory"),
        Interface::Second => kind == "cgroup2",
    };
    let mut words = mount.split(' ').skip(3);
    is_one.then_some((words.next()?, words.next()?))
}

/// Bytes that a group still allows. Inactive pages of files are freed when memory is needed.
fn left_in(interface: Interface, files: Files<'_>) -> Option<u64> {
    let (used, unused) = match interface {
        Interface::First => ("memory.usage_in_bytes", "total_inactive_file"),
        Interface::Second => ("memory.current", "inactive_file"),
    };
    let limit = limit_in(interface, files)?;
    let used = number_in(files, used)?;
    let unused = files("memory.stat").and_then(|text| {
        let value = text.lines().find_map(|line| line.strip_prefix(unused))?;
        value.trim().parse::<u64>().ok()
    });
    let used = used.saturating_sub(unused.unwrap_or(0));
    Some(limit.saturating_sub(used))
}

/// The limit of a group, in bytes.
fn limit_in(interface: Interface, files: Files<'_>) -> Option<u64> {
    let limits = match interface {
        Interface::First => [number_in(files, "memory.limit_in_bytes"), None],
        // `max` is not a number. Above `high` a process is slowed down, nearly to a standstill.
        Interface::Second => ["memory.max", "memory.high"].map(|name| number_in(files, name)),
    };
    // Version 1 reports no limit as a number that no machine has.
    let is_one = |limit: &u64| *limit < 1 << 60;
    limits.into_iter().flatten().filter(is_one).min()
}

fn number_in(files: Files<'_>, name: &str) -> Option<u64> {
    files(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 0:21 / /proc rw - proc proc rw
30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw,nsdelegate
32 30 0:28 / /sys/fs/cgroup/memory rw shared:6 - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
";

    fn names(groups: &str, mounts: &str) -> Vec<String> {
        let folders = folders(groups, mounts);
        folders
            .iter()
            .map(|(path, _)| path.display().to_string())
            .collect()
    }

    #[test]
    fn the_groups_around_count_too() {
        let groups = "9:cpu,cpuacct:/a\n4:memory:/user/session\n0::/init\n";
        assert_eq!(
            names(groups, MOUNTS),
            [
                "/sys/fs/cgroup/memory/user/session",
                "/sys/fs/cgroup/memory/user",
                "/sys/fs/cgroup/memory",
                "/sys/fs/cgroup/unified/init",
                "/sys/fs/cgroup/unified",
            ]
        );
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_top() {
        let mounts = "1 2 0:3 /docker/1234 /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        let top = ["/sys/fs/cgroup"];
        assert_eq!(names("0::/docker/1234", mounts), top);
        assert_eq!(names("0::/", mounts), top);
        assert_eq!(names("0::/../other", mounts), top);
        assert_eq!(
            names("0::/docker/1234/inner", mounts),
            ["/sys/fs/cgroup/inner", "/sys/fs/cgroup"]
        );
        assert!(names("nonsense", mounts).is_empty());
        assert!(names("0::/", "nonsense").is_empty());
    }

    #[test]
    fn of_another_process_only_what_is_seen_counts() {
        let groups = "4:memory:/../other\n3:cpu:/a\n0::/a..b\n";
        assert_eq!(visible(groups), "3:cpu:/a\n0::/a..b");
    }

    #[test]
    fn a_process_has_one_limit_whoever_asks() {
        assert_eq!(limit(), limit_of(std::process::id()));
        assert_eq!(limit_of(u32::MAX), None);
    }

    #[test]
    fn what_is_left_is_told_by_both_interfaces() {
        let group = |files: &'static [(&str, &str)]| {
            move |name: &str| {
                let file = files.iter().find(|(one, _)| *one == name);
                file.map(|(_, text)| (*text).to_owned())
            }
        };
        let second = group(&[
            ("memory.max", "1000\n"),
            ("memory.high", "max\n"),
            ("memory.current", "700\n"),
            ("memory.stat", "anon 500\nfile 200\ninactive_file 150\n"),
        ]);
        assert_eq!(left_in(Interface::Second, &second), Some(450));
        assert_eq!(limit_in(Interface::Second, &second), Some(1000));
        let slowed = group(&[
            ("memory.max", "max"),
            ("memory.high", "600"),
            ("memory.current", "700"),
        ]);
        assert_eq!(left_in(Interface::Second, &slowed), Some(0));
        assert_eq!(limit_in(Interface::Second, &slowed), Some(600));
        let free = group(&[("memory.max", "max"), ("memory.current", "700")]);
        assert_eq!(left_in(Interface::Second, &free), None);
        let first = group(&[
            ("memory.limit_in_bytes", "1000"),
            ("memory.usage_in_bytes", "900"),
            ("memory.stat", "inactive_file 1\ntotal_inactive_file 300\n"),
        ]);
        assert_eq!(left_in(Interface::First, &first), Some(400));
        let free = group(&[
            ("memory.limit_in_bytes", "9223372036854771712"),
            ("memory.usage_in_bytes", "900"),
        ]);
        assert_eq!(left_in(Interface::First, &free), None);
        assert_eq!(limit_in(Interface::First, &free), None);
        assert_eq!(left_in(Interface::First, &|_| None), None);
    }
}
