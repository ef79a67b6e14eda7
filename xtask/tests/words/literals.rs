//! Words in the source of the command line that are in English alone.

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ExprMethodCall, File, ItemConst, ItemFn, ItemMod, LitStr, Macro,
    Token,
};

/// Constants that clap shows as help, which has its Chinese in a file of its own.
const HELP: [&str; 4] = ["MORE_HELP", "OF_READERS", "OF_WRITERS", "USAGE"];
/// Functions whose argument is the key of a text.
const KEYED: [&str; 3] = ["count", "noun", "phrase"];

/// Returns the literals of a source that are words for people: two words of small letters at least. Commands,
/// Lua, help, tests and what only a bug shows are none.
pub fn words_in(source: &str) -> Vec<String> {
    let file: File = syn::parse_file(source).unwrap();
    let mut words = Words::default();
    words.visit_file(&file);
    words.0
}

#[derive(Default)]
struct Words(Vec<String>);

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => {
            list.path.is_ident("cfg") && list.tokens.to_string().contains("test")
        }
        syn::Meta::NameValue(_) => false,
    };
    attributes.iter().any(is_test)
}

fn are_words(text: &str) -> bool {
    let mut outside = String::new();
    let mut depth = 0;
    for letter in text.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            letter if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    let is_word = |word: &str| {
        let word = word.trim_end_matches([',', ':', ';', '.']);
        word.len() >= 2 && word.bytes().all(|letter| letter.is_ascii_lowercase())
    };
    let words: Vec<&str> = outside.split(' ').collect();
    let has_two = words
        .windows(2)
        .any(|pair| pair.iter().all(|word| is_word(word)));
    has_two && !["luasnap", "local"].contains(&words[0])
}

impl<'ast> Visit<'ast> for Words {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_item_const(&mut self, constant: &'ast ItemConst) {
        if !HELP.iter().any(|name| constant.ident == name) {
            visit::visit_item_const(self, constant);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        match call.method == "expect" {
            true => self.visit_expr(&call.receiver),
            false => visit::visit_expr_method_call(self, call),
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let is_keyed = match &*call.func {
            Expr::Path(path) => {
                let last = path.path.segments.last();
                last.is_some_and(|last| KEYED.iter().any(|name| last.ident == name))
            }
            _ => false,
        };
        if !is_keyed {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let parsed = called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        let mut inside = Words::default();
        for argument in parsed.into_iter().flatten() {
            inside.visit_expr(&argument);
        }
        self.0.extend(inside.0);
    }

    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        let text = literal.value();
        if are_words(&text) {
            self.0.push(text);
        }
    }
}

#[test]
fn words_are_told_from_what_is_none() {
    let source = r#"
        /// Returns some words.
        #[command(about = "about many things")]
        fn said() {
            println!("it is {} that said it", 1);
            bail(format!("no {such} process"), noun("more groups"));
            let text = "a list has three words";
            run("luasnap report of all").expect("a bug was here");
            Sentence::new("fail.no_memory").with("two words", "{a} {b} ms");
        }
        const MORE_HELP: &str = "to begin with";
        #[cfg(test)]
        mod tests { fn other() { assert!(x, "only in tests"); } }
    "#;
    let words = words_in(source);
    assert_eq!(
        words,
        [
            "it is {} that said it",
            "a list has three words",
            "two words"
        ]
    );
}
