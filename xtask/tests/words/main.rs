//! Every sentence that the code says has a text in each language, and every text is said; the command line says nothing
//! else.

mod literals;

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

/// Returns the sources of all crates, without the texts.
fn texts_of_sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut files = Vec::new();
    for of in fs::read_dir(crates).unwrap() {
        sources(&of.unwrap().path().join("src"), &mut files);
    }
    files.retain(|file| !file.ends_with("english.rs") && !file.ends_with("chinese.rs"));
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.collect()
}

/// Checks that each of these is said, and that what stands behind each of the beginnings is one of these.
fn check(known: BTreeSet<&str>, beginnings: &[&str]) {
    let texts = texts_of_sources();
    let said = |code: &str| {
        let quoted = format!("\"{code}\"");
        texts.iter().any(|text| text.contains(&quoted))
    };
    let unsaid: Vec<_> = known.iter().filter(|code| !said(code)).collect();
    assert!(unsaid.is_empty(), "nothing says {unsaid:?}");
    let mut wordless = BTreeSet::new();
    for text in &texts {
        for beginning in beginnings {
            for after in text.split(beginning).skip(1) {
                let code = after.split('"').next().unwrap();
                if !known.contains(code) {
                    wordless.insert(code);
                }
            }
        }
    }
    assert!(wordless.is_empty(), "there is no text for {wordless:?}");
}

#[test]
fn every_text_is_said_and_every_code_has_one() {
    check(luasnap_words::codes().collect(), &["Sentence::new(\""]);
}

#[test]
fn every_phrase_is_said_and_what_errors_name_has_one() {
    check(
        luasnap_words::phrases().collect(),
        &[
            "LayoutMismatch::Unreadable(&\"",
            "LayoutMismatch::Kind(&\"",
            "Problem::Value(\"",
            "AnswerError::TooMany(\"",
            "LoadError::malformed(\"",
            "const PART: &str = \"",
            "column: \"",
            "same_length(\"",
            "out_of_range(\"",
        ],
    );
}

#[test]
fn the_command_line_says_nothing_but_sentences() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cli/src");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        // Tests of the view, what clap says, in Chinese, and what a file for programs says, in English.
        let others = [
            "view/tests.rs",
            "help_zh.rs",
            "chinese_error.rs",
            "metrics/help.rs",
        ];
        if others.contains(&name.as_str()) {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        let words = literals::words_in(&source);
        found.extend(words.into_iter().map(|words| format!("{name}: {words}")));
    }
    assert!(found.is_empty(), "no language's texts have {found:#?}");
}
