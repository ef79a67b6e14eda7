//! The folder of tables: `TABLE/date=DATE/service=SERVICE/TIME-SNAPSHOT.parquet`, as Hive and all its heirs partition.

use crate::about::about_folder;
use crate::failure::Result;
use crate::fleet::column::Table;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// What stands for a value that is unknown, in Hive's names of folders.
const UNKNOWN: &str = "__HIVE_DEFAULT_PARTITION__";

/// A folder that tables are written to.
#[derive(Clone, Debug)]
pub struct Destination {
    folder: PathBuf,
}

impl Destination {
    /// The tables in this folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// A sentence if it can be no folder.
    pub fn new(folder: &Path) -> Result<Destination> {
        make(folder)?;
        Ok(Destination {
            folder: folder.to_owned(),
        })
    }

    /// Returns the place of a file; its folders are made.
    ///
    /// # Errors
    ///
    /// A sentence if a folder cannot be made.
    pub fn file(
        &self,
        table: &Table,
        (taken_at, service): (Option<u64>, &str),
        name: &str,
    ) -> Result<PathBuf> {
        let time = taken_at.and_then(time_of);
        let date = day(taken_at);
        let date = date.as_deref().unwrap_or(UNKNOWN);
        let folder = self
            .folder
            .join(table.name)
            .join(format!("date={date}"))
            .join(format!("service={}", escaped(service)));
        make(&folder)?;
        let time = time.map(|time| {
            let (hour, minute, second, milli) = time.to_hms_milli();
            let date = date.replace('-', "");
            format!("{date}T{hour:02}{minute:02}{second:02}.{milli:03}Z-")
        });
        let time = time.unwrap_or_default();
        Ok(folder.join(format!("{time}{name}.parquet")))
    }
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .map_err(|error| about_folder("folder.cannot_make", folder, &error).into())
}

/// Returns the day of a time in UTC, as `2026-11-25`.
pub fn day(taken_at: Option<u64>) -> Option<String> {
    Some(time_of(taken_at?)?.date().to_string())
}

fn time_of(milliseconds: u64) -> Option<OffsetDateTime> {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

/// The most bytes of a service in the name of a folder: a file system's name has 255.
const MOST: usize = 200;

/// Returns a name as Hive has it in a folder's: what could be mistaken is `%` and two hexadecimal digits.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if text.len() >= MOST {
            break;
        }
        match letter {
            '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '}' | '[' | ']'
            | '^' | '\u{7f}' => {
                let _ = write!(text, "%{:02X}", letter as u32);
            }
            letter if (letter as u32) < 0x20 => {
                let _ = write!(text, "%{:02X}", letter as u32);
            }
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_the_name_of_one_folder() {
        for (service, folder) in [
            ("game", "game"),
            ("a/b=c", "a%2Fb%3Dc"),
            ("..", ".."),
            ("游戏", "游戏"),
            ("50%", "50%25"),
        ] {
            assert_eq!(escaped(service), folder);
        }
        assert!(escaped(&"服务".repeat(1000)).len() <= MOST + 4);
    }
}
