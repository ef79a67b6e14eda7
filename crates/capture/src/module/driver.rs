//! What the driver of `luasnap run` gets beside the module: how its script is interrupted.

use crate::lua::api::CFunction;
use crate::lua::state::State;
use crate::module::coroutine_library;
use crate::module::signals::{self, arm, disarm, settle};

/// What the driver of `luasnap run` gives as a third argument, which `require` does not: it gets a second
/// result for it, and interrupts its script by that.
pub(crate) const DRIVER: &[u8] = b"luasnap run";

/// Pushes a table of what the driver of `luasnap run` needs: `arm(f)` has a signal call `f`, `settle()`
/// has further ones noted only, `disarm()` gives signals back their handlers and answers the one that
/// came; and `resume` and `wrap`, which take the places of the coroutine library's where a VM has a hook
/// for each thread. Uses six slots. Raises; owns nothing.
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
