use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::{
    hooks::{Operation, Values},
    machine::Value,
    plan::{ParameterId, TriggerId},
};

struct Table(BTreeMap<ParameterId, Value>);

impl Values for Table {
    fn value(&self, parameter: ParameterId) -> Option<Value> {
        self.0.get(&parameter).cloned()
    }

    fn all(&self) -> Vec<(ParameterId, Value)> {
        self.0.clone().into_iter().collect()
    }
}

fn bytes(text: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(text))
}

fn run(source: &str) -> Result<Vec<Operation>, String> {
    let table = Table(BTreeMap::from([
        (
            ParameterId(1),
            bytes(br#"{"tank":{"level":3.5,"name":"A"},"ids":[1,null,true]}"#),
        ),
        (ParameterId(2), Value::Number(7.0)),
        (ParameterId(3), bytes(b"\xff\x00")),
        (ParameterId(4), Value::Empty),
    ]));
    let script = Script::compile("test.rhai", source).map_err(|error| error.to_string())?;
    let mut call = HookCall::new(ParameterId(1), Some(MessageKind::Text), &table);
    let ran = script.run(&mut call).map_err(|error| error.to_string());
    ran.map(|()| call.into_operations())
}

fn set(parameter: u32, value: Value) -> Operation {
    Operation::Set(ParameterId(parameter), value)
}

#[test]
fn a_script_reads_sets_fires_and_logs() {
    let operations = run(r#"
        let json = parse_json(text(parameter));
        set(2, json.tank.level * 2);
        set(4, bytes(3));
        set(3, json.tank.name + kind);
        set(4, get(2) > 6.9);
        fire(53);
        log("level " + json.tank.level);
        set(4, ());
        set(4, to_json(json.ids));
    "#);
    let expected = vec![
        set(2, Value::Number(7.0)),
        set(4, bytes(b"\xff\x00")),
        set(3, bytes(b"Atext")),
        set(4, Value::Number(1.0)),
        Operation::Fire(TriggerId(53)),
        Operation::Log("level 3.5".into()),
        set(4, Value::Empty),
        set(4, bytes(b"[1,null,true]")),
    ];
    assert_eq!(operations.unwrap(), expected);
}

#[test]
fn a_script_sees_what_it_has_set() {
    let operations = run("set(4, 1); set(4, get(4) + 1); set(4, text(4));").unwrap();
    assert_eq!(operations.last(), Some(&set(4, bytes(b"2"))));
}

#[test]
fn errors_name_the_script_and_the_line() {
    let cases = [
        ("let x = ;", "line 1"),
        ("\n\nunknown", "line 3"),
        ("set(99, 1)", "parameter 99"),
        ("get(-1)", "no parameter -1"),
        ("\nset(2, [1])", "line 2"),
        ("parse_json(\"{\")", "JSON"),
        ("throw \"enough\"", "enough"),
        ("import \"x\" as x;", "line 1"),
        ("eval(\"1\")", "eval"),
    ];
    for (source, expected) in cases {
        let error = run(source).unwrap_err();
        assert!(error.contains("test.rhai"), "{source}: {error}");
        assert!(error.contains(expected), "{source}: {error}");
    }
}

#[test]
fn what_a_failed_script_did_takes_no_effect() {
    let script = Script::compile("test.rhai", "set(1, 1); fire(2); throw 1;").unwrap();
    let table = Table(BTreeMap::from([(ParameterId(1), Value::Empty)]));
    let mut call = HookCall::new(ParameterId(1), None, &table);
    assert!(script.run(&mut call).is_err());
    assert_eq!(call.into_operations(), []);
}

#[test]
fn a_script_cannot_run_away() {
    let cases = [
        "loop { }",
        "fn f(n) { f(n + 1) } f(0)",
        "let s = \"x\"; loop { s += s; }",
        "let a = [1]; loop { a += a; }",
        "let b = blob(10); loop { b += b; }",
        "loop { set(4, 1); }",
        "let s = \"x\"; s.pad(1000000000, \"x\");",
        "let a = []; a.pad(1000000000, 1);",
    ];
    for source in cases {
        assert!(run(source).is_err(), "{source}");
    }
}
