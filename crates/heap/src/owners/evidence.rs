//! What is known of an object's owner, in one number.

/// An owner, a few of them, or what is said where there is not one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub(crate) struct OwnerId(pub(crate) u32);

impl OwnerId {
    /// Nothing is known yet; in the end, that nobody is known.
    pub(crate) const NONE: OwnerId = OwnerId(0);
    /// Very many have it.
    pub(crate) const SHARED: OwnerId = OwnerId(1);
    /// The VM itself and its standard libraries.
    pub(crate) const LUA: OwnerId = OwnerId(2);
    /// Code that was loaded without a name.
    pub(crate) const UNNAMED: OwnerId = OwnerId(3);
    /// The first owner that has a name.
    pub(crate) const FIRST_NAMED: u32 = 4;
    /// From here on the numbers are those of [a few owners together](crate::owners::joint_owners::JointOwners).
    pub(crate) const FIRST_JOINT: u32 = 1 << 31;

    /// Whether somebody is known, or that there are several.
    #[inline]
    pub(crate) fn is_known(self) -> bool {
        self != OwnerId::NONE
    }

    /// Whether several have it.
    #[inline]
    pub(crate) fn is_shared(self) -> bool {
        self == OwnerId::SHARED || self.0 >= OwnerId::FIRST_JOINT
    }
}
