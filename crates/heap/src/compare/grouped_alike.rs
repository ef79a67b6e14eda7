//! The groups of several snapshots, with the same names: what one of them shows is known in all.

use crate::compare::growth_step::GrowthStep;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::room;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::group::Groups;
use crate::groups::path_map::FoldedName;
use crate::groups::path_pattern::many_names;
use crate::groups::pattern_set::PatternSet;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The most rounds of grouping the snapshots. Another round follows as long as one of them
/// generalises new patterns.
const MOST_ROUNDS: usize = 4;

/// Returns the groups of each snapshot. What one of them generalises is generalised in all.
pub(crate) fn grouped_alike(steps: &[GrowthStep]) -> Result<Vec<Arc<Groups>>, BuildError> {
    let mut general = PatternSet::default();
    for step in steps {
        general.add(step.pattern_set()?)?;
    }
    let mut round = 1;
    loop {
        let mut all = room(steps.len())?;
        for step in steps {
            all.push(step.grouped(&general)?);
        }
        let mut is_new = keep_growing_names(&all, &mut general)?;
        for groups in &all {
            is_new |= general.add(&groups.pattern_set)?;
        }
        if !is_new || round == MOST_ROUNDS {
            return Ok(all);
        }
        round += 1;
    }
}

/// Keeps names that were generalised although what is below them grew in every step, unless very many of one
/// object did. Returns whether there is any.
fn keep_growing_names(all: &[Arc<Groups>], general: &mut PatternSet) -> Result<bool, BuildError> {
    let [earlier @ .., last] = all else {
        return Ok(false);
    };
    let mut known = room(earlier.len())?;
    for groups in earlier {
        known.push(bytes_by_name(groups)?);
    }
    let now = bytes_by_name(last)?;
    let grows = |name: &&FoldedName| {
        let mut later = now.get(&name.exact).copied().unwrap_or(0);
        known.iter().rev().all(|bytes| {
            let before = bytes.get(&name.exact).copied();
            let grew = before.is_some_and(|before| before < later);
            later = before.unwrap_or(0);
            grew
        })
    };
    let growing = || last.folded.iter().filter(grows);
    let mut siblings: FxHashMap<Fingerprint, u32> = FxHashMap::default();
    for name in growing() {
        siblings.try_reserve(1)?;
        *siblings.entry(name.parent).or_default() += 1;
    }
    let mut is_any = false;
    for name in growing().filter(|name| !many_names(siblings[&name.parent])) {
        general.note_large(name.exact)?;
        is_any = true;
    }
    Ok(is_any)
}

/// Returns the bytes below each name that was generalised though much is below it, in all objects of one pattern.
fn bytes_by_name(groups: &Groups) -> Result<FxHashMap<Fingerprint, u64>, BuildError> {
    let mut bytes: FxHashMap<Fingerprint, u64> = FxHashMap::default();
    bytes.try_reserve(groups.folded.len())?;
    for name in &groups.folded {
        let of = bytes.entry(name.exact).or_default();
        *of = of.saturating_add(name.bytes);
    }
    Ok(bytes)
}
