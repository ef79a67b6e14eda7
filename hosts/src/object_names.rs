//! Makes outputs equal that differ from run to run only in addresses.

use std::collections::HashMap;

/// Returns what the module printed, with `table:#1`, `table:#2` ... instead of addresses, in order
/// of appearance.
///
/// # Panics
/// If a row's name is not aligned, or an address does not follow a known type.
pub fn number_objects(text: &str) -> String {
    let mut names = Names::default();
    text.split_inclusive('\n')
        .map(|line| names.normal_line(line))
        .collect()
}

#[derive(Default)]
struct Names {
    numbers: HashMap<String, usize>,
    of_kind: HashMap<&'static str, usize>,
}

impl Names {
    fn normal_line(&mut self, line: &str) -> String {
        // A row's name is aligned to the right; addresses differ in length.
        match line.split_once('\t') {
            Some((name, rest)) if name.contains(":0x") && !name.trim_start().contains(' ') => {
                let bare = name.trim_start();
                assert_eq!(name, format!("{bare:>26}"), "{line}");
                format!("{:>26}\t{}", self.replaced(bare), self.replaced(rest))
            }
            _ => self.replaced(line),
        }
    }

    fn replaced(&mut self, text: &str) -> String {
        const KINDS: [&str; 4] = ["table", "function", "userdata", "thread"];
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(":0x") {
            let kind = KINDS.into_iter().find(|&kind| rest[..at].ends_with(kind));
            let digits = rest[at + 3..]
                .bytes()
                .take_while(u8::is_ascii_hexdigit)
                .count();
            let end = at + 3 + digits;
            let kind = kind.unwrap_or_else(|| panic!("an address of what? {text}"));
            let of_kind = self.of_kind.entry(kind).or_insert(0);
            let number = *self
                .numbers
                .entry(rest[at..end].to_owned())
                .or_insert_with(|| {
                    *of_kind += 1;
                    *of_kind
                });
            out.push_str(&format!("{}:#{number}", &rest[..at]));
            rest = &rest[end..];
        }
        out + rest
    }
}
