//! The names under which a Lua that was compiled as C++ exports its functions:
//! `_Z10lua_gettopP9lua_State` for `lua_gettop`.

use object::{Object, ObjectSymbol};
use std::collections::HashMap;
use std::ffi::{CStr, CString};

/// The mangled names of an object's functions, by what they are called in C.
pub(crate) struct MangledNames(HashMap<Vec<u8>, CString>);

impl MangledNames {
    /// The names that a file exports, where they are those of a Lua's functions.
    pub(crate) fn of<'data>(file: &impl Object<'data>) -> Option<MangledNames> {
        let symbols = file
            .dynamic_symbols()
            .filter(|symbol| symbol.is_definition());
        let names = symbols.filter_map(|symbol| {
            let mangled = symbol.name_bytes().ok()?;
            let name = function_name(mangled).filter(|name| name.starts_with(b"lua"))?;
            Some((name.to_vec(), CString::new(mangled).ok()?))
        });
        let names = MangledNames(names.collect());
        names.get(c"lua_gettop").is_some().then_some(names)
    }

    /// The name of a function of the C API.
    pub(crate) fn get(&self, name: &CStr) -> Option<&CStr> {
        self.0.get(name.to_bytes()).map(CString::as_c_str)
    }
}

/// The name of the function of this symbol: `lua_gettop` of `lua_gettop` and of
/// `_Z10lua_gettopP9lua_State`. Itanium's C++ ABI has the length before a name that is in no
/// namespace; the types of the parameters follow.
pub(crate) fn function_name(symbol: &[u8]) -> Option<&[u8]> {
    let Some(mangled) = symbol.strip_prefix(b"_Z") else {
        return Some(symbol);
    };
    let digits = mangled
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let len: usize = std::str::from_utf8(&mangled[..digits]).ok()?.parse().ok()?;
    mangled.get(digits..digits.checked_add(len)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_symbols() {
        let name = |symbol: &'static str| function_name(symbol.as_bytes());
        assert_eq!(name("lua_error"), Some(&b"lua_error"[..]));
        assert_eq!(name("_Z10lua_gettopP9lua_State"), Some(&b"lua_gettop"[..]));
        let pushed = name("_Z15lua_pushlstringP9lua_StatePKcm");
        assert_eq!(pushed, Some(&b"lua_pushlstring"[..]));
        for odd in [
            "_Z",
            "_ZN3lua3popEv",
            "_Z99lua_gettop",
            "_Z99999999999999999999999x",
        ] {
            assert_eq!(name(odd), None, "{odd}");
        }
    }
}
