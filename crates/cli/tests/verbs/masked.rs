//! Masks what differs from run to run, or with changes of luasnap itself.

/// A text with `0x...` for each address, and `...` for process ids, the memory of processes, times and sizes of
/// files.
pub fn masked(text: &str) -> String {
    let mut clean = String::new();
    for line in text.split_inclusive('\n') {
        let mut places = ["process  ", "outside  "].into_iter();
        if let Some(place) = places.find(|place| line.starts_with(place)) {
            clean += &format!("{place}...\n");
            continue;
        }
        let line = after_each(line, "0x", |c| c.is_ascii_hexdigit());
        let line = after_each(&line, "process ", |c| c.is_ascii_digit());
        let line = after_each(&line, "taken ", |c| !matches!(c, ',' | '\n'));
        clean += &after_each(&line, "file of ", |c| !matches!(c, ',' | '\n'));
    }
    clean
}

/// Replaces all that fits behind each `start` by three dots.
fn after_each(text: &str, start: &str, fits: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(start);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean += start;
        clean += "...";
        clean += part.trim_start_matches(&fits);
    }
    clean
}

/// The sizes of the embedded Lua and of the script that drives it, and so all shares, change with
/// every line of theirs. So the lines about them are dropped, and shares become `#`. Of equal strings the one with the
/// lowest address is the example, so its number becomes dots.
pub fn of_the_script(text: &str) -> String {
    const OWN: [&str; 4] = ["[mainthread]", "luasnap:", "shared strings", "[REGISTRY]"];
    let mut shares_end = None;
    let mut clean = String::new();
    let lines = text.lines();
    for line in lines.filter(|line| OWN.iter().all(|own| !line.contains(own))) {
        let line = &after_each(line, "\"person", |c| c.is_ascii_digit());
        if line.starts_with("retained") {
            shares_end = line.find('%').map(|at| at + 1);
        }
        clean += &match shares_end {
            Some(end) if !line.starts_with("retained") => {
                format!("{}    #{}\n", &line[..end - 5], &line[end..])
            }
            _ => format!("{}\n", without_shares(line)),
        };
    }
    clean
}

/// Replaces each number before a `%` by `#`.
fn without_shares(line: &str) -> String {
    let parts: Vec<_> = line.split('%').collect();
    let last = parts.len() - 1;
    let parts = parts.iter().enumerate().map(|(at, part)| {
        let rest = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        match at == last || rest.len() == part.len() {
            true => (*part).to_owned(),
            false => format!("{rest}#"),
        }
    });
    parts.collect::<Vec<_>>().join("%")
}

/// Replaces each number by `#`, and several blanks by one.
pub fn without_numbers(text: &str) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' | '.' | ',' if clean.ends_with('#') => {}
            '0'..='9' => clean.push('#'),
            ' ' if clean.ends_with([' ', '\n']) => {}
            _ => clean.push(c),
        }
    }
    clean
}

#[test]
fn what_differs_is_masked() {
    let text =
        "a table:0x55d0, process 17, taken 2026-11-25 17:40:12 UTC, file of 1.5 KiB\n0xab 7\n";
    let expected = "a table:0x..., process ..., taken ..., file of ...\n0x... 7\n";
    assert_eq!(masked(text), expected);
    let text = "process  2.1 MiB resident\nLua VM   3 B\noutside  2.1 MiB\n";
    assert_eq!(masked(text), "process  ...\nLua VM   3 B\noutside  ...\n");
    let text = "retained     %  size\n 1.0 KiB  10.5   7 B\n 1.0 KiB   0.5  luasnap:0\n";
    let expected = "retained     %  size\n 1.0 KiB     #   7 B\n";
    assert_eq!(of_the_script(text), expected);
    assert_eq!(of_the_script("up (+24.5%) of 3%\n"), "up (+#%) of #%\n");
    assert_eq!(without_numbers("  1,234  5.4 KiB 7\n"), " # # KiB #\n");
}
