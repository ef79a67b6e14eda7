//! Finding strings with equal texts: long ones are not interned (PUC Lua, from 5.2 on).
//!
//! A text is read whole only to compare it with another, or if many texts have equal samples.
//! Hashes only bring together what may be equal; comparison decides.

use luasnap_heap::{BuildError, NodeId};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Most different texts of one hash for which each string is compared with each of them.
const FEW: usize = 4;
/// Bytes of a sample. A text has three.
const SAMPLE: usize = 32;

/// Strings, each as its node and, in the upper half, a hash of its text: sorted, those that may be
/// equal are together.
#[derive(Debug, Default)]
pub(super) struct EqualTexts {
    strings: Vec<u64>,
}

impl EqualTexts {
    /// Adds a string.
    #[inline]
    pub(super) fn add(&mut self, node: NodeId, text: &[u8]) -> Result<(), BuildError> {
        self.strings.try_reserve(1)?;
        self.strings.push(keyed(sampled_hash(text), node));
        Ok(())
    }

    /// Numbers the texts that several strings have, from 1 on, and sets the numbers of these
    /// strings.
    pub(super) fn number<'m>(mut self, texts: &mut dyn Texts<'m>) {
        let mut numbers = Numbers { texts, last: 0 };
        self.strings.sort_unstable();
        for alike in runs(&mut self.strings) {
            if !numbers.compare(alike) {
                numbers.hash_whole(alike);
            }
        }
    }
}

/// Texts of strings, and where their numbers go. It is used as `dyn`: sorting would be compiled for each sweep.
pub(super) trait Texts<'m> {
    /// The whole text of a string.
    fn text(&self, string: NodeId) -> &'m [u8];

    /// Sets the number of a string's text. If it is set again, the last one counts.
    fn set_number(&mut self, string: NodeId, number: u32);
}

/// Gives out the numbers.
struct Numbers<'t, 'm> {
    texts: &'t mut dyn Texts<'m>,
    last: u32,
}

impl Numbers<'_, '_> {
    /// Numbers strings of one hash by comparing their texts. Returns `false` if there are more than
    /// `FEW` texts.
    fn compare(&mut self, strings: &[u64]) -> bool {
        if strings.len() < 2 {
            return true;
        }
        // A text, the first string that has it, and its number: 0 while that is the only one.
        let mut known: [(&[u8], NodeId, u32); FEW] = [(&[], NodeId::ROOT, 0); FEW];
        let mut count = 0;
        for node in strings.iter().map(|&string| node(string)) {
            let text = self.texts.text(node);
            match known[..count].iter_mut().find(|one| is_same(one.0, text)) {
                Some((_, first, number)) => self.number_pair(*first, node, number),
                None if count == FEW => return false,
                None => {
                    known[count] = (text, node, 0);
                    count += 1;
                }
            }
        }
        true
    }

    /// Numbers strings whose samples have one hash, by hashes of their whole texts.
    fn hash_whole(&mut self, strings: &mut [u64]) {
        for string in &mut *strings {
            let node = node(*string);
            *string = keyed(hash(self.texts.text(node)), node);
        }
        strings.sort_unstable();
        for alike in runs(strings) {
            if !self.compare(alike) {
                self.sort_whole(alike);
            }
        }
    }

    /// Numbers strings whose texts were made to have equal hashes.
    #[cold]
    fn sort_whole(&mut self, strings: &mut [u64]) {
        strings.sort_unstable_by_key(|&string| self.texts.text(node(string)));
        let mut number = 0;
        for pair in strings.windows(2) {
            let (one, next) = (node(pair[0]), node(pair[1]));
            match is_same(self.texts.text(one), self.texts.text(next)) {
                true => self.number_pair(one, next, &mut number),
                false => number = 0,
            }
        }
    }

    /// Gives a string the number of its text, which `first` has too; `number` is 0 if the text has
    /// none yet.
    fn number_pair(&mut self, first: NodeId, node: NodeId, number: &mut u32) {
        if *number == 0 {
            self.last += 1; // there are fewer texts than nodes
            *number = self.last;
            self.texts.set_number(first, *number);
        }
        self.texts.set_number(node, *number);
    }
}

/// Runs of strings with equal hashes.
fn runs(strings: &mut [u64]) -> impl Iterator<Item = &mut [u64]> {
    strings.chunk_by_mut(|a, b| a >> 32 == b >> 32)
}

fn keyed(hash: u64, node: NodeId) -> u64 {
    hash >> 32 << 32 | u64::from(node.0)
}

