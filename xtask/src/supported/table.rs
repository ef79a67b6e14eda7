//! The document, as text.

use crate::supported::rows::{BY_HAND, ROWS, Row, Shown};
use std::fmt::Write as _;

/// The document.
pub fn text() -> String {
    let mut text = String::from(
        "# Which Luas can be read\n\
         \n\
         Made by `cargo xtask supported` from the results of tests; a row says what its test showed, and the command writes nothing\n\
         if one of them failed. \"exact\": the native engine accounts for every byte of the VM's own total. \"-\": not tried. What\n\
         fits none of these falls to the portable engine in-process, and is refused from outside, in words that name the cause.\n\
         \n\
         | Lua | machine | in-process | attach | core file | tests |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in ROWS {
        let Row { lua, machine, .. } = row;
        let [inside, attach, core] = [row.inside, row.attach, row.core].map(Shown::words);
        let tests: Vec<String> = row.tests().iter().map(|test| format!("`{test}`")).collect();
        let tests = tests.join(", ");
        let _ = writeln!(
            text,
            "| {lua} | {machine} | {inside} | {attach} | {core} | {tests} |"
        );
    }
    text += "\n\
             ## Tried by hand\n\
             \n\
             Built from public sources that no registry has. No run of the tests repeats this.\n\
             \n\
             | Lua | date | result |\n\
             |---|---|---|\n";
    for (lua, date, result) in BY_HAND {
        let _ = writeln!(text, "| {lua} | {date} | {result} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_tests_are_in_the_document() {
        let text = text();
        for row in ROWS {
            assert!(!row.tests().is_empty(), "{}", row.lua);
            assert!(text.contains(row.lua), "{}", row.lua);
            for test in row.tests() {
                assert!(text.contains(&format!("`{test}`")), "{test}");
            }
        }
    }
}
