//! Texts without what differs from run to run, and from program to program.

use luasnap_hosts::number_objects;

/// Returns the text with `table:#1`, `table:#2` ... instead of addresses, in order of appearance,
/// and without the refs and the size of `_G`.
pub fn normal(text: &str) -> String {
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.split_once('\t') {
            Some((name, row)) if name.contains(":0x") => format!("{name}\t{}", without_size(row)),
            _ => line.to_owned(),
        });
    number_objects(&lines.collect::<String>())
}

/// Keeps of a row of `_G` only how much it grew: `+5`. Its size and its refs depend on the program.
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
