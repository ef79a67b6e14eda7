//! The examples in the documents: runs their commands and inserts the output.

mod compare;
mod document;
mod example;
mod functions;
mod run;

use crate::sources::workspace;
use anyhow::{Context, Result, ensure};
use clap::Args;
use document::Document;
use run::Programs;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// `--check` found output that is not current, or the functions named in a document are wrong.
const DIFFERENT: u8 = 1;
/// The documents with examples, besides those in `TRANSLATIONS`.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "README.zh-CN.md",
    "docs/fleet.md",
    "docs/manual.md",
    "docs/lua-api.md",
];
/// A folder of documents.
const TRANSLATIONS: &str = "docs/zh-CN";
/// The most examples that may be left out, in all documents together.
const MOST_NOT_RUN: usize = 10;

/// Runs the examples in the documents and inserts their output.
///
/// A fenced block `console` has lines `$ COMMAND`, each followed by its output; a command that ends
/// in `\` continues on the next line. A fenced block `lua` directly followed by a block `text` is a
/// script and its output. A first line `-- NAME.lua` names the script's file, which is also created
/// if no output follows. All examples of a document run in order, in one temporary folder with a
/// copy of `examples/`. Each must end with exit code 0.
///
/// After a line `<!-- not run: REASON -->` an example is not changed.
///
/// Output that differs only in addresses, times, dates, process IDs, the memory of processes, sizes
/// of files and the version of luasnap is not changed. Exits with 1 if --check found output that is
/// not current, or if types/snapshot.lua or docs/lua-api.md does not name exactly the module's
/// functions; with 2 if an example failed.
#[derive(Args)]
pub struct Docs {
    /// Write nothing; report which examples are not current.
    #[arg(long)]
    check: bool,
    /// Use luasnap and libsnapshot.so in this folder instead of building them.
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

impl Docs {
    pub fn execute(&self) -> Result<ExitCode> {
        let documents = documents()?;
        let not_run: usize = documents.iter().map(|(_, document)| document.not_run).sum();
        ensure!(
            not_run <= MOST_NOT_RUN,
            "{not_run} examples are not run; at most {MOST_NOT_RUN} may be left out"
        );
        let programs = match &self.programs {
            Some(folder) => Programs::of(folder)?,
            None => Programs::build()?,
        };
        let mut code = ExitCode::SUCCESS;
        for mistake in functions::mistakes(&programs)? {
            eprintln!("cargo xtask: {mistake}");
            code = ExitCode::from(DIFFERENT);
        }
        for (name, document) in documents {
            let run = document.run(&programs);
            let run = run.with_context(|| name.clone())?;
            if run.text == run.old {
                continue;
            }
            if self.check {
                for difference in &run.differences {
                    eprintln!("cargo xtask: {name}:{difference}");
                }
                eprintln!("cargo xtask: {name} is not current: run `cargo xtask docs`");
                code = ExitCode::from(DIFFERENT);
            } else {
                let path = workspace().join(&name);
                fs::write(&path, run.text).with_context(|| format!("cannot write {name}"))?;
            }
        }
        Ok(code)
    }
}

/// Returns every document, with its path in the repository.
fn documents() -> Result<Vec<(String, Document)>> {
    let mut names = DOCUMENTS.map(String::from).to_vec();
    let translations = fs::read_dir(workspace().join(TRANSLATIONS));
    for entry in translations.with_context(|| format!("cannot list {TRANSLATIONS}"))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".md") {
            names.push(format!("{TRANSLATIONS}/{name}"));
        }
    }
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(workspace().join(&name));
        let text = text.with_context(|| format!("cannot read {name}"))?;
        let document = Document::parse(&text).with_context(|| name.clone())?;
        Ok((name, document))
    };
    names.into_iter().map(read).collect()
}
