//! Finding objects by address or by path.

use crate::answer_error::Result;
use crate::labels::object_label::object_name;
use crate::labels::printable::push_printable;
use crate::query::lookup_error::LookupError;
use crate::query::path_search::{PathSearch, Reading};
use luasnap_heap::{Heap, Kind, NodeId};

/// Returns the address in a word: `0x5581d0`, also after a type or the name of a class, as
/// `snapshot.print` and Lua's `tostring` show it (`table:0x5581d0`, `table: 0x5581d0`,
/// `Player: 0x5581d0`). `None` if the word is not an address.
pub fn address_of(word: &[u8]) -> Option<u64> {
    let word = String::from_utf8_lossy(word);
    let digits = match word.rsplit_once(':') {
        Some((name, address)) => {
            let is_type = || Kind::ALL.iter().any(|kind| kind.type_name() == name.trim());
            let address = address.trim_end();
            let is_shown = address.starts_with(' ') || is_type();
            address.trim_start().strip_prefix("0x").filter(|_| is_shown)
        }
        None => word.trim().strip_prefix("0x"),
    };
    u64::from_str_radix(digits?, 16).ok()
}

/// Returns the object at an address.
///
/// # Errors
///
/// [`LookupError::Address`], with the nearest objects, if there is none.
pub fn object_at(heap: &Heap, address: u64) -> Result<NodeId, LookupError> {
    let nodes = || heap.nodes().skip(1);
    if let Some(node) = nodes().find(|node| heap.address(*node) == address) {
        return Ok(node);
    }
    let below = nodes()
        .filter(|node| heap.address(*node) < address)
        .max_by_key(|node| heap.address(*node));
    let above = nodes()
        .filter(|node| heap.address(*node) > address)
        .min_by_key(|node| heap.address(*node));
    let near = below.into_iter().chain(above);
    Err(LookupError::Address {
        address,
        near: near.map(|node| object_name(heap, node)).collect(),
    })
}

/// Returns the object at a path, with steps as they are printed: `_G.sessions.[1].name`.
///
/// The path starts at `_G`, at `package.loaded`, at a GC root (`[REGISTRY]`), or at the name of a global variable. Bytes that a
/// terminal cannot show may be given as they are, or escaped as they are printed.
///
/// # Errors
///
/// [`LookupError::Path`], with similar steps, if the path leads nowhere; [`LookupError::Failed`] if memory runs
/// out.
pub fn object_by_path(heap: &Heap, path: &[u8]) -> Result<NodeId, LookupError> {
    let mut printed = Vec::new();
    push_printable(&mut printed, path)?;
    let mut search = PathSearch::new(heap, &printed, Reading::default());
    match search.next()? {
        Some(node) => Ok(node),
        None => Err(search.lost()),
    }
}
