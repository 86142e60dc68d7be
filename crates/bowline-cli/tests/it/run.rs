//! `bowline run`: connectors that run.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    connectors::{Bench, METER},
    support::{Bowline, command, complaint, run},
    tools::TOOLS,
};

#[test]
fn each_event_is_a_line_and_a_signal_closes_the_link_in_order() {
    let bench = Bench::new();
    let mut meter = bench.run(&["--stream"]);
    meter.until("meter started");
    meter.until("meter link 0 connecting");
    meter.until("meter link 0 open");
    meter.until("meter value 10 State Open");
    meter.until("meter in 0 text ready");
    meter.until("meter value 20 Reading ready l");
    bench.said(&["set", "meter", "Greet"]);
    meter.until("meter out 0 text hello");
    meter.until("meter in 0 text hi there");
    let rest = meter.stop();
    assert!(rest.contains("meter link 0 closed\n"), "{rest}");
    assert!(
        rest.contains("meter value 10 State Closed [critical]\n"),
        "{rest}"
    );
    assert!(rest.ends_with(" meter stopped\n"), "{rest}");
}

#[test]
fn the_messages_are_written_only_when_asked_for() {
    let bench = Bench::new();
    let mut meter = bench.run(&[]);
    let lines = meter.until("meter value 20 Reading ready l");
    assert!(
        !lines.iter().any(|line| line.contains(" in ")),
        "{lines:#?}"
    );
    assert!(!meter.stop().contains(" in "));
}

#[test]
fn events_are_json_objects_when_asked_for() {
    let bench = Bench::new();
    let mut meter = bench.run(&["--json", "--stream"]);
    let mut seen = Vec::new();
    loop {
        let event: Value = serde_json::from_str(&meter.0.line()).unwrap();
        assert_eq!(event["element"], "meter");
        assert!(event["time"].as_str().unwrap().ends_with('Z'));
        let is_last = event["what"] == "value" && event["parameter"] == 20;
        seen.push(event);
        if is_last {
            break;
        }
    }
    assert_eq!(seen[0]["what"], "started");
    let state = seen.iter().find(|event| event["parameter"] == 10).unwrap();
    assert_eq!(
        (&state["value"], &state["label"], &state["alarm"]),
        (&json!(1), &json!("Open"), &json!("normal"))
    );
    let message = seen.iter().find(|event| event["what"] == "in").unwrap();
    let expected = (&json!(0), &json!("text"), &json!("ready"), &json!(5));
    let got = (
        &message["link"],
        &message["kind"],
        &message["data"],
        &message["length"],
    );
    assert_eq!(got, expected);
    assert_eq!(seen.last().unwrap()["units"], "l");
    meter.stop();
}

#[test]
fn a_folder_of_elements_runs_side_by_side() {
    let bench = Bench::new();
    bench.element("elements/one.toml", "north");
    bench.element("elements/two.toml", "south");
    let folder = bench.text_path("elements");
    let mut elements = bench.run_with(&[&folder]);
    let mut open = 0;
    while open < 2 {
        let line = elements.0.line();
        assert_ne!(line, "");
        let is_open = [" north link 0 open", " south link 0 open"];
        open += usize::from(is_open.iter().any(|end| line.ends_with(end)));
    }
    bench.said(&["set", "north", "Mode", "Busy"]);
    assert_eq!(bench.said(&["get", "north", "Mode"]), "Busy\n");
    assert_eq!(bench.said(&["get", "south", "Mode"]), "\n");
    let rest = elements.stop();
    assert!(rest.contains(" north stopped") && rest.contains(" south stopped"));
}

#[test]
fn a_saved_value_survives_a_kill_and_only_where_saving_is_wanted() {
    let bench = Bench::new();
    let mut meter = bench.run(&[]);
    meter.until("meter link 0 open");
    bench.said(&["set", "meter", "Greeting", "good day"]);
    meter.0.signal("KILL");
    meter.0.wait();
    let mut meter = bench.run(&[]);
    meter.until("meter value 30 Greeting good day");
    meter.stop();
    let mut meter = bench.run(&["--no-save"]);
    meter.until("meter value 30 Greeting hello");
    bench.said(&["set", "meter", "Greeting", "not kept"]);
    meter.stop();
    let mut meter = bench.run(&[]);
    meter.until("meter value 30 Greeting good day");
    meter.stop();
}

#[test]
fn a_lost_device_is_told_and_comes_back() {
    let mut bench = Bench::new();
    let mut meter = bench.run(&[]);
    meter.until("meter value 10 State Open");
    bench.stop_device();
    let before = meter.until("meter value 10 State Closed [critical]");
    let is_told = before.iter().any(|line| line.contains(" ended: "));
    assert!(is_told, "{before:#?}");
    let table = bench.said(&["get"]);
    assert!(table.contains(" Closed [critical]"), "{table}");
    bench.start_device();
    meter.until("meter value 10 State Open");
    meter.stop();
}

