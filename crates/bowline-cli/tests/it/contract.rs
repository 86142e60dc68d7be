//! `bowline run --record` and `bowline test`: a connector tested without its device.

use std::process::Output;

use serde_json::{Value, json};

use crate::{
    connectors::{Bench, METER},
    support::{complaint, run},
};

/// Records a meter that is greeted, and stops the device.
fn recorded() -> Bench {
    let mut bench = Bench::new();
    let record = bench.text_path("talk.jsonl");
    let mut meter = bench.run(&["--record", &record]);
    meter.until("meter value 20 Reading ready l");
    bench.said(&["set", "meter", "Greeting", "hello again"]);
    bench.said(&["set", "meter", "Greet"]);
    meter.until("meter value 20 Reading hi there l");
    meter.stop();
    bench.stop_device();
    bench
}

fn test(bench: &Bench, more: &[&str]) -> Output {
    let meter = bench.text_path("meter.xml");
    let record = bench.text_path("talk.jsonl");
    run(&[&["test", &*meter, "--conversation", &record], more].concat())
}

fn output(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn lines(bench: &Bench) -> Vec<Value> {
    let text = bench.read("talk.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn a_record_holds_what_is_needed_to_play_it_and_passes_without_the_device() {
    let bench = recorded();
    let lines = lines(&bench);
    assert_eq!(lines[0]["conversation"], 1);
    assert_eq!(lines[0]["element"]["name"], "meter");
    let has = |expected: Value| {
        let expected = expected.as_object().unwrap();
        let fits = |line: &&Value| expected.iter().all(|(key, value)| line[key] == *value);
        assert!(
            lines.iter().any(|line| fits(&line)),
            "{expected:?} in {lines:#?}"
        );
    };
    has(json!({"kind": "attempt", "dir": "out", "link": 0, "url": "/"}));
    has(json!({"kind": "open", "link": 0, "status": "HTTP/1.1 101 Switching Protocols"}));
    has(json!({"kind": "text", "dir": "in", "link": 0, "data": "ready"}));
    has(json!({"kind": "set", "parameter": 31, "data": "hello again"}));
    has(json!({"kind": "text", "dir": "out", "link": 0, "data": "hello again"}));
    has(json!({"kind": "value", "parameter": 20, "value": "hi there"}));
    has(json!({"kind": "close", "link": 0, "code": 1000, "class": "normal"}));
    assert_eq!(lines.last().unwrap()["kind"], "end");
    let passed = test(&bench, &[]);
    assert!(passed.status.success(), "{}", complaint(&passed));
    let told = output(&passed);
    assert!(told.ends_with(" as recorded, 0 differences\n"), "{told}");
}

#[test]
fn a_record_is_for_its_owner_and_complete_up_to_a_kill() {
    use std::os::unix::fs::PermissionsExt;

    let bench = Bench::new();
    let record = bench.write("talk.jsonl", "of long ago, for all to read");
    let mut meter = bench.run(&["--record", &record]);
    meter.until("meter value 20 Reading ready l");
    meter.0.signal("KILL");
    meter.0.wait();
    let mode = bench.path("talk.jsonl").metadata().unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let all = bench.read("talk.jsonl");
    let last = lines(&bench).pop().unwrap();
    assert_eq!(
        (&last["kind"], &last["value"]),
        (&json!("value"), &json!("ready"))
    );
    assert!(test(&bench, &[]).status.success());
    // Cut within its last line.
    bench.write("talk.jsonl", all.strip_suffix("y\"}\n").unwrap());
    let cut = test(&bench, &[]);
    assert!(cut.status.success(), "{}{}", output(&cut), complaint(&cut));
}

#[test]
fn a_changed_connector_shows_what_is_different_and_can_be_blessed() {
    let bench = recorded();
    // It greets with the last reading instead.
    let changed = METER.replace(
        "<Content><Param>30</Param></Content>",
        "<Content><Param>20</Param></Content>",
    );
    bench.write("meter.xml", &changed);
    let failed = test(&bench, &[]);
    let told = output(&failed);
    assert_eq!(failed.status.code(), Some(1), "{told}");
    let sent = lines(&bench);
    let sent = sent
        .iter()
        .position(|line| line["dir"] == "out" && line["kind"] == "text");
    let number = sent.unwrap() + 1;
    let first = told.lines().next().unwrap();
    assert!(first.contains(&format!("talk.jsonl:{number}: ")), "{told}");
    assert!(first.contains("connection 0: is different"), "{told}");
    assert!(
        told.contains("\n- text hello again\n+ text ready\n"),
        "{told}"
    );
    assert!(told.ends_with(", 1 differences\n"), "{told}");
    assert!(complaint(&failed).contains("1 differences from the recording"));
    let blessed = test(&bench, &["--bless"]);
    assert!(blessed.status.success(), "{}", complaint(&blessed));
    assert!(test(&bench, &[]).status.success());
    assert!(bench.read("talk.jsonl").contains("\"data\":\"ready\""));
    bench.write("meter.xml", METER);
    assert_eq!(test(&bench, &[]).status.code(), Some(1));
}

#[test]
fn messages_that_are_missing_or_new_do_not_confuse_the_rest() {
    let bench = recorded();
    let without = METER.replace(
        "<Content><Id>3</Id></Content>",
        "<Content><Id>1</Id></Content>",
    );
    bench.write("meter.xml", &without);
    let missing = test(&bench, &[]);
    let told = output(&missing);
    assert_eq!(missing.status.code(), Some(1), "{told}");
    assert!(told.contains("is missing\n- text hello again\n"), "{told}");
    let twice = METER.replace(
        "<Content><Id>3</Id></Content>",
        "<Content><Id>3</Id><Id>3</Id></Content>",
    );
    bench.write("meter.xml", &twice);
    let new = test(&bench, &[]);
    let told = output(&new);
    assert_eq!(new.status.code(), Some(1), "{told}");
    assert!(told.contains("is new\n+ text hello again\n"), "{told}");
    assert!(told.ends_with(", 1 differences\n"), "{told}");
}

#[test]
fn a_value_that_ends_otherwise_is_a_difference() {
    let bench = recorded();
    // What arrives goes nowhere.
    let changed = METER.replace(
        "<Content><Param>20</Param></Content>",
        "<Content><Param>30</Param></Content>",
    );
    bench.write("meter.xml", &changed);
    let failed = test(&bench, &[]);
    let told = output(&failed);
    assert_eq!(failed.status.code(), Some(1), "{told}");
    assert!(
        told.contains("parameter 20 (Reading) at the end: is missing\n- \"hi there\"\n"),
        "{told}"
    );
    assert!(
        told.contains("parameter 30 (Greeting) at the end: is different\n"),
        "{told}"
    );
}

#[test]
fn what_depends_on_the_clock_can_be_ignored() {
    let bench = recorded();
    let record = bench.read("talk.jsonl");
    bench.write(
        "talk.jsonl",
        &record.replace(
            "\"dir\":\"out\",\"kind\":\"text\",\"link\":0,\"data\":\"hello again\"",
            "\"dir\":\"out\",\"kind\":\"text\",\"link\":0,\"data\":\"hello 12:30\"",
        ),
    );
    assert_eq!(test(&bench, &[]).status.code(), Some(1));
    let passed = test(&bench, &["--ignore", "again|[0-9]{2}:[0-9]{2}"]);
    assert!(passed.status.success(), "{}", output(&passed));
    let bad = test(&bench, &["--ignore", "("]);
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn scripts_of_an_element_run_in_a_test_as_they_did_then() {
    let bench = Bench::new();
    let connector = bench.text_path("meter.xml");
    bench.write("upper.rhai", "set(30, text(20).to_upper());");
    let element = format!(
        "connector = \"{connector}\"\n[links.0]\nendpoints = [\"{}\"]\n[[hook]]\nparameter = 20\nscript = \"upper.rhai\"\n",
        bench.url
    );
    let element = bench.write("m.toml", &element);
    let record = bench.text_path("talk.jsonl");
    let mut meter = bench.run_with(&[&element, "--record", &record]);
    meter.until("m value 30 Greeting READY");
    meter.stop();
    for file in [&element, &connector] {
        let passed = run(&["test", file, "--conversation", &record]);
        assert!(
            passed.status.success(),
            "{}{}",
            output(&passed),
            complaint(&passed)
        );
    }
    bench.write("upper.rhai", "set(30, text(20) + \"!\");");
    let failed = run(&["test", &element, "--conversation", &record]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        output(&failed).contains("- \"READY\"\n+ \"ready!\"\n"),
        "{}",
        output(&failed)
    );
}

#[test]
fn wrong_conversations_are_explained_with_their_line() {
    let bench = Bench::new();
    let cases = [
        ("", "line 1: the file is empty"),
        (
            "{\"conversation\":1}\n",
            "line 1: this is no conversation of an element",
        ),
        (
            "{\"conversation\":1,\"element\":{\"name\":\"m\",\"connector\":\"x\",\"settings\":\"\"}}\n{\"t\":0,\"kind\":\"open\"}\n",
            "line 2: link is missing",
        ),
        (
            "{\"conversation\":1,\"element\":{\"name\":\"m\",\"connector\":\"x\",\"settings\":\"\"}}\n{\"t\":1e12,\"kind\":\"tick\"}\n",
            "the record spans more than",
        ),
    ];
    for (text, expected) in cases {
        bench.write("talk.jsonl", text);
        let output = test(&bench, &[]);
        assert_eq!(output.status.code(), Some(1));
        let told = complaint(&output);
        assert!(told.contains(expected), "{text}: {told}");
    }
}

#[test]
fn a_record_can_be_played_to_a_device_too() {
    let mut bench = recorded();
    bench.start_device();
    let record = bench.text_path("talk.jsonl");
    let replayed = run(&["replay", &record, "--connect", &bench.url]);
    let told = complaint(&replayed);
    assert!(replayed.status.success(), "{}{told}", output(&replayed));
    assert!(told.contains("2 messages came as recorded"), "{told}");
}

#[test]
fn several_elements_have_a_record_each() {
    let bench = Bench::new();
    let north = bench.element("elements/one.toml", "north");
    let south = bench.element("elements/two.toml", "south");
    let record = bench.text_path("talk.jsonl");
    let mut elements = bench.run_with(&[&north, &south, "--record", &record]);
    let mut readings = 0;
    while readings < 2 {
        let line = elements.0.line();
        assert_ne!(line, "");
        readings += usize::from(line.ends_with("value 20 Reading ready l"));
    }
    elements.stop();
    let meter = bench.text_path("meter.xml");
    let records = ["talk.north.jsonl", "talk.south.jsonl"].map(|name| bench.text_path(name));
    let [first, second] = &records;
    let passed = run(&["test", &meter, "--conversation", first, second]);
    let told = output(&passed);
    assert!(passed.status.success(), "{told}{}", complaint(&passed));
    assert!(
        told.contains(": north: ") && told.contains(": south: "),
        "{told}"
    );
}
