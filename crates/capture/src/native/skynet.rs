//! What a state is in skynet: a service, or the code that services share.

use crate::native::look::{Look, Seen, SeenCode};

/// `skynet_context`: the offsets of `instance` and `handle`.
const INSTANCE: usize = 0;
const HANDLE: usize = 96;
/// `snlua`, the instance of a service in Lua: the offsets of `L` and `ctx`.
const STATE: usize = 0;
const CONTEXT: usize = 8;

/// What a state is in skynet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Skynet {
    /// A service: its name, once it has one, and its number, where the structures around it are known.
    Service(Option<String>, Option<u32>),
    /// Code of this file, which all services that load it share (`codecache`).
    SharedCode(String),
    /// Where the shared code is found by the names of its files.
    CodeIndex,
}

impl Skynet {
    /// Returns what to call it: a service as its own logs and the debug console do, `agent :0000000a`.
    pub(super) fn name(&self) -> String {
        match self {
            Skynet::Service(..) => {
                let parts = self.parts().into_iter().flatten();
                parts.collect::<Vec<_>>().join(" ")
            }
            Skynet::SharedCode(chunk) => format!("shared code of {chunk}"),
            Skynet::CodeIndex => "index of shared code".to_owned(),
        }
    }

    /// Returns the parts of a service's name: each alone may name it.
    pub(super) fn parts(&self) -> [Option<String>; 2] {
        match self {
            Skynet::Service(name, number) => {
                let name = name.clone().unwrap_or_else(|| "snlua".to_owned());
                [Some(name), number.map(|number| format!(":{number:08x}"))]
            }
            _ => [None, None],
        }
    }
}

/// Returns what a state is in skynet, by the string keys of its registry and its globals, and the chunk on its main
/// thread's stack; `None` if it is nothing there.
pub(super) fn skynet(
    look: &impl Look,
    [registry, globals]: [&[(Vec<u8>, Seen)]; 2],
    main: Option<&SeenCode>,
) -> Option<Skynet> {
    let value = |entries: &[(Vec<u8>, Seen)], name: &[u8]| {
        let found = entries.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| *value)
    };
    if let Some(Seen::Pointer(context)) = value(registry, b"skynet_context") {
        let name = match value(globals, b"SERVICE_NAME") {
            Some(Seen::Text(name)) => look.text(name),
            _ => None,
        };
        let name = name.map(|name| String::from_utf8_lossy(&name).into_owned());
        return Some(Skynet::Service(name, number(look, context)));
    }
    if let Some(code) = main.filter(|code| code.is_shared) {
        let chunk = String::from_utf8_lossy(&code.chunk).into_owned();
        return Some(Skynet::SharedCode(chunk));
    }
    // It has no libraries, and prototypes under the names of their files.
    let is_file = |(key, value): &(Vec<u8>, Seen)| {
        key.ends_with(b".lua") && matches!(value, Seen::Pointer(_))
    };
    let is_index = value(registry, b"_LOADED").is_none() && registry.iter().any(is_file);
    is_index.then_some(Skynet::CodeIndex)
}

/// Returns the number of the service whose context this is, if it and its instance refer to each other and to the state:
/// otherwise its structure is not the one that is known.
fn number(look: &impl Look, context: u64) -> Option<u32> {
    let bytes = look.bytes(context, HANDLE + 4)?;
    let instance = look.bytes(word(&bytes, INSTANCE)?, CONTEXT + 8)?;
    let fits =
        word(&instance, STATE)? == look.main_thread() && word(&instance, CONTEXT)? == context;
    let number = bytes.get(HANDLE..)?.try_into().ok()?;
    fits.then(|| u32::from_ne_bytes(number))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_ne_bytes(word))
}