fn node(string: u64) -> NodeId {
    NodeId(string as u32)
}

/// Whether two texts are equal. Texts that a host keeps may be one and the same.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.as_ptr() == b.as_ptr() || a == b)
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    hasher.finish()
}

/// Hash of a text's length, beginning, middle and end; of a short text, all of it.
fn sampled_hash(text: &[u8]) -> u64 {
    let Some(last) = text.len().checked_sub(3 * SAMPLE) else {
        return hash(text);
    };
    let middle = SAMPLE + last / 2;
    let mut hasher = FxHasher::default();
    hasher.write_usize(text.len());
    for start in [0, middle, text.len() - SAMPLE] {
        hasher.write(&text[start..start + SAMPLE]);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    struct Listed<'m> {
        texts: &'m [Vec<u8>],
        numbers: Vec<u32>,
    }

    impl<'m> Texts<'m> for Listed<'m> {
        fn text(&self, string: NodeId) -> &'m [u8] {
            &self.texts[string.index()]
        }

        fn set_number(&mut self, string: NodeId, number: u32) {
            self.numbers[string.index()] = number;
        }
    }

    fn listed(texts: &[Vec<u8>]) -> Listed<'_> {
        Listed {
            texts,
            numbers: vec![0; texts.len()],
        }
    }

    /// Checks the numbers that texts get, with their own hashes and with one hash for all.
    fn check_all(texts: &[Vec<u8>]) {
        for all_alike in [false, true] {
            let mut strings = EqualTexts::default();
            for (node, text) in (0..).zip(texts) {
                strings.add(NodeId(node), text).unwrap();
            }
            if all_alike {
                for string in &mut strings.strings {
                    *string = keyed(0, node(*string));
                }
            }
            let mut listed = listed(texts);
            strings.number(&mut listed);
            check(texts, &listed.numbers);
        }
    }

    fn check(texts: &[Vec<u8>], numbers: &[u32]) {
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for text in texts {
            *counts.entry(text).or_default() += 1;
        }
        let mut by_text: HashMap<&[u8], u32> = HashMap::new();
        let mut by_number: HashMap<u32, &[u8]> = HashMap::new();
        for (text, &number) in texts.iter().zip(numbers) {
            assert_eq!(number == 0, counts[&text[..]] == 1);
            if number != 0 {
                assert_eq!(*by_text.entry(text).or_insert(number), number);
                assert_eq!(*by_number.entry(number).or_insert(text), text);
            }
        }
    }

    /// Texts of one length that differ only outside the samples.
    fn near(len: usize, count: usize, different: usize) -> Vec<Vec<u8>> {
        let text = |at: usize| {
            let mut text = vec![b'x'; len];
            let value = (at % different) as u32;
            text[40..44].copy_from_slice(&value.to_ne_bytes());
            text
        };
        (0..count).map(text).collect()
    }

    #[test]
    fn equal_texts_have_one_number_and_others_none() {
        let long = |byte: u8, len: usize| vec![byte; len];
        check_all(&[]);
        check_all(&[long(1, 41)]);
        check_all(&[
            long(1, 41),
            long(2, 41),
            long(1, 41),
            long(1, 42),
            Vec::new(),
        ]);
        let of_lengths: Vec<_> = (0..200).chain(50..150).map(|len| long(7, len)).collect();
        check_all(&of_lengths);
    }

    #[test]
    fn texts_that_are_alike_where_they_are_sampled_are_told_apart() {
        for different in [1, 2, FEW, FEW + 1, 100, 500] {
            let texts = near(300, 500, different);
            assert_eq!(sampled_hash(&texts[0]), sampled_hash(&texts[different - 1]));
            check_all(&texts);
        }
    }

    #[test]
    fn many_of_one_hash_are_sorted() {
        let texts = near(120, 1000, 300);
        let mut listed = listed(&texts);
        let mut strings: Vec<u64> = (0..1000).collect();
        let mut numbers = Numbers {
            texts: &mut listed,
            last: 0,
        };
        numbers.sort_whole(&mut strings);
        check(&texts, &listed.numbers);
    }

    #[test]
    fn the_middle_counts() {
        let mut other = vec![0; 1000];
        other[500] = 1;
        assert_ne!(sampled_hash(&[0; 1000]), sampled_hash(&other));
        for len in 3 * SAMPLE..3 * SAMPLE + 9 {
            assert_ne!(sampled_hash(&vec![0; len]), sampled_hash(&vec![1; len]));
        }
    }
}
