//! Options: the fields of a table that a function takes as an argument.

use crate::lua::state::{State, TYPE_BOOLEAN, TYPE_NIL, TYPE_NUMBER, TYPE_STRING, TYPE_TABLE};
use crate::module::argument::basic_type_name;
use crate::module::call::Call;
use crate::module::result::Error;
use std::ffi::c_int;

/// The largest number of strings in a list.
const LONGEST_LIST: usize = 10_000;

impl Call<'_> {
    /// The string under the key `name` of argument `number`, a table; `None` where that is nil.
    pub fn string_option(&self, number: u32, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.option(number, name, "string", |state, lua_type| {
            (lua_type == TYPE_STRING).then(|| state.string(-1).to_vec())
        })
    }

    /// The non-negative whole number under the key `name` of argument `number`, a table; `None`
    /// where that is nil.
    pub fn count_option(&self, number: u32, name: &str) -> Result<Option<usize>, Error> {
        self.option(number, name, "whole number from 0 on", |state, lua_type| {
            let value = (lua_type == TYPE_NUMBER).then(|| state.number(-1))?;
            (value >= 0.0 && value.fract() == 0.0).then_some(value as usize)
        })
    }

    /// The boolean under the key `name` of argument `number`, a table; `None` where that is nil.
    pub fn boolean_option(&self, number: u32, name: &str) -> Result<Option<bool>, Error> {
        self.option(number, name, "boolean", |state, lua_type| {
            (lua_type == TYPE_BOOLEAN).then(|| state.boolean(-1))
        })
    }

    /// The strings in the list under the key `name` of argument `number`, a table; empty where that
    /// is nil. Uses two slots more.
    pub fn list_option(&self, number: u32, name: &str) -> Result<Vec<Vec<u8>>, Error> {
        let list = self.option(number, name, "table of strings", |state, lua_type| {
            if lua_type != TYPE_TABLE {
                return None;
            }
            match state.raw_len(-1) {
                len if len > LONGEST_LIST => Some(Err(len)),
                len => strings(state, len).map(Ok),
            }
        })?;
        list.unwrap_or(Ok(Vec::new())).map_err(|len| {
            let reason =
                format!("option '{name}' is a table of at most {LONGEST_LIST} strings, got {len}");
            Error::Argument { number, reason }
        })
    }

    /// What `read` makes of the field `name` of argument `number`: it gets the state with the value
    /// on the top, and the value's type; `None` from it is an error. No metamethods are called.
    fn option<T>(
        &self,
        number: u32,
        name: &str,
        expected: &str,
        read: impl Fn(State, c_int) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        if !self.is_table_argument(number) {
            return Err(self.type_error(number, "table"));
        }
        self.frame.protected(&[number as c_int], 1, &mut |state| {
            state.push_string(name.as_bytes());
            state.raw_get(1);
            1
        })?;
        let state = self.state();
        let lua_type = state.type_of(-1);
        let option = match lua_type {
            TYPE_NIL => Ok(None),
            lua_type => read(state, lua_type)
                .map(Some)
                .ok_or_else(|| Error::Argument {
                    number,
                    reason: format!(
                        "option '{name}' is a {expected}, got {}",
                        basic_type_name(lua_type)
                    ),
                }),
        };
        state.pop(1);
        option
    }
}

/// The first `len` strings of the list on the top of the stack; `None` where one of them is anything
/// else. Uses one slot.
fn strings(state: State, len: usize) -> Option<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    for index in 1..=len {
        state.raw_get_index(-1, index as i64);
        let is_string = state.type_of(-1) == TYPE_STRING;
        if is_string {
            strings.push(state.string(-1).to_vec());
        }
        state.pop(1);
        if !is_string {
            return None;
        }
    }
    Some(strings)
}
