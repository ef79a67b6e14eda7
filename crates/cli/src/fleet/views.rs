//! The tables as views of DuckDB.

use crate::fleet::tables::{group, object, owner, path_tree, reference, snapshot};
use std::path::{Path, PathBuf};

/// Returns the statements that make a view of each table in these folders; without any, of all tables in a folder TABLES. That of
/// `group`, which is a word of SQL, is called `groups`.
pub fn views(folders: Option<&[PathBuf]>) -> String {
    let tables = [
        (&snapshot::TABLE, "snapshot"),
        (&group::TABLE, "groups"),
        (&path_tree::TABLE, "path_tree"),
        (&owner::TABLE, "owner"),
        (&object::TABLE, "object"),
        (&reference::TABLE, "reference"),
    ];
    let mut text = String::new();
    for (table, view) in tables {
        let files = |folder: &Path| {
            let files = folder.join(table.name).join("*/*/*.parquet");
            format!("'{}'", files.display().to_string().replace('\'', "''"))
        };
        let files: Vec<String> = match folders {
            None => vec![files(Path::new("TABLES"))],
            Some(folders) => {
                let there = folders
                    .iter()
                    .filter(|folder| folder.join(table.name).is_dir());
                there.map(|folder| files(folder)).collect()
            }
        };
        if files.is_empty() {
            continue;
        }
        text += &format!(
            "CREATE VIEW {view} AS SELECT * FROM read_parquet([{}], hive_partitioning = true, \
             hive_types = {{'service': varchar}}, union_by_name = true);\n",
            files.join(", ")
        );
    }
    text
}