#[test]
fn data_is_kept_with_that_of_the_user_unless_a_folder_is_named() {
    let bench = Bench::new();
    let mut run = command(&["run", &bench.text_path("meter.xml")]);
    run.env("XDG_DATA_HOME", bench.path("share"));
    let mut meter = Bowline::spawn(run);
    meter.line_with(" meter started");
    assert!(bench.path("share/bowline/control.sock").exists());
    assert!(bench.path("share/bowline/parameters.db").exists());
    meter.signal("INT");
    assert_eq!(meter.wait().code(), Some(0));
}

#[test]
fn a_folder_is_for_one_process() {
    let bench = Bench::new();
    let mut meter = bench.run(&[]);
    meter.until("meter started");
    let second = bench.command(&["run", &bench.text_path("meter.xml")]);
    let told = complaint(&second);
    assert_eq!(second.status.code(), Some(1), "{told}");
    let pid = meter.0.id().to_string();
    assert!(told.contains(&format!("in use by process {pid}")), "{told}");
    meter.stop();
}

#[test]
fn a_data_folder_with_a_long_path_is_refused() {
    let bench = Bench::new();
    let long = bench.text_path(&"x".repeat(100));
    let output = run(&["run", &bench.text_path("meter.xml"), "--data", &long]);
    let told = complaint(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("the system lets a socket have"), "{told}");
}

#[test]
fn wrong_files_are_explained_and_nothing_starts() {
    let bench = Bench::new();
    let broken = METER.replace("<Type>http</Type>", "<Type>http</Tpye>");
    let broken = bench.write("broken.xml", &broken);
    let unknown = bench.write(
        "unknown.toml",
        "connector = \"meter.xml\"\nname = \"m\"\nendpoint = 1\n",
    );
    let misfit = bench.write(
        "misfit.toml",
        "connector = \"meter.xml\"\n[links.7]\nport = 80\n",
    );
    let missing = bench.text_path("missing.xml");
    let cases = [
        (&broken, 12, "broken.xml:6:"),
        (&unknown, 12, "endpoint is not a setting"),
        (&misfit, 12, "there is no connection 7"),
        (&missing, 1, "missing.xml: No such file"),
    ];
    for (file, code, expected) in cases {
        let output = bench.command(&["run", file]);
        let told = complaint(&output);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(expected), "{told}");
        assert!(output.stdout.is_empty());
    }
    let twice = bench.element("a.toml", "same");
    let output = bench.command(&["run", &twice, &twice]);
    assert!(complaint(&output).contains("two elements are called \"same\""));
    let output = bench.command(&["run", &twice, &twice, "--endpoint", "ws://a/"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_element_may_be_run_with_another_connector_file() {
    let bench = Bench::new();
    let element = bench.element("elements/m.toml", "named");
    fs::rename(bench.path("meter.xml"), bench.path("moved.xml")).unwrap();
    let moved = bench.text_path("moved.xml");
    let mut meter = bench.run_with(&[&moved, "--element", &element]);
    meter.until("named link 0 open");
    meter.stop();
}

/// Runs the meter at a terminal of its own.
fn at_a_terminal(bench: &Bench, steps: &Value) -> Value {
    let driver = include_str!("terminal/driver.py");
    let meter = bench.text_path("meter.xml");
    let mut driver = Command::new(TOOLS.python())
        .args(["-c", driver, env!("CARGO_BIN_EXE_bowline"), "run"])
        .args([&*meter, "--endpoint", &bench.url, "--data", &bench.data()])
        .env_clear()
        .envs([("TERM", "xterm"), ("PATH", "/usr/bin:/bin")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = driver.stdin.take().unwrap();
    input.write_all(steps.to_string().as_bytes()).unwrap();
    drop(input);
    let output = driver.wait_with_output().unwrap();
    assert!(output.status.success(), "the driver says why");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&seen["code"], &seen["echoes"]), (&json!(0), &json!(true)));
    seen
}

#[test]
fn a_terminal_shows_a_live_table_in_which_values_are_set_and_buttons_pressed() {
    let bench = Bench::new();
    let steps = json!([
        ["see", "ready"],
        // The last row is the button; pressing it makes the device answer.
        ["type", "\u{1b}[F\r"],
        ["see", "hi"],
        ["see", "there"],
        // Two above is the greeting that people set.
        ["type", "\u{1b}[A\u{1b}[A\r"],
        ["see", "_"],
        ["type", "a secret\r"],
        ["see", "set"],
        ["type", "\u{1b}[B\u{1b}[B\r"],
        ["see", "well"],
        ["see", "done"],
        // The choices of a discreet.
        ["type", "\u{1b}[A\r\t\t\r"],
        ["see", "Busy"],
        ["type", "s"],
        ["see", "secret"],
        ["see", "well"],
        ["type", "q"],
    ]);
    at_a_terminal(&bench, &steps);
}

#[test]
fn a_terminal_follows_its_size_and_is_left_as_it_was_at_the_end() {
    let bench = Bench::new();
    let steps = json!([
        ["see", "ready"],
        ["resize", [12, 40]],
        ["see", "arrows"],
        ["type", "r"],
        ["see", "anew"],
        ["signal", "TERM"],
    ]);
    let seen = at_a_terminal(&bench, &steps);
    let output = seen["output"].as_str().unwrap();
    assert!(output.contains("\u{1b}[?1049l"), "the table is gone");
}
