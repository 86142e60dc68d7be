//! `bowline connect` as a person at a terminal uses it.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    sync::mpsc,
};

use bowline::{CloseCode, Ending, Message};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    server::{serve_messages, serve_one},
    support::Bowline,
    tools::TOOLS,
};

const DRIVER: &str = include_str!("driver.py");

/// What came of a session.
struct Seen {
    output: String,
    code: i64,
    /// Whether the terminal is as it was.
    echoes: bool,
}

/// A person with a home of their own.
struct Person {
    home: TempDir,
}

impl Person {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn connect(&self, args: &[&str], steps: &Value) -> Seen {
        self.connect_at("xterm", args, steps)
    }

    /// Connects at a terminal of a kind.
    fn connect_at(&self, kind: &str, args: &[&str], steps: &Value) -> Seen {
        let mut driver = Command::new(TOOLS.python())
            .args(["-c", DRIVER, env!("CARGO_BIN_EXE_bowline"), "connect"])
            .args(args)
            .env_clear()
            .envs([("TERM", kind), ("PATH", "/usr/bin:/bin")])
            .env("HOME", self.home.path())
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
        Seen {
            output: seen["output"].as_str().unwrap().to_owned(),
            code: seen["code"].as_i64().unwrap(),
            echoes: seen["echoes"].as_bool().unwrap(),
        }
    }
}

impl Seen {
    /// Checks that the program ended in order and left the terminal as it was.
    #[track_caller]
    fn ended_well(&self) -> &str {
        assert_eq!(self.code, 0, "{:?}", self.output);
        assert!(self.echoes, "{:?}", self.output);
        &self.output
    }
}

/// Serves a connection that takes everything, and tells what it got and how it ended.
fn serve_listener() -> (String, mpsc::Receiver<(Vec<Message>, Ending)>) {
    let (done, ended) = mpsc::channel();
    let url = serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        let mut messages = Vec::new();
        while let Some(message) = ws.recv().await {
            messages.push(message);
        }
        done.send((messages, ws.ending().unwrap())).unwrap();
    });
    (url, ended)
}

#[test]
fn lines_are_edited_and_answers_are_coloured_and_ctrl_d_closes() {
    let (_server, url) = Bowline::echo(&[]);
    let steps = json!([
        ["see", "Ctrl-D closes"],
        ["see", "> "],
        // Backspace, and back to the start of the line.
        ["type", "ellox\u{7f}\u{1}h\r"],
        ["see", "\u{1b}[36m< \u{1b}[0mhello\r\n"],
        ["see", "> "],
        ["type", "\u{4}"],
    ]);
    let seen = Person::new().connect(&[&url], &steps);
    assert!(seen.ended_well().contains("connected"));
}

#[test]
fn colours_are_left_out_when_that_is_asked_for() {
    let (_server, url) = Bowline::echo(&[]);
    let steps = json!([
        ["see", "> "],
        ["type", "hello\r"],
        ["see", "< hello\r\n"],
        ["type", "\u{4}"],
    ]);
    let seen = Person::new().connect(&["--color", "never", &url], &steps);
    assert!(!seen.ended_well().contains("\u{1b}[36m"));
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_sends_lines_as_a_pipe_does() {
    let (_server, url) = Bowline::echo(&[]);
    let steps = json!([
        ["see", "connected, compressed\r\n"],
        ["type", "hello\n"],
        ["see", "hello\r\nhello\r\n"],
        ["type", "\u{4}"],
    ]);
    let seen = Person::new().connect_at("dumb", &[&url], &steps);
    assert!(!seen.ended_well().contains('\u{1b}'));
}

#[test]
fn what_arrives_does_not_break_the_line_that_is_being_typed() {
    let trigger = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = trigger.local_addr().unwrap().port();
    let url = serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        trigger.accept().unwrap();
        ws.send("news").await.unwrap();
        let typed = ws.recv().await.unwrap();
        assert_eq!(typed.as_text(), Some("partial"));
        ws.send("whole").await.unwrap();
        while ws.recv().await.is_some() {}
    });
    let steps = json!([
        ["see", "> "],
        ["type", "par"],
        ["see", "par"],
        ["touch", port],
        ["see", "news\r\n"],
        ["see", "> par"],
        ["type", "tial\r"],
        ["see", "whole\r\n"],
        ["type", "\u{4}"],
    ]);
    Person::new().connect(&[&url], &steps).ended_well();
}

