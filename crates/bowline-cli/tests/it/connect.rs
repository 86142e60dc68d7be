//! `bowline connect` in a pipe.

use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpListener as StdListener},
    process::Stdio,
    thread,
    time::Duration,
};

use bowline::{CloseCode, Message, Request};

use crate::{
    server::{serve_messages, serve_one},
    support::{Bowline, command, complaint, numbered_lines, run, run_with_input},
};

#[test]
fn no_line_of_a_pipe_is_lost_and_every_answer_is_printed() {
    let (_server, url) = Bowline::echo(&[]);
    let lines = numbered_lines(5000, " \u{e4}");
    let output = run_with_input(&["connect", &url], lines.as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stdout), lines);
    assert_eq!(complaint(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn more_than_all_buffers_hold_passes_in_both_directions() {
    let (_server, url) = Bowline::echo(&["--no-deflate"]);
    let line = "x".repeat(1 << 20) + "\n";
    let lines = line.repeat(24);
    let output = run_with_input(&["connect", &url], lines.as_bytes());
    assert!(output.stdout == lines.as_bytes());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn empty_lines_and_a_last_line_without_its_end_are_sent_too() {
    let (_server, url) = Bowline::echo(&[]);
    let output = run_with_input(&["connect", &url], b"\n\nlast");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "\n\nlast\n");
}

#[test]
fn without_a_connection_no_input_is_read() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    // The child shares the place in the file.
    let mut file = File::open(&path).unwrap();
    let output = command(&["connect", &url])
        .stdin(file.try_clone().unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(complaint(&output).contains("Nothing listens there"));
    let mut left = String::new();
    file.read_to_string(&mut left).unwrap();
    assert_eq!(left, "one\ntwo\n");
}

#[test]
fn answers_are_awaited_after_the_end_of_the_input() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        let question = ws.recv().await.unwrap();
        assert_eq!(question.as_text(), Some("question"));
        ws.send("answer").await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let output = run_with_input(&["connect", "--after-eof", "wait", &url], b"question\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "answer\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_wait_ends_after_its_time_with_an_ordinary_close() {
    let (done, ended) = std::sync::mpsc::channel();
    let url = serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        while ws.recv().await.is_some() {}
        done.send(ws.ending().unwrap()).unwrap();
    });
    let output = run(&["connect", "--after-eof", "0.01", &url]);
    assert_eq!(output.status.code(), Some(0));
    let ending = ended.recv().unwrap();
    assert_eq!(ending.code, CloseCode::NORMAL);
    assert!(ending.is_clean());
}

#[test]
fn texts_become_lines_and_binary_messages_hex() {
    let messages = vec![
        Message::text("one"),
        Message::text("with its own end\n"),
        Message::binary(vec![0, 0xab, 0xff]),
        Message::text(""),
    ];
    let url = serve_messages(messages, 1000);
    let output = run(&["connect", "--after-eof", "wait", &url]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "one\nwith its own end\n00abff\n\n"
    );
    assert!(complaint(&output).contains("--binary"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn binary_messages_pass_unchanged_when_asked_for() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        let line = ws.recv().await.unwrap();
        assert_eq!(line, Message::binary(vec![1, 0xff]));
        ws.send(Message::binary(vec![0, 0xfe])).await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let args = ["connect", "--binary", "--after-eof", "wait", &url];
    let output = run_with_input(&args, b"\x01\xff\n");
    assert_eq!(output.stdout, b"\x00\xfe");
}

#[test]
fn input_that_is_no_text_is_refused_after_the_lines_before_it() {
    let (_server, url) = Bowline::echo(&[]);
    let output = run_with_input(&["connect", &url], b"good\n\xff\nlater\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "good\n");
    assert!(complaint(&output).contains("line 2 of standard input is not UTF-8"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_way_the_connection_ends_is_the_exit_code() {
    for (code, exit) in [(1000, 0), (1001, 0), (1011, 5), (4000, 5)] {
        let url = serve_messages(Vec::new(), code);
        let output = run(&["connect", "--after-eof", "wait", &url]);
        assert_eq!(output.status.code(), Some(exit), "{code}");
        let tells = complaint(&output).contains(&format!("closed with {code}"));
        assert_eq!(tells, exit != 0, "{}", complaint(&output));
    }
    let url = serve_one(async |stream| {
        drop(bowline::accept(stream).await.unwrap());
    });
    let output = run(&["connect", "--after-eof", "wait", &url]);
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn lines_that_a_server_no_longer_takes_are_counted() {
    let (go, wait) = tokio::sync::oneshot::channel();
    let url = serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        wait.await.unwrap();
        ws.close(CloseCode::NORMAL, "enough").await.unwrap();
    });
    let mut client = command(&["connect", "--no-deflate", &url])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // More than the buffers of the system take; once it is written, the program has it.
    let mut input = client.stdin.take().unwrap();
    let line = "x".repeat(4 << 20) + "\n";
    input.write_all(line.repeat(12).as_bytes()).unwrap();
    go.send(()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(complaint(&output).contains("messages could not be sent"));
}

#[test]
fn a_refusal_is_shown_with_its_status_and_body() {
    let url = serve_one(async |stream| {
        let acceptor = bowline::Acceptor::default();
        let Ok(Request::WebSocket(offer)) = acceptor.read_request(stream).await else {
            panic!("expected an opening handshake");
        };
        let offer = offer.with_header("X-Reason", "closed");
        offer.refuse(403, "Members only.\x1b[2J\n").await.unwrap();
    });
    let output = run(&["connect", "-v", &url]);
    let complaint = complaint(&output);
    assert!(complaint.contains("403 Forbidden"), "{complaint}");
    assert!(complaint.contains("< X-Reason: closed"), "{complaint}");
    assert!(complaint.contains("Members only."), "{complaint}");
    assert!(!complaint.contains('\x1b'), "{complaint:?}");
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn what_is_no_websocket_url_is_a_usage_error() {
    for url in ["http://127.0.0.1/", "127.0.0.1:80", "ws://a/#b", "nonsense"] {
        let output = run(&["connect", url]);
        assert_eq!(output.status.code(), Some(2), "{url}");
    }
}

#[test]
fn headers_subprotocol_and_origin_go_into_the_request() {
    let url = serve_one(async |stream| {
        let acceptor = bowline::Acceptor::default();
        let Ok(Request::WebSocket(offer)) = acceptor.read_request(stream).await else {
            panic!("expected an opening handshake");
        };
        let headers = offer.request().headers();
        assert_eq!(headers.text("host"), Some("other.example"));
        assert_eq!(headers.text("cookie"), Some("a=b: c"));
        assert_eq!(headers.text("x-empty"), Some(""));
        assert_eq!(offer.origin(), Some("https://example.com"));
        assert!(headers.first("sec-websocket-extensions").is_none());
        let offered: Vec<_> = offer.subprotocols().map(str::to_owned).collect();
        assert_eq!(offered, ["first", "second"]);
        let mut ws = offer.with_subprotocol("second").accept().await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let output = run(&[
        "connect",
        "-v",
        "--no-deflate",
        "-H",
        "Cookie: a=b: c",
        "-H",
        "host: other.example",
        "--header",
        "X-Empty:",
        "--origin",
        "https://example.com",
        "--subprotocol",
        "first",
        "--subprotocol",
        "second",
        "--after-eof",
        "wait",
        &url,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(complaint(&output).contains("connected, subprotocol second"));
}

#[test]
fn a_silent_server_is_given_up_when_pings_are_asked_for() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        ws.send("hello").await.unwrap();
        // Without receiving no ping is answered.
        std::future::pending::<()>().await;
    });
    let output = run(&[
        "connect",
        "--ping-interval",
        "0.05",
        "--after-eof",
        "wait",
        &url,
    ]);
    assert_eq!(output.stdout, b"hello\n");
    assert!(complaint(&output).contains("no sign of life"));
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn a_reader_that_leaves_ends_the_program_in_order() {
    let (_server, url) = Bowline::echo(&[]);
    let mut client = Bowline::start(&["connect", &url]);
    client.type_line("one");
    assert_eq!(client.line(), "one");
    client.output = None;
    // A child that another test just starts may hold the reader's end for a moment longer.
    let mut input = client.input.take().unwrap();
    while client.is_running() {
        let _written = writeln!(input, "two");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(client.wait().code(), Some(0));
}

#[test]
fn a_connection_that_is_never_answered_is_given_up_on_a_signal() {
    let listener = StdListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let client = Bowline::start(&["connect", &url]);
    let (_stream, _) = listener.accept().unwrap();
    assert_eq!(client.terminate(), Some(0));
}

#[test]
fn a_server_that_answers_our_close_with_an_error_is_told_of() {
    let url = serve_one(async |stream| {
        let mut acceptor = bowline::Acceptor::default();
        let mut config = bowline::Config::default();
        config.limits.message_size_max = 1 << 10;
        acceptor.options.config = std::sync::Arc::new(config);
        let mut ws = acceptor.accept(stream).await.unwrap();
        while ws.recv().await.is_some() {}
    });
    // The close may be on its way before the server sees that the message is too long.
    let line = "x".repeat(2 << 10);
    let output = run_with_input(&["connect", "--no-deflate", &url], line.as_bytes());
    assert_eq!(output.status.code(), Some(5), "{}", complaint(&output));
}
