//! Values that a function of the module returns to Lua.

use crate::lua::state::State;
use std::borrow::Cow;
use std::ffi::c_int;

/// A value for Lua.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// A string.
    Text(Vec<u8>),
    /// A table with strings as keys.
    Table(Vec<(Cow<'static, str>, Value)>),
    /// A table with keys from 1 on.
    List(Vec<Value>),
    /// A table with both: `#` and `ipairs` find the values.
    ListWithFields(Vec<Value>, Vec<(Cow<'static, str>, Value)>),
}

/// How deeply our tables are nested at most: their structure is fixed in the code.
const DEPTH: c_int = 8;

impl Value {
    /// Makes room for [`push`](Self::push). Raises in 5.1 and LuaJIT when there is no memory.
    pub(crate) fn make_room(state: State) -> bool {
        state.check_stack(3 * DEPTH)
    }

    /// Pushes the value. Uses two slots and one more for each level of tables. Raises.
    pub(crate) fn push(&self, state: State) {
        match self {
            Value::Boolean(value) => state.push_boolean(*value),
            Value::Integer(value) => state.push_integer(*value),
            Value::Number(value) => state.push_number(*value),
            Value::Text(text) => state.push_string(text),
            Value::Table(fields) => {
                state.new_table();
                set_fields(state, fields);
            }
            Value::List(values) => {
                state.new_table();
                set_values(state, values);
            }
            Value::ListWithFields(values, fields) => {
                state.new_table();
                set_values(state, values);
                set_fields(state, fields);
            }
        }
    }
}

/// Sets fields of the table on top of the stack. Uses what [`Value::push`] does, and raises.
fn set_fields(state: State, fields: &[(Cow<'static, str>, Value)]) {
    for (name, value) in fields {
        state.push_string(name.as_bytes());
        value.push(state);
        state.raw_set(-3);
    }
}

/// Sets the values from 1 on of the table on top of the stack. Uses what [`Value::push`] does, and raises.
fn set_values(state: State, values: &[Value]) {
    for (number, value) in (1..).zip(values) {
        state.push_integer(number);
        value.push(state);
        state.raw_set(-3);
    }
}
