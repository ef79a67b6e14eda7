//! `luasnap export`.

use crate::files::{answer, town};
use crate::program::{luasnap, output};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

#[test]
fn chrome_gets_every_object() {
    let text = answer(&["export", "1.luasnap"]);
    assert_eq!(
        text,
        answer(&["export", "1.luasnap", "--to", "heapsnapshot"])
    );
    let file: Value = serde_json::from_str(&text).unwrap();
    let info = &file["snapshot"];
    let fields = info["meta"]["node_fields"].as_array().unwrap().len();
    let nodes = file["nodes"].as_array().unwrap().len();
    assert_eq!(info["node_count"], nodes / fields);
    let strings = file["strings"].as_array().unwrap();
    for name in ["House", "person5", "town", "main thread"] {
        assert!(strings.contains(&name.into()), "{name}");
    }
    // Named after its body, though it waits in a C function.
    let is_crier = |name: &Value| name.as_str().unwrap().starts_with("coroutine town.lua:");
    assert!(strings.iter().any(is_crier));
}

#[test]
fn the_other_formats_are_those_of_the_module() {
    let indented = answer(&["export", "1.luasnap", "--to", "json-indented"]);
    let json = answer(&["export", "1.luasnap", "--to", "json"]);
    assert!(json.lines().count() == 1 && indented.lines().count() > 1000);
    let [json, indented] =
        [&json, &indented].map(|text| serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(json, indented);
    assert_eq!(json["link"], "[REGISTRY]");
    let text = answer(&["export", "1.luasnap", "--to", "text"]);
    let head = "                      name\t  refs\t              desc\tlink\n";
    assert!(text.starts_with(head), "{text}");
    assert!(
        text.lines()
            .any(|line| line.ends_with(".town.people.person5")),
        "{text}"
    );
}

#[test]
fn a_file_is_written_or_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = town().join("1.luasnap");
    let export = |to: &str| {
        let mut command = luasnap(folder.path());
        command.arg("export").arg(&snapshot).args(["-o", to]);
        output(command, "")
    };
    let file = folder.path().join("out.heapsnapshot");
    fs::write(&file, "older").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let ran = export("out.heapsnapshot");
    // Others could read the previous file.
    let warning = "luasnap: warning: 'out.heapsnapshot' keeps its mode 644, by which others can read it, \
                   and a heap may have secrets in it: chmod 600 keeps them out\n";
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "", warning)
    );
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        answer(&["export", "1.luasnap"])
    );
    let ran = export("no/such/folder");
    let expected = "luasnap: cannot write 'no/such/folder': No such file or directory\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(125), expected));
    let ran = export("/dev/full");
    let expected = "luasnap: cannot write '/dev/full': No space left on device\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(125), expected));
}
