//! From the paths of source files to their owners, as people name them: a plugin, a rock, a folder.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use rustc_hash::FxHashSet;

/// In these folders each folder or file is a plugin of its own. In lower case.
const PLUGINS: [&[u8]; 8] = [
    b"addons",
    b"extensions",
    b"mods",
    b"modules",
    b"plugins",
    b"service",
    b"services",
    b"packages",
];
/// These names of folders say nothing: the folder below is named as well.
const PLAIN: [&[u8]; 7] = [
    b"app", b"lib", b"libs", b"lua", b"scripts", b"source", b"src",
];
/// The folders of plugin managers for Vim and Neovim that have plugins right in them.
const VIM_PLUGINS: [&[u8]; 3] = [b"bundle", b"lazy", b"plugged"];
/// In this folder each module is a library of its own.
const RESTY: &[u8] = b"resty";
/// Neovim's own files.
const RUNTIME: &[u8] = b"nvim/runtime";

/// The owner of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PathOwner {
    /// Its name.
    pub(crate) name: Vec<u8>,
    /// The file's own name, if the owner is a folder of which nothing else is known. Of a folder with one file
    /// the file is named.
    pub(crate) file: Option<Vec<u8>>,
}

/// A path of a source file, in parts.
#[derive(Clone, Debug)]
pub(crate) struct SourcePath<'a> {
    parts: Vec<&'a [u8]>,
    /// Whether it begins at the root of the file system, or its beginning is not known.
    is_absolute: bool,
}

impl<'a> SourcePath<'a> {
    /// Takes a path apart, at slashes of both kinds. The name of a folder that was cut is left out.
    pub(crate) fn new(path: &'a [u8], is_cut: bool) -> Result<SourcePath<'a>, BuildError> {
        let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
        let mut parts = Vec::new();
        for part in path.split(is_separator) {
            if !matches!(part, b"" | b".") {
                push(&mut parts, part)?;
            }
        }
        let has_drive = matches!(path, [_, b':', ..]);
        if is_cut && parts.len() > 1 {
            parts.remove(0);
        }
        if parts.is_empty() {
            push(&mut parts, path)?;
        }
        Ok(SourcePath {
            parts,
            is_absolute: is_cut || has_drive || path.first().is_some_and(is_separator),
        })
    }

    /// Returns how many of the last parts are the name of a loaded module (`game.world` in
    /// `src/game/world.lua`), most of them if there are several such names, and that name.
    pub(crate) fn module<'m>(
        &self,
        modules: &FxHashSet<&'m [u8]>,
    ) -> Result<Option<(usize, &'m [u8])>, BuildError> {
        let count = self.parts.len();
        let file = stem(self.parts[count - 1]);
        for first in 0..count {
            for separator in [b'.', b'/'] {
                let folders = &self.parts[first..count - 1];
                let mut name = joined(folders, separator)?;
                // `game/init.lua` is `game`, though somebody may ask for `game.init`.
                let is_first = file == b"init" && !name.is_empty();
                if is_first && let Some(&module) = modules.get(&name[..]) {
                    return Ok(Some((count - first, module)));
                }
                if !name.is_empty() {
                    push(&mut name, separator)?;
                }
                name.try_reserve(file.len())?;
                name.extend_from_slice(file);
                if let Some(&module) = modules.get(&name[..]) {
                    return Ok(Some((count - first, module)));
                }
            }
        }
        Ok(None)
    }

    /// Returns all but the last `count` parts: where a module of so many parts was looked for.
    pub(crate) fn root(&self, count: usize) -> Result<Vec<u8>, BuildError> {
        self.start(self.parts.len() - count)
    }

    fn start(&self, count: usize) -> Result<Vec<u8>, BuildError> {
        let mut start = Vec::new();
        push(&mut start, if self.is_absolute { b'/' } else { b'.' })?;
        let folders = joined(&self.parts[..count], b'/')?;
        start.try_reserve(folders.len())?;
        start.extend_from_slice(&folders);
        Ok(start)
    }

    /// Returns the owner. `module` is the number of parts that are the name of a loaded module, and `roots`
    /// has the [roots](Self::root) of such modules.
    pub(crate) fn owner(
        &self,
        module: Option<usize>,
        roots: &FxHashSet<Vec<u8>>,
    ) -> Result<PathOwner, BuildError> {
        let parts = &self.parts[..];
        if let Some(name) = vim_owner(parts, self.is_absolute) {
            return named(name);
        }
        let below = match below_known_root(parts).or(module.map(|count| parts.len() - count)) {
            Some(first) => Some((first, true)),
            None => self.below_root(roots)?.map(|first| (first, false)),
        };
        if let Some((first, is_module)) = below {
            return below_root(&parts[first..], is_module);
        }
        if let Some(owner) = plugin(parts)? {
            return Ok(owner);
        }
        if let [file] = parts {
            return named(file);
        }
        let (name, file) = match self.is_absolute {
            true => (parts[parts.len() - 2], parts[parts.len() - 1].to_vec()),
            false => (parts[0], joined(parts, b'/')?),
        };
        Ok(PathOwner {
            file: Some(file),
            ..named(name)?
        })
    }

