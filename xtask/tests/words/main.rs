//! Every sentence that the code says has a text in each language, and every text is said.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            None if path.is_dir() => sources(&path, found),
            Some(extension) if extension == "rs" => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn every_text_is_said_and_every_code_has_one() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut files = Vec::new();
    for of in fs::read_dir(crates).unwrap() {
        let of = of.unwrap();
        if of.file_name() != "words" {
            sources(&of.path().join("src"), &mut files);
        }
    }
    let texts: Vec<String> = files
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let known: BTreeSet<&str> = luasnap_words::codes().collect();
    let said = |code: &str| {
        let quoted = format!("\"{code}\"");
        texts.iter().any(|text| text.contains(&quoted))
    };
    let unsaid: Vec<_> = known.iter().filter(|code| !said(code)).collect();
    assert!(unsaid.is_empty(), "nothing says {unsaid:?}");
    let mut wordless = BTreeSet::new();
    for text in &texts {
        for after in text.split("Sentence::new(\"").skip(1) {
            let code = after.split('"').next().unwrap();
            if !known.contains(code) {
                wordless.insert(code);
            }
        }
    }
    assert!(wordless.is_empty(), "there is no text for {wordless:?}");
}
