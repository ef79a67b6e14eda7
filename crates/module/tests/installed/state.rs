//! Snapshots of everything in a program.

use crate::program::{Program, directory, read, tests};
use serde_json::Value;

crate::each_program!(check);

fn check(program: Program) {
    let folder = directory();
    let source = read(&tests().join("installed/lua/state.lua"));
    let printed = program.run(folder.path(), &source);
    let count: usize = printed.trim_end().parse().expect("the count of objects");
    assert!(count > 100, "{count}");

    // All members of the JSON, and no row lost.
    let text = read(&folder.path().join("state.json"));
    let tree: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(tree["link"], "[REGISTRY]");
    let mut nodes = vec![&tree];
    let mut seen = 0;
    while let Some(node) = nodes.pop() {
        seen += 1;
        assert!(node["refs"].as_u64() > Some(0), "{node}");
        nodes.extend(node["childs"].as_array().expect("children"));
    }
    assert_eq!(seen, count);
    let rows = read(&folder.path().join("state.txt"));
    assert_eq!(rows.lines().count(), count + 1);
}
