//! The paths in a file's code.

use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemUse, UseTree};

/// Returns every path of two or more names, as a list of its names, except in tests.
pub fn paths(file: &File) -> Vec<Vec<String>> {
    let mut found = Paths::default();
    found.visit_file(file);
    found.0
}

#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl Paths {
    fn add_tree(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, before.clone());
                }
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.0.push(before);
            }
            UseTree::Rename(name) => {
                before.push(name.ident.to_string());
                self.0.push(before);
            }
            UseTree::Glob(_) => self.0.push(before),
        }
    }
}

impl Visit<'_> for Paths {
    fn visit_item(&mut self, item: &Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.add_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        let names: Vec<String> = names.collect();
        if names.len() > 1 {
            self.0.push(names);
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = |cfg: syn::Ident| cfg == "test";
    attribute.path().is_ident("test")
        || attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(is_test)
}

#[test]
fn paths_are_read_wherever_they_are() {
    let code = "
        use crate::a::{b, c::{d, self}, e as f};
        use super::g::*;
        fn one(of: crate::h::Type) { super::i::two::<crate::j::Type>(); alone() }
        #[cfg(test)]
        mod tests { use crate::k; }
        #[cfg(unix)]
        mod unix { use crate::l; }
    ";
    let file = syn::parse_file(code).unwrap();
    let found: Vec<String> = paths(&file).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::a::b",
            "crate::a::c::d",
            "crate::a::c::self",
            "crate::a::e",
            "super::g",
            "crate::h::Type",
            "super::i::two",
            "crate::j::Type",
            "crate::l",
        ]
    );
}
