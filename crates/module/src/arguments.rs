//! Reading the arguments of a call.

use luasnap_capture::{Call, Error, Return};
use luasnap_heap::{Engine, Printable, Snapshot};
use luasnap_words::Language;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::LazyLock;

/// What a function returns or raises.
pub(crate) type Result<T = Return> = std::result::Result<T, Error>;

/// Returns the path given as an argument.
pub(crate) fn path_argument(call: &Call<'_>, number: u32) -> Result<PathBuf> {
    let path = call.string_argument(number)?;
    if path.contains(&0) {
        let reason = "a path cannot contain a zero byte".to_owned();
        return Err(Error::Argument { number, reason });
    }
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}

/// Returns the snapshot given as an argument; an empty one if it was freed.
pub(crate) fn argument(call: &Call<'_>, number: u32) -> Result<Snapshot> {
    static EMPTY: LazyLock<Snapshot> = LazyLock::new(Snapshot::empty);
    Ok(call
        .snapshot_argument(number)?
        .unwrap_or_else(|| EMPTY.clone()))
}

/// Returns the engine chosen by the option `engine`.
pub(crate) fn engine_option(call: &Call<'_>, number: u32) -> Result<Option<Engine>> {
    let Some(name) = call.string_option(number, "engine")? else {
        return Ok(None);
    };
    match engine_named(&name) {
        Some(engine) => Ok(Some(engine)),
        None => Err(Error::Argument {
            number,
            reason: format!("{} {ENGINES}", quoted(&name)),
        }),
    }
}

/// Returns the engine chosen by the environment.
pub(crate) fn engine_of_environment() -> Result<Option<Engine>> {
    let Some(name) = std::env::var_os("LUASNAP_ENGINE").filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    match engine_named(name.as_bytes()) {
        Some(engine) => Ok(Some(engine)),
        None => Err(Error::Message(format!(
            "LUASNAP_ENGINE: {} {ENGINES}",
            quoted(name.as_bytes())
        ))),
    }
}

const ENGINES: &str = "is no engine; there are 'native' and 'portable'";

fn engine_named(name: &[u8]) -> Option<Engine> {
    [Engine::Native, Engine::Portable]
        .into_iter()
        .find(|engine| engine.name().as_bytes() == name)
}

fn quoted(name: &[u8]) -> String {
    format!("'{}'", Printable(name))
}

/// The language under the key `language` of argument `number`, a table: `en` or `zh`; `None` where that is nil.
pub fn language_option(call: &Call<'_>, number: u32) -> Result<Option<Language>> {
    let Some(code) = call.string_option(number, "language")? else {
        return Ok(None);
    };
    let language = Language::from_code(&code);
    language.map(Some).ok_or_else(|| {
        let code = Printable(&code);
        let reason = format!("option 'language' is 'en' or 'zh', got '{code}'");
        Error::Argument { number, reason }
    })
}
