//! `luasnap diff`.

use crate::files::{POPULATIONS, answer, ask, json};
use crate::masked::{masked, of_the_script, without_numbers};
use crate::program::golden::assert_golden;
use crate::program::{Program, luasnap, output};
use std::fs;

#[test]
fn it_says_what_changed_between_two() {
    assert_golden("diff_two", &changes(&["diff", "1.luasnap", "2.luasnap"]));
}

#[test]
fn it_says_what_grew_in_every_step_of_three() {
    let words = ["diff", "1.luasnap", "2.luasnap", "3.luasnap"];
    assert_golden("diff_three", &changes(&words));
}

/// Returns the verdict of an answer, and what follows the sizes of the snapshots and the ledger.
fn changes(words: &[&str]) -> String {
    let text = answer(words);
    let (verdict, rest) = text.split_once("\n\n").unwrap();
    let (sizes, changes) = rest.split_once("\n\n").unwrap();
    let files = words.len() - 1;
    assert_eq!(sizes.lines().count(), files + 1, "{sizes}");
    for (line, file) in sizes.lines().zip(&words[1..]) {
        assert!(line.ends_with(&format!(" KiB  {file}")), "{sizes}");
    }
    let last = without_numbers(sizes.lines().last().unwrap());
    assert_eq!(last, " +# KiB from the first to the last (+#%)");
    let (ledger, changes) = changes.split_once("\n\n").unwrap();
    assert_eq!(
        without_numbers(&masked(&format!("{ledger}\n"))),
        " first last change\n\
         process ...\n\
         Lua VM # KiB # KiB +# KiB\n\
         garbage # B # B +# B\n\
         outside ...\n"
    );
    format!("{verdict}\n\n{}", of_the_script(changes))
}

#[test]
fn equal_snapshots_have_no_difference() {
    for files in [&["1.luasnap"; 2][..], &["1.luasnap"; 3]] {
        let text = answer(&[&["diff"], files].concat());
        assert!(
            text.contains("+0 B  from the first to the last (+0.0%)\n"),
            "{text}"
        );
        assert!(text.ends_with("\nNothing changed.\n"), "{text}");
    }
}

#[test]
fn what_shrinks_is_told_last() {
    let shrunk = json(&["diff", "3.luasnap", "1.luasnap"]);
    let changed = shrunk["changed"].as_array().unwrap();
    let changes: Vec<_> = changed
        .iter()
        .map(|row| row["size_change"].as_i64().unwrap())
        .collect();
    assert!(
        changes.is_sorted_by(|a, b| a >= b) && changes.last() < Some(&0),
        "{changes:?}"
    );
    assert_eq!(shrunk["growing"].as_array().unwrap().len(), 0);
    let text = answer(&["diff", "3.luasnap", "1.luasnap"]);
    assert!(
        text.contains("-40      -80        100  table     class House"),
        "{text}"
    );
}

#[test]
fn programs_get_all_of_it() {
    let files = ["1.luasnap", "2.luasnap", "3.luasnap"];
    let grown = json(&[&["diff"], &files[..]].concat());
    assert_eq!(grown["files"], serde_json::json!(files));
    let sizes: Vec<_> = files
        .map(|file| json(&["top", file])["size"].clone())
        .into();
    assert_eq!(grown["sizes"], serde_json::json!(sizes));
    let changed = grown["changed"].as_array().unwrap();
    assert_eq!(grown["changed_count"], changed.len());
    let house = changed
        .iter()
        .find(|row| row["name"] == "class House")
        .unwrap();
    assert_eq!(
        (&house["type"], &house["growing"]),
        (&"table".into(), &true.into())
    );
    assert_eq!(house["counts"], serde_json::json!(POPULATIONS));
    assert_eq!(house["count_change"], 40);
    let sizes = house["sizes"].as_array().unwrap();
    let change = sizes[2].as_u64().unwrap() - sizes[0].as_u64().unwrap();
    assert_eq!(house["size_change"], change);
    assert_eq!(house["example"], "_G.mayor.house");
    let growing = grown["growing"].as_array().unwrap();
    assert!(growing.contains(house));
    assert!(growing.iter().all(|row| row["growing"] == true));
    let suspects = grown["suspects"].as_array().unwrap();
    let of_house = |suspect: &&serde_json::Value| {
        suspect["groups"]
            .as_array()
            .unwrap()
            .contains(&house["fingerprint"])
    };
    let suspect = suspects.iter().find(of_house).unwrap();
    assert_eq!(suspect["point"], "_G.town");
    let retained = json(&["path", "3.luasnap", "_G.town"])["retained"].clone();
    assert_eq!(suspect["retained"], retained);
    let share = retained.as_f64().unwrap() / grown["sizes"][2].as_f64().unwrap();
    assert!(
        (suspect["share"].as_f64().unwrap() - share).abs() < 1e-9,
        "{suspect}"
    );
    assert!(suspect["grown"].as_u64() >= Some(change));
    assert_eq!(suspect["fingerprint"].as_str().unwrap().len(), 12);
    assert!(suspect["example"].as_str().unwrap().starts_with("_G."));
}

