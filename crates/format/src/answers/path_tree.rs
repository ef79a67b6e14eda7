//! The tree of paths, for pictures and tables: what lies at each pattern of a path, and below.

use crate::answer_error::{AnswerError, Result};
use crate::answers::name::Name;
use crate::answers::short_path::{cut_name, group_step_text};
use crate::answers::stats::Sum;
use luasnap_heap::{
    BuildError, CompareError, Fingerprint, Kind, PathTallies, PatternId, Snapshot, Tally,
    path_growth,
};

/// A path pattern with objects at it or below.
#[derive(Clone, Debug)]
pub struct PathTreeRow {
    /// The row of the pattern above it, which comes before this one; `None` where paths start.
    pub parent: Option<u32>,
    /// The last step of the path.
    pub name: Name,
    /// Whether the step stands for several: `[*]`, `*`.
    pub is_general: bool,
    /// The kind of the objects there.
    pub kind: Kind,
    /// Of the whole path and the kind.
    pub fingerprint: Fingerprint,
    /// The objects there.
    pub own: Sum,
    /// These, and those below.
    pub all: Sum,
    /// The source of the functions there, as people read it, and the line; `None` if they are defined in several places.
    pub code: Option<(Name, u32)>,
}

/// Returns the tree of a snapshot's paths: of the objects in use, or of the new ones of a difference. An object to which
/// several paths lead is counted at the shortest one alone.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn path_tree(snapshot: &Snapshot) -> Result<Vec<PathTreeRow>> {
    rows(snapshot, &snapshot.path_tallies()?)
}

/// Returns the tree of what grew from `before` to `after`: at each path, what it has more.
///
/// # Errors
///
/// [`CompareError`] as of [`growth`](crate::growth), and if memory runs out.
pub fn path_tree_of_growth(
    before: &Snapshot,
    after: &Snapshot,
) -> Result<Vec<PathTreeRow>, CompareError> {
    let grown = path_growth(before, after)?;
    rows(after, &grown).map_err(|_| CompareError::Failed(BuildError::OutOfMemory))
}

fn rows(snapshot: &Snapshot, tallies: &PathTallies) -> Result<Vec<PathTreeRow>> {
    let heap = snapshot.everything();
    let is_shown = |pattern: &PatternId| tallies.tally(*pattern).all != Tally::default();
    let mut places = Vec::new();
    places.try_reserve_exact(tallies.patterns().count())?;
    let mut rows = Vec::new();
    rows.try_reserve_exact(tallies.patterns().filter(is_shown).count())?;
    for pattern in tallies.patterns() {
        // What has nothing below has no row, and nor has anything below that.
        places.push(rows.len() as u32);
        if !is_shown(&pattern) {
            continue;
        }
        let tally = tallies.tally(pattern);
        let step = tallies.step(pattern);
        let code = tally.code.map(|(source, line)| {
            let name = cut_name(heap.name(source))?;
            Ok::<_, AnswerError>((name, line))
        });
        rows.push(PathTreeRow {
            parent: tallies
                .parent(pattern)
                .map(|above| places[above.0 as usize]),
            name: group_step_text(heap, step)?,
            is_general: step.is_general(),
            kind: tallies.kind(pattern),
            fingerprint: tallies.fingerprint(pattern),
            own: tally.own.into(),
            all: tally.all.into(),
            code: code.transpose()?,
        });
    }
    Ok(rows)
}
