//! Where to look: leak suspects, or what retains most of a single snapshot; each with its path and with what keeps it
//! alive, as rows.

use crate::answer_error::Result;
use crate::answers::dominator_cells::{DominatorCells, KeptCells};
use crate::answers::group_name::fingerprint_text;
use crate::answers::group_row::GroupRow;
use crate::answers::growth::{A_SECOND, GrowthAnswer, a_minute, elapsed_over};
use crate::answers::name::Name;
use crate::answers::path_steps::{StepRow, path_steps};
use crate::answers::retainers::{KeeperRow, RetainersOptions, retainers};
use crate::answers::top::Top;
use luasnap_heap::{Group, NodeId, Rank, Snapshot, Suspect};
use serde::Serialize;

/// The most findings.
const MOST: usize = 9;
/// The most paths of one that share nothing.
const PATHS: usize = 4;
/// Of a single snapshot, what retains less than this part of all bytes is no finding.
const LARGE: f64 = 0.1;

/// Something to look at.
#[derive(Clone, Debug, Serialize)]
pub struct FindingRow {
    /// The fingerprint of the leak suspect, or of the group.
    pub fingerprint: String,
    /// The path from a GC root: to the accumulation point or the object itself, else to an example.
    pub steps: Vec<StepRow>,
    /// Whether the last step is the accumulation point, or the only object.
    pub has_point: bool,
    /// What dominates the example: without any one of these it would be garbage. The nearest first.
    pub keepers: Vec<KeeperRow>,
    /// Paths to the example that share nothing: each has to be cut.
    pub paths: Vec<Name>,
    /// The index of its cell in the dominator tree, or of the nearest one above.
    pub cell: Option<u32>,
    /// Of a suspect: by how many bytes it grew a minute, if the times are known.
    pub a_minute: Option<u64>,
    /// Of a suspect: the shallow sizes of its groups together, in each snapshot.
    pub sizes: Vec<u64>,
}

/// A finding, and the objects of its steps.
pub(crate) struct Finding {
    pub(crate) row: FindingRow,
    nodes: Vec<NodeId>,
    node: NodeId,
}

impl Finding {
    fn new(
        snapshot: &Snapshot,
        fingerprint: String,
        (rank, has_point): (Rank, bool),
        example: Rank,
    ) -> Result<Finding> {
        let tree = snapshot.everything_tree()?;
        let node = tree.node(rank);
        let options = RetainersOptions {
            retainers: 0,
            paths: PATHS,
        };
        let held = retainers(snapshot, &[tree.node(example)], options)?;
        let (steps, nodes) = path_steps(snapshot, rank)?.into_iter().unzip();
        Ok(Finding {
            row: FindingRow {
                fingerprint,
                steps,
                has_point,
                keepers: held.keepers,
                paths: held.paths,
                cell: None,
                a_minute: None,
                sizes: Vec::new(),
            },
            nodes,
            node,
        })
    }

    /// Says in which of the cells it is, and in which its steps are.
    pub(crate) fn place(&mut self, cells: &DominatorCells<'_>, kept: &KeptCells) {
        self.row.cell = cells.row_of(kept, self.node);
        for (step, node) in self.row.steps.iter_mut().zip(&self.nodes) {
            step.cell = cells.row_of(kept, *node).filter(|_| *node != NodeId::ROOT);
        }
    }
}

/// Returns the leak suspects that are not small, those that grew most first. `suspects` are those that the answer
/// has.
pub(crate) fn of_suspects(
    snapshots: &[&Snapshot],
    suspects: &[Suspect],
    answer: &GrowthAnswer,
) -> Result<Vec<Finding>> {
    let last = snapshots[snapshots.len() - 1];
    let elapsed = elapsed_over(snapshots).filter(|elapsed| *elapsed >= A_SECOND);
    let large = suspects.iter().zip(&answer.suspects);
    let large = large.filter(|(_, row)| !row.is_small).take(MOST);
    let finding = |(suspect, row): (&Suspect, _)| {
        let point = suspect.point_rank.filter(|_| !suspect.by_reference);
        let rank = point.unwrap_or(suspect.example);
        let fingerprint = fingerprint_text(suspect.fingerprint);
        let mut finding =
            Finding::new(last, fingerprint, (rank, point.is_some()), suspect.example)?;
        finding.row.a_minute = elapsed.map(|elapsed| a_minute(suspect.grown, elapsed));
        finding.row.sizes = vec![0; snapshots.len()];
        for group in answer.rows_of(row) {
            for (sum, size) in finding.row.sizes.iter_mut().zip(&group.sizes) {
                *sum = sum.saturating_add(*size);
            }
        }
        Ok(finding)
    };
    large.map(finding).collect()
}

/// Returns what retains a tenth of all at least, of a single snapshot: of objects and groups one in another, the
/// one that retains most.
pub(crate) fn of_largest(snapshot: &Snapshot, top: &Top) -> Result<Vec<Finding>> {
    let groups = snapshot.groups()?;
    let dominators = snapshot.dominators()?;
    let tree = snapshot.everything_tree()?;
    let mut findings: Vec<Finding> = Vec::new();
    for row in top.groups.iter().filter(|row| row.share >= LARGE) {
        let Some(group) = group_of(row, groups.groups()) else {
            continue;
        };
        let node = tree.node(group.example);
        let is_one_in_another = |other: &Finding| {
            dominators.dominates(other.node, node) || dominators.dominates(node, other.node)
        };
        if findings.iter().any(is_one_in_another) {
            continue;
        }
        let is_single = row.count == 1;
        let fingerprint = row.fingerprint.clone();
        let rank = group.example;
        findings.push(Finding::new(
            snapshot,
            fingerprint,
            (rank, is_single),
            rank,
        )?);
        if findings.len() == MOST {
            break;
        }
    }
    Ok(findings)
}

/// Returns the group of a row.
fn group_of<'a>(row: &GroupRow, groups: &'a [Group]) -> Option<&'a Group> {
    let digits = u64::from_str_radix(&row.fingerprint, 16).ok()?;
    let is_of =
        |group: &&Group| u64::from(group.count) == row.count && group.shallow == row.shallow;
    let mut alike = groups.iter().filter(is_of);
    alike.find(|group| group.fingerprint.0 >> 16 == digits && group.kind == row.kind)
}
