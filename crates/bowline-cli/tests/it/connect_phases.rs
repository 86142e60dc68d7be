//! Each phase in which connecting can fail has an exit code, and options that help it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use bowline::{CloseCode, Message, Request};

use crate::{
    server::{serve_messages, serve_one},
    support::{Bowline, address_of, command, complaint, run, run_with_input},
};

/// Takes one connection, reads the head of the request, and does something with the stream.
fn serve_raw(answer: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        answer(stream);
    });
    format!("{address}")
}

fn answer_with(bytes: &'static [u8]) -> String {
    serve_raw(|mut stream| {
        stream.write_all(bytes).unwrap();
        // Until the client closes.
        let _rest = stream.read_to_end(&mut Vec::new());
    })
}

#[track_caller]
fn fails(args: &[&str], code: i32, told: &str) {
    let output = run(&[&["connect"], args].concat());
    let said = complaint(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?} {said}");
    assert!(said.contains(told), "{args:?} {said}");
}

#[test]
fn a_name_without_an_address_is_told_from_a_port_without_a_server() {
    fails(&["ws://no-such-host.invalid/"], 6, "no-such-host.invalid");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    fails(&[&format!("ws://{free}/")], 3, "Nothing listens there");
}

#[test]
fn a_proxy_that_fails_or_refuses_has_its_own_exit_code() {
    let url = "ws://server.invalid/";
    fails(&["--proxy", "ftp://a/", url], 2, "ftp");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let gone = format!("http://{free}");
    fails(&["--proxy", &gone, url], 8, "cannot be reached");
    let refusing = answer_with(b"HTTP/1.1 403 Not here\r\nContent-Length: 0\r\n\r\n");
    fails(&["--proxy", &refusing, url], 8, "403 Not here");
}

#[test]
fn the_environment_names_a_proxy_unless_it_is_to_be_passed_by() {
    let refusing = answer_with(b"HTTP/1.1 403 Not here\r\nContent-Length: 0\r\n\r\n");
    let run = |more: &[&str]| {
        let args = [&["connect", "ws://server.invalid/"], more].concat();
        let mut command = command(&args);
        command.env("ALL_PROXY", format!("http://{refusing}"));
        command.env_remove("http_proxy").env_remove("HTTP_PROXY");
        command.env_remove("no_proxy").env_remove("NO_PROXY");
        command.output().unwrap().status.code()
    };
    assert_eq!(run(&["--no-proxy"]), Some(6));
    assert_eq!(run(&[]), Some(8));
}

#[test]
fn an_answer_that_breaks_the_rules_is_a_refusal() {
    let url = format!("ws://{}/", answer_with(b"HTTP/1.1 101 Sure\r\n\r\n"));
    fails(&[&url], 4, "the opening handshake failed");
}

#[test]
fn a_server_that_breaks_the_rules_later_has_its_own_exit_code() {
    let url = serve_one(async |stream| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let ws = bowline::accept(stream).await.unwrap();
        let stream = ws.with_stream(|stream| {
            use std::os::fd::AsFd;
            stream.as_fd().try_clone_to_owned().unwrap()
        });
        let stream = TcpStream::from(stream.unwrap());
        let mut stream = tokio::net::TcpStream::from_std(stream).unwrap();
        // A reserved bit.
        stream.write_all(b"\xb1\x00").await.unwrap();
        // The client says why.
        assert!(stream.read_u8().await.is_ok());
    });
    fails(&["--after-eof", "wait", &url], 11, "1002");
}

#[test]
fn a_server_that_does_not_answer_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    fails(
        &["--connect-timeout", "200ms", &url],
        9,
        "longer than its deadline",
    );
    fails(&["--timeout", "200ms", &url], 9, "not over after 0.2 s");
    // TCP stands, and TLS does not come.
    let url = url.replace("ws:", "wss:");
    fails(
        &["--connect-timeout", "200ms", &url],
        9,
        "longer than its deadline",
    );
}

