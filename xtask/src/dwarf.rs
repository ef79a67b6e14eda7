//! Reads from debug information (DWARF) how a C compiler laid out its types.

use anyhow::{Context, Result, bail, ensure};
use gimli::{
    AttributeValue, DebuggingInformationEntry, EndianSlice, LittleEndian, Reader, SectionId, Unit,
    constants as dw,
};
use object::{Object, ObjectSection, read::RelocationMap};
use std::collections::HashMap;

/// Offset of a type in the debug information.
type TypeId = usize;

/// Every type of a compiled C file, and the constants of its enumerations.
#[derive(Default)]
pub struct Types {
    types: HashMap<TypeId, Type>,
    names: HashMap<String, TypeId>,
    constants: HashMap<String, i64>,
}

struct Type {
    shape: Shape,
    size: Option<u64>,
}

enum Shape {
    /// A structure or a union.
    Members(Vec<Field>),
    /// A typedef or a qualified type: of this type, unless that is `void`.
    Alias(Option<TypeId>),
    Pointer(Option<TypeId>),
    Array {
        item: Option<TypeId>,
        /// Unknown for a flexible array member.
        count: Option<u64>,
    },
    /// A number, an enumeration, a function.
    Plain,
}

struct Field {
    /// Anonymous structures and unions have none.
    name: Option<String>,
    ty: Option<TypeId>,
    offset: u64,
}

/// The place and the type of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Offset from the start of the type that was given, in bytes.
    pub offset: u64,
    /// Size of the member in bytes, or of an item if it is an array.
    pub width: u64,
    /// Number of items, if it is an array of known size.
    pub count: Option<u64>,
    /// Size in bytes of what it points to, if it is a pointer to a complete type.
    pub pointee: Option<u64>,
}

