//! Releases with equal layouts share one, whose name has them all.

use crate::layout::Layout;

/// Merges equal layouts into one. The newest come first, before and after.
pub fn merge(layouts: Vec<Layout>) -> Vec<Layout> {
    let releases: Vec<String> = layouts
        .iter()
        .map(|layout| layout.release.clone())
        .collect();
    let mut merged: Vec<(Layout, Vec<usize>)> = Vec::new();
    for (index, layout) in layouts.into_iter().enumerate() {
        match merged.iter_mut().find(|(one, _)| one.is_same(&layout)) {
            Some((_, indices)) => indices.push(index),
            None => merged.push((layout, vec![index])),
        }
    }
    let named = merged.into_iter().map(|(layout, indices)| Layout {
        release: name(&releases, &indices),
        ..layout
    });
    named.collect()
}

/// `5.4.3 to 5.4.9`, or `5.3.5, 5.3.6`: three or more consecutive releases are a range.
fn name(releases: &[String], indices: &[usize]) -> String {
    let runs = indices.chunk_by(|a, b| a + 1 == *b);
    let mut names = Vec::new();
    for run in runs {
        // The newest come first in the list, and last in a name.
        let (newest, oldest) = (&releases[run[0]], &releases[run[run.len() - 1]]);
        match run.len() {
            1 => names.push(newest.clone()),
            2 => names.extend([newest.clone(), oldest.clone()]),
            _ => names.push(format!("{oldest} to {newest}")),
        }
    }
    names.reverse();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Structure;

    fn layout(release: &str, size: u16) -> Layout {
        Layout {
            release: release.into(),
            version: Some("Lua54".into()),
            structures: vec![Structure {
                field: "table",
                rust_type: "Table",
                numbers: vec![("size", Some(size)), ("last_free", None)],
            }],
        }
    }

    #[test]
    fn equal_layouts_become_one() {
        let sizes = [("5", 1), ("4", 1), ("3", 1), ("2", 7), ("1", 1), ("0", 7)];
        let merged = merge(
            sizes
                .iter()
                .map(|(name, size)| layout(name, *size))
                .collect(),
        );
        assert_eq!(merged, [layout("1, 3 to 5", 1), layout("0, 2", 7)]);
    }

    #[test]
    fn two_neighbours_are_no_range() {
        let merged = merge(vec![layout("5.3.6", 1), layout("5.3.5", 1)]);
        assert_eq!(merged, [layout("5.3.5, 5.3.6", 1)]);
    }
}
