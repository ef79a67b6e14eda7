//! Files that programs of other users read.

use luasnap_format::{FileError, check_publishable, publish_file};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

fn publish(path: &Path, text: &str) -> Result<(), FileError> {
    publish_file(path, |out| Ok(out.write_all(text.as_bytes())?))
}

#[test]
fn a_link_is_replaced_and_what_it_leads_to_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (secret, path) = (folder.path().join("secret"), folder.path().join("a.prom"));
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, &path).unwrap();
    publish(&path, "figures").unwrap();
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read_to_string(&path).unwrap(), "figures");
}

#[test]
fn permissions_of_an_older_file_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.prom");
    fs::write(&path, "older").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    publish(&path, "newer").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o644);
}

#[test]
fn one_that_fails_leaves_the_older_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.prom");
    publish(&path, "older").unwrap();
    let full = |out: &mut dyn io::Write| {
        out.write_all(b"half of i")?;
        Err(io::Error::from(Errno::NOSPC).into())
    };
    let error = publish_file(&path, full).unwrap_err().to_string();
    let expected = format!("cannot write '{}': No space left on device", path.display());
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "older");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    for nowhere in ["none/a.prom", ".."] {
        assert!(check_publishable(&folder.path().join(nowhere)).is_err());
    }
    check_publishable(&path).unwrap();
}
