//! Layouts of releases and forks that no registry has: derived once, from sources that somebody
//! had, and kept in `derived/` with the date and a hash of these sources.

use crate::layout::{Layout, Structure};
use crate::puc::{self, Release};
use crate::sources::workspace;
use crate::{jit, probe};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Folder of the records in the repository.
const FOLDER: &str = "xtask/derived";

/// A layout that was derived by `--from`.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// What its users call it: `5.3.4`, `skynet 1.8.0`.
    pub name: String,
    /// The release of PUC Lua that its `lua.h` says it is; none for a LuaJIT.
    pub release: Option<Release>,
    /// The day it was derived, in UTC: `2026-11-30`.
    pub date: String,
    /// The SHA-256 of the headers that were used.
    headers: String,
    /// Options for the compiler, but for folders.
    flags: String,
    /// The numbers by structure, as they were derived.
    numbers: Map<String, Value>,
}

impl Record {
    /// Derives it from the sources in a folder, or in its `src`.
    pub fn derive(name: &str, from: &Path, flag_text: &str) -> Result<Record> {
        let flags = flags(flag_text)?;
        let nested = from.join("src");
        let is_there = |file| {
            [from, &nested]
                .into_iter()
                .find(|at| at.join(file).is_file())
        };
        let (layout, headers, release) = if let Some(folder) = is_there("lj_obj.h") {
            let headers = probe::headers(jit::PROBE, folder, &flags)?;
            let layout = jit::layout(name, folder, jit::Machine::X86_64, &flags)?;
            (layout, headers, None)
        } else if let Some(folder) = is_there("lobject.h") {
            let release = release_of(folder)?;
            let headers = probe::headers(puc::PROBE, folder, &flags)?;
            let layout = puc::layout(name, release, folder, &flags)?;
            (layout, headers, Some(release))
        } else {
            bail!(
                "{} has neither lobject.h, as PUC Lua's sources have, nor lj_obj.h, as LuaJIT's",
                from.display()
            );
        };
        let today = time::OffsetDateTime::now_utc().date();
        Ok(Record {
            name: name.into(),
            release,
            date: today.to_string(),
            headers,
            flags: kept(&flags),
            numbers: numbers(&layout),
        })
    }

    /// Whether it is called so.
    pub fn is_of(&self, name: &str) -> bool {
        self.name == name
    }

    /// The release of PUC Lua that it is, if its name is one.
    pub fn own_release(&self) -> Option<Release> {
        Release::parse(&self.name)
    }

    /// What the same release's sources say now, where that is not what they said.
    pub fn differences(&self, now: &Record) -> Vec<String> {
        let mut differences = Vec::new();
        let (name, date) = (&self.name, &self.date);
        if self.numbers != now.numbers {
            differences.push(format!("{name} has another layout than on {date}"));
        }
        if self.release != now.release {
            differences.push(format!("{name} is another release of Lua than on {date}"));
        }
        if (&self.headers, &self.flags) != (&now.headers, &now.flags) {
            differences.push(format!(
                "these are other headers of {name}, or other options, than those of {date}"
            ));
        }
        differences
    }

    /// Its layout. `example` is one of the same family, which has all the names.
    pub fn layout(&self, example: &Layout) -> Result<Layout> {
        let known: usize = example
            .structures
            .iter()
            .map(|part| part.numbers.len())
            .sum();
        let mut structures = Vec::new();
        for part in &example.structures {
            let mut own = Vec::new();
            for &(name, _) in &part.numbers {
                let value = self.numbers.get(part.field).and_then(|part| part.get(name));
                let value = value.with_context(|| {
                    let (field, own) = (part.field, &self.name);
                    format!("{own} has no {field}.{name}: derive it again by --from")
                })?;
                let number = value.as_u64().map(u16::try_from).transpose();
                let number = number.with_context(|| format!("{value} is too large"))?;
                ensure!(
                    number.is_some() || value.is_null(),
                    "{value} in {} is not a number",
                    self.name
                );
                own.push((name, number));
            }
            structures.push(Structure {
                numbers: own,
                ..part.clone()
            });
        }
        let own = self.numbers.values().filter_map(Value::as_object);
        ensure!(
            own.map(Map::len).sum::<usize>() == known,
            "{} has numbers that no layout has: derive it again by --from",
            self.name
        );
        Ok(Layout {
            release: self.name.clone(),
            version: self.release.map(Release::version),
            structures,
        })
    }

