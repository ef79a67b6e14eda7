//! Running the readers' own code.

use crate::heap::Exported;
use luasnap_format::{FileOptions, write_file, write_heapsnapshot};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What the packages are installed from, and the scripts that use them.
const FILES: [(&str, &str); 5] = [
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
    (".npmrc", include_str!(".npmrc")),
    ("devtools.mjs", include_str!("devtools.mjs")),
    ("memlab.cjs", include_str!("memlab.cjs")),
];
/// The file that records the lock by which the packages were installed.
const INSTALLED: &str = "installed-by.json";

/// Returns what Chrome DevTools computes for a heap, and for its comparison with an earlier one.
pub fn devtools(name: &str, heap: &Exported, earlier: Option<&Exported>) -> Value {
    let mut files = vec![export(name, heap)];
    files.extend(earlier.map(|earlier| export(&format!("{name}-earlier"), earlier)));
    run("devtools.mjs", &files)
}

/// Returns what memlab computes for a heap.
pub fn memlab(name: &str, heap: &Exported) -> Value {
    run("memlab.cjs", &[export(name, heap)])
}

/// Writes a heap to a file of the temporary folder.
fn export(name: &str, heap: &Exported) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.heapsnapshot"));
    write_file(&path, FileOptions::default(), |out| {
        write_heapsnapshot(out, &heap.snapshot)
    })
    .unwrap();
    path
}

fn run(script: &str, files: &[PathBuf]) -> Value {
    let mut command = Command::new("node");
    let output = output(command.arg(script).args(files).current_dir(installed()));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the folder of the scripts, with the packages that they need.
fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in FILES {
            fs::write(folder.join(name), text).unwrap();
        }
        let (_, lock) = FILES[1];
        let stamp = folder.join(INSTALLED);
        if fs::read_to_string(&stamp).ok().as_deref() != Some(lock) {
            output(Command::new("npm").arg("ci").current_dir(&folder));
            fs::write(&stamp, lock).unwrap();
        }
        folder
    })
}

fn output(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: the readers of .heapsnapshot need node and npm")
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    output
}
