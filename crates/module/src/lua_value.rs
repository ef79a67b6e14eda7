//! Answers as Lua values: rows become tables, with names as the program's own bytes.

use luasnap_capture::{Error, Value};
use serde::Serialize;
use serde::ser::{self, Error as _, Impossible, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Display};

/// Converts a row or a whole answer to a Lua value. A field without a value is absent, like nil.
///
/// # Errors
/// The answer contains something that a row cannot have, which is a bug.
pub fn lua_value(answer: &impl Serialize) -> Result<Value, Error> {
    let made = answer.serialize(ToValue);
    let value = made.and_then(|value| value.ok_or_else(|| NotARow::custom("nothing")));
    value.map_err(|error| Error::Message(format!("internal error in snapshot (a bug): {error}")))
}

/// Converts an answer to a list of the rows in one of its fields, beside which the other fields stand.
///
/// # Errors
/// The answer contains something that a row cannot have, or no such list, which are bugs.
pub fn lua_list(answer: &impl Serialize, rows: &str) -> Result<Value, Error> {
    let wrong = || Error::Message("internal error in snapshot (a bug): no list of rows".to_owned());
    let Value::Table(mut fields) = lua_value(answer)? else {
        return Err(wrong());
    };
    let at = fields.iter().position(|(name, _)| name == rows);
    match at.map(|at| fields.remove(at)) {
        Some((_, Value::List(rows))) => Ok(Value::ListWithFields(rows, fields)),
        _ => Err(wrong()),
    }
}

/// What a row cannot contain.
#[derive(Debug)]
struct NotARow(String);

impl Display for NotARow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no part of a row: {}", self.0)
    }
}

impl std::error::Error for NotARow {}

impl ser::Error for NotARow {
    fn custom<T: Display>(message: T) -> Self {
        NotARow(message.to_string())
    }
}

type Made = Result<Option<Value>, NotARow>;

struct ToValue;

impl Serializer for ToValue {
    type Ok = Option<Value>;
    type Error = NotARow;
    type SerializeSeq = Items;
    type SerializeTuple = Impossible<Self::Ok, NotARow>;
    type SerializeTupleStruct = Impossible<Self::Ok, NotARow>;
    type SerializeTupleVariant = Impossible<Self::Ok, NotARow>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Impossible<Self::Ok, NotARow>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Made {
        Ok(Some(Value::Boolean(value)))
    }

    fn serialize_i8(self, value: i8) -> Made {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Made {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Made {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Made {
        Ok(Some(Value::Integer(value)))
    }

    fn serialize_u8(self, value: u8) -> Made {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Made {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Made {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Made {
        // No heap has counts or sizes beyond an `i64`.
        self.serialize_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn serialize_f32(self, value: f32) -> Made {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Made {
        Ok(Some(Value::Number(value)))
    }

    fn serialize_char(self, value: char) -> Made {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Made {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Made {
        Ok(Some(Value::Text(value.to_vec())))
    }

    fn serialize_none(self) -> Made {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Made {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Made {
        Ok(None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Made {
        Ok(None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Made {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Made {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Made {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, NotARow> {
        Ok(Items(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotARow> {
        Err(NotARow::custom("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NotARow> {
        Err(NotARow::custom(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NotARow> {
        Err(NotARow::custom(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields, NotARow> {
        Ok(Fields::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, NotARow> {
        Ok(Fields::default())
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NotARow> {
        Err(NotARow::custom(name))
    }
}

/// The items of a list.
struct Items(Vec<Value>);

impl ser::SerializeSeq for Items {
    type Ok = Option<Value>;
    type Error = NotARow;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotARow> {
        self.0.extend(value.serialize(ToValue)?);
        Ok(())
    }

    fn end(self) -> Made {
        Ok(Some(Value::List(self.0)))
    }
}

/// The fields of a table.
#[derive(Default)]
struct Fields {
    fields: Vec<(Cow<'static, str>, Value)>,
    key: Cow<'static, str>,
}

impl Fields {
    fn add<T: Serialize + ?Sized>(
        &mut self,
        key: Cow<'static, str>,
        value: &T,
    ) -> Result<(), NotARow> {
        let value = value.serialize(ToValue)?;
        self.fields.extend(value.map(|value| (key, value)));
        Ok(())
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Option<Value>;
    type Error = NotARow;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NotARow> {
        self.add(key.into(), value)
    }

    fn end(self) -> Made {
        Ok(Some(Value::Table(self.fields)))
    }
}

impl ser::SerializeMap for Fields {
    type Ok = Option<Value>;
    type Error = NotARow;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotARow> {
        match key.serialize(ToValue)? {
            Some(Value::Text(key)) => {
                self.key = String::from_utf8_lossy(&key).into_owned().into();
                Ok(())
            }
            _ => Err(NotARow::custom("a key that is no string")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotARow> {
        let key = std::mem::take(&mut self.key);
        self.add(key, value)
    }

    fn end(self) -> Made {
        Ok(Some(Value::Table(self.fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use luasnap_format::Name;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Row {
        name: Name,
        count: u64,
        share: f64,
        nothing: Option<u64>,
        some: Option<bool>,
        numbers: Vec<i64>,
        by_name: BTreeMap<String, u64>,
    }

    #[test]
    fn a_row_is_a_table_with_the_programs_own_bytes() {
        let row = Row {
            name: Name::from(b"a\xff\x1b".to_vec()),
            count: u64::MAX,
            share: 0.5,
            nothing: None,
            some: Some(true),
            numbers: vec![-1, 2],
            by_name: BTreeMap::from([("b".to_owned(), 1)]),
        };
        assert_eq!(
            format!("{:?}", lua_value(&row).unwrap()),
            format!(
                "{:?}",
                Value::Table(vec![
                    ("name".into(), Value::Text(b"a\xff\x1b".to_vec())),
                    ("count".into(), Value::Integer(i64::MAX)),
                    ("share".into(), Value::Number(0.5)),
                    ("some".into(), Value::Boolean(true)),
                    (
                        "numbers".into(),
                        Value::List(vec![Value::Integer(-1), Value::Integer(2)])
                    ),
                    (
                        "by_name".into(),
                        Value::Table(vec![("b".into(), Value::Integer(1))])
                    ),
                ])
            )
        );
    }

    #[test]
    fn what_is_no_row_is_an_error_and_no_empty_table() {
        for error in [
            lua_value(&(1, 2)).unwrap_err(),
            lua_value(&None::<u64>).unwrap_err(),
        ] {
            let Error::Message(message) = error else {
                panic!("{error:?}");
            };
            assert!(
                message.starts_with("internal error in snapshot"),
                "{message}"
            );
        }
    }
}
