//! `growth(s1, s2, ...)`: what grew from snapshot to snapshot, as a plain table.

use crate::arguments::{Result, argument};
use crate::failure::comparison_error;
use crate::lua_value::lua_value;
use luasnap_capture::{Call, Return};
use luasnap_heap::Snapshot;

/// Most rows of each kind.
const MOST_ROWS: usize = 1000;

/// `growth(s1, s2, ...)`.
pub fn growth(call: &mut Call<'_>) -> Result {
    // After the two required arguments, trailing nils count as absent arguments.
    let given = (3..=call.argument_count()).rfind(|number| !call.is_nil_argument(*number));
    let snapshots = (1..=given.unwrap_or(call.argument_count().min(2)))
        .map(|number| argument(call, number))
        .collect::<Result<Vec<_>>>()?;
    let snapshots: Vec<&Snapshot> = snapshots.iter().collect();
    let answer = luasnap_format::growth(&snapshots, MOST_ROWS).map_err(comparison_error)?;
    Ok(Return::Value(lua_value(&answer)?))
}
