//! Text that fits a number of columns. Some characters take two, some none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for what is cut off.
const CUT: char = '…';

/// Returns the number of columns that a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

fn width_of(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// Returns the beginning of a text that takes at most so many columns.
fn beginning(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        taken += width_of(character);
        if taken > columns {
            return &text[..at];
        }
    }
    text
}

/// Returns the end of a text that takes at most so many columns.
fn end(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, character) in text.char_indices().rev() {
        taken += width_of(character);
        if taken > columns {
            let end = &text[at + character.len_utf8()..];
            // An accent belongs to the letter before it.
            return end.trim_start_matches(|character| width_of(character) == 0);
        }
    }
    text
}

/// Returns a text without what does not fit at its end.
pub fn cut_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns {
        0 => String::new(),
        columns => format!("{}{CUT}", beginning(text, columns - 1)),
    }
}

/// Returns a text without what does not fit in its middle: both ends of a name say most.
pub fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns {
        0 => String::new(),
        columns => {
            let ends = columns - 1;
            let last = ends / 2;
            format!("{}{CUT}{}", beginning(text, ends - last), end(text, last))
        }
    }
}

/// Returns a text with blanks around it, so that it takes so many columns.
pub fn pad(text: &str, columns: usize, is_right: bool) -> String {
    let text = cut_end(text, columns);
    let blanks = " ".repeat(columns - width(&text));
    match is_right {
        true => blanks + &text,
        false => text + &blanks,
    }
}

/// Joins where one is to a text of at most so many columns: the first and the last steps, and a gap between them if
/// there are too many.
pub fn join(crumbs: &[String], between: &str, gap: &str, columns: usize) -> String {
    /// The most columns of a step that is not the last.
    const STEP: usize = 32;
    let Some((last, above)) = crumbs.split_last() else {
        return String::new();
    };
    let above: Vec<String> = above.iter().map(|crumb| cut_middle(crumb, STEP)).collect();
    let whole = |from: usize| {
        let first = above.first().filter(|_| from > 0);
        let gap = Some(gap.to_owned()).filter(|_| from > 1);
        let rest = above[from..].iter().chain([last]).cloned();
        let steps: Vec<String> = first.cloned().into_iter().chain(gap).chain(rest).collect();
        steps.join(between)
    };
    let fits = (0..=above.len()).map(whole);
    let mut fits = fits.filter(|text| width(text) <= columns);
    fits.next().unwrap_or_else(|| cut_middle(last, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit() {
        for (text, columns, by_end, by_middle) in [
            ("sessions", 8, "sessions", "sessions"),
            ("sessions", 7, "sessio…", "ses…ons"),
            ("sessions", 2, "s…", "s…"),
            ("sessions", 1, "…", "…"),
            ("sessions", 0, "", ""),
            ("会话会话", 8, "会话会话", "会话会话"),
            ("会话会话", 6, "会话…", "会…话"),
            ("会话会话", 2, "…", "…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…", "e\u{301}…"),
        ] {
            assert_eq!(cut_end(text, columns), by_end, "{text} {columns}");
            assert_eq!(cut_middle(text, columns), by_middle, "{text} {columns}");
        }
        assert_eq!(pad("会", 4, true), "  会");
        assert_eq!(pad("sessions", 4, false), "ses…");
    }

    #[test]
    fn places_fit() {
        let crumbs = ["all objects", "_G", "server", "sessions"].map(str::to_owned);
        let place = |columns| join(&crumbs, " > ", "…", columns);
        assert_eq!(place(80), "all objects > _G > server > sessions");
        assert_eq!(place(36), "all objects > _G > server > sessions");
        assert_eq!(place(35), "all objects > … > server > sessions");
        assert_eq!(place(34), "all objects > … > sessions");
        assert_eq!(place(20), "sessions");
        assert_eq!(place(5), "se…ns");
        assert_eq!(join(&[], " > ", "…", 10), "");
    }
}
