//! The strings of a file, to which its rows refer by their places.
//!
//! They come last in the file, but their places are needed earlier. The heap's own names are
//! numbered with a bit for each that is used; only composed texts are stored, each once. Names that
//! hardly any two references share (numbers that are not an index) are composed again when they are
//! written.

use crate::answer_error::{AnswerError, Result};
use crate::heapsnapshot::contents::Contents;
use crate::json::json_string::put_escaped;
use crate::labels::path::push_step;
use crate::labels::printable::push_bytes;
use crate::sink::Sink;
use hashbrown::HashTable;
use luasnap_heap::{Heap, Kind, NameId};
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::io;

/// Longer strings are cut. V8 itself cuts those of nodes at this length.
const LONGEST: usize = 1024;

/// A string that is not one of the heap's names.
#[derive(Clone, Copy)]
enum Made {
    /// A text, by its start in the arena and its length.
    Text(u32, u32),
    /// The label of a reference, by its number.
    Label(u32),
}

/// The strings of a file: the heap's names that it uses, then those made for it.
pub(super) struct Strings<'a> {
    heap: &'a Heap,
    names: UsedNames,
    made: Vec<Made>,
    texts: Vec<u8>,
    /// The places of the texts in `made`.
    index: HashTable<u32>,
}

impl<'a> Strings<'a> {
    /// Makes the list, with the heap's names that are used.
    pub(super) fn new(heap: &'a Heap, contents: &Contents) -> Result<Strings<'a>> {
        Ok(Strings {
            heap,
            names: UsedNames::new(heap, contents)?,
            made: Vec::new(),
            texts: Vec::new(),
            index: HashTable::new(),
        })
    }

    /// Returns the place of a name of the heap that is used.
    #[inline]
    pub(super) fn name(&self, name: NameId) -> u32 {
        self.names.rank(name)
    }

    /// Returns the place of the name of a reference's label.
    pub(super) fn label(&mut self, edge: usize) -> Result<u32> {
        // Edge numbers have 32 bits.
        self.add(Made::Label(edge as u32))
            .map(|made| self.names.count + made)
    }

    /// Returns the place of a text.
    pub(super) fn text(&mut self, text: &[u8]) -> Result<u32> {
        let text = &text[..cut(text)];
        let code = hash(text);
        let (texts, made) = (&self.texts, &self.made);
        let found = self
            .index
            .find(code, |at| text_at(texts, made, *at) == text)
            .copied();
        let at = match found {
            Some(at) => at,
            None => self.add_text(text, code)?,
        };
        Ok(self.names.count + at)
    }

    #[cold]
    fn add_text(&mut self, text: &[u8], code: u64) -> Result<u32> {
        let start = u32::try_from(self.texts.len()).map_err(too_many)?;
        push_bytes(&mut self.texts, text)?;
        let at = self.add(Made::Text(start, text.len() as u32))?;
        let (texts, made) = (&self.texts, &self.made);
        let rehash = |at: &u32| hash(text_at(texts, made, *at));
        self.index.try_reserve(1, rehash)?;
        self.index.insert_unique(code, at, rehash);
        Ok(at)
    }

    fn add(&mut self, made: Made) -> Result<u32> {
        let at = u32::try_from(self.made.len()).map_err(too_many)?;
        if self.made.len() == self.made.capacity() {
            self.made.try_reserve(1)?;
        }
        self.made.push(made);
        Ok(at)
    }

    /// Writes all strings, in the order of their places.
    pub(super) fn write(&self, out: &mut Sink<'_>) -> Result {
        let mut separator: &[u8] = b"\"";
        let mut put = |text: &[u8]| {
            out.put(separator)?;
            separator = b",\n\"";
            put_cut(out, text)?;
            out.put(b"\"")
        };
        for name in self.names.iter() {
            put(self.heap.name(name))?;
        }
        let (mut text, mut digits) = (Vec::new(), Vec::new());
        for (at, made) in (0..).zip(&self.made) {
            match *made {
                Made::Text(..) => put(text_at(&self.texts, &self.made, at))?,
                Made::Label(edge) => {
                    text.clear();
                    let label = self.heap.label(edge as usize);
                    push_step(&mut text, self.heap, label, &mut digits)?;
                    put(&text)?;
                }
            }
        }
        Ok(())
    }
}

fn too_many(_: std::num::TryFromIntError) -> AnswerError {
    AnswerError::TooMany("texts")
}

/// Returns the text at a place of `made`; empty if a label is there.
fn text_at<'t>(texts: &'t [u8], made: &[Made], at: u32) -> &'t [u8] {
    match made[at as usize] {
        Made::Text(start, len) => &texts[start as usize..][..len as usize],
        Made::Label(_) => b"",
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    hasher.finish()
}

/// Returns the number of bytes of a text that are written: all, or whole characters of a long one.
fn cut(text: &[u8]) -> usize {
    if text.len() <= LONGEST {
        return text.len();
    }
    let is_inside = |at: &usize| text[*at] & 0xC0 == 0x80;
    // No character has more than 4 bytes.
    let end = (LONGEST - 3..=LONGEST).rev().find(|at| !is_inside(at));
    end.unwrap_or(LONGEST)
}

fn put_cut(out: &mut Sink<'_>, text: &[u8]) -> io::Result<()> {
    let end = cut(text);
    put_escaped(out, &text[..end])?;
    if end < text.len() {
        out.put(b"...")?;
    }
    Ok(())
}

/// The names of a heap that are used: a bit for each name, and the number of used names before each
/// word of bits.
#[derive(Default)]
struct UsedNames {
    words: Vec<u64>,
    before: Vec<u32>,
    count: u32,
}

impl UsedNames {
    fn new(heap: &Heap, contents: &Contents) -> Result<UsedNames> {
        let mut used = UsedNames::default();
        for edge in contents.root_edges(heap) {
            used.use_label(heap, edge)?;
        }
        for node in contents.nodes() {
            if heap.kind(node) == Kind::String {
                used.insert(heap.source_id(node))?;
            }
            for edge in contents.edges(heap, node) {
                used.use_label(heap, edge)?;
            }
        }
        used.count_up()?;
        Ok(used)
    }

    #[inline]
    fn use_label(&mut self, heap: &Heap, edge: usize) -> Result {
        match heap.label(edge).name() {
            Some(name) => self.insert(name),
            None => Ok(()),
        }
    }

    #[inline]
    fn insert(&mut self, name: NameId) -> Result {
        let word = name.0 as usize / 64;
        if word >= self.words.len() {
            let more = word + 1 - self.words.len();
            self.words.try_reserve(more)?;
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (name.0 % 64);
        Ok(())
    }

    fn count_up(&mut self) -> Result {
        self.before.try_reserve_exact(self.words.len())?;
        for word in &self.words {
            self.before.push(self.count);
            self.count += word.count_ones();
        }
        Ok(())
    }

    /// Returns the number of used names before this one.
    #[inline]
    fn rank(&self, name: NameId) -> u32 {
        let (word, bit) = (name.0 as usize / 64, name.0 % 64);
        let below = self.words[word] & ((1 << bit) - 1);
        self.before[word] + below.count_ones()
    }

    /// Returns the names in order.
    fn iter(&self) -> impl Iterator<Item = NameId> + '_ {
        (0..).zip(&self.words).flat_map(|(word, bits)| {
            let mut rest = *bits;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(NameId(64 * word + bit))
            })
        })
    }
}
