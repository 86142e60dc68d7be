//! `bowline connect --reconnect`: a link that comes back.

use serde_json::Value;

use crate::{
    client::Client,
    server::{serve_messages, serve_one},
    support::{Bowline, address_of, complaint, numbered_lines, run, run_with_input},
};

/// Starts an echo server on an address that connections do not come from: while it is down, nobody
/// takes its port.
fn echo() -> (Bowline, String) {
    Bowline::serve(&["echo", "--listen", "127.0.41.1:0"])
}

#[test]
fn a_server_that_was_killed_and_started_again_gets_every_line() {
    let (server, url) = echo();
    let address = address_of(&url).to_owned();
    let mut client = Client::start(&[&url]);
    client.says("connected");
    client.type_line("before");
    assert_eq!(client.line(), "before");
    drop(server);
    client.says("the link ended");
    client.says("the next attempt is in");
    for line in ["meanwhile", "and again"] {
        client.type_line(line);
    }
    let (_server, _) = Bowline::serve(&["echo", "--listen", &address]);
    client.says("connected");
    for line in ["meanwhile", "and again"] {
        assert_eq!(client.line(), line);
    }
    client.type_line("after");
    assert_eq!(client.line(), "after");
    client.input = None;
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
}

#[test]
fn each_connection_begins_with_the_hello() {
    let (server, url) = echo();
    let address = address_of(&url).to_owned();
    let mut client = Client::start(&["--hello", "login", "--hello", "subscribe", &url]);
    for line in ["login", "subscribe"] {
        assert_eq!(client.line(), line);
    }
    drop(server);
    client.says("the link ended");
    client.type_line("meanwhile");
    let (_server, _) = Bowline::serve(&["echo", "--listen", &address]);
    for line in ["login", "subscribe", "meanwhile"] {
        assert_eq!(client.line(), line);
    }
}

#[test]
fn nothing_is_read_before_the_server_is_there_and_nothing_is_lost() {
    let (server, url) = echo();
    let address = address_of(&url).to_owned();
    drop(server);
    let mut client = Client::start(&[&url]);
    for line in ["one", "two"] {
        client.type_line(line);
    }
    client.input = None;
    client.says("no connection");
    let (_server, _) = Bowline::serve(&["echo", "--listen", &address]);
    assert_eq!(client.line(), "one");
    assert_eq!(client.line(), "two");
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_refusal_for_good_ends_it_with_the_code_of_its_phase() {
    let url = serve_one(async |stream| {
        let acceptor = bowline::Acceptor::default();
        let Ok(bowline::Request::WebSocket(offer)) = acceptor.read_request(stream).await else {
            panic!("expected an opening handshake");
        };
        offer.refuse(403, "").await.unwrap();
    });
    let output = run(&["connect", "--reconnect", &url]);
    assert_eq!(output.status.code(), Some(4));
    assert!(complaint(&output).contains("403"), "{}", complaint(&output));
}

#[test]
fn a_server_that_is_done_ends_it() {
    for (code, exit) in [(1000, 0), (1008, 5)] {
        let url = serve_messages(Vec::new(), code);
        let output = run(&["connect", "--reconnect", "--after-eof", "wait", &url]);
        assert_eq!(output.status.code(), Some(exit), "{}", complaint(&output));
    }
}

#[test]
fn no_line_of_a_pipe_is_lost_when_the_link_is_kept() {
    let (_server, url) = echo();
    let lines = numbered_lines(5000, "");
    let output = run_with_input(&["connect", "--reconnect", &url], lines.as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stdout), lines);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
}

#[test]
fn attempts_before_the_first_connection_are_events_too() {
    let args = ["connect", "--json", "--reconnect", "--timeout", "2s"];
    // Nobody listens at an address that was never given to a server.
    let output = run(&[&args[..], &["ws://127.0.41.2:9/"]].concat());
    assert_eq!(output.status.code(), Some(9));
    let lines = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "failed");
    assert_eq!(events[1]["event"], "waiting");
    assert_eq!(events.last().unwrap()["event"], "failure");
}
