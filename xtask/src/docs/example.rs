//! The examples of a document, found by their fences.

use anyhow::{Result, bail, ensure};

/// Marks the next example as not run.
const NOT_RUN: &str = "<!-- not run:";
/// The name of a script that does not name itself.
const SCRIPT: &str = "script.lua";

/// A piece of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// A line that stays as it is.
    Line(String),
    /// A file that the examples after it use.
    File { name: String, code: String },
    /// A command, and the lines of its output.
    Command(Command),
    /// The output of a preceding script.
    Script(Script),
}

/// A command in a block `console`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its line in the document, from 1.
    pub line: usize,
    /// The command line for the shell.
    pub text: String,
    pub output: Vec<String>,
    /// Number of blank lines that follow the output.
    pub gap: usize,
}

/// A block `lua` followed by a block `text`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// The first line of its output in the document, from 1.
    pub line: usize,
    /// The name of its file.
    pub name: String,
    pub code: String,
    pub output: Vec<String>,
}

/// A fenced block.
struct Block<'a> {
    info: &'a str,
    body: &'a [&'a str],
}

impl<'a> Block<'a> {
    /// The block whose opening fence is the first of these lines, if it is one.
    fn at(lines: &'a [&'a str], number: usize) -> Result<Option<Block<'a>>> {
        let Some(first) = lines.first() else {
            return Ok(None);
        };
        let info = first.trim_start_matches('`');
        let ticks = first.len() - info.len();
        if ticks < 3 {
            return Ok(None);
        }
        let is_closing = |line: &&str| line.len() >= ticks && line.bytes().all(|byte| byte == b'`');
        match lines[1..].iter().position(is_closing) {
            Some(length) => Ok(Some(Block {
                info: info.trim(),
                body: &lines[1..1 + length],
            })),
            None => bail!("line {number}: the block has no closing fence"),
        }
    }

    /// The contents of the block.
    fn code(&self) -> String {
        self.body.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Number of its lines, with both fences.
    fn length(&self) -> usize {
        self.body.len() + 2
    }
}

/// Returns all parts of a document, and the number of examples that are not run.
pub fn parts(lines: &[&str]) -> Result<(Vec<Part>, usize)> {
    let mut parts = Vec::new();
    let (mut at, mut not_run) = (0, 0);
    let mut is_left_out = false;
    let line = |line: &&str| Part::Line((*line).to_owned());
    while at < lines.len() {
        let Some(block) = Block::at(&lines[at..], at + 1)? else {
            if let Some(reason) = lines[at].strip_prefix(NOT_RUN) {
                let reason = reason.trim_end().strip_suffix("-->").map(str::trim);
                let has_reason = reason.is_some_and(|reason| !reason.is_empty());
                ensure!(has_reason, "line {}: there is no reason", at + 1);
                is_left_out = true;
            }
            parts.push(line(&lines[at]));
            at += 1;
            continue;
        };
        let text = text_after(&lines[at + block.length()..], at + block.length() + 1)?;
        let is_console = block.info == "console";
        let end = at + block.length();
        match text {
            _ if is_left_out => {
                // A script is left out together with its output.
                let more = text.filter(|_| block.info == "lua");
                let end = end + more.map_or(0, |(blank, text)| blank + text.length());
                parts.extend(lines[at..end].iter().map(line));
                (at, not_run, is_left_out) = (end, not_run + 1, false);
            }
            _ if is_console => {
                parts.push(line(&lines[at]));
                parts.extend(commands(block.body, at + 2)?.into_iter().map(Part::Command));
                parts.push(line(&lines[end - 1]));
                at = end;
            }
            Some((blank, text)) if block.info == "lua" => {
                let output = end + blank + 1;
                parts.extend(lines[at..output].iter().map(line));
                parts.push(Part::Script(Script {
                    line: output + 1,
                    name: file_name(block.body).unwrap_or(SCRIPT).to_owned(),
                    code: block.code(),
                    output: owned(text.body),
                }));
                at = output + text.body.len() + 1;
                parts.push(line(&lines[at - 1]));
            }
            _ => {
                let name = file_name(block.body).filter(|_| block.info == "lua");
                parts.extend(name.map(|name| Part::File {
                    name: name.to_owned(),
                    code: block.code(),
                }));
                parts.extend(lines[at..end].iter().map(line));
                at = end;
            }
        }
    }
    ensure!(!is_left_out, "no example follows the last `{NOT_RUN}`");
    Ok((parts, not_run))
}

/// The block `text` that follows, with the number of blank lines before it.
fn text_after<'a>(lines: &'a [&'a str], number: usize) -> Result<Option<(usize, Block<'a>)>> {
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    let block = Block::at(&lines[blank..], number + blank)?;
    let text = block.filter(|block| block.info == "text");
    Ok(text.map(|text| (blank, text)))
}

