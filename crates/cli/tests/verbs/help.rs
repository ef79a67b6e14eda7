//! The output of `--help`.

use crate::files::answer;

#[test]
fn every_verb_is_listed_and_says_its_exit_codes() {
    let all = answer(&["--help"]);
    for verb in [
        "run",
        "attach",
        "watch",
        "ps",
        "core",
        "info",
        "top",
        "diff",
        "path",
        "view",
        "report",
        "export",
        "completions",
    ] {
        let line = format!("  {verb} ");
        assert!(
            all.lines().any(|said| said.starts_with(&line)),
            "{verb}: {all}"
        );
        let help = answer(&[verb, "--help"]);
        let (_, codes) = help.split_once("\nExit codes:\n").expect(verb);
        for code in ["  0    ", "  2    ", "  125  "] {
            assert!(codes.contains(code), "{verb}: {help}");
        }
        assert!(help.contains(&format!("Usage: luasnap {verb} ")), "{help}");
    }
    assert!(answer(&["diff", "--help"]).contains("  3    "));
    assert!(answer(&["run", "--help"]).contains("  127  "));
}
