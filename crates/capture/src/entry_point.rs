//! The symbol by which Lua finds a module.

/// Defines `luaopen_…` for a [`Module`](crate::Module) (a static). The function's return address
/// lies in the VM that calls it, which is how its API is found; only machine code can read it.
#[macro_export]
macro_rules! lua_module {
    ($(#[$doc:meta])* $name:ident => $module:path) => {
        extern "C-unwind" fn open_for_caller(
            state: *mut $crate::LuaState,
            caller: *const ::std::ffi::c_void,
        ) -> ::std::ffi::c_int {
            // SAFETY: called through the symbol below alone, by a VM with its own state.
            unsafe { $crate::open(state, caller, &$module) }
        }

        $(#[$doc])*
        ///
        /// # Safety
        /// To be called by a Lua VM, or as one would: with a live state.
        // SAFETY: the name is Lua's convention for this module, and nobody else's.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C-unwind" fn $name(state: *mut $crate::LuaState) -> ::std::ffi::c_int {
            #[cfg(target_arch = "x86_64")]
            ::std::arch::naked_asm!("mov rsi, [rsp]", "jmp {}", sym open_for_caller);
            #[cfg(target_arch = "aarch64")]
            ::std::arch::naked_asm!("mov x1, x30", "b {}", sym open_for_caller);
        }
    };
}
