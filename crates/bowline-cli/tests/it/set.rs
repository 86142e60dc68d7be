//! `bowline set` and `bowline get`: elements of another process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
};

use serde_json::{Value, json};

use crate::{connectors::Bench, support::complaint};

#[test]
fn parameters_go_by_name_description_or_number_and_values_by_label() {
    let bench = Bench::new();
    let mut meter = bench.run(&[]);
    meter.until("meter value 20 Reading ready l");
    let cases = [
        ["Mode", "Busy", "Busy"],
        ["Operating Mode", "0", "Idle"],
        ["32", "1", "Busy"],
        ["operating mode", "Idle", "Idle"],
    ];
    for [parameter, value, shown] in cases {
        let said = bench.said(&["set", "meter", parameter, value]);
        assert_eq!(said, format!("meter 32 Mode {shown}\n"));
        assert_eq!(bench.said(&["get", "meter", "Mode"]), format!("{shown}\n"));
    }
    // The read half of a value and its write half share a name.
    bench.said(&["set", "meter", "Greeting", "good day"]);
    assert_eq!(bench.said(&["get", "meter", "Greeting"]), "good day\n");
    meter.until("meter value 30 Greeting good day");
    meter.stop();
}

#[test]
fn a_button_is_pressed_without_a_value_or_by_its_label() {
    let bench = Bench::new();
    let mut meter = bench.run(&["--stream"]);
    meter.until("meter link 0 open");
    assert_eq!(
        bench.said(&["set", "meter", "Greet"]),
        "meter 33 Greet pressed\n"
    );
    meter.until("meter out 0 text hello");
    bench.said(&["set", "meter", "Say Hello", "Send"]);
    meter.until("meter out 0 text hello");
    meter.stop();
}

#[test]
fn what_cannot_be_set_is_explained() {
    let bench = Bench::new();
    let nobody = bench.command(&["set", "meter", "Mode", "Busy"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(complaint(&nobody).contains("no elements run with the data folder"));
    let mut meter = bench.run(&[]);
    meter.until("meter started");
    let cases: [(&[&str], &str); 7] = [
        (
            &["set", "other", "Mode", "1"],
            "no element \"other\"; there are: meter",
        ),
        (
            &["set", "meter", "Mod", "1"],
            "no parameter \"Mod\"; there is: Mode",
        ),
        (
            &["set", "meter", "Mode"],
            "parameter 32 is no button: give a value",
        ),
        (
            &["set", "meter", "Mode", "Late"],
            "none of the choices of parameter 32: ",
        ),
        (&["set", "meter", "Reading", "x"], "no write parameter"),
        (&["get", "other"], "no element \"other\""),
        (&["get", "meter", "Nothing"], "no parameter \"Nothing\""),
    ];
    for (args, expected) in cases {
        let output = bench.command(args);
        let told = complaint(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {told}");
        assert!(told.contains(expected), "{args:?}: {told}");
    }
    meter.stop();
}

#[test]
fn elements_are_shown_as_a_table_or_as_json() {
    let bench = Bench::new();
    let mut meter = bench.run(&[]);
    meter.until("meter value 20 Reading ready l");
    let table = bench.said(&["get"]);
    assert!(
        table.starts_with("meter ok\n  link 0 open ok ws://"),
        "{table}"
    );
    assert!(table.contains("\n     20 Reading  ready l\n"), "{table}");
    let all: Value = serde_json::from_str(&bench.said(&["get", "--json"])).unwrap();
    assert_eq!(all[0]["name"], "meter");
    let one: Value = serde_json::from_str(&bench.said(&["get", "meter", "--json"])).unwrap();
    assert_eq!(all[0], one);
    assert_eq!(one["links"][0]["state"], "open");
    let state = bench.said(&["get", "meter", "State", "--json"]);
    let state: Value = serde_json::from_str(&state).unwrap();
    let expected = json!([10, 1, "Open", "normal"]);
    let got = json!([state["id"], state["value"], state["text"], state["alarm"]]);
    assert_eq!(got, expected);
    meter.stop();
}

#[test]
fn the_socket_is_for_its_owner_and_gone_at_the_end_and_replaced_after_a_kill() {
    let bench = Bench::new();
    let socket = bench.path("data/control.sock");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let mut meter = bench.run(&[]);
    meter.until("meter started");
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(&bench.path("data")), 0o700);
    meter.0.signal("KILL");
    meter.0.wait();
    assert!(socket.exists());
    let nobody = bench.command(&["get"]);
    assert!(complaint(&nobody).contains("no elements run with the data folder"));
    let mut meter = bench.run(&[]);
    meter.until("meter started");
    bench.said(&["get"]);
    meter.stop();
    assert!(!socket.exists());
}

#[test]
fn nonsense_on_the_socket_is_answered_and_the_next_request_is_heard() {
    let bench = Bench::new();
    let mut meter = bench.run(&[]);
    meter.until("meter link 0 open");
    let mut stream = UnixStream::connect(bench.path("data/control.sock")).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut ask = |line: &str| -> Value {
        writeln!(stream, "{line}").unwrap();
        serde_json::from_str(&replies.next().unwrap().unwrap()).unwrap()
    };
    for nonsense in ["", "{}", "{\"do\":\"fly\"}", "\u{0}", "{\"do\":\"set\"}"] {
        let reply = ask(nonsense);
        let told = reply["error"].as_str().unwrap();
        assert!(told.contains("this is no request"), "{told}");
    }
    let reply = ask(r#"{"do":"reconnect","element":"meter","link":9}"#);
    assert_eq!(reply["error"], "there is no connection 9");
    let reply = ask(r#"{"do":"reconnect","element":"meter","link":0}"#);
    assert_eq!(reply, json!({"done": null}));
    meter.until("meter link 0 open");
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    meter.stop();
}
