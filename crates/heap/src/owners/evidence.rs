//! What is known of an object's owner, in one number.

/// An owner, or what is said where there is not one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub(crate) struct OwnerId(pub(crate) u32);

impl OwnerId {
    /// Nothing is known yet; in the end, that nobody is known.
    pub(crate) const NONE: OwnerId = OwnerId(0);
    /// Several have it.
    pub(crate) const SHARED: OwnerId = OwnerId(1);
    /// The VM itself and its standard libraries.
    pub(crate) const LUA: OwnerId = OwnerId(2);
    /// Code that was loaded without a name.
    pub(crate) const UNNAMED: OwnerId = OwnerId(3);
    /// The first owner that has a name.
    pub(crate) const FIRST_NAMED: u32 = 4;

    /// Returns what is known if both are true. Whoever knows nothing says nothing.
    #[inline]
    pub(crate) fn and(self, other: OwnerId) -> OwnerId {
        match (self, other) {
            (OwnerId::NONE, known) | (known, OwnerId::NONE) => known,
            (one, other) if one == other => one,
            _ => OwnerId::SHARED,
        }
    }

    /// Whether somebody is known, or that there are several.
    #[inline]
    pub(crate) fn is_known(self) -> bool {
        self != OwnerId::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_put_together_in_any_order() {
        let all = [0, 1, 2, 3, 4, 5].map(OwnerId);
        for a in all {
            assert_eq!(a.and(a), a);
            assert_eq!(a.and(OwnerId::SHARED), OwnerId::SHARED);
            for b in all {
                assert_eq!(a.and(b), b.and(a));
                for c in all {
                    assert_eq!(a.and(b).and(c), a.and(b.and(c)));
                }
            }
        }
    }
}
