//! What `bowline connect` shows and writes.

use std::{
    fs::{self, File},
    io::Write,
    process::Stdio,
};

use bowline::{CloseCode, Message, MessageKind, proto::Fin};
use serde_json::{Value, json};

use crate::{
    server::{serve_messages, serve_one},
    support::{Bowline, command, complaint, run, run_with_input},
};

fn json_lines(output: &[u8]) -> Vec<Value> {
    let lines = output.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn binary_messages_go_in_and_out_in_hex_and_base64() {
    let (_server, url) = Bowline::echo(&[]);
    for (form, line, written) in [
        ("--hex", "00 FF\n", "00ff\n"),
        ("--base64", "AP8=\n", "AP8=\n"),
    ] {
        let output = run_with_input(&["connect", form, &url], line.as_bytes());
        assert_eq!(String::from_utf8_lossy(&output.stdout), written);
        assert_eq!(complaint(&output), "");
    }
    for (form, told) in [
        ("--hex", "line 2 of standard input is not hex"),
        ("--base64", "line 2"),
    ] {
        let output = run_with_input(&["connect", form, &url], b"00==\nxyz\n");
        assert_eq!(output.status.code(), Some(1));
        let said = complaint(&output);
        assert!(said.contains(told) || said.contains("line 1"), "{said}");
    }
}

#[test]
fn every_event_is_an_object_of_json_when_that_is_asked_for() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        ws.send("a\nb").await.unwrap();
        ws.send(Message::binary(vec![0, 255])).await.unwrap();
        ws.ping(b"x").await.unwrap();
        ws.close(CloseCode(4001), "no \"more\"").await.unwrap();
    });
    let output = run(&["connect", "--json", "--after-eof", "wait", &url]);
    assert_eq!(output.status.code(), Some(5));
    let mut events = json_lines(&output.stdout);
    for event in &mut events {
        let time = event["time"].take();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    }
    // The ping may pass the messages.
    events.retain(|event| event["event"] != "ping" || event["data"] != "eA==");
    let kinds: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(kinds, ["open", "message", "message", "close", "failure"]);
    assert_eq!(events[0]["compressed"], true);
    assert_eq!(
        (&events[1]["kind"], &events[1]["data"]),
        (&json!("text"), &json!("a\nb"))
    );
    assert_eq!(
        (&events[2]["kind"], &events[2]["data"]),
        (&json!("binary"), &json!("AP8="))
    );
    assert_eq!(events[3]["code"], 4001);
    assert_eq!(events[3]["reason"], "no \"more\"");
    assert_eq!(events[3]["clean"], true);
    assert_eq!(events[4]["exit_code"], 5);
}

#[test]
fn times_stand_before_the_messages() {
    let (_server, url) = Bowline::echo(&[]);
    let output = run_with_input(&["connect", "--timestamps", &url], b"one\n");
    let line = String::from_utf8(output.stdout).unwrap();
    let (time, text) = line.split_once(' ').unwrap();
    assert_eq!(text, "one\n");
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    let output = run_with_input(&["connect", "--timestamps=elapsed", &url], b"one\n");
    let line = String::from_utf8(output.stdout).unwrap();
    let (time, text) = line.split_once(' ').unwrap();
    assert_eq!(text, "one\n");
    assert!(time.parse::<f64>().is_ok(), "{time}");
}

