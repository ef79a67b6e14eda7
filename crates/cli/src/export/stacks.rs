//! Paths as the stacks of a profile: what is drawn as a flame graph.

use luasnap_format::PathTreeRow;
use std::iter::successors;

/// The frames of a tree of paths.
pub struct Stacks<'a> {
    /// The tree.
    rows: &'a [PathTreeRow],
    /// What each row's frame is called: a step that stands for several has the ones before it up to a name, since profilers
    /// add up what frames of one name have.
    names: Vec<String>,
}

impl<'a> Stacks<'a> {
    /// Names the frames of a tree.
    pub fn new(rows: &'a [PathTreeRow]) -> Stacks<'a> {
        let mut names: Vec<String> = Vec::with_capacity(rows.len());
        for row in rows {
            // Escaped, whole: other tools cut by themselves.
            let step = row.name.whole().to_string();
            let above = row.parent.filter(|_| row.is_general);
            names.push(match above {
                Some(above) => format!("{}.{step}", names[above as usize]),
                None => step,
            });
        }
        Stacks { rows, names }
    }

    /// Returns the rows with objects of their own, by their index.
    pub fn leaves(&self) -> impl Iterator<Item = (usize, &'a PathTreeRow)> + use<'a> {
        let own = |row: &PathTreeRow| row.own.count > 0 || row.own.bytes > 0;
        let rows = self.rows.iter().enumerate();
        rows.filter(move |(_, row)| own(row))
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
