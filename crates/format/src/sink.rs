//! A buffer of fixed size for a slow writer.

use crate::answer_error::Result;
use std::io;

const CAPACITY: usize = 64 * 1024;

/// Buffers small pieces for a writer. Unlike `io::BufWriter` it fails if there is no memory for the buffer, and
/// writes nothing when it is dropped.
pub(crate) struct Sink<'a> {
    out: &'a mut dyn io::Write,
    buffer: Vec<u8>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut dyn io::Write) -> Result<Self> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(CAPACITY)?;
        Ok(Sink { out, buffer })
    }

    /// Writes bytes to the buffer.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > CAPACITY - self.buffer.len() {
            return self.put_past_the_end(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    #[cold]
    fn put_past_the_end(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        if bytes.len() > CAPACITY {
            return self.out.write_all(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the buffer to the writer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.buffer);
        self.buffer.clear();
        written
    }
}