#[test]
fn everything_that_arrives_is_written_in_order_whatever_is_typed_meanwhile() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        for round in 0..20 {
            for line in 0..20 {
                ws.send(format!("line {round}.{line}")).await.unwrap();
            }
            let typed = ws.recv().await.unwrap();
            assert_eq!(typed.as_text(), Some("x"));
        }
        ws.send("last").await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let mut steps = vec![json!(["see", "> "])];
    steps.extend((0..20).map(|_| json!(["type", "x\r"])));
    let seen = Person::new().connect(&["--color", "never", &url], &json!(steps));
    let output = seen.ended_well();
    let lines = output.split("< ").skip(1);
    let came: Vec<_> = lines
        .map(|line| line.split("\r\n").next().unwrap())
        .collect();
    let numbers = (0..20).flat_map(|round| (0..20).map(move |line| format!("line {round}.{line}")));
    let expected: Vec<_> = numbers.chain(["last".to_owned()]).collect();
    assert_eq!(came, expected);
}

#[test]
fn earlier_lines_come_back_also_the_next_time() {
    let person = Person::new();
    for (typed, came) in [("alpha\r", "alpha"), ("\u{1b}[A\r", "alpha")] {
        let (_server, url) = Bowline::echo(&[]);
        let steps = json!([
            ["see", "> "],
            ["type", typed],
            ["see", format!("< \u{1b}[0m{came}\r\n")],
            ["type", "\u{4}"],
        ]);
        person.connect(&[&url], &steps).ended_well();
    }
    let history = person.home.path().join(".local/share/bowline/history");
    assert!(fs::read_to_string(&history).unwrap().contains("alpha"));
    let mode = fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "only its owner reads it");
}

#[test]
fn slash_commands_ping_send_binary_explain_and_close() {
    let (url, ended) = serve_listener();
    let steps = json!([
        ["see", "> "],
        ["type", "/help\r"],
        ["see", "/binary HEX"],
        ["type", "/nonsense\r"],
        ["see", "/nonsense is no command"],
        ["type", "/ping\r"],
        ["see", "pong after "],
        ["see", " ms"],
        ["type", "/binary 00 ff\r"],
        ["type", "//slash\r"],
        ["type", "/close 4000 that is all\r"],
    ]);
    Person::new().connect(&[&url], &steps).ended_well();
    let (messages, ending) = ended.recv().unwrap();
    let expected = [Message::binary(vec![0, 255]), Message::text("/slash")];
    assert_eq!(messages, expected);
    assert_eq!(ending.code, CloseCode(4000));
    assert_eq!(&*ending.reason, "that is all");
}

#[test]
fn ctrl_c_closes_in_order() {
    let (url, ended) = serve_listener();
    let steps = json!([["see", "> "], ["type", "half a line\u{3}"]]);
    Person::new().connect(&[&url], &steps).ended_well();
    let (messages, ending) = ended.recv().unwrap();
    assert_eq!(messages, []);
    assert_eq!(ending.code, CloseCode::NORMAL);
    assert!(ending.is_clean());
}

#[test]
fn the_terminal_is_as_it_was_when_the_server_closes() {
    let trigger = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = trigger.local_addr().unwrap().port();
    let url = serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        trigger.accept().unwrap();
        ws.close(CloseCode::GOING_AWAY, "bye").await.unwrap();
    });
    let steps = json!([
        ["see", "> "],
        ["type", "half"],
        ["see", "half"],
        ["touch", port],
        ["see", "1001"],
    ]);
    Person::new().connect(&[&url], &steps).ended_well();
}

#[test]
fn the_terminal_is_as_it_was_when_the_server_closes_instead_of_an_answer() {
    for _ in 0..5 {
        let url = serve_one(async move |stream| {
            let mut ws = bowline::accept(stream).await.unwrap();
            assert_eq!(ws.recv().await.unwrap().as_text(), Some("quit"));
            ws.close(CloseCode::NORMAL, "bye").await.unwrap();
        });
        let steps = json!([
            ["see", "> "],
            ["type", "quit\r"],
            ["see", "closed with 1000"]
        ]);
        Person::new().connect(&[&url], &steps).ended_well();
    }
}

#[test]
fn a_server_does_not_command_the_terminal() {
    let messages = vec![Message::text("before\u{1b}[2Jafter"), Message::text("last")];
    let url = serve_messages(messages, 1000);
    let steps = json!([["see", "last"]]);
    let seen = Person::new().connect(&[&url], &steps);
    assert!(!seen.ended_well().contains("\u{1b}[2J"));
}

#[test]
fn a_server_does_not_command_a_terminal_that_shows_a_pipe() {
    let messages = vec![Message::text("before\u{1b}[2Jafter"), Message::text("last")];
    let url = serve_messages(messages, 1000);
    let steps = json!([["see", "last"]]);
    let seen = Person::new().connect_at("dumb", &[&url], &steps);
    assert!(!seen.ended_well().contains("\u{1b}[2J"));
}
