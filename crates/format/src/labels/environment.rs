//! Environments of code as the first step of a path: `[environment of plugins/chat.lua]`.

use crate::answer_error::Result;
use crate::labels::printable::push_bytes;
use luasnap_heap::{Heap, NameId, given_name};

/// How such a step begins.
pub(crate) const ENVIRONMENT: &[u8] = b"[environment of ";

/// Appends the step of the environment of a chunk, in the program's own bytes.
pub(crate) fn push_environment(out: &mut Vec<u8>, heap: &Heap, chunk: NameId) -> Result {
    push_bytes(out, ENVIRONMENT)?;
    let name = given_name(heap.name(chunk));
    push_bytes(out, name.unwrap_or(b"code without a name"))?;
    push_bytes(out, b"]")
}
