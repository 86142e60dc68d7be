//! The quick tour of the README, as it is written there.

use std::{path::Path, process::Command};

use crate::{
    support::{Bowline, command, run},
    tools::TOOLS,
};

const README: &str = include_str!("../../../../README.md");

/// The blocks of the README in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    README
        .split(&start)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The tour's Python script, for the hub at this URL.
pub(crate) fn python(url: &str) -> Command {
    let [script] = blocks("python")[..] else {
        panic!("expected one Python block in the README");
    };
    assert!(script.contains(HUB), "{script}");
    let script = script.replace(HUB, url);
    let mut command = Command::new(TOOLS.python());
    command.args(["-u", "-c", &script]).env("PYTHONUTF8", "1");
    command
}

/// The arguments of every command that the README gives for this program, in its order.
fn commands() -> Vec<Vec<&'static str>> {
    blocks("sh")
        .iter()
        .flat_map(|block| block.lines())
        .filter_map(|line| line.strip_prefix("cargo run --release -- "))
        .map(|arguments| arguments.split(' ').collect())
        .collect()
}

/// Puts a test's server in the place of the one in the README.
fn at<'a>(arguments: &[&'a str], readme: &str, address: &'a str) -> Vec<&'a str> {
    let found = arguments.iter().filter(|argument| **argument == readme);
    assert_eq!(found.count(), 1, "{readme} in {arguments:?}");
    let place = |argument: &&'a str| {
        if *argument == readme {
            address
        } else {
            argument
        }
    };
    arguments.iter().map(place).collect()
}

#[test]
fn the_python_script_sees_the_values_and_switches_the_relay() {
    let (_hub, url) = Bowline::hub(&[]);
    let _device = Bowline::start(&["simulate", "--url", &format!("{url}{BASE}")]);
    let mut script = Bowline::spawn(python(&url));
    let (mut has_temperature, mut is_on) = (false, false);
    while !(has_temperature && is_on) {
        let line = script.line();
        assert_ne!(line, "", "the script ended");
        has_temperature |= line.starts_with("['thermometer/i2c0-48', {'temperature': [");
        is_on |= line == "['relay/i2c0-3b', {'state': True}]";
    }
}

#[test]
fn the_terminal_sends_what_is_typed_and_prints_what_arrives() {
    let (_hub, url) = Bowline::hub(&[]);
    let url = format!("{url}{BASE}");
    let _device = Bowline::start(&["simulate", "--url", &url]);
    let mut terminal = Bowline::start(&at(&commands()[2], &format!("{HUB}{BASE}"), &url));
    terminal.line_with("temperature");
    terminal.type_line(r#"["relay/i2c0-3b/set", {"state": true}]"#);
    terminal.line_with(r#"["relay/i2c0-3b", {"state": true}]"#);
}

#[test]
fn the_echo_server_sends_back_what_is_typed() {
    let commands = commands();
    let (_server, url) = Bowline::serve(&at(&commands[3], "127.0.0.1:9001", "127.0.0.1:0"));
    let mut terminal = Bowline::start(&at(&commands[4], "ws://127.0.0.1:9001/", &url));
    for line in ["hello", "and again"] {
        terminal.type_line(line);
        assert_eq!(terminal.line(), line);
    }
}

#[test]
fn without_arguments_hub_and_device_meet_where_the_tour_says() {
    let commands = commands();
    let names: Vec<_> = commands.iter().map(|arguments| arguments[0]).collect();
    let expected = [
        "serve", "simulate", "connect", "echo", "connect", "run", "serve",
    ];
    assert_eq!(names, expected);
    assert_eq!(commands[..2], [["serve"], ["simulate"]]);
    for (name, address) in [("serve", "127.0.0.1:8080"), ("simulate", HUB)] {
        let help = run(&[name, "--help"]).stdout;
        let help = String::from_utf8_lossy(&help);
        assert!(help.contains(&format!("[default: {address}")), "{help}");
    }
}

#[test]
fn the_connector_of_the_tour_runs_by_itself_and_in_a_hub() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = tempfile::tempdir().unwrap();
    let more = |arguments: &[&str], options: &[&str]| {
        let mut command = command(&[arguments, options].concat());
        command.current_dir(&root).env("BOWLINE_DATA", data.path());
        Bowline::spawn(command)
    };
    let commands = commands();
    let mut element = more(&commands[5], &["--plain"]);
    element.line_with(" handshake-and-endpoint started");
    drop(element);
    let mut hub = more(&commands[6], &["--listen", "127.0.0.1:0"]);
    hub.line_with("listening on http://127.0.0.1:");
}

const HUB: &str = "ws://127.0.0.1:8080/auth/clown-talk-server";
const BASE: &str = "_nodes_bridge_0";
