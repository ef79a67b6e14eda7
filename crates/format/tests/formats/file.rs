//! Files that are written or left as they were.

use luasnap_format::{AnswerError, FileOptions, Written, readable_by_others, write_file};
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn write(path: &Path, text: &str) -> Result<Written, String> {
    write_file(path, FileOptions::default(), |out| {
        Ok(out.write_all(text.as_bytes())?)
    })
    .map_err(|error| error.to_string())
}

/// Returns the names in a folder, where no temporary file may remain.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_file_has_the_mode_that_any_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    write(&path, "text").unwrap();
    fs::write(folder.path().join("other"), "").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "text");
    assert_eq!(mode(&path), mode(&folder.path().join("other")));
    assert_eq!(names(folder.path()), ["new", "other"]);
}

#[test]
fn an_older_file_is_replaced_and_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "older and longer").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o751)).unwrap();
    write(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(mode(&path), 0o751);
    assert_eq!(names(folder.path()), ["file"]);
}

/// For its owner alone.
const PRIVATE: FileOptions = FileOptions {
    private: true,
    synced: true,
    tidy: true,
    modified: None,
    keep_older: false,
};

fn write_privately(path: &Path) -> Written {
    write_file(path, PRIVATE, |out| Ok(out.write_all(b"text")?)).unwrap()
}

#[test]
fn a_private_file_is_for_its_owner_alone_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let written = write_file(&path, PRIVATE, |out| {
        out.write_all(b"text")?;
        // A temporary file has a name only if the file system has no files without one.
        for name in names(folder.path()) {
            assert_eq!(mode(&folder.path().join(name)), 0o600);
        }
        Ok(())
    });
    assert_eq!(written.unwrap().readable_by_others, None);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn a_file_of_one_s_own_keeps_its_permissions_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (before, after, readable) in [
        (0o644, 0o644, Some(0o644)),
        (0o640, 0o640, Some(0o640)),
        (0o604, 0o604, Some(0o604)),
        (0o600, 0o600, None),
        (0o700, 0o700, None),
        (0o622, 0o622, None),
        (0o4755, 0o755, Some(0o755)),
        (0o2755, 0o755, Some(0o755)),
        (0o1700, 0o700, None),
        (0o7777, 0o777, Some(0o777)),
    ] {
        for private in [true, false] {
            fs::write(&path, "older").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
            let written = match private {
                true => write_privately(&path),
                false => write(&path, "text").unwrap(),
            };
            assert_eq!(mode(&path), after, "{before:o}");
            assert_eq!(written.readable_by_others, readable, "{before:o}");
            fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
            assert_eq!(readable_by_others(&path), readable, "{before:o}");
        }
    }
}

#[test]
fn another_name_of_an_older_file_stays_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["file", "other"].map(|name| folder.path().join(name));
    fs::write(&path, "older").unwrap();
    fs::hard_link(&path, &other).unwrap();
    write(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::read_to_string(&other).unwrap(), "older");
}

