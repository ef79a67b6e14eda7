//! Words of a command line that the user is to type.

use luasnap_format::printable_path;
use std::path::Path;

/// Returns a word as a shell takes it, as far as people can see it.
pub fn shell_word(path: &Path) -> String {
    let path = printable_path(path).to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+,:@%=".contains(letter);
    match !path.is_empty() && path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_can_be_given_to_a_shell() {
        for (path, expected) in [
            (
                "nginx-12-20261130T174012Z.luasnap",
                "nginx-12-20261130T174012Z.luasnap",
            ),
            ("/tmp/my heap.luasnap", "'/tmp/my heap.luasnap'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(shell_word(Path::new(path)), expected);
        }
    }
}
