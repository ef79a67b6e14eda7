//! `luasnap sql`.

use crate::files::{in_town, town};
use crate::program::output;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// A program in the place of DuckDB: it writes what it was called with, and the tables that are there.
const IN_ITS_PLACE: &str = r#"#!/bin/sh
printf '%s\n' "$@" > called
sed -n "s/^CREATE VIEW \([a-z_]*\).*\['\(.*\)\/\*\/\*\/\*.parquet'.*/\1 \2/p" called | while read -r view folder; do
  echo "$view $(find "$folder" -name '*.parquet' | wc -l)"
done
cat
exit 7
"#;

fn folder_with(duckdb: Option<&str>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(script) = duckdb {
        let program = folder.path().join("duckdb");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir(folder.path().join("tmp")).unwrap();
    folder
}

fn sql(folder: &Path, words: &[&str], path: &str, stdin: &str) -> crate::program::Ran {
    let mut command = in_town(&["sql"]);
    command.args(words).current_dir(folder);
    command.env("PATH", path).env("TMPDIR", folder.join("tmp"));
    output(command, stdin)
}

fn snapshot(number: u32) -> String {
    town()
        .join(format!("{number}.luasnap"))
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn duckdb_finds_views_ready() {
    let folder = folder_with(Some(IN_ITS_PLACE));
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let [first, second] = [1, 2].map(snapshot);
    let query = "select count(*) from object";
    let ran = sql(
        folder.path(),
        &[&first, &second, query, "--json"],
        &path,
        "typed",
    );
    assert_eq!((ran.code, &*ran.stderr), (Some(7), ""), "{ran:#?}");
    let views = [
        "snapshot",
        "groups",
        "path_tree",
        "owner",
        "object",
        "reference",
    ];
    let expected: String = views.iter().map(|view| format!("{view} 2\n")).collect();
    assert_eq!(ran.stdout, expected + "typed");
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert!(
        called.starts_with("-cmd\nCREATE VIEW snapshot AS SELECT"),
        "{called}"
    );
    assert!(
        called.ends_with(&format!("-json\n-c\n{query}\n")),
        "{called}"
    );
    // Nothing is left.
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);

    // Without a query it is a shell; a folder of tables is asked as it is.
    let mut export = in_town(&["export", &first, "--to", "parquet", "-o"]);
    export.arg(folder.path().join("it's"));
    assert_eq!(output(export, "").code, Some(0));
    let ran = sql(folder.path(), &["it's"], &path, "");
    assert_eq!(ran.code, Some(7), "{ran:#?}");
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert!(!called.contains("\n-c\n"), "{called}");
    assert!(called.contains("['it''s/group/*/*/*.parquet']"), "{called}");
    assert!(!called.contains("object"), "{called}");
}

#[test]
fn without_duckdb_the_views_are_printed() {
    let folder = folder_with(None);
    let path = folder.path().to_str().unwrap();
    let ran = sql(folder.path(), &[&snapshot(1), "select 1"], path, "");
    assert_eq!(ran.code, Some(127), "{ran:#?}");
    assert!(ran.stderr.contains("pip install duckdb-cli"), "{ran:#?}");
    assert_eq!(ran.stdout.lines().count(), 6);
    let line = "CREATE VIEW groups AS SELECT * FROM read_parquet(['TABLES/group/*/*/*.parquet'], \
        hive_partitioning = true, hive_types = {'service': varchar}, union_by_name = true);";
    assert!(
        ran.stdout.lines().any(|said| said == line),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = folder_with(Some(IN_ITS_PLACE));
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let ran = sql(folder.path(), &["none.luasnap", "select 1"], &path, "");
    assert_eq!(ran.code, Some(125), "{ran:#?}");
    assert!(
        ran.stderr.contains("cannot read 'none.luasnap'"),
        "{ran:#?}"
    );
    assert!(!folder.path().join("called").exists());
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    let ran = sql(folder.path(), &["select 1"], &path, "");
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("name a snapshot file"), "{ran:#?}");
}
