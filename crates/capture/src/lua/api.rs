//! The Lua C API as a table of function pointers, resolved when the module is loaded.
//!
//! There are no undefined symbols and no headers: one object serves every Lua. A function that a VM
//! lacks is `None`; the declarations below say which VM has which. Signatures rely on the x86-64
//! and AArch64 calling conventions, where a returned value that nobody reads and an `int` passed as
//! a wider integer do no harm.

use crate::lua::numbers::Numbers;
use crate::version::Version;
use std::ffi::{CStr, c_char, c_int, c_void};

/// A Lua state. Only ever behind a pointer.
#[repr(C)]
pub struct LuaState {
    _opaque: [u8; 0],
}

/// `lua_State *`.
pub(crate) type Lua = *mut LuaState;

/// `lua_CFunction`, which may raise: by `longjmp` or by unwinding.
pub(crate) type CFunction = unsafe extern "C-unwind" fn(Lua) -> c_int;

/// `lua_Alloc`.
pub(crate) type Alloc =
    unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, usize, usize) -> *mut c_void;

/// `lua_Hook`, which may raise.
pub(crate) type Hook = unsafe extern "C-unwind" fn(Lua, *mut c_void);

macro_rules! api {
    (
        required { $($name:ident : $symbol:literal : fn($($arg:ty),*) $(-> $ret:ty)?;)* }
        optional { $($oname:ident : $osymbol:literal : fn($($oarg:ty),*) $(-> $oret:ty)?;)* }
    ) => {
        /// One VM's C API.
        #[derive(Clone, Copy)]
        pub struct Api {
            pub(crate) version: Version,
            /// The width of the VM's numbers. Where that is another one, numbers go through `State`,
            /// not through the functions below.
            pub(crate) numbers: Numbers,
            /// `lua_gc`, whose arguments are variadic from 5.4 on.
            pub(crate) gc_fixed: unsafe extern "C-unwind" fn(Lua, c_int, c_int) -> c_int,
            pub(crate) gc_variadic: unsafe extern "C-unwind" fn(Lua, c_int, ...) -> c_int,
            $(pub(crate) $name: unsafe extern "C-unwind" fn($($arg),*) $(-> $ret)?,)*
            $(pub(crate) $oname: Option<unsafe extern "C-unwind" fn($($oarg),*) $(-> $oret)?>,)*
        }

        impl Api {
            /// Fills the table for `version` from a symbol look-up, with the usual numbers; the error
            /// is the name of a missing function.
            ///
            /// # Safety
            /// `look_up` must return, for each name, that function of a VM of family `version`, or
            /// null.
            pub(crate) unsafe fn load(
                version: Version,
                look_up: &dyn Fn(&CStr) -> *mut c_void,
            ) -> Result<Api, &'static CStr> {
                let required = |symbol: &'static CStr| {
                    let address = look_up(symbol);
                    if address.is_null() { Err(symbol) } else { Ok(address) }
                };
                let gc = required(c"lua_gc")?;
                // SAFETY: by this function's contract each address is the function of that name,
                // whose C declaration the table repeats; null becomes `None`.
                unsafe {
                    Ok(Api {
                        version,
                        numbers: Numbers::USUAL,
                        gc_fixed: std::mem::transmute::<
                            *mut c_void,
                            unsafe extern "C-unwind" fn(Lua, c_int, c_int) -> c_int,
                        >(gc),
                        gc_variadic: std::mem::transmute::<
                            *mut c_void,
                            unsafe extern "C-unwind" fn(Lua, c_int, ...) -> c_int,
                        >(gc),
                        $($name: std::mem::transmute::<
                            *mut c_void,
                            unsafe extern "C-unwind" fn($($arg),*) $(-> $ret)?,
                        >(required($symbol)?),)*
                        $($oname: std::mem::transmute::<
                            *mut c_void,
                            Option<unsafe extern "C-unwind" fn($($oarg),*) $(-> $oret)?>,
                        >(look_up($osymbol)),)*
                    })
                }
            }

            /// Addresses of all functions: tables with the same addresses belong to the same VM.
            pub(crate) fn addresses(&self) -> Vec<usize> {
                vec![
                    self.gc_fixed as usize,
                    $(self.$name as usize,)*
                    $(self.$oname.map_or(0, |function| function as usize),)*
                ]
            }
        }
    };
}

