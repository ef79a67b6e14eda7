//! Collapsed stacks: a line for each path, its steps and its bytes, as flamegraph.pl, inferno and speedscope read them.

use crate::export::stacks::Stacks;
use luasnap_format::PathTreeRow;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes the paths of a tree. Paths of several kinds that read alike are one line.
pub fn write(out: &mut dyn Write, rows: &[PathTreeRow]) -> io::Result<()> {
    let stacks = Stacks::new(rows);
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for leaf in stacks.leaves() {
        let mut frames: Vec<String> = stacks
            .upward(leaf.row)
            .map(|row| frame(stacks.name(row)))
            .collect();
        frames.reverse();
        let bytes = lines.entry(frames.join(";")).or_default();
        *bytes = bytes.saturating_add(leaf.bytes);
    }
    for (stack, bytes) in lines.iter().filter(|line| *line.1 > 0) {
        writeln!(out, "{stack} {bytes}")?;
    }
    Ok(())
}

/// A name in which nothing ends a frame.
fn frame(name: &str) -> String {
    name.replace(';', ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_ends_nowhere_else() {
        assert_eq!(frame("a;b"), "a:b");
    }
}
