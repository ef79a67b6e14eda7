//! Fields that rows have in common, as they are written.

use luasnap_heap::Kind;
use serde::{Serialize, Serializer};

/// The field `type`: what people call a kind of object.
pub(crate) fn kind<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.type_name())
}

/// The field `address`: `0x55d0`.
pub(crate) fn address<S: Serializer>(address: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    format!("{address:#x}").serialize(serializer)
}

/// The field `share`: which part of all objects' bytes that is, from 0 to 1.
pub(crate) fn share(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}
