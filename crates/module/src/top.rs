//! `top(s [, options])`: the groups with the largest sizes or counts, or the owners with most, as a list of plain
//! tables.

use crate::arguments::{Result, argument};
use crate::failure::answer_error;
use crate::lua_value::lua_list;
use luasnap_capture::{Call, Error, Return};
use luasnap_heap::{GroupOrder, Printable};

/// Number of groups by default, and at most.
const ROWS: usize = 20;
const MOST_ROWS: usize = 10_000;

/// `top(s [, {by = "retained", n = 20}])`.
pub fn top(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let mut rows = ROWS;
    let mut by = By::Groups(GroupOrder::Retained);
    if !call.is_nil_argument(2) {
        rows = call.count_option(2, "n")?.unwrap_or(ROWS).min(MOST_ROWS);
        if let Some(name) = call.string_option(2, "by")? {
            by = named(&name)?;
        }
    }
    let value = match by {
        By::Owner => {
            let top = luasnap_format::top_owners(&snapshot, rows).map_err(answer_error)?;
            lua_list(&top, "owners")?
        }
        By::Groups(order) => {
            let top = luasnap_format::top(&snapshot, order, rows).map_err(answer_error)?;
            lua_list(&top, "groups")?
        }
    };
    Ok(Return::Value(value))
}

/// What the rows are, and which comes first.
enum By {
    Groups(GroupOrder),
    Owner,
}

fn named(name: &[u8]) -> Result<By> {
    Ok(match name {
        b"retained" => By::Groups(GroupOrder::Retained),
        b"size" => By::Groups(GroupOrder::Shallow),
        b"count" => By::Groups(GroupOrder::Count),
        b"class" => By::Groups(GroupOrder::Class),
        b"owner" => By::Owner,
        other => {
            let name = Printable(other);
            return Err(Error::Argument {
                number: 2,
                reason: format!(
                    "option 'by' is 'retained', 'size', 'count', 'class' or 'owner', got '{name}'"
                ),
            });
        }
    })
}
