//! Fields that rows have in common, as they are written.

use luasnap_heap::Kind;
use serde::{Serialize, Serializer};

/// Serializes the field `type`: the type name of a kind.
pub(crate) fn kind<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.type_name())
}

/// Serializes the field `address`: `0x55d0`.
pub(crate) fn address<S: Serializer>(address: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    format!("{address:#x}").serialize(serializer)
}

/// Returns the field `share`: the part of all objects' bytes, from 0 to 1.
pub(crate) fn share(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}
