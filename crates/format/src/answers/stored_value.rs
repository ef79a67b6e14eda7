//! Values of answers as bytes: numbers, names, sentences, lists of them.

use crate::answer_error::Result;
use crate::answers::name::Name;
use luasnap_heap::is_printable;
use luasnap_words::{Argument, Sentence, known_noun, known_phrase};

/// The most bytes of a name or a text that is read.
const MOST_BYTES: usize = 1 << 20;
/// How deep sentences may lie in each other, in what is read.
const MOST_DEPTH: usize = 8;
/// The most values of a sentence that is read.
const MOST_VALUES: usize = 32;

/// The tags of values of sentences.
mod tag {
    pub const TEXT: u64 = 0;
    pub const NAME: u64 = 1;
    pub const NOUN: u64 = 2;
    pub const COUNT: u64 = 3;
    pub const PLURAL: u64 = 4;
    pub const SENTENCE: u64 = 5;
    pub const SHOWN: u64 = 6;
    pub const PHRASE: u64 = 7;
    pub const LIST: u64 = 8;
}

/// Writes values, one after the other.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn number(&mut self, number: u64) -> Result {
        self.raw(&number.to_le_bytes())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result {
        self.number(bytes.len() as u64)?;
        self.raw(bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> Result {
        self.bytes(text.as_bytes())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result {
        self.0.try_reserve(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn option<T: ?Sized>(
        &mut self,
        value: Option<&T>,
        put: impl FnOnce(&mut Writer, &T) -> Result,
    ) -> Result {
        self.number(value.is_some().into())?;
        value.map_or(Ok(()), |value| put(self, value))
    }

    pub(crate) fn list<T>(
        &mut self,
        values: &[T],
        mut put: impl FnMut(&mut Writer, &T) -> Result,
    ) -> Result {
        self.number(values.len() as u64)?;
        values.iter().try_for_each(|value| put(self, value))
    }

    pub(crate) fn name(&mut self, name: &Name) -> Result {
        let (whole, short) = name.parts();
        self.bytes(whole)?;
        self.option(short, Writer::bytes)
    }

    pub(crate) fn sentence(&mut self, sentence: &Sentence) -> Result {
        self.bytes(sentence.code().as_bytes())?;
        self.list(sentence.arguments(), |to, (name, value)| {
            to.bytes(name.as_bytes())?;
            to.argument(value)
        })
    }

    fn argument(&mut self, value: &Argument) -> Result {
        match value {
            Argument::Text(text) => self.tagged(tag::TEXT, text),
            Argument::Name { bytes, whole, cut } => {
                self.number(tag::NAME)?;
                self.bytes(bytes)?;
                self.bytes(whole.as_bytes())?;
                self.bytes(cut.as_bytes())
            }
            Argument::Noun(one) => self.tagged(tag::NOUN, one),
            Argument::Count(number, one) => {
                self.tagged(tag::COUNT, one)?;
                self.number(*number)
            }
            Argument::Plural(one) => self.tagged(tag::PLURAL, one),
            Argument::Sentence(part) => {
                self.number(tag::SENTENCE)?;
                self.sentence(part)
            }
            Argument::Shown(part) => {
                self.number(tag::SHOWN)?;
                self.sentence(part)
            }
            Argument::Phrase(english) => self.tagged(tag::PHRASE, english),
            Argument::List(parts, between) => {
                self.tagged(tag::LIST, between)?;
                self.list(parts, Writer::argument)
            }
        }
    }

    fn tagged(&mut self, tag: u64, text: &str) -> Result {
        self.number(tag)?;
        self.bytes(text.as_bytes())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads values that a [`Writer`] has written. What is not such a value is `None`.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader {
            rest: bytes,
            depth: 0,
        }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(crate) fn index(&mut self) -> Option<usize> {
        let index = u32::try_from(self.number()?).ok()?;
        Some(index as usize)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        self.long_bytes().filter(|bytes| bytes.len() <= MOST_BYTES)
    }

    /// Returns bytes that have values of their own, however many.
    pub(crate) fn long_bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    /// Returns bytes that are read again as they are.
    fn owned(&mut self) -> Option<Vec<u8>> {
        Some(self.bytes()?.to_vec())
    }

    /// Returns a text that a terminal shows as it is.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let text = str::from_utf8(self.bytes()?).ok()?;
        text.chars().all(is_printable).then_some(text)
    }

    /// Returns a fingerprint as people write it down.
    pub(crate) fn fingerprint(&mut self) -> Option<String> {
        let text = self.text()?;
        let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        let is_one = text.len() == 12 && text.bytes().all(is_digit);
        is_one.then(|| text.to_owned())
    }

    pub(crate) fn option<T>(
        &mut self,
        take: impl FnOnce(&mut Reader<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.flag()? {
            false => Some(None),
            true => take(self).map(Some),
        }
    }

    /// Returns at most so many values. Each has bytes, so that no more memory is taken than a multiple of these.
    pub(crate) fn list<T>(
        &mut self,
        most: usize,
        mut take: impl FnMut(&mut Reader<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let len = self.index().filter(|len| *len <= most)?;
        (0..len).map(|_| take(self)).collect()
    }

    pub(crate) fn name(&mut self) -> Option<Name> {
        let whole = self.owned()?;
        let short = self.option(Reader::owned)?;
        Some(Name::from_parts(whole, short))
    }

    pub(crate) fn sentence(&mut self) -> Option<Sentence> {
        self.depth += 1;
        (self.depth <= MOST_DEPTH).then_some(())?;
        let code = self.text()?;
        let values = self.list(MOST_VALUES, |from| {
            Some((from.text()?.to_owned(), from.argument()?))
        })?;
        self.depth -= 1;
        Sentence::stored(code, values)
    }

    fn argument(&mut self) -> Option<Argument> {
        Some(match self.number()? {
            tag::TEXT => Argument::Text(self.text()?.to_owned()),
            tag::NAME => Argument::Name {
                bytes: self.owned()?,
                whole: self.text()?.to_owned(),
                cut: self.text()?.to_owned(),
            },
            tag::NOUN => Argument::Noun(known_noun(self.text()?)?),
            tag::COUNT => {
                let one = known_noun(self.text()?)?;
                Argument::Count(self.number()?, one)
            }
            tag::PLURAL => Argument::Plural(known_noun(self.text()?)?),
            tag::SENTENCE => Argument::Sentence(Box::new(self.sentence()?)),
            tag::SHOWN => Argument::Shown(Box::new(self.sentence()?)),
            tag::PHRASE => Argument::Phrase(known_phrase(self.text()?)?),
            tag::LIST => {
                let between = Sentence::stored(self.text()?, Vec::new())?.code();
                self.depth += 1;
                (self.depth <= MOST_DEPTH).then_some(())?;
                let parts = self.list(MOST_VALUES, Reader::argument)?;
                self.depth -= 1;
                Argument::List(parts, between)
            }
            _ => return None,
        })
    }
}
