//! Layouts as Rust: one in full, those that are nearly like another one by their differences.

use crate::layout::{Layout, Structure};
use std::collections::BTreeSet;

/// A layout that others can be written by, and the module that has it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub module: &'a str,
    pub layout: &'a Layout,
}

/// A list of layouts of one type as constants.
pub struct Constants {
    /// The constants' definitions.
    pub text: String,
    /// The types that they name, and `ABSENT`.
    pub names: BTreeSet<&'static str>,
    /// The modules that have other layouts, by which some are written.
    pub bases: BTreeSet<String>,
}

/// Writes layouts as constants of a type. Each is written in full, or by what it has that one before
/// it has not, whichever is shorter; `known` are those before the first.
pub fn constants(layout_type: &'static str, layouts: &[Layout], known: &[Known<'_>]) -> Constants {
    let mut written = Constants {
        text: String::new(),
        names: BTreeSet::new(),
        bases: BTreeSet::new(),
    };
    for (index, layout) in layouts.iter().enumerate() {
        let own = layouts[..index]
            .iter()
            .map(|layout| Known { module: "", layout });
        // The nearest of those that differ least.
        let nearest = own.rev().chain(known.iter().copied());
        let base = nearest
            .filter(|base| base.layout.version == layout.version)
            .min_by_key(|base| differences(base.layout, layout))
            .filter(|base| 2 * differences(base.layout, layout) < numbers(layout));
        written.add(layout_type, layout, base);
    }
    written
}

impl Constants {
    fn add(&mut self, layout_type: &'static str, layout: &Layout, base: Option<Known<'_>>) {
        let constant = constant(&layout.release);
        self.text += &format!("pub(super) const {constant}: {layout_type} = {layout_type} {{\n");
        self.text += &format!("name: {:?},\n", layout.release);
        self.names.insert(layout_type);
        if let (Some(version), None) = (&layout.version, base) {
            self.text += &format!("version: Version::{version},\n");
        }
        let Some(base) = base else {
            for structure in &layout.structures {
                self.add_structure(structure, None);
            }
            self.text += "};\n\n";
            return;
        };
        let mut name = self::constant(&base.layout.release);
        if !base.module.is_empty() {
            // There may be one of this name here, too.
            self.bases.insert(base.module.into());
            name = format!("{}::{name}", base.module);
        }
        for (structure, other) in layout.structures.iter().zip(&base.layout.structures) {
            if structure != other {
                self.add_structure(structure, Some((other, &name)));
            }
        }
        self.text += &format!("..{name}\n}};\n\n");
    }

    /// Adds a structure; by its differences, if some numbers are those of the same one of a base.
    fn add_structure(&mut self, structure: &Structure, base: Option<(&Structure, &str)>) {
        let base =
            base.filter(|(other, _)| differing(structure, other).count() < other.numbers.len());
        self.names.insert(structure.rust_type);
        self.text += &format!("{}: {} {{\n", structure.field, structure.rust_type);
        let numbers: Vec<_> = match base {
            Some((other, _)) => differing(structure, other).collect(),
            None => structure.numbers.clone(),
        };
        for (name, value) in numbers {
            let value = value.map_or_else(
                || {
                    self.names.insert("ABSENT");
                    "ABSENT".to_owned()
                },
                |value| value.to_string(),
            );
            self.text += &format!("{name}: {value},\n");
        }
        if let Some((_, base)) = base {
            self.text += &format!("..{base}.{}\n", structure.field);
        }
        self.text += "},\n";
    }
}

/// The name of a layout's constant: by the oldest of its releases, `LUA_5_4_3`, if its name begins
/// with that, and by all of it otherwise.
pub fn constant(name: &str) -> String {
    let is_number = name.starts_with(|c: char| c.is_ascii_digit());
    let end = [" to ", ", "]
        .iter()
        .filter_map(|word| name.find(word).filter(|_| is_number))
        .min();
    let first = &name[..end.unwrap_or(name.len())];
    let words = first.split(|c: char| !c.is_ascii_alphanumeric());
    let words = Vec::from_iter(words.filter(|word| !word.is_empty())).join("_");
    let prefix = if is_number { "LUA_" } else { "" };
    format!("{prefix}{}", words.to_uppercase())
}

fn numbers(layout: &Layout) -> usize {
    layout
        .structures
        .iter()
        .map(|part| part.numbers.len())
        .sum()
}

/// In how many numbers two layouts differ.
fn differences(one: &Layout, other: &Layout) -> usize {
    let parts = one.structures.iter().zip(&other.structures);
    parts
        .map(|(one, other)| differing(one, other).count())
        .sum()
}

/// The numbers that a structure has and the same one of another layout has not.
fn differing<'a>(
    structure: &'a Structure,
    other: &'a Structure,
) -> impl Iterator<Item = (&'static str, Option<u16>)> + 'a {
    let pairs = structure.numbers.iter().zip(&other.numbers);
    pairs
        .filter(|(own, other)| own != other)
        .map(|(own, _)| *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(release: &str, sizes: [u16; 4]) -> Layout {
        let structure = |field, rust_type, [first, second]: [u16; 2]| Structure {
            field,
            rust_type,
            numbers: vec![("size", Some(first)), ("len", Some(second))],
        };
        Layout {
            release: release.into(),
            version: Some("Lua54".into()),
            structures: vec![
                structure("table", "Table", [sizes[0], sizes[1]]),
                structure("string", "TString", [sizes[2], sizes[3]]),
            ],
        }
    }

    #[test]
    fn one_that_differs_little_is_written_by_its_differences() {
        let layouts = [
            layout("5.4.3 to 5.4.9", [1, 2, 3, 4]),
            layout("a 5.4", [1, 2, 3, 5]),
        ];
        let text = constants("PucLayout", &layouts, &[]).text;
        let (_, second) = text.split_once("};\n\n").expect("two of them");
        assert_eq!(
            second,
            "pub(super) const A_5_4: PucLayout = PucLayout {\nname: \"a 5.4\",\n\
             string: TString {\nlen: 5,\n..LUA_5_4_3.string\n},\n..LUA_5_4_3\n};\n\n"
        );
    }

    #[test]
    fn one_that_differs_much_is_written_in_full() {
        let layouts = [layout("5.4.3", [1, 2, 3, 4]), layout("a 5.4", [5, 6, 3, 4])];
        assert!(!constants("PucLayout", &layouts, &[]).text.contains(".."));
    }

    #[test]
    fn bases_may_be_in_other_modules() {
        let known = layout("5.4.3", [1, 2, 3, 4]);
        let known = [Known {
            module: "puc_tables",
            layout: &known,
        }];
        let written = constants("PucLayout", &[layout("fork", [1, 2, 3, 5])], &known);
        assert_eq!(Vec::from_iter(written.bases), ["puc_tables"]);
        assert!(written.text.contains("..puc_tables::LUA_5_4_3\n"));
    }

    #[test]
    fn constants_are_named_by_the_oldest_release() {
        for (name, expected) in [
            ("5.4.3 to 5.4.9", "LUA_5_4_3"),
            ("5.3.5, 5.3.6", "LUA_5_3_5"),
            ("5.1.5 in Redis 7", "LUA_5_1_5_IN_REDIS_7"),
            ("OpenResty's LuaJIT 2.1", "OPENRESTY_S_LUAJIT_2_1"),
        ] {
            assert_eq!(constant(name), expected);
        }
    }
}
