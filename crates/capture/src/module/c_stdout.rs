//! The C library's standard output, so that what we write keeps its order with Lua's `print`.

use std::ffi::{c_int, c_void};
use std::io;

unsafe extern "C" {
    #[cfg_attr(target_vendor = "apple", link_name = "__stdoutp")]
    static stdout: *mut libc::FILE;
}

/// Writes to the C library's `stdout`.
#[derive(Debug, Default)]
pub struct CStdout(());

impl CStdout {
    /// The C library's `stdout`.
    pub fn new() -> CStdout {
        CStdout(())
    }
}

impl io::Write for CStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the C library has its stdout open, or returns an error.
        let written =
            unsafe { libc::fwrite(bytes.as_ptr().cast::<c_void>(), 1, bytes.len(), stdout) };
        if written == 0 && !bytes.is_empty() {
            return Err(io::Error::last_os_error());
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        // SAFETY: as above.
        let status: c_int = unsafe { libc::fflush(stdout) };
        if status == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}
