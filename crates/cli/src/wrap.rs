//! Breaking text into lines that fit: at blanks, and between Chinese letters, which have none between them.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What does not begin a line.
const CLOSING: &str = "，。、；：！？）》」』”’］】…,.;:!?)]}%";
/// What does not end a line.
const OPENING: &str = "（《「『“‘［【([{";

/// Returns a text in lines of at most so many columns; line breaks in it stay. A word of more than a line is cut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if columns > 0 {
        for line in text.split('\n') {
            wrap_line(line, columns, &mut lines);
        }
    }
    lines
}

fn wrap_line(text: &str, columns: usize, lines: &mut Vec<String>) {
    let (mut line, mut used) = (String::new(), 0);
    for word in words(text) {
        // A blank at the end of a line takes no room.
        let width = word.trim_end().width();
        if used > 0 && used + width > columns {
            end(&mut line, &mut used, lines);
        }
        if width <= columns {
            line += word;
            used += word.width();
            continue;
        }
        for letter in word.chars() {
            let width = letter.width().unwrap_or(0);
            if used > 0 && used + width > columns {
                end(&mut line, &mut used, lines);
            }
            line.push(letter);
            used += width;
        }
    }
    end(&mut line, &mut used, lines);
}

fn end(line: &mut String, used: &mut usize, lines: &mut Vec<String>) {
    line.truncate(line.trim_end().len());
    lines.push(std::mem::take(line));
    *used = 0;
}

/// Returns the parts of a line that stay whole: a wide letter with its punctuation, or what has no blank in it.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut letters = line.char_indices().peekable();
    let mut start = 0;
    std::iter::from_fn(move || {
        while let Some((_, letter)) = letters.next() {
            let Some((at, next)) = letters.peek().copied() else {
                break;
            };
            if may_part(letter, next) {
                let word = &line[start..at];
                start = at;
                return Some(word);
            }
        }
        let rest = &line[start..];
        start = line.len();
        Some(rest).filter(|rest| !rest.is_empty())
    })
}

/// Whether a line may end between two letters.
fn may_part(letter: char, next: char) -> bool {
    let is_wide = |letter: char| letter.width() == Some(2);
    match letter {
        ' ' => next != ' ',
        _ => {
            (is_wide(letter) || is_wide(next))
                && next != ' '
                && !CLOSING.contains(next)
                && !OPENING.contains(letter)
                // An accent belongs to the letter before it.
                && next.width() != Some(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_where_the_language_breaks_them() {
        let cases: [(&str, usize, &[&str]); 19] = [
            ("One table retains all.", 12, &["One table", "retains all."]),
            ("列出这么多组", 8, &["列出这么", "多组"]),
            // Punctuation stays with its letter.
            ("列出这么，多组", 8, &["列出这", "么，多组"]),
            ("列出这么（多组）", 10, &["列出这么", "（多组）"]),
            ("这么多组。", 8, &["这么多", "组。"]),
            ("占全部的 3.5%。好", 8, &["占全部的", "3.5%。好"]),
            ("用 `luasnap top` 看", 8, &["用", "`luasnap", "top` 看"]),
            ("表 _G.a，它", 8, &["表", "_G.a，它"]),
            ("缓存 缓存", 8, &["缓存 缓", "存"]),
            ("一\n\n二", 8, &["一", "", "二"]),
            // A word of more than a line.
            (
                "_G.server.sessions is",
                8,
                &["_G.serve", "r.sessio", "ns is"],
            ),
            (
                "a _G.server.sessions",
                8,
                &["a", "_G.serve", "r.sessio", "ns"],
            ),
            ("会话", 1, &["会", "话"]),
            ("e\u{301}会e\u{301}会", 3, &["e\u{301}会", "e\u{301}会"]),
            // Blanks inside a line stay.
            ("a  b", 8, &["a  b"]),
            ("  a b", 3, &["  a", "b"]),
            ("a ", 8, &["a"]),
            ("", 8, &[""]),
            ("a", 0, &[]),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(wrap(text, columns), expected, "{text} {columns}");
        }
    }

    #[test]
    fn no_line_is_too_wide_and_nothing_is_lost() {
        let text = "一个表 _G.server.sessions 保留 1.5 MiB（占全部的 70%），其中有 1,000 个表：_G.server.sessions.*。";
        let without_blanks = |text: &str| text.replace(' ', "");
        for columns in 2..120 {
            let lines = wrap(text, columns);
            assert!(
                lines.iter().all(|line| line.width() <= columns),
                "{lines:?}"
            );
            assert_eq!(without_blanks(&lines.concat()), without_blanks(text));
        }
    }
}
