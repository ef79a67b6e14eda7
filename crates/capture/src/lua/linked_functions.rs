//! The C API in a static program, `luasnap` for any Linux, which has no dynamic linker to ask for a function by its
//! name: the program's own linker fills in a table.

use std::ffi::{CStr, c_void};

macro_rules! linked {
    ($($name:ident)*) => {
        // None is called by these declarations: the API's table has the signatures.
        unsafe extern "C" {
            $(fn $name();)*
        }

        /// The address of a function of the Lua that the program is linked with, null where it has no such function.
        pub(crate) fn linked_function(name: &CStr) -> *mut c_void {
            match name.to_str() {
                $(Ok(stringify!($name)) => $name as *mut c_void,)*
                _ => std::ptr::null_mut(),
            }
        }
    };
}

// What the table in `api.rs` has of Lua 5.4, and what tells that version.
linked! {
    lua_checkstack lua_close lua_closethread lua_concat lua_createtable lua_error lua_gc lua_getallocf lua_getinfo
    lua_getiuservalue lua_getlocal lua_getmetatable lua_getstack lua_gettop lua_getupvalue lua_iscfunction
    lua_newthread lua_newuserdatauv lua_next lua_pcallk lua_pushboolean lua_pushcclosure lua_pushinteger
    lua_pushlightuserdata lua_pushlstring lua_pushnil lua_pushnumber lua_pushthread lua_pushvalue lua_rawequal
    lua_rawget lua_rawgeti lua_rawlen lua_rawset lua_rawseti lua_resetthread lua_resume lua_rotate lua_sethook
    lua_setiuservalue lua_setmetatable lua_settop lua_status lua_toboolean lua_tointegerx lua_tolstring
    lua_tonumberx lua_topointer lua_tothread lua_touserdata lua_type lua_upvalueid lua_version lua_xmove
    luaL_argerror luaL_loadbufferx luaL_newstate luaL_openlibs luaL_where
}