impl Types {
    /// Reads the types of an ELF file compiled from one C file.
    pub fn read(elf: &[u8]) -> Result<Types> {
        let file = object::File::parse(elf)?;
        let loaded = gimli::DwarfSections::load(|id| Section::load(&file, id))?;
        let dwarf = loaded.borrow(Section::reader);
        let mut units = dwarf.units();
        let header = units.next()?.context("there is no debug information")?;
        let unit = dwarf.unit(header)?;
        ensure!(units.next()?.is_none(), "more than one file was compiled");

        let mut types = Types::default();
        // The entries that enclose the current one: a member follows its structure, one level
        // deeper.
        let mut around: Vec<TypeId> = Vec::new();
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            around.truncate(entry.depth() as usize);
            let reader = Entry {
                dwarf: &dwarf,
                unit: &unit,
                entry,
            };
            types.add(&reader, around.last().copied())?;
            around.push(entry.offset().0);
        }
        Ok(types)
    }

    fn add<R: Reader<Offset = usize>>(
        &mut self,
        entry: &Entry<'_, R>,
        parent: Option<TypeId>,
    ) -> Result<()> {
        let shape = match entry.entry.tag() {
            dw::DW_TAG_structure_type | dw::DW_TAG_union_type => {
                if entry.entry.has_attr(dw::DW_AT_declaration) {
                    return Ok(());
                }
                Shape::Members(Vec::new())
            }
            dw::DW_TAG_typedef
            | dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type => Shape::Alias(entry.ty()?),
            dw::DW_TAG_pointer_type => Shape::Pointer(entry.ty()?),
            dw::DW_TAG_array_type => Shape::Array {
                item: entry.ty()?,
                count: Some(1),
            },
            dw::DW_TAG_base_type | dw::DW_TAG_enumeration_type | dw::DW_TAG_subroutine_type => {
                Shape::Plain
            }
            dw::DW_TAG_member => return self.add_member(entry, parent),
            dw::DW_TAG_subrange_type => return self.add_dimension(entry, parent),
            dw::DW_TAG_enumerator => return self.add_constant(entry),
            _ => return Ok(()),
        };
        let id = entry.entry.offset().0;
        // In these sources, a structure and a typedef with the same name are the same type.
        let is_named = matches!(shape, Shape::Members(_) | Shape::Alias(_));
        if let (true, Some(name)) = (is_named, entry.name()?) {
            self.names.entry(name).or_insert(id);
        }
        let size = entry.number(dw::DW_AT_byte_size);
        self.types.insert(id, Type { shape, size });
        Ok(())
    }

    fn add_member<R: Reader<Offset = usize>>(
        &mut self,
        entry: &Entry<'_, R>,
        parent: Option<TypeId>,
    ) -> Result<()> {
        let parent = parent.and_then(|id| self.types.get_mut(&id));
        let Some(Shape::Members(fields)) = parent.map(|ty| &mut ty.shape) else {
            bail!("a member belongs to no structure");
        };
        fields.push(Field {
            name: entry.name()?,
            ty: entry.ty()?,
            // Members of a union have none.
            offset: entry.number(dw::DW_AT_data_member_location).unwrap_or(0),
        });
        Ok(())
    }

    fn add_dimension<R: Reader<Offset = usize>>(
        &mut self,
        entry: &Entry<'_, R>,
        parent: Option<TypeId>,
    ) -> Result<()> {
        let parent = parent.and_then(|id| self.types.get_mut(&id));
        let Some(Shape::Array { count, .. }) = parent.map(|ty| &mut ty.shape) else {
            bail!("a dimension belongs to no array");
        };
        let last = entry.number(dw::DW_AT_upper_bound);
        let items = entry
            .number(dw::DW_AT_count)
            .or_else(|| last.map(|last| last + 1));
        *count = count.zip(items).map(|(count, items)| count * items);
        Ok(())
    }

    fn add_constant<R: Reader<Offset = usize>>(&mut self, entry: &Entry<'_, R>) -> Result<()> {
        let value = entry.entry.attr(dw::DW_AT_const_value);
        if let (Some(name), Some(value)) = (entry.name()?, value) {
            // Compilers use the shortest form, so 0xff is 255 and not -1, unless the form is
            // signed.
            let value = match value.value() {
                AttributeValue::Sdata(value) => value,
                value => value.udata_value().context("a constant is no number")? as i64,
            };
            self.constants.insert(name, value);
        }
        Ok(())
    }

    /// Returns the size of a type, in bytes.
    pub fn size(&self, name: &str) -> Result<u64> {
        let id = self.id(name)?;
        self.size_of(Some(id))
            .with_context(|| format!("the size of {name} is not known"))
    }

    /// Whether there is such a type.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Returns the value of an enumeration constant.
    pub fn constant(&self, name: &str) -> Result<i64> {
        let value = self.constants.get(name).copied();
        value.with_context(|| format!("there is no constant {name}"))
    }

    /// Finds a member: `u.l.base`. As in C, names may skip anonymous structures and unions.
    pub fn member(&self, type_name: &str, path: &str) -> Result<Option<Member>> {
        let mut ty = Some(self.id(type_name)?);
        let mut offset = 0;
        for name in path.split('.') {
            let Some((inner, at)) = self.field(ty, name) else {
                return Ok(None);
            };
            ty = inner;
            offset += at;
        }
        let (item, count) = match self.resolve(ty) {
            Some(Type {
                shape: Shape::Array { item, count },
                ..
            }) => (*item, *count),
            _ => (ty, None),
        };
        let pointee = match self.resolve(item) {
            Some(Type {
                shape: Shape::Pointer(to),
                ..
            }) => self.size_of(*to),
            _ => None,
        };
        let width = self
            .size_of(item)
            .with_context(|| format!("the size of {type_name}.{path} is not known"))?;
        Ok(Some(Member {
            offset,
            width,
            count,
            pointee,
        }))
    }

    fn id(&self, name: &str) -> Result<TypeId> {
        let id = self.names.get(name).copied();
        id.with_context(|| format!("there is no type {name}"))
    }

    fn field(&self, ty: Option<TypeId>, name: &str) -> Option<(Option<TypeId>, u64)> {
        let Shape::Members(fields) = &self.resolve(ty)?.shape else {
            return None;
        };
        fields.iter().find_map(|field| match &field.name {
            Some(own) => (own == name).then_some((field.ty, field.offset)),
            None => {
                let (ty, offset) = self.field(field.ty, name)?;
                Some((ty, field.offset + offset))
            }
        })
    }

    /// Resolves typedefs and qualifiers.
    fn resolve(&self, mut ty: Option<TypeId>) -> Option<&Type> {
        loop {
            match self.types.get(&ty?)? {
                Type {
                    shape: Shape::Alias(of),
                    ..
                } => ty = *of,
                found => return Some(found),
            }
        }
    }

    fn size_of(&self, ty: Option<TypeId>) -> Option<u64> {
        let ty = self.resolve(ty)?;
        match ty.shape {
            Shape::Array { item, count } => Some(self.size_of(item)? * count?),
            _ => ty.size,
        }
    }
}

/// An entry, and what is needed to read its attributes.
struct Entry<'a, R: Reader<Offset = usize>> {
    dwarf: &'a gimli::Dwarf<R>,
    unit: &'a Unit<R>,
    entry: &'a DebuggingInformationEntry<R>,
}

