//! `--help` in Chinese: clap's command line with other texts.

use crate::help_zh::text;
use crate::wrap::wrap;
use clap::builder::StyledStr;
use clap::{Arg, Command};

/// The width of help in columns, and what of it is left of the texts of arguments.
const WIDTH: usize = 100;
const INDENT: usize = 10;

/// Returns the command line with help in Chinese. Usage and values stay as clap says them.
pub fn with_chinese_help(mut command: Command) -> Command {
    // Then the arguments that clap adds and those of all verbs are there.
    command.build();
    in_chinese(command, "").mut_subcommands(|verb| {
        let name = verb.get_name().to_owned();
        in_chinese(verb, &name)
    })
}

fn in_chinese(mut command: Command, verb: &str) -> Command {
    let of = |part: &str| text(&format!("{verb}{part}"));
    if let Some(about) = of("") {
        command = match of(":long") {
            Some(long) => command.long_about(wrapped(&format!("{about}\n\n{long}"), WIDTH)),
            None => command,
        };
        command = command.about(about);
    }
    if let Some(after) = of(":after") {
        command = command.after_help(after);
    }
    if let Some(usage) = of(":usage") {
        command = command.override_usage(usage);
    }
    let template = template(&command);
    command
        .mut_args(|arg| described(arg, verb))
        .help_template(template)
}

/// Returns the parts of the help, with heads.
fn template(command: &Command) -> StyledStr {
    let style = command.get_styles().get_header();
    let head = |name: &str| format!("{style}{name}：{style:#}");
    let mut text = format!("{{about-with-newline}}\n{}{{usage}}", head("用法"));
    let parts = [
        (command.has_subcommands(), "命令", "{subcommands}"),
        (
            command.get_positionals().next().is_some(),
            "参数",
            "{positionals}",
        ),
        (true, "选项", "{options}"),
    ];
    for (is_there, name, part) in parts {
        if is_there {
            text += &format!("\n\n{}\n{part}", head(name));
        }
    }
    (text + "{after-help}").into()
}

/// Returns an argument with its text, and what it is by default and may be, which clap says in English.
fn described(arg: Arg, verb: &str) -> Arg {
    let code = code_of(&arg, verb);
    let Some(text_of) = text(&code) else {
        return arg;
    };
    let values: Vec<(String, Option<&str>)> = arg
        .get_possible_values()
        .iter()
        .filter(|value| arg.get_action().takes_values() && !value.is_hide_set())
        .map(|value| {
            let name = value.get_name();
            (name.to_owned(), text(&format!("{code}={name}")))
        })
        .collect();
    let (mut short, mut long) = (text_of.to_owned(), text_of.to_owned());
    if !values.is_empty() {
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        let names = format!("［可选值：{}］", names.join("、"));
        short += &names;
        if values.iter().any(|(_, what)| what.is_some()) {
            long += "\n\n可选值：";
            for (name, what) in &values {
                long += &format!("\n- {name}：{}", what.unwrap_or_default());
            }
        } else {
            long += &format!("\n\n{names}");
        }
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let default = format!("［默认：{}］", defaults.join("、"));
        short += &default;
        long += &format!("\n\n{default}");
    }
    arg.hide_possible_values(true)
        .hide_default_value(true)
        .help(short)
        .long_help(wrapped(&long, WIDTH - INDENT))
}

/// Returns the code of an argument's text: its own, or that of all verbs.
fn code_of(arg: &Arg, verb: &str) -> String {
    let own = format!("{verb}.{}", arg.get_id());
    match text(&own) {
        Some(_) => own,
        None => format!(".{}", arg.get_id()),
    }
}

/// Breaks lines where Chinese breaks them: clap breaks them at blanks only, and there are few.
fn wrapped(text: &str, width: usize) -> String {
    wrap(text, width).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommandLine;
    use crate::help_zh::codes;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn every_verb_argument_and_value_has_a_chinese_text() {
        let mut english = CommandLine::command();
        english.build();
        let mut expected = BTreeSet::new();
        for command in [&english].into_iter().chain(english.get_subcommands()) {
            let verb = match command.get_name() {
                "luasnap" => "",
                verb => verb,
            };
            expected.insert(verb.to_owned());
            for (is_there, part) in [
                (command.get_long_about().is_some(), "long"),
                (command.get_after_help().is_some(), "after"),
            ] {
                if is_there {
                    expected.insert(format!("{verb}:{part}"));
                }
            }
            for arg in command.get_arguments().filter(|_| verb != "help") {
                let code = code_of(arg, verb);
                for value in arg.get_possible_values() {
                    if value.get_help().is_some() {
                        expected.insert(format!("{code}={}", value.get_name()));
                    }
                }
                expected.insert(code);
            }
        }
        expected.insert("diff:usage".to_owned());
        let known: BTreeSet<String> = codes().map(str::to_owned).collect();
        let missing: Vec<_> = expected.difference(&known).collect();
        assert!(missing.is_empty(), "no Chinese text for {missing:?}");
        let unused: Vec<_> = known.difference(&expected).collect();
        assert!(unused.is_empty(), "nothing shows {unused:?}");
        assert_eq!(codes().count(), known.len(), "a code is there twice");
    }
}
