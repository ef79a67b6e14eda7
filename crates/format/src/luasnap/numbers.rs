//! Columns of numbers as blocks: plain, as differences, or as differences by kind.

use crate::answer_error::Result;
use crate::luasnap::block::{self, BlockWriter, Decompressor};
use crate::luasnap::byte_planes::{self, Word};
use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::little_endian::u64_at;
use crate::luasnap::section::Place;
use crate::luasnap::zigzag::{fold32, fold64, unfold32, unfold64};
use luasnap_heap::Kind;

/// Makes blocks of numbers.
pub(super) struct Encoder<'a> {
    blocks: &'a mut BlockWriter,
    content: Vec<u8>,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(blocks: &'a mut BlockWriter) -> Result<Self> {
        let mut content = Vec::new();
        content.try_reserve_exact(block::MOST_BYTES)?;
        Ok(Encoder { blocks, content })
    }

    /// Writes a block: the number of planes, `before`, and the planes of `words`.
    pub(super) fn block<W: Word>(&mut self, before: &[u8], words: &[W]) -> Result {
        self.content.clear();
        self.content.push(0);
        self.content.extend_from_slice(before);
        self.content[0] = byte_planes::split(words, &mut self.content) as u8;
        self.blocks.put(&self.content)
    }

    /// Writes plain numbers.
    pub(super) fn planes<W: Word>(&mut self, values: &[W]) -> Result {
        values
            .chunks(block::VALUES)
            .try_for_each(|block| self.block(&[], block))
    }

    /// Writes each number as the difference to the previous one. The differences of a block are
    /// divided by their largest common power of two, since addresses are aligned.
    pub(super) fn deltas(&mut self, values: &[u64]) -> Result {
        let mut words = room(values.len())?;
        for block in values.chunks(block::VALUES) {
            words.clear();
            words.push(0);
            words.extend(block.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])));
            let all = words.iter().fold(0, |all, word| all | word);
            let shift = all.trailing_zeros() % u64::BITS;
            for word in &mut words {
                *word = fold64((*word as i64 >> shift) as u64);
            }
            let mut before = [shift as u8; 9];
            before[1..].copy_from_slice(&block[0].to_le_bytes());
            self.block(&before, &words)?;
        }
        Ok(())
    }

    /// Writes each number as the difference to the last one of a node of the same kind.
    pub(super) fn by_kind(
        &mut self,
        kinds: &[Kind],
        values: impl ExactSizeIterator<Item = u32>,
    ) -> Result {
        let mut words = room(values.len())?;
        let mut values = values;
        for block in kinds.chunks(block::VALUES) {
            let mut last = [0u32; KINDS];
            words.clear();
            words.extend(block.iter().zip(&mut values).map(|(kind, value)| {
                let last = &mut last[*kind as usize];
                fold32(value.wrapping_sub(std::mem::replace(last, value)))
            }));
            self.block(&[], &words)?;
        }
        Ok(())
    }
}

const KINDS: usize = Kind::ALL.len() + 1;

/// Returns an empty vector with room for the numbers of a block.
pub(super) fn room<W>(values: usize) -> Result<Vec<W>> {
    let mut words = Vec::new();
    words.try_reserve_exact(values.min(block::VALUES))?;
    Ok(words)
}

/// Reads the blocks of one section.
pub(super) struct Blocks<'a> {
    decompressor: &'a mut Decompressor,
    bytes: &'a [u8],
    part: &'static str,
    /// The number of values left.
    left: u64,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(place: Place<'a>, decompressor: &'a mut Decompressor) -> Self {
        Blocks {
            decompressor,
            bytes: place.bytes,
            part: place.entry.section.name(),
            left: place.entry.count,
        }
    }

    /// Returns the number of values in the next block, at most `most`, and its content. `None` after the last
    /// one.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<(usize, &[u8])>, LoadError> {
        let part = self.part;
        let wrong = |problem| LoadError::malformed(part, problem);
        if self.left == 0 {
            return match self.bytes.is_empty() {
                true => Ok(None),
                false => Err(wrong(Problem::WrongLength)),
            };
        }
        let values = self.left.min(most as u64);
        self.left -= values;
        let content = self.decompressor.next(&mut self.bytes).map_err(wrong)?;
        Ok(Some((values as usize, content)))
    }

    /// Leaves out the next block, of at most `most` values.
    fn skip(&mut self, most: usize) -> Result<(), LoadError> {
        let wrong = |problem| LoadError::malformed(self.part, problem);
        self.left -= self.left.min(most as u64);
        block::skip(&mut self.bytes).map_err(wrong)
    }

    /// Reads the next block of numbers into `words`, and returns what is before its planes.
    pub(super) fn words<W: Word>(
        &mut self,
        before: impl Fn(usize) -> usize,
        words: &mut Vec<W>,
    ) -> Result<Option<&[u8]>, LoadError> {
        let part = self.part;
        let Some((values, content)) = self.next(block::VALUES)? else {
            return Ok(None);
        };
        let wrong = || LoadError::malformed(part, Problem::WrongLength);
        let (&planes, content) = content.split_first().ok_or_else(wrong)?;
        let before = content.split_at_checked(before(values));
        let (before, content) = before.ok_or_else(wrong)?;
        let planes = usize::from(planes);
        if planes > W::BYTES || content.len() != planes * values {
            return Err(wrong());
        }
        words.clear();
        words.try_reserve_exact(values)?;
        words.resize(values, W::default());
        byte_planes::join(content, words);
        Ok(Some(before))
    }
}

