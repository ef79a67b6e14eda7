//! Paths that lead to where this process's standard output goes.

use rustix::fs::fstat;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether a file written to `path` goes to standard output, so that nothing else may be printed
/// there. False for `/dev/null`.
pub fn is_standard_output(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| leads_there(&there) && !is_null(&there))
}

/// Returns standard output if it is the file `there`. Both share one position in the file, so that
/// neither overwrites what the other writes.
pub(super) fn at(there: &Metadata) -> io::Result<Option<File>> {
    match leads_there(there) {
        true => Ok(Some(io::stdout().as_fd().try_clone_to_owned()?.into())),
        false => Ok(None),
    }
}

#[allow(
    clippy::unnecessary_cast,
    reason = "a device has 32 bits on some systems"
)]
fn leads_there(there: &Metadata) -> bool {
    let own = fstat(io::stdout());
    own.is_ok_and(|own| (own.st_dev as u64, own.st_ino) == (there.dev(), there.ino()))
}

fn is_null(there: &Metadata) -> bool {
    fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == there.rdev() && null.rdev() != 0)
}