    /// Returns where the path goes on below the deepest root.
    fn below_root(&self, roots: &FxHashSet<Vec<u8>>) -> Result<Option<usize>, BuildError> {
        for count in (0..self.parts.len()).rev() {
            if roots.contains(&self.start(count)?) {
                return Ok(Some(count));
            }
        }
        Ok(None)
    }
}

/// Returns the owner of a module, which has no source: the first part of its name.
pub(crate) fn owner_of_module(name: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| matches!(byte, b'.' | b'/');
    let first = name.split(is_end).find(|part| !part.is_empty());
    first.unwrap_or(name)
}

/// Returns the plugin of Vim or Neovim to which a file belongs.
fn vim_owner<'a>(parts: &[&'a [u8]], is_absolute: bool) -> Option<&'a [u8]> {
    // Neovim has some files of its runtime in itself: `vim/shared.lua`.
    if let ([b"vim", _, ..], false) = (parts, is_absolute) {
        return Some(RUNTIME);
    }
    let mut windows = (0..parts.len()).map(|first| &parts[first..]);
    windows.find_map(|parts| match parts {
        [b"pack", _, b"start" | b"opt", plugin, _, ..] => Some(*plugin),
        [folder, plugin, _, ..] if VIM_PLUGINS.contains(folder) => Some(*plugin),
        [nvim, b"runtime", _, ..] if nvim.starts_with(b"nvim") => Some(RUNTIME),
        // A plugin elsewhere: `telescope.nvim/lua/telescope/init.lua`.
        [plugin, b"lua", _, ..] if is_vim_plugin(plugin) => Some(*plugin),
        _ => None,
    })
}

fn is_vim_plugin(folder: &[u8]) -> bool {
    folder.ends_with(b".nvim") || folder.ends_with(b".vim") || folder.starts_with(b"nvim")
}

/// Returns where a path goes on below a folder in which modules are looked for everywhere.
fn below_known_root(parts: &[&[u8]]) -> Option<usize> {
    (0..parts.len())
        .rev()
        .find_map(|first| match &parts[first..] {
            [b"lualib", _, ..] => Some(first + 1),
            [b"lua", version, _, ..] if is_version(version) => Some(first + 2),
            [b"share", luajit, _, ..] if luajit.starts_with(b"luajit-") => Some(first + 2),
            _ => None,
        })
}

/// Whether it is the version of a Lua: `5.4`.
fn is_version(name: &[u8]) -> bool {
    matches!(name, [b'5', b'.', minor] if minor.is_ascii_digit())
}

/// Returns the owner of a file by its path below a root.
fn below_root(parts: &[&[u8]], is_module: bool) -> Result<PathOwner, BuildError> {
    if let Some(owner) = plugin(parts)? {
        return Ok(owner);
    }
    match parts {
        [file] if is_module => named(stem(file)),
        [file] => named(file),
        [folder, next, ..] if *folder == RESTY => joined_name(&[folder, stem(next)], b'.'),
        [folder, next, ..] if PLAIN.contains(folder) => joined_name(&[folder, stem(next)], b'/'),
        [folder, ..] => named(folder),
        [] => named(b""),
    }
}

/// Returns the owner of a file in a folder of plugins, and that folder: `plugins/chat`.
fn plugin(parts: &[&[u8]]) -> Result<Option<PathOwner>, BuildError> {
    let is_folder = |folder: &&[u8]| {
        let is = |name: &&[u8]| name.eq_ignore_ascii_case(folder);
        PLUGINS.iter().any(is)
    };
    let folders = &parts[..parts.len().saturating_sub(1)];
    match folders.iter().rposition(is_folder) {
        None => Ok(None),
        Some(at) => joined_name(&[parts[at], stem(parts[at + 1])], b'/').map(Some),
    }
}

/// Returns a file's name without its end.
fn stem(file: &[u8]) -> &[u8] {
    const ENDS: [&[u8]; 4] = [b".lua", b".luac", b".ljbc", b".fnl"];
    let end = ENDS.iter().find_map(|end| file.strip_suffix(*end));
    end.filter(|stem| !stem.is_empty()).unwrap_or(file)
}

fn named(name: &[u8]) -> Result<PathOwner, BuildError> {
    joined_name(&[name], b'/')
}