impl<R: Reader<Offset = usize>> Entry<'_, R> {
    fn name(&self) -> Result<Option<String>> {
        let Some(value) = self.entry.attr_value(dw::DW_AT_name) else {
            return Ok(None);
        };
        let name = self.dwarf.attr_string(self.unit, value)?;
        Ok(Some(name.to_string()?.into_owned()))
    }

    fn ty(&self) -> Result<Option<TypeId>> {
        match self.entry.attr_value(dw::DW_AT_type) {
            None => Ok(None),
            Some(AttributeValue::UnitRef(offset)) => Ok(Some(offset.0)),
            Some(_) => bail!("a type lies outside of its unit"),
        }
    }

    fn number(&self, attribute: gimli::DwAt) -> Option<u64> {
        self.entry.attr(attribute)?.udata_value()
    }
}

/// A section of an object file that is not linked yet.
#[derive(Debug, Default)]
struct Section<'data> {
    data: std::borrow::Cow<'data, [u8]>,
    relocations: RelocationMap,
}

impl<'data> Section<'data> {
    fn load(file: &object::File<'data>, id: SectionId) -> Result<Section<'data>> {
        let needed = [
            SectionId::DebugAbbrev,
            SectionId::DebugInfo,
            SectionId::DebugLine,
            SectionId::DebugLineStr,
            SectionId::DebugStr,
        ];
        if !needed.contains(&id) {
            return Ok(Section::default());
        }
        let Some(section) = file.section_by_name(id.name()) else {
            return Ok(Section::default());
        };
        Ok(Section {
            data: section.uncompressed_data()?,
            relocations: section.relocation_map()?,
        })
    }

    fn reader<'a>(
        section: &'a Section<'data>,
    ) -> gimli::RelocateReader<EndianSlice<'a, LittleEndian>, &'a Section<'data>> {
        let data = EndianSlice::new(&section.data, LittleEndian);
        gimli::RelocateReader::new(data, section)
    }
}

impl gimli::Relocate for &Section<'_> {
    fn relocate_address(&self, offset: usize, value: u64) -> gimli::Result<u64> {
        Ok(self.relocations.relocate(offset as u64, value))
    }

    fn relocate_offset(&self, offset: usize, value: usize) -> gimli::Result<usize> {
        let value = self.relocations.relocate(offset as u64, value as u64);
        gimli::ReaderOffset::from_u64(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe;
    use std::path::Path;

    const CODE: &str = "
        typedef struct Opaque Opaque;
        typedef unsigned short Short;
        typedef struct { char tag; union { long number; struct { int low, high; }; }; } Value;
        typedef struct Object {
            Value value;
            const Short kind;
            struct { int first; Value second; } pair;
            Value table[3][2];
            Value *values;
            Opaque *opaque;
            char text[];
        } Object;
        enum { SMALL = 7, LARGE = 255, NEGATIVE = -3 };
    ";

    fn types() -> Types {
        probe::types(CODE, Path::new("."), &[]).expect("the types")
    }

    fn member(path: &str) -> Option<Member> {
        types().member("Object", path).expect("Object has a layout")
    }

    fn plain(offset: u64, width: u64) -> Option<Member> {
        Some(Member {
            offset,
            width,
            count: None,
            pointee: None,
        })
    }

    #[test]
    fn nested_members() {
        assert_eq!(member("kind"), plain(16, 2));
        assert_eq!(member("value"), plain(0, 16));
        assert_eq!(member("pair.second"), plain(32, 16));
        assert_eq!(member("pair.second.tag"), plain(32, 1));
    }

    #[test]
    fn members_of_anonymous_structures() {
        assert_eq!(member("value.number"), plain(8, 8));
        assert_eq!(member("value.high"), plain(12, 4));
        assert_eq!(member("pair.second.low"), plain(40, 4));
    }

    #[test]
    fn missing_members() {
        assert_eq!(member("number"), None);
        assert_eq!(member("value.text"), None);
        assert_eq!(member("kind.tag"), None);
    }

    #[test]
    fn arrays() {
        let table = member("table").expect("a table");
        assert_eq!((table.offset, table.width, table.count), (48, 16, Some(6)));
        let text = member("text").expect("a text");
        assert_eq!((text.offset, text.width, text.count), (160, 1, None));
    }

    #[test]
    fn pointers() {
        let pointee = |path| member(path).expect("a pointer").pointee;
        assert_eq!(pointee("values"), Some(16));
        assert_eq!(pointee("opaque"), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(types().size("Object").expect("a size"), 160);
        assert_eq!(types().size("Short").expect("a size"), 2);
        assert!(types().size("Opaque").is_err());
        assert!(types().size("Unknown").is_err());
    }

    #[test]
    fn constants() {
        let constant = |name| types().constant(name).ok();
        assert_eq!(constant("SMALL"), Some(7));
        assert_eq!(constant("LARGE"), Some(255));
        assert_eq!(constant("NEGATIVE"), Some(-3));
        assert_eq!(constant("UNKNOWN"), None);
    }
}
