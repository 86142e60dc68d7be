//! The helper of `packages/bowline-js` makes the same of a patch as the server.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.roll(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.roll(3)),
            2 => json!(self.roll(2) == 0),
            3 => json!(NAMES[usize::try_from(self.roll(6)).unwrap()]),
            4 => (0..self.roll(5)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.members(depth)),
        }
    }

    fn members(&mut self, depth: u64) -> Map<String, Value> {
        let mut members = Map::new();
        for name in NAMES {
            if self.roll(2) == 0 {
                members.insert(name.to_owned(), self.value(depth - 1));
            }
        }
        members
    }
}

#[test]
fn the_helper_applies_what_the_server_computes() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let cases: Vec<_> = (0..500)
        .map(|_| {
            let (before, after) = (dice.value(4), dice.value(4));
            let patch = json_patch::diff(&before, &after);
            json!([before, patch, after])
        })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/bowline-js");
    let mut node = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .spawn()
        .expect("node starts: run `cargo xtask tools`");
    let mut input = node.stdin.take().unwrap();
    input
        .write_all(json!(cases).to_string().as_bytes())
        .unwrap();
    drop(input);
    assert!(node.wait().unwrap().success());
}

const NAMES: [&str; 6] = ["", "a", "b/c", "~1", "toString", "\u{e9}\u{2103}"];

const SCRIPT: &str = r#"
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { applyPatch } from "./json-patch.js";
const cases = JSON.parse(readFileSync(0, "utf8"));
assert.equal(cases.length, 500);
for (const [before, patch, after] of cases) {
  assert.deepEqual(applyPatch(before, patch), after);
}
"#;
