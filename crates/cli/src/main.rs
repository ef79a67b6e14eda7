//! `luasnap`: finds memory leaks in Lua programs by heap snapshots.

#![forbid(unsafe_code)]

mod about;
mod attach;
mod capture_answer;
mod chinese_error;
mod chinese_help;
mod command_line;
mod comparison;
mod completions;
mod core_dump;
mod derived;
mod diff;
mod exit_code;
mod export;
mod failure;
mod file_identity;
mod fleet;
mod growth_text;
mod help_zh;
mod info;
mod kept_answers;
mod kept_files;
mod ledger;
mod look;
mod man_pages;
mod metrics;
mod module_file;
mod names;
mod output;
mod output_file;
mod page_file;
mod panics;
mod path;
mod process_argument;
mod progress;
mod ps;
mod quantity;
mod ranked_states;
mod report;
mod run;
mod screen;
mod shell_word;
mod snapshot_file;
mod snapshot_folder;
mod sql;
mod state_argument;
mod state_files;
mod table;
mod terminal;
mod top;
mod view;
mod waste;
mod watch;
mod wrap;

use clap::{CommandFactory, Parser, Subcommand};
use look::LookOptions;
use std::process::ExitCode;

const MORE_HELP: &str = "\
To begin:
  luasnap run --save F x.lua         run a script, and save a snapshot when it ends
  luasnap attach PID                 take a snapshot of a running process
  luasnap watch PID                  show what grows in a running process
  luasnap top F                      list the groups of objects that retain most
  luasnap path F _G.server.sessions  show what keeps an object alive
  luasnap view F                     look through it in the terminal
  luasnap diff F1 F2 F3              find leak suspects and their accumulation points
  luasnap report F1 F2 F3            write all that as a page to look at, or to send

Your program saves a snapshot with `snapshot.save(snapshot.snapshot(), path)`.
Each verb's --help lists its exit codes.";

/// Find memory leaks in Lua programs: heap snapshots, retained sizes, shortest paths, leak suspects
#[derive(Parser)]
#[command(bin_name = "luasnap", version, arg_required_else_help = true, after_help = MORE_HELP)]
struct CommandLine {
    #[command(flatten)]
    look: LookOptions,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Run(run::Run),
    Attach(attach::Attach),
    Watch(watch::Watch),
    Ps(ps::Ps),
    Core(core_dump::CoreDump),
    Info(info::Info),
    Top(top::Top),
    Diff(diff::Diff),
    Path(path::Path),
    View(view::View),
    Report(report::Report),
    Export(export::Export),
    Sql(sql::Sql),
    Completions(completions::Completions),
    #[command(name = "man", hide = true)]
    ManPages(man_pages::ManPages),
}

/// What is cleaned up before a signal ends the program. A signal handler calls it.
fn clear_away() {
    luasnap_format::remove_temporary_file();
    metrics::remove_published();
    terminal::give_back();
}

fn main() -> ExitCode {
    panics::print_readably();
    luasnap_capture::end_cleanly(clear_away);
    let command_line = command_line::parse::<CommandLine>();
    command_line.look.set();
    let done = match command_line.verb {
        Verb::Run(run) => run.execute(),
        Verb::Attach(attach) => attach.execute(),
        Verb::Watch(watch) => watch.execute(),
        Verb::Ps(ps) => ps.execute(),
        Verb::Core(core) => core.execute(),
        Verb::Info(info) => info.execute(),
        Verb::Top(top) => top.execute(),
        Verb::Diff(diff) => diff.execute(),
        Verb::Path(path) => path.execute(),
        Verb::View(view) => view.execute(),
        Verb::Report(report) => report.execute(),
        Verb::Export(export) => export.execute(),
        Verb::Sql(sql) => sql.execute(),
        Verb::Completions(completions) => completions.execute(CommandLine::command()),
        Verb::ManPages(pages) => pages.execute(CommandLine::command()),
    };
    done.unwrap_or_else(|error| {
        output::report_problem(error.why());
        ExitCode::from(error.exit_code())
    })
}
