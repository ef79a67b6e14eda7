//! Test frameworks, which tell a check that failed from a program that has an error.
//!
//! busted counts a value of a class of its own as a failure, luaunit a text with a prefix of its own; both have a
//! function `fail` that raises it. A framework is looked for among the loaded modules: where a program loads none,
//! none is loaded for it.

use crate::lua::state::{State, TYPE_FUNCTION, TYPE_TABLE};
use crate::module::call::Call;
use crate::module::result::Error;

/// The names of their modules. busted runs tests; luaunit may be loaded in these for its assertions alone.
const MODULES: [&[u8]; 2] = [b"busted", b"luaunit"];
/// The registry's key of `package.loaded`, `LUA_LOADED_TABLE`.
const LOADED: &[u8] = b"_LOADED";

impl Call<'_> {
    /// Raises a failure of the test framework that is loaded, and leaves it on the top. Returns `Ok` where there is
    /// none, or where its `fail` returns.
    pub(super) fn fail_test(&self, message: &[u8]) -> Result<(), Error> {
        self.frame.protected(&[], 0, &mut |state| {
            for module in MODULES {
                if !push_fail(state, module) {
                    continue;
                }
                state.push_string(message);
                // To busted it says that the message has its position already.
                state.push_integer(0);
                if state.call_protected(2, 0) != 0 {
                    return state.raise();
                }
            }
            0
        })
    }
}

/// Pushes the function `fail` of a loaded module, or nothing that counts. Uses five slots. Raises.
fn push_fail(state: State, module: &[u8]) -> bool {
    state.set_top(0);
    state.push_string(LOADED);
    state.raw_get(state.registry());
    if state.type_of(-1) != TYPE_TABLE {
        return false;
    }
    state.push_string(module);
    state.raw_get(-2);
    state.type_of(-1) == TYPE_TABLE && push_field(state, b"fail")
}

/// Pushes a function that is a field of the table on the top, its own or that of its `__index`. Uses three slots.
/// Raises.
fn push_field(state: State, name: &[u8]) -> bool {
    let table = state.top();
    state.push_string(name);
    state.raw_get(table);
    if state.type_of(-1) == TYPE_FUNCTION {
        return true;
    }
    state.set_top(table);
    if !state.metatable(table) {
        return false;
    }
    state.push_string(b"__index");
    state.raw_get(-2);
    match state.type_of(-1) {
        TYPE_TABLE => {
            state.push_string(name);
            state.raw_get(-2);
        }
        TYPE_FUNCTION => {
            state.push_value(table);
            state.push_string(name);
            if state.call_protected(2, 1) != 0 {
                return false;
            }
        }
        _ => return false,
    }
    state.type_of(-1) == TYPE_FUNCTION
}
