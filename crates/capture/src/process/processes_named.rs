//! The processes that a name fits.

use crate::process::lua_processes::{process_ids, words};
use crate::process::threads::living_thread;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The system cuts a program's name after this many bytes (`TASK_COMM_LEN` of Linux, less the zero).
const CUT: usize = 15;

/// Returns the ids of the processes with this name, in order: what the system calls the program, the file that it
/// is, or the first word of its command line, each without folders. None of them is stopped. This process is left
/// out.
pub fn processes_named(name: &str) -> Vec<u32> {
    // What has no program, such as a kernel thread, has no such name either.
    let is_called = |id: &u32| !name.is_empty() && has_name(*id, name.as_bytes());
    process_ids().into_iter().filter(is_called).collect()
}

fn has_name(id: u32, name: &[u8]) -> bool {
    let thread = living_thread(id);
    let read = |id, file| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    let called = read(id, "comm");
    let called = called.trim_ascii_end();
    if called == name || (called.len() == CUT && name.starts_with(called)) {
        return true;
    }
    let command = words(&read(thread, "cmdline"));
    let program = fs::read_link(format!("/proc/{thread}/exe")).unwrap_or_default();
    let first = command.first().map(Vec::as_slice).unwrap_or_default();
    last_part(Path::new(OsStr::from_bytes(first))) == name || last_part(&program) == name
}

fn last_part(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    /// A process that ends with the test.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn sleep(program: &Path, first_word: &str) -> Running {
        let mut command = Command::new(program);
        Running(command.arg0(first_word).arg("60").spawn().unwrap())
    }

    #[test]
    fn processes_are_found_by_each_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("luasnap-names-a-long-name");
        symlink("/bin/sleep", &program).unwrap();
        let first = sleep(&program, "/some/where/luasnap-other-word");
        let second = sleep(&program, "sleep");
        let [a, b] = [first.0.id(), second.0.id()];
        let mut both = vec![a, b];
        both.sort_unstable();
        // By what the system calls them, which it cuts.
        assert_eq!(processes_named("luasnap-names-a-long-name"), both);
        assert_eq!(processes_named("luasnap-names-a"), both);
        assert_eq!(processes_named("luasnap-other-word"), [a]);
        assert!(processes_named("sleep").contains(&b));
        let file = fs::canonicalize("/bin/sleep").unwrap();
        let file = file.file_name().unwrap().to_str().unwrap();
        assert!(processes_named(file).contains(&a));
        assert_eq!(processes_named("luasnap-nobody"), [0; 0]);
        assert_eq!(processes_named(""), [0; 0]);
        assert!(!processes_named("luasnap-names-").contains(&a));
    }
}