#[test]
fn many_writers_of_one_file_leave_one_of_theirs_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::thread::scope(|scope| {
        for letter in b'a'..b'i' {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    let text = [letter; 10_000];
                    let all = |out: &mut (dyn io::Write + Send)| {
                        text.chunks(100).try_for_each(|part| out.write_all(part))?;
                        Ok(())
                    };
                    write_file(path, PRIVATE, all).unwrap();
                }
            });
        }
    });
    let text = fs::read(&path).unwrap();
    assert_eq!(text.len(), 10_000);
    assert!(text.iter().all(|byte| *byte == text[0]));
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_failed_write_leaves_the_older_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "older").unwrap();
    let error = write_file(&path, FileOptions::default(), |out| {
        out.write_all(b"half")?;
        Err(io::Error::from_raw_os_error(libc::ENOSPC).into())
    })
    .unwrap_err();
    let expected = format!("cannot write '{}': No space left on device", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), "older");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_lack_of_memory_here_is_not_one_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let fail =
        |error: AnswerError| write_file(&path, FileOptions::default(), |_| Err(error)).unwrap_err();
    let here = fail(AnswerError::OutOfMemory);
    assert!(matches!(here.source, AnswerError::OutOfMemory));
    assert!(here.to_string().ends_with(": not enough memory"), "{here}");
    let there = fail(io::Error::from_raw_os_error(libc::ENOMEM).into());
    assert!(matches!(there.source, AnswerError::Io(_)));
    assert!(
        there.to_string().ends_with(": Cannot allocate memory"),
        "{there}"
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_missing_folder_and_a_folder_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/file");
    let expected = format!(
        "cannot write '{}': No such file or directory",
        path.display()
    );
    assert_eq!(write(&path, ""), Err(expected));
    let expected = format!("cannot write '{}': Is a directory", folder.path().display());
    assert_eq!(write(folder.path(), ""), Err(expected));
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    let below = path.join("below");
    let expected = format!("cannot write '{}': Not a directory", below.display());
    assert_eq!(write(&below, ""), Err(expected));
    assert!(
        write(Path::new(""), "")
            .unwrap_err()
            .starts_with("cannot write '': ")
    );
    assert!(write(Path::new("a\0b"), "").is_err());
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_folder_that_takes_no_file_is_an_error_with_the_file_that_was_meant() {
    let error = write(Path::new("/proc/luasnap"), "").unwrap_err();
    assert!(
        error.starts_with("cannot write '/proc/luasnap': "),
        "{error}"
    );
    assert!(
        !error.contains("os error") && !error.contains(".luasnap-"),
        "{error}"
    );
}

#[test]
fn a_link_stays_and_its_target_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("target"), "older").unwrap();
    symlink("below/target", folder.path().join("link")).unwrap();
    symlink("link", folder.path().join("second")).unwrap();
    symlink("below/made", folder.path().join("dangling")).unwrap();
    write(&folder.path().join("second"), "new").unwrap();
    write(&folder.path().join("dangling"), "made").unwrap();
    assert_eq!(fs::read_to_string(below.join("target")).unwrap(), "new");
    assert_eq!(fs::read_to_string(below.join("made")).unwrap(), "made");
    assert_eq!(
        names(folder.path()),
        ["below", "dangling", "link", "second"]
    );
    assert!(
        fs::symlink_metadata(folder.path().join("second"))
            .unwrap()
            .is_symlink()
    );
    symlink("loop", folder.path().join("loop")).unwrap();
    let error = write(&folder.path().join("loop"), "").unwrap_err();
    assert!(
        error.ends_with("Too many levels of symbolic links"),
        "{error}"
    );
}

#[test]
fn what_is_no_regular_file_is_written_to_and_stays() {
    write(Path::new("/dev/null"), "text").unwrap();
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    let error = write(Path::new("/dev/full"), "text").unwrap_err();
    assert_eq!(error, "cannot write '/dev/full': No space left on device");
    assert!(
        fs::metadata("/dev/full")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}

#[test]
fn a_fifo_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut text = String::new();
            fs::File::open(path)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        }
    });
    write(&path, "text").unwrap();
    assert_eq!(reader.join().unwrap(), "text");
    assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
}

/// Whoever made it could read the data.
#[test]
fn somebody_else_s_fifo_in_a_folder_for_all_is_not_written_to() {
    use std::os::unix::fs::chown;
    const SOMEBODY: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    let for_all = folder.path().join("for all");
    fs::create_dir(&for_all).unwrap();
    fs::set_permissions(&for_all, Permissions::from_mode(0o1777)).unwrap();
    let fifo = for_all.join("fifo");
    let made = Command::new("mkfifo")
        .args(["-m", "666"])
        .arg(&fifo)
        .status();
    assert!(made.unwrap().success());
    if chown(&fifo, Some(SOMEBODY), None).is_err() {
        eprintln!("SKIPPED: this test needs root, to give a file away");
        return;
    }
    let link = folder.path().join("link");
    symlink("for all/fifo", &link).unwrap();
    // At first nobody reads, and opening it would wait for ever. Then somebody does, and gets
    // nothing.
    let mut reader = None;
    for _ in 0..2 {
        for path in [&fifo, &link] {
            let error = write(path, "text").unwrap_err();
            assert!(error.ends_with(": Permission denied"), "{error}");
        }
        reader.get_or_insert_with(|| {
            let both = fs::OpenOptions::new().read(true).write(true).open(&fifo);
            both.unwrap()
        });
    }
    // A user's own FIFO can still be written to, and so can that of the folder's owner.
    for (owner, of_folder) in [(0, SOMEBODY), (SOMEBODY, SOMEBODY)] {
        chown(&fifo, Some(owner), None).unwrap();
        chown(&for_all, Some(of_folder), None).unwrap();
        write(&fifo, "text").unwrap();
        let mut text = [0; 4];
        reader.as_mut().unwrap().read_exact(&mut text).unwrap();
        assert_eq!(&text, b"text");
    }
}

#[test]
fn a_file_that_is_open_already_is_added_to() {
    use std::os::fd::AsRawFd;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "before ").unwrap();
    let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    write(Path::new(&format!("/dev/fd/{}", file.as_raw_fd())), "after").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "before after");
}