#[test]
fn heads_are_shown_without_their_secrets() {
    let (_server, url) = Bowline::echo(&[]);
    let url = format!("{url}chat?room=1&token=s3cret");
    let args = [
        "connect",
        "-v",
        "--bearer",
        "s3cret",
        "--cookie",
        "id=s3cret",
        "-H",
    ];
    let output = run(&[&args[..], &["X-Api-Key: s3cret", &url]].concat());
    let said = complaint(&output);
    for line in [
        "> GET /chat?room=1&token=(hidden) HTTP/1.1",
        "> Authorization: (hidden)",
        "> Cookie: (hidden)",
        "> X-Api-Key: (hidden)",
        "< HTTP/1.1 101 Switching Protocols",
        "connected, compressed",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
    let refused = run(&[
        "connect",
        "--user",
        "me:s3cret",
        "ws://you:s3cret@127.0.0.1:1/?a=s3cret",
    ]);
    assert!(
        !complaint(&refused).contains("s3cret"),
        "{}",
        complaint(&refused)
    );
}

#[test]
fn frames_are_shown_when_asked_for_twice() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        ws.send_fragment(MessageKind::Text, b"one".to_vec(), Fin::More)
            .await
            .unwrap();
        ws.send_fragment(MessageKind::Text, b" two".to_vec(), Fin::Last)
            .await
            .unwrap();
        ws.send(Message::binary(vec![7; 1000])).await.unwrap();
        assert_eq!(ws.recv().await.unwrap().as_text(), Some("hello"));
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let args = [
        "connect",
        "-vv",
        "--no-deflate",
        "--after-eof",
        "wait",
        &url,
    ];
    let output = run_with_input(&args, b"hello\n");
    assert_eq!(output.status.code(), Some(0));
    let said = complaint(&output);
    for line in [
        "< text, 3 bytes, more follows: one",
        "< continuation, 4 bytes: 2074776f",
        "> text, 5 bytes: hello",
        "< close, 2 bytes: 03e8",
        "> close, 2 bytes: 03e8",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    let long = format!("< binary, 1000 bytes: {}...", "07".repeat(64));
    assert!(said.contains(&long), "{said}");
}

#[test]
fn the_round_trip_of_pings_is_shown_when_asked_for() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        ws.ping(b"").await.unwrap();
        while let Some(event) = ws.recv_event().await {
            // The second ping says that the first was answered.
            if let bowline::Event::Ping(_) = event {
                ws.begin_close(CloseCode::NORMAL, "").unwrap();
            }
        }
    });
    let args = [
        "connect",
        "-v",
        "--ping-interval",
        "50ms",
        "--after-eof",
        "wait",
        &url,
    ];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(complaint(&output).contains("ping from the server"));
}

#[test]
fn colours_are_used_in_a_pipe_only_when_forced() {
    let (_server, url) = Bowline::echo(&[]);
    let faint = "\u{1b}[2mconnected";
    for (args, is_coloured) in [
        (&["--color", "always"][..], true),
        (&[], false),
        (&["--color", "never"], false),
    ] {
        let output = run(&[&["connect", "-v"], args, &[&url]].concat());
        assert_eq!(complaint(&output).contains(faint), is_coloured, "{args:?}");
    }
}

#[test]
fn a_conversation_is_recorded_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.jsonl");
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        assert_eq!(ws.recv().await.unwrap().as_text(), Some("\u{e4}"));
        ws.send(Message::binary(vec![0, 255])).await.unwrap();
        ws.close(CloseCode(1000), "done").await.unwrap();
    });
    let url = format!("{url}?token=s3cret");
    let record = path.to_str().unwrap();
    let args = ["connect", "--after-eof", "wait", "--record", record, &url];
    let output = run_with_input(&args, "\u{e4}\n".as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let written = fs::read(&path).unwrap();
    let mut lines = json_lines(&written);
    assert_eq!(lines[0]["conversation"], 1);
    let shown = url.replace("?token=s3cret", "?(hidden)");
    assert_eq!(lines[0]["url"], *shown);
    for line in &mut lines[1..] {
        assert!(line["t"].take().as_f64().unwrap() >= 0.0);
    }
    let expected = [
        json!({"t": null, "dir": "out", "kind": "text", "data": "\u{e4}"}),
        json!({"t": null, "dir": "in", "kind": "binary", "data": "AP8="}),
        json!({"t": null, "dir": "in", "kind": "close", "code": 1000, "reason": "done"}),
    ];
    assert_eq!(lines[1..], expected);
    let url = serve_messages(Vec::new(), 1000);
    let output = run(&["connect", "--record", "/nonexistent/file", &url]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("/nonexistent/file"));
}

#[test]
fn secrets_can_come_from_the_environment() {
    let url = serve_one(async |stream| {
        let acceptor = bowline::Acceptor::default();
        let Ok(bowline::Request::WebSocket(offer)) = acceptor.read_request(stream).await else {
            panic!("expected an opening handshake");
        };
        let sent = offer.request().headers().text("authorization");
        assert_eq!(sent, Some("Bearer s3cret"));
        let mut ws = offer.accept().await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let output = command(&["connect", "--after-eof", "wait", &url])
        .env("BOWLINE_BEARER", "s3cret")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let help = command(&["connect", "--help"])
        .env("BOWLINE_BEARER", "s3cret")
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("s3cret"));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let (_server, url) = Bowline::echo(&[]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut client = command(&["connect", "--after-eof", "wait", &url])
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"hello\n").unwrap();
    let output = client.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("cannot write to standard output"));
    drop(input);
}