/// The file name in a first line `-- NAME.lua`.
fn file_name<'a>(code: &[&'a str]) -> Option<&'a str> {
    let first = code.first()?.strip_prefix("-- ")?;
    let is_name = first.ends_with(".lua") && !first.contains(['/', ' ']);
    is_name.then_some(first)
}

/// The commands in a block whose body begins at this line.
fn commands(body: &[&str], first: usize) -> Result<Vec<Command>> {
    let mut commands: Vec<Command> = Vec::new();
    let mut goes_on = false;
    for (line, text) in (first..).zip(body) {
        let last = commands.last_mut();
        match (text.strip_prefix("$ "), last) {
            (_, Some(last)) if goes_on => last.text += &format!("\n{text}"),
            (Some(command), _) => commands.push(Command {
                line,
                text: command.to_owned(),
                output: Vec::new(),
                gap: 0,
            }),
            (None, Some(last)) => {
                last.output.push((*text).to_owned());
                continue;
            }
            (None, None) => bail!("line {line}: the block does not begin with a command"),
        }
        goes_on = text.ends_with('\\');
    }
    ensure!(!goes_on, "line {first}: the last command does not end");
    for command in &mut commands {
        let is_blank = |line: &&String| line.is_empty();
        command.gap = command.output.iter().rev().take_while(is_blank).count();
        command.output.truncate(command.output.len() - command.gap);
    }
    Ok(commands)
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Vec<Part>, usize)> {
        parts(&text.lines().collect::<Vec<_>>())
    }

    fn examples(text: &str) -> Vec<Part> {
        let (parts, _) = parse(text).expect("the text is a document");
        let is_example = |part: &Part| !matches!(part, Part::Line(_));
        parts.into_iter().filter(is_example).collect()
    }

    fn command(line: usize, text: &str, output: &[&str], gap: usize) -> Part {
        Part::Command(Command {
            line,
            text: text.to_owned(),
            output: owned(output),
            gap,
        })
    }

    #[test]
    fn a_console_block_has_commands_and_their_output() {
        let text = "Text\n```console\n$ a b\nx\n\ny\n\n$ c\n```\n";
        let expected = [
            command(3, "a b", &["x", "", "y"], 1),
            command(8, "c", &[], 0),
        ];
        assert_eq!(examples(text), expected);
    }

    #[test]
    fn a_command_goes_on_after_a_backslash() {
        let text = "```console\n$ a \\\n  b\nx\n```\n";
        assert_eq!(examples(text), [command(2, "a \\\n  b", &["x"], 0)]);
    }

    #[test]
    fn a_script_is_followed_by_its_output() {
        let script = |line, name: &str, code: &str| {
            Part::Script(Script {
                line,
                name: name.to_owned(),
                code: code.to_owned(),
                output: owned(&["1"]),
            })
        };
        let plain = "```lua\nprint(1)\n```\n\n```text\n1\n```\n";
        assert_eq!(examples(plain), [script(6, "script.lua", "print(1)\n")]);
        let named = "```lua\n-- a.lua\n```\n```text\n1\n```\n";
        assert_eq!(examples(named), [script(5, "a.lua", "-- a.lua\n")]);
    }

    #[test]
    fn a_script_with_a_name_and_no_output_is_a_file() {
        let file = Part::File {
            name: "a.lua".to_owned(),
            code: "-- a.lua\nb()\n".to_owned(),
        };
        assert_eq!(examples("```lua\n-- a.lua\nb()\n```\n"), [file]);
    }

    #[test]
    fn other_blocks_are_no_examples() {
        for text in [
            "```lua\nprint(1)\n```\nText\n\n```text\n1\n```\n",
            "```sh\n$ a\n```\n",
            "````text\n```console\n$ a\n```\n````\n",
        ] {
            assert_eq!(examples(text), [], "{text}");
        }
    }

    #[test]
    fn what_is_not_run_has_a_reason() {
        let text = "<!-- not run: it is slow -->\n```console\n$ a\n```\n```console\n$ b\n```\n";
        assert_eq!(examples(text), [command(6, "b", &[], 0)]);
        assert_eq!(parse(text).expect("it is a document").1, 1);
        let script = "<!-- not run: it is slow -->\n\n```lua\na()\n```\n\n```text\n1\n```\n";
        assert_eq!(examples(script), []);
        assert_eq!(parse(script).expect("it is a document").1, 1);
        assert!(parse("<!-- not run: -->\n```console\n$ a\n```\n").is_err());
        assert!(parse("<!-- not run: it is slow -->\nText\n").is_err());
    }

    #[test]
    fn what_cannot_be_an_example_is_an_error() {
        for text in [
            "```console\n$ a\n",
            "```console\nx\n```\n",
            "```console\n$ a \\\n```\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