/// Reads one of plain numbers, without the blocks before it; 0 if there is none at that place.
pub(super) fn read_one(place: Place<'_>, at: usize) -> Result<u32, LoadError> {
    let mut decompressor = Decompressor::new()?;
    let mut blocks = Blocks::new(place, &mut decompressor);
    for _ in 0..at / block::VALUES {
        blocks.skip(block::VALUES)?;
    }
    let mut words = Vec::new();
    blocks.words(|_| 0, &mut words)?;
    Ok(words.get(at % block::VALUES).copied().unwrap_or(0))
}

/// Returns an empty column with room for a section's values, the number of which was checked.
pub(super) fn column<T>(place: &Place<'_>) -> Result<Vec<T>, LoadError> {
    let mut column = Vec::new();
    let count = usize::try_from(place.entry.count).map_err(|_| LoadError::OutOfMemory)?;
    column.try_reserve_exact(count)?;
    Ok(column)
}

/// Reads plain bytes.
pub(super) fn read_bytes(
    place: Option<Place<'_>>,
    decompressor: &mut Decompressor,
) -> Result<Vec<u8>, LoadError> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let mut bytes = column(&place)?;
    let mut blocks = Blocks::new(place, decompressor);
    while let Some((values, content)) = blocks.next(block::BYTES)? {
        if content.len() != values {
            let part = place.entry.section.name();
            return Err(LoadError::malformed(part, Problem::WrongLength));
        }
        bytes.extend_from_slice(content);
    }
    Ok(bytes)
}

/// Reads plain numbers.
pub(super) fn read_planes<W: Word, T>(
    place: Option<Place<'_>>,
    decompressor: &mut Decompressor,
    make: impl Fn(W) -> T,
) -> Result<Vec<T>, LoadError> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let (mut values, mut words) = (column(&place)?, Vec::new());
    let mut blocks = Blocks::new(place, decompressor);
    while blocks.words(|_| 0, &mut words)?.is_some() {
        values.extend(words.iter().map(|word| make(*word)));
    }
    Ok(values)
}

/// Reads numbers that were written as differences.
pub(super) fn read_deltas(
    place: Option<Place<'_>>,
    decompressor: &mut Decompressor,
) -> Result<Vec<u64>, LoadError> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let (mut values, mut words) = (column(&place)?, Vec::new());
    let mut blocks = Blocks::new(place, decompressor);
    while let Some(before) = blocks.words(|_| 9, &mut words)? {
        let (shift, mut last) = (u32::from(before[0]), u64_at(before, 1));
        if shift >= u64::BITS {
            let part = place.entry.section.name();
            return Err(LoadError::malformed(part, Problem::Value("a shift")));
        }
        values.extend(words.iter().map(|word: &u64| {
            last = last.wrapping_add(unfold64(*word) << shift);
            last
        }));
    }
    Ok(values)
}

/// Reads numbers that were written as differences by kind.
pub(super) fn read_by_kind<T>(
    place: Option<Place<'_>>,
    decompressor: &mut Decompressor,
    kinds: &[Kind],
    make: impl Fn(u32) -> T,
) -> Result<Vec<T>, LoadError> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let (mut values, mut words) = (column(&place)?, Vec::new());
    let mut blocks = Blocks::new(place, decompressor);
    let mut kinds = kinds.chunks(block::VALUES);
    while blocks.words(|_| 0, &mut words)?.is_some() {
        let mut last = [0u32; KINDS];
        // If there are fewer kinds, the columns' lengths differ, and no heap is built from them.
        let kinds = kinds.next().unwrap_or(&[]);
        values.extend(kinds.iter().zip(&words).map(|(kind, word)| {
            let last = &mut last[*kind as usize];
            *last = last.wrapping_add(unfold32(*word));
            make(*last)
        }));
    }
    Ok(values)
}