fn joined_name(parts: &[&[u8]], separator: u8) -> Result<PathOwner, BuildError> {
    Ok(PathOwner {
        name: joined(parts, separator)?,
        file: None,
    })
}

fn joined(parts: &[&[u8]], separator: u8) -> Result<Vec<u8>, BuildError> {
    let mut name = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        name.try_reserve(part.len() + 1)?;
        if at > 0 {
            name.push(separator);
        }
        name.extend_from_slice(part);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The owner of a file, where these modules are loaded from files of their own.
    fn owner(path: &str, modules: &[&str]) -> (String, Option<String>) {
        let is_cut = path.starts_with("...");
        let path = path.strip_prefix("...").unwrap_or(path);
        let path = SourcePath::new(path.as_bytes(), is_cut).unwrap();
        let names = modules.iter().map(|name| name.as_bytes()).collect();
        let module = path.module(&names).unwrap().map(|of| of.0);
        // The roots of files of the same project.
        let roots = [".", "/srv/app", ".src"];
        let roots = roots.iter().map(|root| root.as_bytes().to_vec()).collect();
        let PathOwner { name, file } = path.owner(module, &roots).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(name), file.map(text))
    }

    #[test]
    fn files_belong_to_what_people_call_them() {
        for (path, expected) in [
            ("main.lua", "main.lua"),
            ("./main.lua", "main.lua"),
            ("./plugins/foo/init.lua", "plugins/foo"),
            ("./plugins/foo.lua", "plugins/foo"),
            (".\\plugins\\foo\\init.lua", "plugins/foo"),
            ("C:\\Games\\Interface\\AddOns\\Bag\\core.lua", "AddOns/Bag"),
            ("/usr/share/lua/5.1/socket.lua", "socket"),
            ("/usr/share/lua/5.1/socket/http.lua", "socket"),
            (
                "/usr/local/share/lua/5.1/kong/plugins/acl/handler.lua",
                "plugins/acl",
            ),
            ("/usr/local/share/lua/5.1/kong/runloop/x.lua", "kong"),
            ("/usr/share/luajit-2.1/jit/bc.lua", "jit"),
            (
                "/usr/local/openresty/lualib/resty/lrucache.lua",
                "resty.lrucache",
            ),
            (
                "/usr/local/openresty/lualib/resty/lrucache/pureffi.lua",
                "resty.lrucache",
            ),
            ("./lualib/skynet/queue.lua", "skynet"),
            ("./service/launcher.lua", "service/launcher"),
            (
                "/h/.local/share/nvim/site/pack/x/start/telescope.nvim/lua/telescope/init.lua",
                "telescope.nvim",
            ),
            (
                "/h/.local/share/nvim/lazy/plenary.nvim/plugin/plenary.lua",
                "plenary.nvim",
            ),
            ("/usr/share/nvim/runtime/lua/vim/lsp.lua", "nvim/runtime"),
            ("vim/shared.lua", "nvim/runtime"),
            ("...x.nvim/lua/telescope/a.lua", "telescope"),
            ("/srv/app/game/world.lua", "game"),
            ("/srv/app/server.lua", "server.lua"),
            ("src/world/map.lua", "world"),
            ("lib/world/map.lua", "lib/world"),
        ] {
            assert_eq!(owner(path, &[]).0, expected, "{path}");
        }
    }

    #[test]
    fn loaded_modules_say_where_their_names_begin() {
        assert_eq!(owner("/opt/x/a/b/c.lua", &["b.c"]).0, "b");
        assert_eq!(owner("/opt/x/a/b/c.lua", &["b.c", "a.b.c"]).0, "a");
        assert_eq!(owner("/opt/x/a/b/init.lua", &["a/b"]).0, "a");
        assert_eq!(owner("/opt/x/c.lua", &["c"]).0, "c");
        assert_eq!(owner("...opt/x/world.lua", &["x.world"]).0, "x");
    }

    #[test]
    fn a_folder_alone_is_the_owner_of_the_last_resort() {
        let folder = |name: &str, file: &str| (name.to_owned(), Some(file.to_owned()));
        assert_eq!(
            owner("/opt/x/jobs/mail.lua", &[]),
            folder("jobs", "mail.lua")
        );
        assert_eq!(owner("/", &[]).0, "/");
        assert_eq!(owner("...a", &[]).0, "a");
    }

    #[test]
    fn modules_without_source_belong_to_the_first_part_of_their_names() {
        for (name, expected) in [
            ("socket.core", "socket"),
            ("lpeg", "lpeg"),
            ("", ""),
            ("..", ".."),
        ] {
            assert_eq!(owner_of_module(name.as_bytes()), expected.as_bytes());
        }
    }
}
