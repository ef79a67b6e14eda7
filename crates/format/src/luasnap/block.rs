//! The blocks of a section. Each is compressed by itself, so that neither the writer nor the reader
//! holds more than one uncompressed.

use crate::answer_error::{AnswerError, Result};
use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::little_endian::u32_at;
use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound};

/// The number of values in a block of numbers; the last one has the rest.
pub(super) const VALUES: usize = 1 << 16;
/// The number of bytes in a block of bytes; the last one has the rest.
pub(super) const BYTES: usize = 1 << 20;
/// The most bytes in a block: 64-bit numbers, and the bytes before them.
pub(super) const MOST_BYTES: usize = BYTES;

/// The compression level of zstd.
const LEVEL: i32 = 3;

/// The blocks of a section, as they are written.
pub(super) struct BlockWriter {
    zstd: CCtx<'static>,
    compressed: Vec<u8>,
    blocks: Vec<u8>,
}

impl BlockWriter {
    pub(super) fn new() -> Result<BlockWriter> {
        let mut zstd = CCtx::try_create().ok_or(AnswerError::OutOfMemory)?;
        zstd.set_parameter(CParameter::CompressionLevel(LEVEL))
            .map_err(failed)?;
        Ok(BlockWriter {
            zstd,
            compressed: Vec::new(),
            blocks: Vec::new(),
        })
    }

    /// Adds a block.
    pub(super) fn put(&mut self, content: &[u8]) -> Result {
        self.compressed.clear();
        let most = compress_bound(content.len());
        self.compressed.try_reserve(most)?;
        let len = self
            .zstd
            .compress2(&mut self.compressed, content)
            .map_err(failed)?;
        self.blocks.try_reserve(4 + len)?;
        self.blocks.extend_from_slice(&(len as u32).to_le_bytes());
        self.blocks.extend_from_slice(&self.compressed);
        Ok(())
    }

    /// Returns the blocks so far, as in the file, and begins another section.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.blocks)
    }
}

/// The error of a compression, which fails only if memory runs out.
fn failed(_: usize) -> AnswerError {
    AnswerError::OutOfMemory
}

/// Decompresses blocks, one section after the other.
pub(super) struct Decompressor {
    zstd: DCtx<'static>,
    content: Vec<u8>,
}

impl Decompressor {
    pub(super) fn new() -> Result<Decompressor, LoadError> {
        let zstd = DCtx::try_create().ok_or(LoadError::OutOfMemory)?;
        let mut content = Vec::new();
        content.try_reserve_exact(MOST_BYTES)?;
        Ok(Decompressor { zstd, content })
    }

    /// Takes the next block off `blocks` and decompresses it.
    pub(super) fn next(&mut self, blocks: &mut &[u8]) -> Result<&[u8], Problem> {
        let len = blocks.get(..4).ok_or(Problem::WrongLength)?;
        let len = u32_at(len, 0) as usize;
        let frame = blocks[4..].get(..len).ok_or(Problem::WrongLength)?;
        *blocks = &blocks[4 + len..];
        self.content.clear();
        self.zstd
            .decompress(&mut self.content, frame)
            .map_err(|_| Problem::Compression)?;
        Ok(&self.content)
    }
}
