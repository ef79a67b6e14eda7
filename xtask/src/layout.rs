//! A layout: the numbers that locate members in the structures of a VM's release, before they are
//! written as Rust.

use crate::dwarf::{Member, Types};
use anyhow::{Context, Result, bail, ensure};

/// The size of an `unsigned char`.
pub const BYTE: u64 = 1;
/// The size of an `unsigned short`.
pub const SHORT: u64 = 2;
/// The size of an `int`.
pub const INT: u64 = 4;
/// The size of a pointer, a `size_t`, or a reference in LuaJIT.
pub const POINTER: u64 = 8;

/// The layout of a release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The release: `5.4.6`.
    pub release: String,
    /// Its `Version`, if its tables have it: `Lua54`.
    pub version: Option<String>,
    /// In the order of the fields of the Rust structure.
    pub structures: Vec<Structure>,
}

impl Layout {
    /// Whether two releases have the same layout.
    pub fn is_same(&self, other: &Layout) -> bool {
        self.version == other.version && self.structures == other.structures
    }
}

/// The numbers of one of the VM's structures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Structure {
    /// The layout's field for the structure.
    pub field: &'static str,
    /// The type of that field.
    pub rust_type: &'static str,
    /// Names and values; `None` where the release does not have it.
    pub numbers: Vec<(&'static str, Option<u16>)>,
}

/// Builds a [`Structure`] from a C type. The first error is returned at the end.
pub struct Builder<'a> {
    types: &'a Types,
    c_type: &'static str,
    structure: Structure,
    error: Option<anyhow::Error>,
}

impl<'a> Builder<'a> {
    /// Starts a structure, given the layout's field, its type in Rust, and the type in C.
    pub fn new(
        types: &'a Types,
        field: &'static str,
        rust_type: &'static str,
        c_type: &'static str,
    ) -> Builder<'a> {
        let numbers = Vec::new();
        Builder {
            types,
            c_type,
            structure: Structure {
                field,
                rust_type,
                numbers,
            },
            error: None,
        }
    }

    /// Continues with the members of another C type.
    pub fn of(self, c_type: &'static str) -> Self {
        Builder { c_type, ..self }
    }

    /// Returns the structure, or the first error.
    pub fn finish(self) -> Result<Structure> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.structure),
        }
    }

    /// Adds the size of the whole type as `size`.
    pub fn size(self) -> Self {
        let c_type = self.c_type;
        self.size_of("size", c_type)
    }

    /// Adds the size of a type.
    pub fn size_of(self, name: &'static str, c_type: &str) -> Self {
        let size = self.types.size(c_type).map(Some);
        self.add(name, size)
    }

    /// Adds the size of a type that only some releases have; in others it must not exist.
    pub fn size_of_if(self, has: bool, name: &'static str, c_type: &str) -> Self {
        let size = match (has, self.types.has(c_type)) {
            (true, _) => self.types.size(c_type).map(Some),
            (false, false) => Ok(None),
            (false, true) => Err(unexpected(c_type)),
        };
        self.add(name, size)
    }

    /// Adds the offset of a member of this width. `"u.l.base|base"` tries several names.
    pub fn at(self, name: &'static str, width: u64, paths: &str) -> Self {
        self.at_if(true, name, width, paths)
    }

    /// Adds the offset of a member that only some releases have; in others it must not exist.
    pub fn at_if(self, has: bool, name: &'static str, width: u64, paths: &str) -> Self {
        let offset = self.find(has, paths).and_then(|found| {
            if let Some(Member { width: is, .. }) = found {
                let c_type = self.c_type;
                ensure!(is == width, "{c_type}.{paths} has {is} bytes, not {width}");
            }
            Ok(found.map(|member| member.offset))
        });
        self.add(name, offset)
    }

    /// Adds the offset of a member, if there is one: LuaJIT's releases have no number to go by.
    pub fn at_if_there(self, name: &'static str, width: u64, path: &str) -> Self {
        match self.types.member(self.c_type, path) {
            Ok(found) => self.at_if(found.is_some(), name, width, path),
            Err(error) => self.add(name, Err(error)),
        }
    }

    /// Adds that this release does not have it.
    pub fn absent(self, name: &'static str) -> Self {
        self.add(name, Ok(None))
    }

    /// Adds that this release has none of these.
    pub fn all_absent(self, names: &[&'static str]) -> Self {
        names.iter().copied().fold(self, Builder::absent)
    }

    /// Adds the size of what a member points to.
    pub fn item(self, name: &'static str, path: &str) -> Self {
        self.item_if(true, name, path)
    }

    /// Adds the size of what a member points to, if the release has it.
    pub fn item_if(self, has: bool, name: &'static str, path: &str) -> Self {
        let size = self.find(has, path).and_then(|found| {
            let size = found.map(|member| {
                let c_type = self.c_type;
                let size = member.pointee;
                size.with_context(|| format!("{c_type}.{path} points to nothing of known size"))
            });
            size.transpose()
        });
        self.add(name, size)
    }

    /// Adds the size of a member.
    pub fn width(self, name: &'static str, path: &str) -> Self {
        let width = self.find(true, path);
        let width = width.map(|found| found.map(|member| member.width));
        self.add(name, width)
    }

    /// Adds the number of items of an array.
    pub fn count(self, name: &'static str, path: &str) -> Self {
        let count = self.find(true, path).and_then(|found| {
            let count = found.and_then(|member| member.count);
            let c_type = self.c_type;
            let count = count.with_context(|| format!("{c_type}.{path} is no array"))?;
            Ok(Some(count))
        });
        self.add(name, count)
    }

    /// Adds the value of an enumeration constant.
    pub fn constant(self, name: &'static str, constant: &str) -> Self {
        let value = self.types.constant(constant);
        let value = value.and_then(|value| Ok(Some(u64::try_from(value)?)));
        self.add(name, value)
    }

    /// Adds the distance from one member to a later one.
    pub fn between(self, name: &'static str, from: &str, to: &str) -> Self {
        let distance = self.find(true, from).and_then(|from| {
            let to = self.find(true, to)?;
            let distance = |(to, from): (Member, Member)| {
                let behind = to.offset.checked_sub(from.offset);
                behind.context("it lies before the other one")
            };
            to.zip(from).map(distance).transpose()
        });
        self.add(name, distance)
    }

    /// The same, if there is a later one.
    pub fn between_if_there(self, name: &'static str, from: &str, to: &str) -> Self {
        match self.types.member(self.c_type, to) {
            Ok(Some(_)) => self.between(name, from, to),
            Ok(None) => self.absent(name),
            Err(error) => self.add(name, Err(error)),
        }
    }

    fn add(mut self, name: &'static str, value: Result<Option<u64>>) -> Self {
        let number = value.and_then(|value| value.map(small).transpose());
        match number {
            Ok(number) => self.structure.numbers.push((name, number)),
            Err(error) if self.error.is_none() => {
                let field = self.structure.field;
                self.error = Some(error.context(format!("{field}.{name} cannot be told")));
            }
            Err(_) => {}
        }
        self
    }

    fn find(&self, has: bool, paths: &str) -> Result<Option<Member>> {
        let c_type = self.c_type;
        for path in paths.split('|') {
            match self.types.member(c_type, path)? {
                Some(_) if !has => return Err(unexpected(&format!("{c_type}.{path}"))),
                Some(member) => return Ok(Some(member)),
                None => {}
            }
        }
        if has {
            bail!("{c_type} has no {paths}");
        }
        Ok(None)
    }
}