#[test]
fn fingerprints_are_the_same_from_run_to_run() {
    let fingerprints = |files: [&str; 3]| {
        let grown = json(&[&["diff"], &files[..]].concat());
        let suspects = grown["suspects"].as_array().unwrap();
        suspects
            .iter()
            .filter(|suspect| suspect["small"] == false)
            .map(|suspect| suspect["fingerprint"].clone())
            .collect::<Vec<_>>()
    };
    let all = fingerprints(["1.luasnap", "2.luasnap", "3.luasnap"]);
    assert!(!all.is_empty());
    // Each of these files is from a different process.
    let golden = include_str!("../golden/diff_three.txt");
    for fingerprint in all {
        let line = format!("  fingerprint {}\n", fingerprint.as_str().unwrap());
        assert!(golden.contains(&line), "{fingerprint}");
    }
}

#[test]
fn growth_beyond_the_limit_has_its_own_exit_code() {
    let grown = json(&["diff", "1.luasnap", "2.luasnap"])["sizes"].clone();
    let grown = grown[1].as_u64().unwrap() - grown[0].as_u64().unwrap();
    for (limit, code) in [
        ("0", 3),
        (&*(grown - 1).to_string(), 3),
        (&*grown.to_string(), 0),
        ("1K", 3),
        ("1M", 0),
        ("1%", 3),
        ("50%", 0),
    ] {
        let ran = ask(&["diff", "1.luasnap", "2.luasnap", "--fail-on-growth", limit]);
        assert_eq!(ran.code, Some(code), "{limit}: {ran:#?}");
        assert!(
            ran.stdout.contains("class House"),
            "the answer is given all the same: {ran:#?}"
        );
        assert_eq!(ran.stderr.is_empty(), code == 0, "{ran:#?}");
    }
    let ran = ask(&["diff", "1.luasnap", "2.luasnap", "--fail-on-growth", "1%"]);
    assert_eq!(ran.stderr, "luasnap: memory grew by more than 1%\n");
    let ran = ask(&["diff", "2.luasnap", "1.luasnap", "--fail-on-growth", "0"]);
    assert_eq!(ran.code, Some(0), "it shrank: {ran:#?}");
}

#[test]
fn the_files_of_a_folder_are_compared_in_the_order_of_time() {
    let script = "
        local snapshot = require 'snapshot'
        sessions = {}
        for _, name in ipairs { 'shots/z', 'shots/a', 'shots/m' } do
          for _ = 1, 100 do sessions[#sessions + 1] = {} end
          snapshot.save(snapshot.snapshot(), name .. '.luasnap')
        end";
    let program = Program::new(script).option("--quiet");
    let folder = program.folder();
    fs::create_dir(folder.join("shots")).unwrap();
    fs::write(folder.join("shots/notes.txt"), "no snapshot").unwrap();
    assert_eq!(program.run(&[]).code, Some(0));
    let ask = |words: &[&str]| {
        let mut command = luasnap(&folder);
        command.args(words);
        output(command, "")
    };
    let ran = ask(&["diff", "shots", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected = ["shots/z.luasnap", "shots/a.luasnap", "shots/m.luasnap"];
    assert_eq!(found["files"], serde_json::json!(expected));
    assert_eq!(found["suspects"][0]["point"], "_G.sessions");

    fs::create_dir(folder.join("empty")).unwrap();
    let refused = |words: &[&str], expected: &str| {
        let ran = ask(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
        assert_eq!(ran.stderr, format!("luasnap: {expected}\n"));
    };
    refused(
        &["diff", "empty"],
        "the folder empty has no files that end in .luasnap: growth is found between two at least",
    );
    fs::copy(
        folder.join("shots/a.luasnap"),
        folder.join("empty/a.luasnap"),
    )
    .unwrap();
    refused(
        &["diff", "empty"],
        "the folder empty has one file that ends in .luasnap: growth is found between two at least",
    );
    // Another process.
    let alone = Program::new("")
        .option("--quiet")
        .option("--save")
        .option(folder.join("empty/b.luasnap").to_str().unwrap());
    assert_eq!(alone.run(&[]).code, Some(0));
    refused(
        &["diff", "empty"],
        "the folder empty has snapshots of several Lua states or processes, empty/a.luasnap and \
         empty/b.luasnap for two: name the files to be compared",
    );
}