#[test]
fn a_message_that_is_too_big_is_refused() {
    let url = serve_messages(vec![Message::text("x".repeat(3000))], 1000);
    fails(
        &["--after-eof", "wait", "--max-message", "2k", &url],
        5,
        "1009",
    );
    let url = serve_messages(vec![Message::text("x".repeat(2000))], 1000);
    let output = run(&[
        "connect",
        "--after-eof",
        "wait",
        "--max-message",
        "2k",
        &url,
    ]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_host_is_looked_for_where_the_command_line_says() {
    let url = serve_messages(vec![Message::text("here")], 1000);
    let port = address_of(&url).rsplit(':').next().unwrap().to_owned();
    let url = format!("ws://somewhere.test:{port}/");
    let resolve = format!("somewhere.test:{port}:127.0.0.1");
    let output = run(&[
        "connect",
        "--after-eof",
        "wait",
        "--resolve",
        &resolve,
        &url,
    ]);
    assert_eq!(output.stdout, b"here\n", "{}", complaint(&output));
}

#[test]
fn the_connection_comes_from_the_address_and_interface_that_are_named() {
    for options in [
        &["--bind", "127.0.0.2"][..],
        &["--interface", "lo", "--bind", "127.0.0.2"],
    ] {
        let url = serve_one(async |stream| {
            let from = stream.peer_addr().unwrap().ip().to_string();
            let mut ws = bowline::accept(stream).await.unwrap();
            ws.send(from).await.unwrap();
            ws.close(CloseCode::NORMAL, "").await.unwrap();
        });
        let output = run(&[&["connect", "--after-eof", "wait"], options, &[&url]].concat());
        assert_eq!(output.stdout, b"127.0.0.2\n", "{}", complaint(&output));
    }
}

#[test]
fn credentials_cookies_and_user_agent_go_into_the_request() {
    let url = serve_one(async |stream| {
        let acceptor = bowline::Acceptor::default();
        let Ok(Request::WebSocket(offer)) = acceptor.read_request(stream).await else {
            panic!("expected an opening handshake");
        };
        let headers = offer.request().headers();
        assert_eq!(
            headers.text("authorization"),
            Some("Basic bWU6czM6Y3JldA==")
        );
        assert_eq!(headers.text("cookie"), Some("a=1; b=2"));
        assert_eq!(headers.text("user-agent"), Some("probe"));
        let mut ws = offer.accept().await.unwrap();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let args = [
        "connect",
        "--user",
        "me:s3:cret",
        "--cookie",
        "a=1",
        "--cookie",
        "b=2",
    ];
    let more = ["--user-agent", "probe", "--after-eof", "wait", &url];
    let output = run(&[&args[..], &more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
}

#[test]
fn redirects_are_followed_as_often_as_allowed() {
    let redirecting = || {
        let target = serve_messages(vec![Message::text("there")], 1000);
        let url = serve_raw(move |mut stream| {
            let head =
                format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
        });
        format!("ws://{url}/")
    };
    fails(&[&redirecting()], 4, "302 Found");
    let url = redirecting();
    let output = run(&["connect", "--follow", "1", "--after-eof", "wait", &url]);
    assert_eq!(output.stdout, b"there\n", "{}", complaint(&output));
}

#[test]
fn what_the_command_line_may_not_ask_for_is_a_usage_error() {
    let (_server, url) = Bowline::echo(&[]);
    fails(&["-H", "Connection: close", &url], 2, "reserved");
    fails(&["--cookie", "a=b c", &url], 2, "malformed");
}

#[test]
fn lines_may_be_as_long_as_messages_may() {
    let url = serve_one(async |stream| {
        let mut acceptor = bowline::Acceptor::default();
        let mut config = bowline::Config::default();
        config.limits.message_size_max = 32 << 20;
        config.limits.frame_size_max = 32 << 20;
        acceptor.options.config = std::sync::Arc::new(config);
        let mut ws = acceptor.accept(stream).await.unwrap();
        let len = ws.recv().await.unwrap().len();
        ws.send(len.to_string()).await.unwrap();
        while ws.recv().await.is_some() {}
    });
    let line = "x".repeat((16 << 20) + 1);
    let args = ["connect", "--max-message", "17M", "--count", "1", &url];
    let output = run_with_input(&args, line.as_bytes());
    assert_eq!(output.stdout, format!("{}\n", line.len()).as_bytes());
}
