//! Texts without what differs from run to run, and from program to program.

use std::collections::HashMap;

/// The text with `table:#1`, `table:#2` ... in place of addresses, in order of appearance, and
/// without the refs and the size of `_G`.
pub fn normal(text: &str) -> String {
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
                let name = self.replaced(bare);
                format!("{name:>26}\t{}", self.replaced(&without_size(rest)))
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
            let kind = kind.unwrap_or_else(|| panic!("an address of what? {text}"));
            let digits = rest[at + 3..]
                .bytes()
                .take_while(u8::is_ascii_hexdigit)
                .count();
            let end = at + 3 + digits;
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

/// Of a row of `_G`, how much it grew: `+5`. How big it is, and who else holds it, is the
/// program's affair.
fn without_size(row: &str) -> String {
    let fields: Vec<_> = row.split('\t').collect();
    match fields[..] {
        [refs, desc, "_G\n"] => {
            let size = desc.trim_start().strip_prefix("(size: ");
            let (size, grown) = size.and_then(|desc| desc.split_once(')')).expect("a size");
            assert!(refs.trim_start().parse::<u64>().is_ok(), "{row}");
            assert!(size.parse::<u64>().is_ok(), "{row}");
            format!("{:>6}\t{:>18}\t_G\n", "N", format!("(size: N){grown}"))
        }
        _ => row.to_owned(),
    }
}
