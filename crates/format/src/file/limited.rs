//! Writing no more than the process's file size limit allows.

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use std::fs::File;
use std::io::{self, Write};

/// Writes to a file up to the process's file size limit. Beyond it the system would also report an
/// error, but first send a signal (`SIGXFSZ`) that ends a host.
pub(super) struct Limited<'a> {
    file: &'a File,
    /// The length of the file in bytes; `None` if it is not a regular file.
    len: Option<u64>,
}

impl<'a> Limited<'a> {
    /// Writes after what the file already contains.
    pub(super) fn at_end(file: &'a File) -> io::Result<Limited<'a>> {
        let metadata = file.metadata()?;
        Ok(Limited {
            file,
            len: metadata.is_file().then_some(metadata.len()),
        })
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(len) = self.len else {
            return self.file.write(bytes);
        };
        let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
        let room = limit.saturating_sub(len);
        if room == 0 && !bytes.is_empty() {
            return Err(Errno::FBIG.into());
        }
        let most = usize::try_from(room).unwrap_or(usize::MAX);
        let written = self.file.write(&bytes[..bytes.len().min(most)])?;
        self.len = Some(len + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
