//! Whether two outputs are the same, except for what always differs.

/// Stands for a value that may differ.
const ANY: &str = "?";

/// Returns the length in bytes of a variable part at the start of a text, and its replacement.
type Rule = fn(&str) -> Option<(usize, &'static str)>;

/// Each applies at the beginning of a word.
const RULES: [Rule; 7] = [address, date, clock, duration, process, file_size, version];

/// The beginnings of lines about a process's memory, which is never the same.
const OF_A_PROCESS: [&str; 2] = ["process  ", "outside  "];

/// Whether two outputs have the same lines, except for addresses, dates, times, process IDs, the
/// memory of processes, the sizes of compressed files, and the version of luasnap.
pub fn same(old: &[String], new: &[String]) -> bool {
    let normal = |lines: &[String]| lines.iter().map(|line| normal(line)).collect::<Vec<_>>();
    normal(old) == normal(new)
}

fn normal(line: &str) -> String {
    let place = OF_A_PROCESS.iter().find(|place| line.starts_with(**place));
    if let Some(place) = place {
        return format!("{place}{ANY}");
    }
    let mut text = String::new();
    let mut rest = line;
    let mut in_word = false;
    while let Some(first) = rest.chars().next() {
        let found = match in_word {
            true => None,
            false => RULES.iter().find_map(|rule| rule(rest)),
        };
        match found {
            Some((length, instead)) => {
                text += instead;
                rest = &rest[length..];
                in_word = true;
            }
            None => {
                text.push(first);
                rest = &rest[first.len_utf8()..];
                in_word = first.is_alphanumeric() || first == '.';
            }
        }
    }
    // Addresses vary in length, and with them the widths of columns.
    match text.contains("0x?") {
        true => text.split_whitespace().collect::<Vec<_>>().join(" "),
        false => text,
    }
}

/// `0x55d0`.
fn address(text: &str) -> Option<(usize, &'static str)> {
    let digits = text.strip_prefix("0x")?;
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    match digits.bytes().take_while(is_digit).count() {
        0 => None,
        count => Some((2 + count, "0x?")),
    }
}

/// `2026-11-29`, or `2026-11-29-205108` in names of files.
fn date(text: &str) -> Option<(usize, &'static str)> {
    let length = shape(text, "0000-00-00-000000").or_else(|| shape(text, "0000-00-00"))?;
    Some((length, ANY))
}

/// `20:51:08`.
fn clock(text: &str) -> Option<(usize, &'static str)> {
    Some((shape(text, "00:00:00")?, ANY))
}

/// `70.7 ms`, `3.7 s`.
fn duration(text: &str) -> Option<(usize, &'static str)> {
    let number = number(text)?;
    let unit = [" ms", " s"]
        .into_iter()
        .find(|unit| text[number..].starts_with(unit))?;
    let length = number + unit.len();
    let goes_on = text[length..].starts_with(char::is_alphanumeric);
    (!goes_on).then_some((length, ANY))
}

/// `process 715`, and the fields of a process in JSON.
fn process(text: &str) -> Option<(usize, &'static str)> {
    let names = [
        "process ",
        "process\": ",
        "pid\": ",
        "taken_at_ms\": ",
        "file_bytes\": ",
    ];
    let name = names.into_iter().find(|name| text.starts_with(name))?;
    Some((name.len() + number(&text[name.len()..])?, "process ?"))
}

/// `file of 236.3 KiB`, and of a page `leak.html: 113.0 KiB`: how well data compress depends on addresses.
fn file_size(text: &str) -> Option<(usize, &'static str)> {
    let names = ["file of ", "leak.html: "];
    let name = names.into_iter().find(|name| text.starts_with(name))?;
    let size = &text[name.len()..];
    let number = number(size)?;
    let unit = [" KiB", " MiB", " B"]
        .into_iter()
        .find(|unit| size[number..].starts_with(unit))?;
    Some((name.len() + number + unit.len(), "file of ?"))
}

/// `luasnap 0.1.0`.
fn version(text: &str) -> Option<(usize, &'static str)> {
    let name = "luasnap ";
    let rest = text.strip_prefix(name)?;
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let length = rest.bytes().take_while(is_part).count();
    let dots = rest[..length].matches('.').count();
    (dots == 2).then_some((name.len() + length, "luasnap ?"))
}

/// The length of a number such as `3` or `70.7`.
fn number(text: &str) -> Option<usize> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let starts = text.starts_with(|first: char| first.is_ascii_digit());
    starts.then(|| text.bytes().take_while(is_part).count())
}

/// The length of a shape, where 0 is any digit, if the text starts with it and no digit follows.
fn shape(text: &str, shape: &str) -> Option<usize> {
    let start = text.as_bytes().get(..shape.len())?;
    let fits = |(byte, wanted): (&u8, u8)| match wanted {
        b'0' => byte.is_ascii_digit(),
        other => *byte == other,
    };
    let is_like = start.iter().zip(shape.bytes()).all(fits);
    let goes_on = text
        .as_bytes()
        .get(shape.len())
        .is_some_and(u8::is_ascii_digit);
    (is_like && !goes_on).then_some(shape.len())
}

#[cfg(test)]
mod tests {
    fn same(old: &str, new: &str) -> bool {
        super::same(&[old.to_owned()], &[new.to_owned()])
    }

    #[test]
    fn what_is_never_the_same_may_differ() {
        for (old, new) in [
            ("table:0x55d0 (x)", "table:0x7fff12 (x)"),
            ("   table:0x55d0  1", " table:0x55d0b2  1"),
            (
                "taken 2026-11-29 20:51:08 UTC",
                "taken 2027-01-02 03:04:05 UTC",
            ),
            (
                "a-2026-11-29-205108-0001.luasnap",
                "a-2027-01-02-030405-0001.luasnap",
            ),
            (
                "stood still for 70.7 ms, while",
                "stood still for 1.2 ms, while",
            ),
            ("it took 4 s", "it took 12.5 s"),
            ("engine, process 587, taken", "engine, process 12, taken"),
            ("  \"process\": 587,", "  \"process\": 1,"),
            ("  \"file_bytes\": 58712,", "  \"file_bytes\": 1,"),
            ("file of 236.3 KiB", "file of 1.2 MiB"),
            ("leak.html: 112.9 KiB", "leak.html: 113.0 KiB"),
            ("luasnap 0.1.0", "luasnap 0.2.11"),
            (
                "process  2.6 MiB resident, peak 2.7 MiB",
                "process  3.1 MiB resident, peak 3.1 MiB, limit 2.0 GiB",
            ),
            ("outside  2.5 MiB", "outside  612.0 KiB"),
        ] {
            assert!(same(old, new), "{old} and {new}");
        }
    }

    #[test]
    fn all_else_may_not() {
        for (old, new) in [
            ("7.3 MiB in 90,690 objects", "7.4 MiB in 90,690 objects"),
            ("3 strings", "4 strings"),
            ("table:0x55d0 (x)", "table:0x55d0 (y)"),
            ("a  b", "a b"),
            ("fingerprint ce1882ef5805", "fingerprint 3178949a8e04"),
            ("Lua 5.4", "Lua 5.5"),
            ("10x5", "10x6"),
            ("process x", "process y"),
            ("Lua VM   70.1 KiB", "Lua VM   70.2 KiB"),
        ] {
            assert!(!same(old, new), "{old} and {new}");
        }
    }

    #[test]
    fn the_number_of_lines_counts() {
        let lines = |count: usize| vec![String::from("a"); count];
        assert!(!super::same(&lines(1), &lines(2)));
    }
}
