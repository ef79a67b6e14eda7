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

/// Compresses blocks, each to a frame of zstd.
pub trait Compress {
    /// Puts the frame of a block into `to`, which is empty. False if memory ran out.
    fn compress(&mut self, block: &[u8], to: &mut Vec<u8>) -> bool;
}

/// Makes a compressor of this level; `None` if memory ran out.
pub type NewCompressor = fn(level: i32) -> Option<Box<dyn Compress>>;

/// zstd as it is, with its memory from the C library.
struct Zstd(CCtx<'static>);

impl Compress for Zstd {
    fn compress(&mut self, block: &[u8], to: &mut Vec<u8>) -> bool {
        to.try_reserve(compress_bound(block.len())).is_ok() && self.0.compress2(to, block).is_ok()
    }
}

fn zstd(level: i32) -> Option<Box<dyn Compress>> {
    let mut zstd = CCtx::try_create()?;
    let set = zstd.set_parameter(CParameter::CompressionLevel(level));
    set.is_ok()
        .then(|| Box::new(Zstd(zstd)) as Box<dyn Compress>)
}

/// The blocks of a section, as they are written.
pub(super) struct BlockWriter {
    compressor: Box<dyn Compress>,
    compressed: Vec<u8>,
    blocks: Vec<u8>,
}

impl BlockWriter {
    pub(super) fn new() -> Result<BlockWriter> {
        BlockWriter::with(zstd)
    }

    pub(super) fn with(compressor: NewCompressor) -> Result<BlockWriter> {
        Ok(BlockWriter {
            compressor: compressor(LEVEL).ok_or(AnswerError::OutOfMemory)?,
            compressed: Vec::new(),
            blocks: Vec::new(),
        })
    }

    /// Adds a block.
    pub(super) fn put(&mut self, content: &[u8]) -> Result {
        self.compressed.clear();
        if !self.compressor.compress(content, &mut self.compressed) {
            return Err(AnswerError::OutOfMemory);
        }
        let len = self.compressed.len();
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

/// Takes the next block off `blocks`, and returns its frame.
fn frame<'a>(blocks: &mut &'a [u8]) -> Result<&'a [u8], Problem> {
    let len = blocks.get(..4).ok_or(Problem::WrongLength)?;
    let len = u32_at(len, 0) as usize;
    let frame = blocks[4..].get(..len).ok_or(Problem::WrongLength)?;
    *blocks = &blocks[4 + len..];
    Ok(frame)
}

/// Takes the next block off `blocks`.
pub(super) fn skip(blocks: &mut &[u8]) -> Result<(), Problem> {
    frame(blocks).map(drop)
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
        let frame = frame(blocks)?;
        self.content.clear();
        self.zstd
            .decompress(&mut self.content, frame)
            .map_err(|_| Problem::Compression)?;
        Ok(&self.content)
    }
}
