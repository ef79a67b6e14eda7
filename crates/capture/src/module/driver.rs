//! What the driver of `luasnap run` gets besides the module: the means to interrupt its script.

use crate::lua::api::CFunction;
use crate::lua::state::State;
use crate::module::coroutine_library;
use crate::module::signals::{self, arm, disarm, settle};

/// The third argument by which the driver of `luasnap run` is known; `require` passes none. The
/// driver gets a second result for it, with which it interrupts its script.
pub(crate) const DRIVER: &[u8] = b"luasnap run";

/// Pushes a table of what the driver of `luasnap run` needs: `arm(f)` makes a signal call `f`,
/// `settle()` makes further signals only be noted, `disarm()` lets signals end the program again
/// and returns the one that came; and `resume` and `wrap` replace those of the coroutine library
/// where a VM has a hook per thread. The table is empty where the VM cannot be interrupted. Uses
/// six slots. Raises; owns nothing.
pub(super) fn push_functions(state: State) {
    state.new_table();
    if !signals::claim(state) {
        return;
    }
    let table = state.top();
    let functions: [(&[u8], CFunction); 3] =
        [(b"arm", arm), (b"settle", settle), (b"disarm", disarm)];
    for (name, function) in functions
        .into_iter()
        .chain(coroutine_library::functions(state))
    {
        state.push_string(name);
        state.push_closure(function, 0);
        state.raw_set(table);
    }
}
