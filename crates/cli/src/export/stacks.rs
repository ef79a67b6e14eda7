//! Paths as the stacks of a profile: what is drawn as a flame graph.

use luasnap_format::PathTreeRow;
use luasnap_heap::Kind;
use std::collections::HashMap;
use std::iter::successors;

/// The most frames of a stack. What lies deeper counts at its last frame: each path is written whole, so a chain of many names
/// would be written as often as it has links.
const MOST_FRAMES: u32 = 256;
/// A frame whose name has more bytes is not repeated in the name of the one below it.
const LONG_NAME: usize = 200;

/// The frames of a tree of paths.
pub struct Stacks<'a> {
    /// The tree.
    rows: &'a [PathTreeRow],
    /// What each row's frame is called: a step that stands for several has the ones before it up to a name, since profilers
    /// add up what frames of one name have.
    names: Vec<String>,
    /// The row at which each one counts: itself, or the one above it at the greatest depth.
    counted_at: Vec<usize>,
}

/// The objects of one kind at the end of a stack.
pub struct Leaf {
    /// The row of its last frame.
    pub row: usize,
    /// The kind of the objects.
    pub kind: Kind,
    /// How many there are.
    pub count: u64,
    /// The sum of their shallow sizes.
    pub bytes: u64,
}

impl<'a> Stacks<'a> {
    /// Names the frames of a tree.
    pub fn new(rows: &'a [PathTreeRow]) -> Stacks<'a> {
        let mut names: Vec<String> = Vec::with_capacity(rows.len());
        let mut counted_at = Vec::with_capacity(rows.len());
        let mut depths: Vec<u32> = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let above = row.parent.map(|above| above as usize);
            let depth = above.map_or(1, |above| depths[above] + 1);
            counted_at.push(match above {
                Some(above) if depth > MOST_FRAMES => counted_at[above],
                _ => at,
            });
            depths.push(depth);
            // Escaped, whole: other tools cut by themselves.
            let step = row.name.whole().to_string();
            let before = above.filter(|_| row.is_general).map(|above| &names[above]);
            names.push(match before {
                Some(before) if before.len() <= LONG_NAME => format!("{before}.{step}"),
                _ => step,
            });
        }
        Stacks {
            rows,
            names,
            counted_at,
        }
    }

    /// Returns what lies at the ends of stacks, each kind by itself.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves: Vec<Leaf> = Vec::new();
        let mut known: HashMap<(usize, u8), usize> = HashMap::new();
        for (row, &at) in self.rows.iter().zip(&self.counted_at) {
            if row.own.count == 0 && row.own.bytes == 0 {
                continue;
            }
            let place = *known.entry((at, row.kind as u8)).or_insert_with(|| {
                leaves.push(Leaf {
                    row: at,
                    kind: row.kind,
                    count: 0,
                    bytes: 0,
                });
                leaves.len() - 1
            });
            leaves[place].count += row.own.count;
            leaves[place].bytes = leaves[place].bytes.saturating_add(row.own.bytes);
        }
        leaves
    }

    /// Returns the rows of a path, from its end upwards.
    pub fn upward(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        successors(Some(row), |row| Some(self.rows[*row].parent? as usize))
    }

    /// What the frame of a row is called.
    pub fn name(&self, row: usize) -> &str {
        &self.names[row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use luasnap_format::{Name, Sum};
    use luasnap_heap::Fingerprint;

    fn row(parent: Option<u32>, name: &str, is_general: bool) -> PathTreeRow {
        let one = Sum {
            count: 1,
            bytes: 10,
        };
        PathTreeRow {
            parent,
            name: Name::from(name),
            is_general,
            kind: Kind::Table,
            fingerprint: Fingerprint(0),
            own: one,
            all: one,
            code: None,
        }
    }

    #[test]
    fn a_step_for_many_has_those_before_it_up_to_a_name() {
        let rows = [
            row(None, "_G", false),
            row(Some(0), "grid", false),
            row(Some(1), "[*]", true),
            row(Some(2), "[*]", true),
            row(Some(3), "name", false),
        ];
        let stacks = Stacks::new(&rows);
        let names: Vec<&str> = stacks.upward(4).map(|row| stacks.name(row)).collect();
        assert_eq!(names, ["name", "grid.[*].[*]", "grid.[*]", "grid", "_G"]);
    }

    #[test]
    fn what_a_long_chain_has_is_written_in_bounds_and_counts() {
        let general = |at: u32| !at.is_multiple_of(3);
        let rows: Vec<PathTreeRow> = (0..100_000)
            .map(|at: u32| row(at.checked_sub(1), "link", general(at)))
            .collect();
        let stacks = Stacks::new(&rows);
        let leaves = stacks.leaves();
        let deepest = leaves.iter().map(|of| stacks.upward(of.row).count()).max();
        assert_eq!(deepest, Some(MOST_FRAMES as usize));
        assert_eq!(leaves.iter().map(|of| of.count).sum::<u64>(), 100_000);
        assert_eq!(leaves.len(), MOST_FRAMES as usize);
        let always: Vec<PathTreeRow> = (0..100_000)
            .map(|at: u32| row(at.checked_sub(1), "link", true))
            .collect();
        let stacks = Stacks::new(&always);
        let longest = (0..always.len()).map(|row| stacks.name(row).len()).max();
        assert!(longest <= Some(LONG_NAME + ".link".len()));
    }
}
