//! A document whose examples are run.

use super::compare::same;
use super::example::{Part, parts};
use super::run::{Programs, Scratch};
use anyhow::{Context, Result, ensure};

/// A document.
pub struct Document {
    text: String,
    parts: Vec<Part>,
    /// Number of its examples that are not run.
    pub not_run: usize,
}

/// The result of running a document.
pub struct Run {
    /// The document as it is.
    pub old: String,
    /// The document with the output of its commands.
    pub text: String,
    /// The differences, each with its line.
    pub differences: Vec<String>,
}

impl Document {
    /// Returns an error if a block is malformed.
    pub fn parse(text: &str) -> Result<Document> {
        let lines: Vec<&str> = text.lines().collect();
        let (parts, not_run) = parts(&lines)?;
        Ok(Document {
            text: text.to_owned(),
            parts,
            not_run,
        })
    }

    /// Runs all examples, in order, in a folder of their own.
    pub fn run(self, programs: &Programs) -> Result<Run> {
        let scratch = Scratch::new(programs)?;
        let mut lines = Vec::new();
        let mut differences = Vec::new();
        let mut add = |lines: &mut Vec<String>, line: usize, old: Vec<String>, new: String| {
            let new: Vec<String> = new.lines().map(|line| line.trim_end().to_owned()).collect();
            let has_fence = new.iter().any(|line| line.starts_with("```"));
            ensure!(!has_fence, "line {line}: the output has a fence");
            if same(&old, &new) {
                lines.extend(old);
            } else {
                differences.push(difference(line, &old, &new));
                lines.extend(new);
            }
            Ok(())
        };
        for part in self.parts {
            match part {
                Part::Line(line) => lines.push(line),
                Part::File { name, code } => scratch.write(&name, &code)?,
                Part::Command(command) => {
                    lines.extend(format!("$ {}", command.text).lines().map(String::from));
                    let output = scratch.run(&command.text);
                    let output = output.with_context(|| format!("line {}", command.line))?;
                    let output = output.trim_end_matches('\n').to_owned();
                    let start = command.line + command.text.lines().count();
                    add(&mut lines, start, command.output, output)?;
                    lines.extend(vec![String::new(); command.gap]);
                }
                Part::Script(script) => {
                    let output = scratch.run_script(&script.name, &script.code);
                    let output = output.with_context(|| format!("line {}", script.line))?;
                    add(&mut lines, script.line, script.output, output)?;
                }
            }
        }
        let text = lines.iter().map(|line| format!("{line}\n")).collect();
        Ok(Run {
            old: self.text,
            text,
            differences,
        })
    }
}

/// Describes the first line that differs.
fn difference(start: usize, old: &[String], new: &[String]) -> String {
    let is_same = |(old, new): &(&String, &String)| {
        same(std::slice::from_ref(*old), std::slice::from_ref(*new))
    };
    let at = old.iter().zip(new).take_while(is_same).count();
    let line = |lines: &[String]| lines.get(at).map_or("(nothing)".to_owned(), String::clone);
    format!(
        "{}: the document has\n  {}\nand the output is\n  {}",
        start + at,
        line(old),
        line(new)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        let said = difference(5, &lines(&["a 0x1", "b"]), &lines(&["a 0x2", "c"]));
        assert_eq!(said, "6: the document has\n  b\nand the output is\n  c");
    }

    #[test]
    fn what_is_missing_differs() {
        let said = difference(5, &lines(&["a"]), &lines(&["a", "b"]));
        assert_eq!(
            said,
            "6: the document has\n  (nothing)\nand the output is\n  b"
        );
    }
}
