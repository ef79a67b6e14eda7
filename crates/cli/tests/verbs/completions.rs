//! `completions`: the scripts work in the shells themselves.

use crate::files::answer;
use crate::program::{LUASNAP, luasnap, output};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn each_shell_has_a_script_with_every_verb() {
    for (shell, beginning) in [
        ("bash", "_luasnap() {"),
        ("zsh", "#compdef luasnap"),
        ("fish", "# Print an optspec"),
    ] {
        let script = answer(&["completions", shell]);
        assert!(script.starts_with(beginning), "{shell}: {script}");
        for word in ["attach", "top", "diff", "fail-on-growth", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn a_shell_that_is_not_known_is_told_which_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = luasnap(folder.path());
    command.args(["completions", "csh"]);
    let ran = output(command, "");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
    assert!(ran.stderr.contains("bash, zsh, fish"), "{ran:#?}");
}

#[test]
fn an_output_that_is_closed_or_full_is_no_panic() {
    for (place, code, said) in [
        ("| true", 0, ""),
        (
            ">/dev/full",
            125,
            "luasnap: cannot write to standard output: No space left on device\n",
        ),
    ] {
        let mut command = Command::new("bash");
        let line = format!("'{LUASNAP}' completions zsh {place}; exit ${{PIPESTATUS[0]}}");
        command.args(["-c", &line]);
        let ran = output(command, "");
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(code), said),
            "{ran:#?}"
        );
    }
}

/// Returns what a shell says that runs `script`, in a folder that has the completions as `luasnap`.
fn shell(name: &str, script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("luasnap"), answer(&["completions", name])).unwrap();
    fs::write(path.join("now.luasnap"), "").unwrap();
    let mut command = Command::new(name);
    let programs = Path::new(LUASNAP).parent().unwrap().display();
    let search = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{programs}:{search}"))
        .env("HOME", path)
        .current_dir(path)
        .args(["-c", script]);
    let ran = output(command, "");
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    ran.stdout
}

#[test]
fn bash_completes_verbs_options_and_files() {
    let complete = |words: &str| {
        let script = format!(
            "source ./luasnap
             COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
             _luasnap luasnap \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        shell("bash", &script)
    };
    assert_eq!(complete("luasnap att"), "attach\n");
    assert_eq!(complete("luasnap diff --fail"), "--fail-on-growth\n");
    assert!(complete("luasnap top --by ''").contains("retained"));
    // Where it has nothing, bash completes names of files.
    assert_eq!(complete("luasnap top n"), "\n");
    let how = shell("bash", "source ./luasnap; complete -p luasnap");
    assert!(how.contains("-o default"), "{how}");
}

#[test]
#[ignore = "needs fish"]
fn fish_completes_verbs_options_and_files() {
    let complete = |words: &str| shell("fish", &format!("source luasnap; complete -C '{words}'"));
    assert!(complete("luasnap att").starts_with("attach\t"));
    assert!(complete("luasnap diff --fail").starts_with("--fail-on-growth\t"));
    assert!(complete("luasnap top n").contains("now.luasnap"));
}

#[test]
#[ignore = "needs zsh"]
fn zsh_loads_its_script() {
    let script = "autoload -U compinit; compinit -u -D; source ./luasnap; print $_comps[luasnap]";
    assert_eq!(shell("zsh", script), "_luasnap\n");
}
