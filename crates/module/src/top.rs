//! `top(s [, options])`: the groups with the largest sizes or counts, as a list of plain tables.

use crate::arguments::{Result, argument};
use crate::failure::answer_error;
use crate::lua_value::lua_value;
use luasnap_capture::{Call, Error, Return};
use luasnap_heap::{GroupOrder, Printable};

/// Number of groups by default, and at most.
const ROWS: usize = 20;
const MOST_ROWS: usize = 10_000;

/// `top(s [, {by = "retained", n = 20}])`.
pub fn top(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let mut rows = ROWS;
    let mut by = GroupOrder::Retained;
    if !call.is_nil_argument(2) {
        rows = call.count_option(2, "n")?.unwrap_or(ROWS).min(MOST_ROWS);
        if let Some(name) = call.string_option(2, "by")? {
            by = order_named(&name)?;
        }
    }
    let top = luasnap_format::top(&snapshot, by, rows).map_err(answer_error)?;
    Ok(Return::Value(lua_value(&top.groups)?))
}

fn order_named(name: &[u8]) -> Result<GroupOrder> {
    Ok(match name {
        b"retained" => GroupOrder::Retained,
        b"size" => GroupOrder::Shallow,
        b"count" => GroupOrder::Count,
        b"class" => GroupOrder::Class,
        other => {
            let name = Printable(other);
            return Err(Error::Argument {
                number: 2,
                reason: format!(
                    "option 'by' is 'retained', 'size', 'count' or 'class', got '{name}'"
                ),
            });
        }
    })
}
