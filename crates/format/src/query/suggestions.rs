//! Suggestions: words that are similar to one that does not exist.

/// The most edits between words that count as similar.
const FAR: usize = 3;
/// The number of bytes of long words that are compared.
const COMPARED: usize = 64;

/// Returns the number of letters to insert, delete or replace to turn one word into the other;
/// `None` if these are many for words of this length. `b` is also similar if it starts with `a`.
fn distance(a: &[u8], b: &[u8]) -> Option<usize> {
    let (a, b) = (cut(a), cut(b));
    let most = FAR.min(a.len().max(b.len()) / 2);
    if a.len() >= 3 && b.starts_with(a) {
        return Some(most);
    }
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let lower = |word| String::from_utf8_lossy(word).to_lowercase();
    Some(strsim::levenshtein(&lower(a), &lower(b))).filter(|edits| *edits <= most)
}

fn cut(word: &[u8]) -> &[u8] {
    &word[..word.len().min(COMPARED)]
}

/// The words that are most similar to one, best first.
pub(crate) struct Nearest {
    wanted: Vec<u8>,
    found: Vec<(usize, String)>,
}

impl Nearest {
    /// The most words that are kept.
    const KEPT: usize = 3;

    pub(crate) fn to(wanted: &[u8]) -> Nearest {
        Nearest {
            wanted: cut(wanted).to_vec(),
            found: Vec::new(),
        }
    }

    /// Considers a word.
    pub(crate) fn see(&mut self, word: &[u8]) {
        let Some(edits) = distance(&self.wanted, word) else {
            return;
        };
        let place = self.found.partition_point(|found| found.0 <= edits);
        if place < Self::KEPT && self.found.iter().all(|found| found.1.as_bytes() != word) {
            let word = String::from_utf8_lossy(word).into_owned();
            self.found.insert(place, (edits, word));
            self.found.truncate(Self::KEPT);
        }
    }

    /// Returns the words, best first.
    pub(crate) fn words(self) -> Vec<String> {
        self.found.into_iter().map(|(_, word)| word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_told() {
        for (a, b, expected) in [
            ("sesions", "sessions", Some(1)),
            ("Sessions", "sessions", Some(0)),
            ("sess", "sessions", Some(3)),
            ("a", "b", None),
            ("inventory", "sessions", None),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
        }
        let mut nearest = Nearest::to(b"player1");
        for word in [
            "enemy", "player22", "players", "player2", "player1x", "players",
        ] {
            nearest.see(word.as_bytes());
        }
        assert_eq!(nearest.words(), ["players", "player2", "player22"]);
    }
}
