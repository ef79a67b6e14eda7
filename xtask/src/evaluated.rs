//! What the committed tables say as the compiler takes them: differences put into their bases.

use crate::layout::{Layout, Structure};
use crate::sources::workspace;
use std::collections::HashMap;
use std::fs;
use syn::{Expr, ExprStruct, Item, Lit, Member};

/// Numbers by structure and name.
type Numbers = HashMap<(String, String), Option<u16>>;

/// The constants of tables.
#[derive(Default)]
struct Constants(HashMap<String, Numbers>);

impl Constants {
    /// Reads a file of tables. Those with its bases were read before.
    fn read(&mut self, module: &str) {
        let path = format!("crates/capture/src/layout/{module}.rs");
        let text = fs::read_to_string(workspace().join(path)).expect("a file of tables");
        for item in syn::parse_file(&text).expect("Rust").items {
            let Item::Const(constant) = item else {
                continue;
            };
            let Expr::Struct(layout) = *constant.expr else {
                panic!("{} is no structure", constant.ident);
            };
            let mut numbers = match layout.rest.as_deref() {
                Some(base) => self.0[&path_of(base)].clone(),
                None => Numbers::new(),
            };
            for field in &layout.fields {
                if let Expr::Struct(part) = &field.expr {
                    self.put(&mut numbers, &name_of(&field.member), part);
                }
            }
            self.0.insert(constant.ident.to_string(), numbers);
        }
    }

    /// Puts a structure's numbers in the place of others.
    fn put(&self, numbers: &mut Numbers, structure: &str, part: &ExprStruct) {
        if let Some(Expr::Field(base)) = part.rest.as_deref() {
            let of = &self.0[&path_of(&base.base)];
            assert_eq!(name_of(&base.member), structure);
            let same = of.iter().filter(|((part, _), _)| part == structure);
            numbers.extend(same.map(|(key, value)| (key.clone(), *value)));
        }
        for field in &part.fields {
            let value = match &field.expr {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Int(number) => Some(number.base10_parse().expect("a number")),
                    _ => panic!("{structure} has something that is no number"),
                },
                other => {
                    assert_eq!(path_of(other), "ABSENT");
                    None
                }
            };
            numbers.insert((structure.to_owned(), name_of(&field.member)), value);
        }
    }
}

fn path_of(expression: &Expr) -> String {
    match expression {
        // That of another table has its file before it.
        Expr::Path(path) => path.path.segments.last().expect("a name").ident.to_string(),
        _ => panic!("not the name of a constant"),
    }
}

fn name_of(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(_) => panic!("a member without a name"),
    }
}

fn numbers(structures: &[Structure]) -> Numbers {
    let numbers = structures.iter().flat_map(|part| {
        let names = part.numbers.iter();
        names.map(|(name, value)| ((part.field.to_owned(), (*name).to_owned()), *value))
    });
    numbers.collect()
}

#[test]
#[cfg_attr(
    not(all(target_arch = "x86_64", target_os = "linux")),
    ignore = "the tables are of x86-64 Linux"
)]
fn a_base_with_differences_is_what_the_debug_information_says() {
    let records = crate::derived::records().expect("the records");
    let mut constants = Constants::default();
    let mut compared = 0;
    for tables in crate::tables::all(&records, false).expect("the tables") {
        constants.read(tables.module);
        for Layout {
            release,
            structures,
            ..
        } in &tables.layouts
        {
            let name = crate::rust::constant(release);
            assert_eq!(constants.0[&name], numbers(structures), "{release}");
            compared += 1;
        }
    }
    assert!(compared >= 15, "only {compared}");
}
