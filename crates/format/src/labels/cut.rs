//! Names that fit a line: steps of the paths in them are left out.

use crate::labels::step::GAP;

/// A path in a text, or another word of it.
struct Word<'t> {
    steps: Vec<&'t str>,
    /// How many steps in the middle are left out.
    left_out: usize,
    width: usize,
}

/// Returns a text that people see, such as a path or the name of a group, with steps left out in the middle of its
/// longest paths until it is at most this wide. The first and the last step of each path stay, and each step is
/// whole, so that the text may still be wider. `width` is how wide a text is.
///
/// # Examples
///
/// ```
/// let width = |text: &str| text.chars().count();
/// let fitted = luasnap_format::fit("_G.server.rooms.[4].players", 20, width);
/// assert_eq!(fitted, "_G.server…players");
/// ```
pub fn fit(text: &str, most: usize, width: impl Fn(&str) -> usize) -> String {
    let whole = width(text);
    if whole <= most {
        return text.to_owned();
    }
    let mut words: Vec<Word<'_>> = parts(text, ' ')
        .into_iter()
        .map(|word| {
            let steps = parts(word, '.');
            // `e.g.` is no path.
            let is_path = steps.iter().all(|step| !step.is_empty());
            Word {
                steps: if is_path { steps } else { vec![word] },
                left_out: 0,
                width: width(word),
            }
        })
        .collect();
    let mut now = whole;
    while now > most {
        // The first and the last step stay.
        let longest = words
            .iter_mut()
            .filter(|word| word.left_out + 2 < word.steps.len())
            .max_by_key(|word| word.width);
        let Some(word) = longest else { break };
        word.left_out += 1;
        let shorter = width(&word.text());
        now = now + shorter - word.width;
        word.width = shorter;
    }
    let words: Vec<String> = words.iter().map(Word::text).collect();
    words.join(" ")
}

impl Word<'_> {
    fn text(&self) -> String {
        if self.left_out == 0 {
            return self.steps.join(".");
        }
        let kept = self.steps.len() - self.left_out;
        let first = kept.div_ceil(2);
        let last = self.steps.len() - (kept - first);
        let [first, last] = [&self.steps[..first], &self.steps[last..]].map(|of| of.join("."));
        format!("{first}{GAP}{last}")
    }
}

/// Returns the parts of a text between these characters, but not those in brackets or in quoted keys.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut is_quoted) = (0, 0_usize, false);
    let bytes = text.as_bytes();
    for (at, letter) in text.char_indices() {
        let is_next = |next: &[u8]| bytes[at + 1..].starts_with(next);
        match letter {
            '[' if !is_quoted => {
                depth += 1;
                is_quoted = is_next(b"\"");
            }
            '"' if is_quoted && bytes[..at].last() != Some(&b'[') && is_next(b"]") => {
                is_quoted = false;
            }
            ']' if !is_quoted => depth = depth.saturating_sub(1),
            letter if letter == separator && depth == 0 && !is_quoted => {
                parts.push(&text[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(text: &str, most: usize) -> String {
        fit(text, most, |text| text.chars().count())
    }

    #[test]
    fn steps_are_left_out_from_the_middle() {
        let path = "_G.server.rooms.[4].players.[17].inventory";
        for (most, expected) in [
            (42, path),
            (41, "_G.server.rooms…players.[17].inventory"),
            (37, "_G.server.rooms…[17].inventory"),
            (29, "_G.server…[17].inventory"),
            (23, "_G.server…inventory"),
            (18, "_G…inventory"),
            // No step is cut.
            (3, "_G…inventory"),
        ] {
            assert_eq!(fitted(path, most), expected, "{most}");
        }
        assert_eq!(fitted("_G.a_long_name", 4), "_G.a_long_name");
        assert_eq!(fitted("", 4), "");
        assert_eq!(fitted("e.g. _G.a.b.c", 10), "e.g. _G…c");
    }

    #[test]
    fn keys_and_locals_stay_whole() {
        let path = r#"_G.["https://a.b/c d"].x.[(function):a.b.lua].y"#;
        assert_eq!(
            fitted(path, 45),
            r#"_G.["https://a.b/c d"]…[(function):a.b.lua].y"#
        );
        assert_eq!(fitted(path, 44), r#"_G.["https://a.b/c d"]…y"#);
        assert_eq!(fitted(r#"_G.["[\""].x.y.z"#, 12), r#"_G.["[\""]…z"#);
    }

    #[test]
    fn the_longest_path_of_several_loses_steps_first() {
        let text = "strings of _G.a.b.c.d.e.f.g and _G.x.y";
        assert_eq!(fitted(text, 37), "strings of _G.a.b.c…e.f.g and _G.x.y");
        assert_eq!(fitted(text, 24), "strings of _G…g and _G…y");
    }
}