    /// Writes it into the repository.
    pub fn write(&self) -> Result<()> {
        let folder = workspace().join(FOLDER);
        fs::create_dir_all(&folder).context("cannot make the folder of what was derived")?;
        let path = folder.join(file_name(&self.name));
        fs::write(&path, self.text()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Its file: JSON with a line for each structure.
    fn text(&self) -> String {
        let release = self.release.map(|release| release.to_string());
        let mut text = String::from("{\n");
        for (key, value) in [
            ("name", Value::from(&*self.name)),
            ("release", Value::from(release)),
            ("derived", Value::from(&*self.date)),
            ("headers", Value::from(&*self.headers)),
            ("flags", Value::from(&*self.flags)),
        ] {
            let _ = writeln!(text, "  \"{key}\": {value},");
        }
        text += "  \"numbers\": {\n";
        let parts = self.numbers.iter();
        let parts = parts.map(|(field, numbers)| format!("    \"{field}\": {numbers}"));
        text += &Vec::from_iter(parts).join(",\n");
        text + "\n  }\n}\n"
    }

    fn read(text: &str) -> Option<Record> {
        let record: Value = serde_json::from_str(text).ok()?;
        let words = |key| Some(record.get(key)?.as_str()?.to_owned());
        let release = match record.get("release")? {
            Value::Null => None,
            release => Some(Release::parse(release.as_str()?)?),
        };
        Some(Record {
            name: words("name")?,
            release,
            date: words("derived")?,
            headers: words("headers")?,
            flags: words("flags")?,
            numbers: record.get("numbers")?.as_object()?.clone(),
        })
    }
}

/// Returns what was derived by `--from`, those of newer releases first.
pub fn records() -> Result<Vec<Record>> {
    let folder = workspace().join(FOLDER);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    let mut records = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let record = Record::read(&text);
        records.push(record.with_context(|| format!("{} is no record", path.display()))?);
    }
    records.sort_by(|a, b| (b.release, &b.name).cmp(&(a.release, &a.name)));
    Ok(records)
}

/// `skynet-1.8.0.json`
fn file_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let words = name.split(|c| !is_plain(c)).filter(|word| !word.is_empty());
    Vec::from_iter(words).join("-").to_lowercase() + ".json"
}

/// The numbers of a layout as JSON.
fn numbers(layout: &Layout) -> Map<String, Value> {
    let parts = layout.structures.iter().map(|part| {
        let numbers = part.numbers.iter();
        let numbers = numbers.map(|&(name, value)| (name.to_owned(), Value::from(value)));
        (part.field.to_owned(), Value::Object(numbers.collect()))
    });
    parts.collect()
}

/// The release that a `lua.h` says it is.
fn release_of(folder: &Path) -> Result<Release> {
    let path = folder.join("lua.h");
    let text = fs::read_to_string(&path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let release = release_in(&text);
    release.with_context(|| format!("{} does not say which release it is", path.display()))
}

fn release_in(text: &str) -> Option<Release> {
    let defined = |name: &str| {
        text.lines().find_map(|line| {
            let rest = line.trim_start().strip_prefix('#')?.trim_start();
            let rest = rest
                .strip_prefix("define")?
                .trim_start()
                .strip_prefix(name)?;
            let value = rest.starts_with([' ', '\t']).then(|| rest.trim())?;
            Some(value.split("/*").next()?.trim().trim_matches('"'))
        })
    };
    // 5.1 has the whole in one, as "Lua 5.1.5", its first release as "Lua 5.1"; 5.5 has numbers with
    // names of their own.
    let whole = ["LUA_RELEASE", "LUA_VERSION"].iter().find_map(|name| {
        let number = defined(name)?.strip_prefix("Lua ")?;
        Release::parse(number.split_whitespace().next()?)
    });
    if whole.is_some() {
        return whole;
    }
    let number = |name: &str| {
        defined(&format!("{name}_N"))
            .or_else(|| defined(name))?
            .parse()
            .ok()
    };
    Some(Release(
        number("LUA_VERSION_MAJOR")?,
        number("LUA_VERSION_MINOR")?,
        number("LUA_VERSION_RELEASE")?,
    ))
}

/// Splits the options for a compiler at blanks.
fn flags(text: &str) -> Result<Vec<String>> {
    let flags: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let is_plain = |flag: &String| flag.starts_with('-') && !flag.contains(['"', '\'', '\\']);
    ensure!(
        flags.iter().all(is_plain),
        "{text}: options begin with -, and have no quotes"
    );
    Ok(flags)
}

/// The options that say what is compiled. Where headers lie (`-I`) is another place on each machine.
fn kept(flags: &[String]) -> String {
    let kept = flags.iter().filter(|flag| !flag.starts_with("-I"));
    kept.map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_of_this_machine_is_kept() {
        let flags = flags("-DLUAJIT_ENABLE_GC64 -I/home/me/include -O1").expect("options");
        assert_eq!(kept(&flags), "-DLUAJIT_ENABLE_GC64 -O1");
    }

    #[test]
    fn releases_are_told_from_headers_of_all_versions() {
        let old = "#define LUA_VERSION\t\"Lua 5.1\"\n#define LUA_RELEASE\t\"Lua 5.1.1\"\n";
        assert_eq!(release_in(old), Some(Release(5, 1, 1)));
        assert_eq!(
            release_in("#define LUA_RELEASE \"Lua 5.1\""),
            Some(Release(5, 1, 0))
        );
        let new = "#define LUA_VERSION_MAJOR\t\"5\"\n#define LUA_VERSION_MINOR\t\"3\"\n\
                   #define LUA_VERSION_RELEASE\t\"4\"  /* x */\n\
                   #define LUA_RELEASE\tLUA_VERSION \".\" LUA_VERSION_RELEASE\n";
        assert_eq!(release_in(new), Some(Release(5, 3, 4)));
        let newest = "#define LUA_VERSION_MAJOR_N\t5\n#define LUA_VERSION_MINOR_N\t5\n\
                      #define LUA_VERSION_RELEASE_N\t0\n";
        assert_eq!(release_in(newest), Some(Release(5, 5, 0)));
        assert_eq!(release_in("#define LUA_VERSION_MAJOR 5"), None);
    }

    #[test]
    fn names_make_files() {
        assert_eq!(file_name("skynet 1.8.0"), "skynet-1.8.0.json");
        assert_eq!(
            file_name("Tarantool's LuaJIT (2.10)"),
            "tarantool-s-luajit-2.10.json"
        );
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        for record in records().expect("the records") {
            assert_eq!(Record::read(&record.text()), Some(record));
        }
    }
}
