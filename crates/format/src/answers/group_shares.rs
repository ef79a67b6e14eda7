//! How the bytes of a heap are spread over its groups: some of them by name, all others together.

use crate::answer_error::Result;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::rate_row::{RateRow, change_a_minute};
use luasnap_heap::{Fingerprint, Group, Groups, Growth, Heap, ShortestPathTree, Snapshot};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

/// How the bytes of all objects in use are spread over groups: the sizes of the rows and `other` add up to them.
#[derive(Clone, Debug, Default)]
pub struct GroupShares {
    /// The largest groups, and those that grew most since the first snapshot; the largest first. No two of them have one
    /// fingerprint.
    pub rows: Vec<RateRow>,
    /// The bytes of all other groups.
    pub other: u64,
}

/// A group before it has a name.
struct Share<'a> {
    fingerprint: Fingerprint,
    group: &'a Group,
    /// In the first and in the last snapshot.
    counts: (u64, u64),
    sizes: (u64, u64),
    grows_in_every_step: bool,
}

impl GroupShares {
    /// Returns the shares of a first snapshot, of which nothing is known to grow: those of the `most` largest groups.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub(crate) fn of_first(snapshot: &Snapshot, most: usize) -> Result<GroupShares> {
        let groups = snapshot.groups()?;
        let mut shares: Vec<Share<'_>> = Vec::new();
        let mut places: FxHashMap<Fingerprint, usize> = FxHashMap::default();
        for group in groups.groups() {
            shares.try_reserve(1)?;
            places.try_reserve(1)?;
            let place = *places.entry(group.fingerprint).or_insert(shares.len());
            let (count, size) = (u64::from(group.count), group.shallow);
            if place == shares.len() {
                shares.push(Share {
                    fingerprint: group.fingerprint,
                    group,
                    counts: (count, count),
                    sizes: (size, size),
                    grows_in_every_step: false,
                });
                continue;
            }
            // Names that a VM has twice can make two groups with one fingerprint.
            let share = &mut shares[place];
            let (count, size) = (share.counts.1 + count, share.sizes.1.saturating_add(size));
            (share.counts, share.sizes) = ((count, count), (size, size));
        }
        let names = (snapshot.everything(), snapshot.everything_tree()?, groups);
        GroupShares::of(shares, most, names, 0)
    }

    /// Returns the shares of the last snapshot of a growth over so many milliseconds: those of the `most` largest groups,
    /// and of the `most` that grew most.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub(crate) fn of_growth(growth: &Growth, most: usize, elapsed: u64) -> Result<GroupShares> {
        let last = growth.snapshot_count() - 1;
        let mut shares: Vec<Share<'_>> = Vec::new();
        // What is gone has no bytes.
        for row in growth.rows().filter(|row| row.snapshot == last) {
            shares.try_reserve(1)?;
            shares.push(Share {
                fingerprint: row.fingerprint,
                group: row.group,
                counts: (row.counts[0], row.counts[last]),
                sizes: (row.shallow[0], row.shallow[last]),
                grows_in_every_step: row.grows_in_every_step(),
            });
        }
        let names = (growth.heap(last), growth.tree(last)?, growth.groups(last));
        GroupShares::of(shares, most, names, elapsed)
    }

    fn of(
        mut shares: Vec<Share<'_>>,
        most: usize,
        (heap, tree, groups): (&Heap, &ShortestPathTree, &Groups),
        elapsed: u64,
    ) -> Result<GroupShares> {
        let sizes = shares.iter().map(|share| share.sizes.1);
        let all = sizes.fold(0, u64::saturating_add);
        shares.sort_unstable_by_key(|share| (Reverse(share.grown()), share.fingerprint));
        let is_first_of_all = |(at, share): &(usize, &Share<'_>)| *at < most && share.grown() > 0;
        let grown = shares.iter().enumerate().filter(is_first_of_all);
        let grown = grown.map(|(_, share)| share.fingerprint);
        let grown: FxHashSet<Fingerprint> = grown.collect();
        shares.sort_unstable_by_key(|share| (Reverse(share.sizes.1), share.fingerprint));
        let mut rows: Vec<RateRow> = Vec::new();
        let mut listed = 0_u64;
        // People see a part of a fingerprint: one that begins like that of a larger group has no row.
        let mut seen: FxHashSet<String> = FxHashSet::default();
        for (at, share) in shares.iter().enumerate() {
            let size = share.sizes.1;
            let is_listed = size > 0 && (at < most || grown.contains(&share.fingerprint));
            if is_listed && seen.insert(fingerprint_text(share.fingerprint)) {
                rows.push(share.row(group_name(heap, tree, groups, share.group)?, elapsed));
                listed = listed.saturating_add(size);
            }
        }
        Ok(GroupShares {
            rows,
            other: all.saturating_sub(listed),
        })
    }
}

impl Share<'_> {
    /// By how many bytes it has grown.
    fn grown(&self) -> u64 {
        self.sizes.1.saturating_sub(self.sizes.0)
    }

    fn row(&self, name: Name, elapsed: u64) -> RateRow {
        let change = |(first, last): (u64, u64)| (last as i64).wrapping_sub(first as i64);
        let (count_change, size_change) = (change(self.counts), change(self.sizes));
        RateRow {
            fingerprint: fingerprint_text(self.fingerprint),
            kind: self.group.kind,
            name,
            count: self.counts.1,
            size: self.sizes.1,
            count_change,
            size_change,
            objects_per_minute: change_a_minute(count_change, elapsed),
            bytes_per_minute: change_a_minute(size_change, elapsed),
            grows_in_every_step: self.grows_in_every_step,
        }
    }
}