fn unexpected(what: &str) -> anyhow::Error {
    anyhow::anyhow!("there is a {what}, which this release is not thought to have")
}

/// Converts a number for the tables, where the largest stands for "absent".
fn small(value: u64) -> Result<u16> {
    match u16::try_from(value) {
        Ok(value) if value != u16::MAX => Ok(value),
        _ => bail!("{value} is too large for the tables"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe;
    use std::path::Path;

    const CODE: &str = "struct Table { int asize; char *array; };";

    fn numbers(build: impl Fn(Builder<'_>) -> Builder<'_>) -> Result<Vec<Option<u16>>> {
        let types = probe::types(CODE, Path::new("."), &[]).expect("the types");
        let builder = build(Builder::new(&types, "table", "Table", "Table"));
        let numbers = builder.finish()?.numbers;
        Ok(numbers.into_iter().map(|(_, value)| value).collect())
    }

    fn complaint(build: impl Fn(Builder<'_>) -> Builder<'_>) -> String {
        let error = numbers(build).expect_err("this cannot be told");
        format!("{error:#}")
    }

    #[test]
    fn members_have_one_of_their_names() {
        let found = numbers(|table| {
            table
                .size()
                .at("array_size", INT, "alimit|asize")
                .at("array", POINTER, "array")
                .item("item_size", "array")
                .between("between", "asize", "array")
                .at_if(false, "last_free", POINTER, "lastfree")
        });
        let expected = [Some(16), Some(0), Some(8), Some(1), Some(8), None];
        assert_eq!(found.expect("the numbers"), expected);
    }

    #[test]
    fn a_missing_member_is_an_error() {
        assert_eq!(
            complaint(|table| table.at("nodes", POINTER, "node")),
            "table.nodes cannot be told: Table has no node"
        );
    }

    #[test]
    fn an_unexpected_member_is_an_error() {
        assert_eq!(
            complaint(|table| table.at_if(false, "array", POINTER, "array")),
            "table.array cannot be told: there is a Table.array, which this release is not thought \
             to have"
        );
    }

    #[test]
    fn a_member_of_another_size_is_an_error() {
        assert_eq!(
            complaint(|table| table.at("array_size", POINTER, "asize")),
            "table.array_size cannot be told: Table.asize has 4 bytes, not 8"
        );
    }

    #[test]
    fn the_first_error_is_told() {
        let both = complaint(|table| table.at("a", INT, "a").at("b", INT, "b"));
        assert!(both.starts_with("table.a "), "{both}");
    }
}
