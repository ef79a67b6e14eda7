//! Texts as they lie in a program: one after the other, with where each ends. A reference to each would take 80 bytes a
//! text in a shared library, with what the loader needs to set it.

use crate::text::Text;

/// Texts in the order of their codes.
pub(crate) struct Packed {
    /// Each code, and its text behind it.
    pub(crate) joined: &'static str,
    /// Where each code and its text end.
    pub(crate) ends: &'static [[u32; 2]],
}

/// Makes a constant of type [`Packed`] from a constant list of texts.
macro_rules! pack {
    ($texts:expr) => {{
        const TEXTS: &[$crate::text::Text] = $texts;
        const BYTES: [u8; $crate::packed::len(TEXTS)] = $crate::packed::join(TEXTS);
        const ENDS: [[u32; 2]; TEXTS.len()] = $crate::packed::ends(TEXTS);
        $crate::packed::Packed {
            joined: match std::str::from_utf8(&BYTES) {
                Ok(joined) => joined,
                Err(_) => panic!("texts are not UTF-8"),
            },
            ends: &ENDS,
        }
    }};
}
pub(crate) use pack;

impl Packed {
    /// The code and the text at an index.
    pub(crate) fn get(&self, at: usize) -> Text {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before][1]);
        let [code, text] = self.ends[at];
        let part = |start: u32, end: u32| &self.joined[start as usize..end as usize];
        (part(start, code), part(code, text))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Text> {
        (0..self.ends.len()).map(|at| self.get(at))
    }

    pub(crate) fn find(&self, code: &str) -> Option<Text> {
        let (mut first, mut end) = (0, self.ends.len());
        while first < end {
            let middle = first + (end - first) / 2;
            let (known, text) = self.get(middle);
            match known.cmp(code) {
                std::cmp::Ordering::Less => first = middle + 1,
                std::cmp::Ordering::Equal => return Some((known, text)),
                std::cmp::Ordering::Greater => end = middle,
            }
        }
        None
    }
}

/// The bytes of all codes and texts.
pub(crate) const fn len(texts: &[Text]) -> usize {
    let (mut len, mut at) = (0, 0);
    while at < texts.len() {
        len += texts[at].0.len() + texts[at].1.len();
        at += 1;
    }
    len
}

/// All codes and texts, one after the other.
pub(crate) const fn join<const LEN: usize>(texts: &[Text]) -> [u8; LEN] {
    let mut joined = [0; LEN];
    let (mut rest, mut at): (&mut [u8], usize) = (&mut joined, 0);
    while at < texts.len() {
        let (code, behind) = rest.split_at_mut(texts[at].0.len());
        code.copy_from_slice(texts[at].0.as_bytes());
        let (text, behind) = behind.split_at_mut(texts[at].1.len());
        text.copy_from_slice(texts[at].1.as_bytes());
        rest = behind;
        at += 1;
    }
    joined
}

/// Where each code and its text end.
pub(crate) const fn ends<const COUNT: usize>(texts: &[Text]) -> [[u32; 2]; COUNT] {
    let mut ends = [[0; 2]; COUNT];
    let (mut end, mut at) = (0, 0);
    while at < COUNT {
        let code = end + texts[at].0.len() as u32;
        end = code + texts[at].1.len() as u32;
        ends[at] = [code, end];
        at += 1;
    }
    ends
}
