//! Strong and weak references.

/// The strength of a reference, by Lua's own rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Strength {
    /// Keeps its target alive.
    Strong,
    /// From a table with weak keys to a key: keeps nothing alive.
    WeakKey,
    /// From a table with weak values to a value: keeps nothing alive.
    WeakValue,
    /// From a table with weak keys to a value (5.2 and later): keeps it alive while both the
    /// table and the key are alive by other means.
    Ephemeron,
}

impl Strength {
    /// Whether the reference keeps nothing alive.
    pub fn is_weak(self) -> bool {
        matches!(self, Strength::WeakKey | Strength::WeakValue)
    }
}