api! {
    required {
        gettop: c"lua_gettop": fn(Lua) -> c_int;
        settop: c"lua_settop": fn(Lua, c_int);
        pushvalue: c"lua_pushvalue": fn(Lua, c_int);
        checkstack: c"lua_checkstack": fn(Lua, c_int) -> c_int;
        xmove: c"lua_xmove": fn(Lua, Lua, c_int);
        type_of: c"lua_type": fn(Lua, c_int) -> c_int;
        topointer: c"lua_topointer": fn(Lua, c_int) -> *const c_void;
        touserdata: c"lua_touserdata": fn(Lua, c_int) -> *mut c_void;
        tothread: c"lua_tothread": fn(Lua, c_int) -> Lua;
        tolstring: c"lua_tolstring": fn(Lua, c_int, *mut usize) -> *const c_char;
        toboolean: c"lua_toboolean": fn(Lua, c_int) -> c_int;
        iscfunction: c"lua_iscfunction": fn(Lua, c_int) -> c_int;
        next: c"lua_next": fn(Lua, c_int) -> c_int;
        rawget: c"lua_rawget": fn(Lua, c_int);
        rawset: c"lua_rawset": fn(Lua, c_int);
        rawequal: c"lua_rawequal": fn(Lua, c_int, c_int) -> c_int;
        // The index is an int up to 5.2 and 64 bits wide from 5.3 on.
        rawgeti: c"lua_rawgeti": fn(Lua, c_int, i64);
        rawseti: c"lua_rawseti": fn(Lua, c_int, i64);
        createtable: c"lua_createtable": fn(Lua, c_int, c_int);
        getmetatable: c"lua_getmetatable": fn(Lua, c_int) -> c_int;
        setmetatable: c"lua_setmetatable": fn(Lua, c_int) -> c_int;
        getupvalue: c"lua_getupvalue": fn(Lua, c_int, c_int) -> *const c_char;
        getstack: c"lua_getstack": fn(Lua, c_int, *mut c_void) -> c_int;
        getinfo: c"lua_getinfo": fn(Lua, *const c_char, *mut c_void) -> c_int;
        getlocal: c"lua_getlocal": fn(Lua, *const c_void, c_int) -> *const c_char;
        pushnil: c"lua_pushnil": fn(Lua);
        pushlightuserdata: c"lua_pushlightuserdata": fn(Lua, *mut c_void);
        pushboolean: c"lua_pushboolean": fn(Lua, c_int);
        pushinteger: c"lua_pushinteger": fn(Lua, i64);
        pushnumber: c"lua_pushnumber": fn(Lua, f64);
        pushlstring: c"lua_pushlstring": fn(Lua, *const c_char, usize);
        pushcclosure: c"lua_pushcclosure": fn(Lua, CFunction, c_int);
        pushthread: c"lua_pushthread": fn(Lua) -> c_int;
        getallocf: c"lua_getallocf": fn(Lua, *mut *mut c_void) -> Option<Alloc>;
        raise: c"lua_error": fn(Lua) -> c_int;
    }
    optional {
        // 5.1 and LuaJIT.
        pcall: c"lua_pcall": fn(Lua, c_int, c_int, c_int) -> c_int;
        getfenv: c"lua_getfenv": fn(Lua, c_int);
        setfenv: c"lua_setfenv": fn(Lua, c_int) -> c_int;
        objlen: c"lua_objlen": fn(Lua, c_int) -> usize;
        tonumber: c"lua_tonumber": fn(Lua, c_int) -> f64;
        newuserdata: c"lua_newuserdata": fn(Lua, usize) -> *mut c_void; // up to 5.3
        // From 5.2 on. The context is an int in 5.2.
        pcallk: c"lua_pcallk": fn(Lua, c_int, c_int, c_int, isize, *const c_void) -> c_int;
        rawlen: c"lua_rawlen": fn(Lua, c_int) -> usize;
        tonumberx: c"lua_tonumberx": fn(Lua, c_int, *mut c_int) -> f64;
        getuservalue: c"lua_getuservalue": fn(Lua, c_int); // 5.2 and 5.3
        setuservalue: c"lua_setuservalue": fn(Lua, c_int); // 5.2 and 5.3
        // From 5.2 on, and LuaJIT.
        upvalueid: c"lua_upvalueid": fn(Lua, c_int, c_int) -> *mut c_void;
        // From 5.2 on, but useful only from 5.3 on.
        tointegerx: c"lua_tointegerx": fn(Lua, c_int, *mut c_int) -> i64;
        // From 5.4 on.
        newuserdatauv: c"lua_newuserdatauv": fn(Lua, usize, c_int) -> *mut c_void;
        getiuservalue: c"lua_getiuservalue": fn(Lua, c_int, c_int) -> c_int;
        setiuservalue: c"lua_setiuservalue": fn(Lua, c_int, c_int) -> c_int;
        // For interrupting a script that `luasnap run` runs.
        sethook: c"lua_sethook": fn(Lua, Option<Hook>, c_int, c_int) -> c_int;
        newthread: c"lua_newthread": fn(Lua) -> Lua;
        status: c"lua_status": fn(Lua) -> c_int;
        // The second argument is there from 5.2 on, the last from 5.4 on.
        resume: c"lua_resume": fn(Lua, Lua, c_int, *mut c_int) -> c_int;
        setlevel: c"lua_setlevel": fn(Lua, Lua); // 5.1
        resetthread: c"lua_resetthread": fn(Lua) -> c_int; // 5.4
        closethread: c"lua_closethread": fn(Lua, Lua) -> c_int; // from 5.4.6 on
        where_: c"luaL_where": fn(Lua, c_int);
        concat: c"lua_concat": fn(Lua, c_int);
        argerror: c"luaL_argerror": fn(Lua, c_int, *const c_char) -> c_int;
        // What `luasnap run` needs to be a host.
        newstate: c"luaL_newstate": fn() -> Lua;
        openlibs: c"luaL_openlibs": fn(Lua);
        close: c"lua_close": fn(Lua);
        loadbufferx: c"luaL_loadbufferx":
            fn(Lua, *const c_char, usize, *const c_char, *const c_char) -> c_int;
    }
}
