//! A few owners that have objects together.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::owners::evidence::OwnerId;
use rustc_hash::FxHashMap;

/// The most owners of one object that are told apart. With more of them it is shared by very many.
pub const MAX_SHARERS: usize = 3;

/// Owners in rising order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Sharers {
    owners: [u32; MAX_SHARERS],
    len: u8,
}

impl Sharers {
    pub(crate) fn owners(&self) -> impl ExactSizeIterator<Item = OwnerId> + '_ {
        let owners = &self.owners[..usize::from(self.len)];
        owners.iter().copied().map(OwnerId)
    }

    /// Returns the set with one more owner; `None` if that is more than [`MAX_SHARERS`].
    fn with(mut self, owner: OwnerId) -> Option<Sharers> {
        if self.owners().any(|known| known == owner) {
            return Some(self);
        }
        let len = usize::from(self.len);
        *self.owners.get_mut(len)? = owner.0;
        self.len += 1;
        self.owners[..=len].sort_unstable();
        Some(self)
    }
}

/// Sets of a few owners, each once.
#[derive(Debug, Default)]
pub(crate) struct JointOwners {
    sets: Vec<Sharers>,
    positions: FxHashMap<Sharers, u32>,
    /// What two make together.
    joined: FxHashMap<(OwnerId, OwnerId), OwnerId>,
}

impl JointOwners {
    /// Returns the sets, in the order of their numbers from [`OwnerId::FIRST_JOINT`] on.
    pub(crate) fn sets(&self) -> &[Sharers] {
        &self.sets
    }

    /// Returns what is known if both are true. Whoever knows nothing says nothing.
    #[inline]
    pub(crate) fn join(&mut self, known: OwnerId, other: OwnerId) -> Result<OwnerId, BuildError> {
        if known == other || other == OwnerId::NONE {
            return Ok(known);
        }
        match (known, other) {
            (OwnerId::NONE, one) => Ok(one),
            (OwnerId::SHARED, _) | (_, OwnerId::SHARED) => Ok(OwnerId::SHARED),
            two => match self.joined.get(&two) {
                Some(joined) => Ok(*joined),
                None => self.join_new(two),
            },
        }
    }

    fn join_new(&mut self, two: (OwnerId, OwnerId)) -> Result<OwnerId, BuildError> {
        let (one, other) = (self.set(two.0), self.set(two.1));
        let both = other.owners().try_fold(one, |set, owner| set.with(owner));
        let joined = match both {
            Some(set) => self.intern(set)?,
            None => OwnerId::SHARED,
        };
        self.joined.try_reserve(1)?;
        self.joined.insert(two, joined);
        Ok(joined)
    }

    fn set(&self, owner: OwnerId) -> Sharers {
        match owner.0.checked_sub(OwnerId::FIRST_JOINT) {
            Some(place) => self.sets[place as usize],
            None => Sharers {
                owners: [owner.0, 0, 0],
                len: 1,
            },
        }
    }

    fn intern(&mut self, set: Sharers) -> Result<OwnerId, BuildError> {
        self.positions.try_reserve(1)?;
        let next = self.sets.len() as u32;
        let place = *self.positions.entry(set).or_insert(next);
        if place == next {
            push(&mut self.sets, set)?;
        }
        Ok(OwnerId(OwnerId::FIRST_JOINT + place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_can_be_put_together_in_any_order() {
        let mut joint = JointOwners::default();
        let mut join = |a, b| joint.join(a, b).unwrap();
        let mut all = [0, 1, 2, 3, 4, 5, 6].map(OwnerId).to_vec();
        all.push(join(OwnerId(4), OwnerId(5)));
        all.push(join(OwnerId(5), OwnerId(6)));
        for &a in &all {
            assert_eq!(join(a, a), a);
            assert_eq!(join(a, OwnerId::NONE), a);
            assert_eq!(join(a, OwnerId::SHARED), OwnerId::SHARED);
            for &b in &all {
                assert_eq!(join(a, b), join(b, a));
                for &c in &all {
                    let (left, right) = (join(a, b), join(b, c));
                    assert_eq!(join(left, c), join(a, right));
                }
            }
        }
        let three = join(all[7], all[8]);
        assert_eq!(join(three, OwnerId(4)), three);
        assert_eq!(join(three, OwnerId::LUA), OwnerId::SHARED);
        let sets: Vec<Vec<u32>> = joint
            .sets()
            .iter()
            .map(|set| set.owners().map(|of| of.0).collect())
            .collect();
        assert!(sets.contains(&vec![4, 5]) && sets.contains(&vec![4, 5, 6]));
    }
}
