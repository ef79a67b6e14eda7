//! What luasnap says in Chinese: answers and help. Programs get English.

use crate::files::in_town;
use crate::masked::{masked, of_the_script};
use crate::program::golden::assert_golden;
use crate::program::output;

/// Returns the answer in a locale.
#[track_caller]
fn answer_in(locale: &str, words: &[&str]) -> String {
    let mut command = in_town(words);
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    command.env("LANG", locale);
    let said = output(command, "");
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (Some(0), ""),
        "{said:#?}"
    );
    said.stdout
}

#[track_caller]
fn chinese(words: &[&str]) -> String {
    answer_in("zh_CN.UTF-8", words)
}

fn is_chinese(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

#[test]
fn top_has_chinese_heads() {
    let text = chinese(&["top", "1.luasnap"]);
    let (verdict, rest) = text.split_once("\n\n").unwrap();
    let (head, rows) = rest.split_once("\n\n").unwrap();
    assert!(head.starts_with("1.luasnap："), "{head}");
    for said in [" 个对象，", "组，列出 20 组", "\nLua 虚拟机 ", "在用 "] {
        assert!(head.contains(said), "{said}: {head}");
    }
    let verdict = of_the_script(&masked(verdict));
    let rows = of_the_script(&masked(rows));
    let first: String = rows.lines().take(7).map(row).collect();
    assert_golden("top_zh", &format!("{verdict}\n{first}"));
}

/// Returns a row without its share and without the widths of columns, which other rows decide.
fn row(line: &str) -> String {
    let cells = line.split("  ").map(str::trim);
    let mut cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    if cells[1] != "%" {
        cells[1] = "#";
    }
    cells.join("  ") + "\n"
}

#[test]
fn owners_have_chinese_heads() {
    let text = chinese(&["top", "1.luasnap", "--by", "owner"]);
    let head = text.lines().find(|line| line.contains("所有者 "));
    assert!(head.is_some_and(|head| head.contains("自身大小")), "{text}");
    assert!(text.contains(" 个所有者，列出 "), "{text}");
}

#[test]
fn diff_has_chinese_heads_and_suspects() {
    let text = chinese(&["diff", "1.luasnap", "2.luasnap", "3.luasnap"]);
    let (verdict, rest) = text.split_once("\n\n").unwrap();
    let (sizes, changes) = rest.split_once("\n\n").unwrap();
    let last = sizes.lines().last().unwrap();
    assert!(last.contains("  从第一份到最后一份（+"), "{sizes}");
    let (ledger, changes) = changes.split_once("\n\n").unwrap();
    assert!(ledger.contains("最后一份"), "{ledger}");
    assert!(ledger.contains("\nLua 虚拟机  "), "{ledger}");
    assert_golden(
        "diff_zh",
        &format!("{verdict}\n\n{}", of_the_script(changes)),
    );
    let equal = chinese(&["diff", "1.luasnap", "1.luasnap"]);
    assert!(equal.ends_with("\n没有变化。\n"), "{equal}");
}

#[test]
fn info_and_path_are_chinese() {
    let info = chinese(&["info", "1.luasnap"]);
    for said in [
        "1.luasnap：",
        " 引擎，",
        "\n虚拟机占用 ",
        "  在用的对象\n",
        "合计 ",
    ] {
        assert!(info.contains(said), "{said}: {info}");
    }
    let path = chinese(&["path", "1.luasnap", "_G.town"]);
    for said in [
        "：自身大小 ",
        "，保留大小 ",
        "\n最短引用路径：_G.town\n",
        " 个引用者：\n",
    ] {
        assert!(path.contains(said), "{said}: {path}");
    }
}

#[test]
fn the_option_counts_more_than_the_locale() {
    let words = ["top", "1.luasnap", "--lang"];
    let with = |lang| [&words[..], &[lang]].concat();
    assert!(answer_in("C", &with("zh")).contains("保留大小"));
    assert!(answer_in("zh_CN.UTF-8", &with("en")).contains("retained"));
    for words in [
        ["--lang", "zh", "--help"],
        ["--help", "--lang=zh", "--full"],
    ] {
        assert!(answer_in("C", &words).contains("\n命令：\n"));
    }
    let english = answer_in("zh_CN.UTF-8", &["--lang", "en", "--help"]);
    assert_eq!(english, answer_in("C", &["--help"]));
}

#[test]
fn programs_get_english() {
    for words in [
        &["top", "1.luasnap", "--json"][..],
        &["top", "1.luasnap", "--by", "owner", "--json"],
        &["diff", "1.luasnap", "2.luasnap", "3.luasnap", "--json"],
        &["info", "1.luasnap", "--json"],
        &["path", "1.luasnap", "_G.town", "--json"],
        &["completions", "bash"],
    ] {
        let said = chinese(words);
        assert_eq!(said, answer_in("C", words), "{words:?}");
    }
}

#[test]
fn help_is_chinese() {
    let all = chinese(&["--help"]);
    for said in [
        "\n用法：luasnap [OPTIONS] <COMMAND>\n",
        "\n命令：\n",
        "  top          列出保留内存最多的几组对象\n",
        "\n选项：\n",
        "显示帮助\n",
        "［可选值：auto、always、never］",
        "\n从这里开始：\n",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
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
        let line = all.lines().find(|said| said.starts_with(&line));
        assert!(line.is_some_and(|line| line.contains(is_chinese)), "{verb}");
        let help = chinese(&[verb, "--help"]);
        assert!(help.contains("\n退出码：\n"), "{help}");
        let usage = format!("\n用法：luasnap {verb} [OPTIONS]");
        assert!(help.contains(&usage), "{help}");
        assert!(help.contains("          完整写出名称和路径，不管多长\n") || verb == "completions");
        for english in [
            "Usage",
            "Options:",
            "Print help",
            "possible values",
            "default:",
        ] {
            assert!(!help.contains(english), "{english}: {help}");
        }
    }
    let top = chinese(&["top", "--help"]);
    for said in [
        "          - retained：保留大小\n",
        "［默认：retained］\n",
        "［默认：20］\n",
    ] {
        assert!(top.contains(said), "{said}: {top}");
    }
    assert_eq!(top, chinese(&["help", "top"]));
    let short = chinese(&["top", "-h"]);
    assert!(short.contains("列出这么多行［默认：20］\n"), "{short}");
}

/// Returns what is said on standard error in Chinese, and the exit code.
#[track_caller]
fn wrong(words: &[&str]) -> (String, Option<i32>) {
    let mut command = in_town(words);
    command.env("LC_ALL", "zh_CN.UTF-8");
    let said = output(command, "");
    (said.stderr, said.code)
}

#[test]
fn errors_are_chinese() {
    for (words, expected, code) in [
        (
            &["top", "no.luasnap"][..],
            "luasnap: 无法读取 'no.luasnap'：",
            125,
        ),
        (
            &["path", "1.luasnap", "_G.twon"],
            "luasnap: 1.luasnap 里：_G 里没有 'twon'；是不是 town？；也没有名叫 '_G.twon' 的分组",
            125,
        ),
        (&["attach", "4194999"], "luasnap: 没有进程 4194999；", 10),
        (
            &["attach", "no-such-program"],
            "luasnap: 没有名叫 'no-such-program' 的进程；",
            10,
        ),
        (&["diff", "."], "luasnap: ", 125),
        (
            &["run", "--lua", "no-lua", "x.lua"],
            "luasnap: 没有解释器 no-lua",
            127,
        ),
        (
            &["tpo"],
            "错误：没有 'tpo' 这个命令\n\n  提示：有相近的命令：'top'",
            2,
        ),
        (&["top"], "错误：缺少必要的参数：'<FILE|FOLDER>...'", 2),
        (
            &["top", "x", "--ful"],
            "错误：没有 '--ful' 这个参数\n\n  提示：有相近的参数：'--full'",
            2,
        ),
        (
            &["top", "x", "-n", "many"],
            "错误：'--rows <ROWS>' 的值 'many' 无效：不是整数",
            2,
        ),
        (
            &["top", "x", "--by", "weight"],
            "错误：'--by <BY>' 的值 'weight' 无效\n  ［可选值：",
            2,
        ),
        (
            &["watch", "1", "--every", "now"],
            "错误：'--every <TIME>' 的值 'now' 无效：请给出时间：500ms、30s、10m、2h",
            2,
        ),
        (
            &["watch", "1", "-o", "x", "--keep", "0"],
            "错误：'--keep <N>' 的值 '0' 无效：0 不在 1",
            2,
        ),
        (
            &["report", "x", "--json", "-o", "y"],
            "错误：参数 '--json' 不能与 '--output <FILE>' 一起用",
            2,
        ),
        (&["diff", "1.luasnap"], "错误：至少给出两个快照文件", 2),
    ] {
        let (said, found) = wrong(words);
        assert!(said.starts_with(expected), "{words:?}: {said}");
        assert_eq!(found, Some(code), "{words:?}: {said}");
        if code == 2 {
            // clap shows no usage where a value is wrong, in no language.
            let has_usage = said.contains("\n用法：") || said.contains("' 的值 '");
            assert!(has_usage, "{words:?}: {said}");
            assert!(
                said.ends_with("更多信息请用 '--help' 查看。\n"),
                "{words:?}: {said}"
            );
        }
        assert!(
            !said.contains("rror") && !said.contains("sage"),
            "{words:?}: {said}"
        );
    }
}
