//! Signals: everything closes with 1001, and the program ends with 0.

use bowline::{CloseCode, WebSocket};
use tokio::net::{TcpListener, TcpStream};

use crate::support::Bowline;

async fn code(mut ws: WebSocket) -> CloseCode {
    while ws.recv().await.is_some() {}
    let ending = ws.ending().unwrap();
    assert!(ending.is_clean(), "{ending:?}");
    ending.code
}

async fn check(server: Bowline, url: String, signal: &str) {
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(tokio::spawn(code(bowline::connect(&url).await.unwrap())));
    }
    // A connection that never says anything must not delay the end.
    let host = url.split('/').nth(2).unwrap();
    let _silent = TcpStream::connect(host).await.unwrap();
    server.signal(signal);
    for ended in all {
        assert_eq!(ended.await.unwrap(), CloseCode::GOING_AWAY, "{url}");
    }
    let mut server = server;
    assert_eq!(server.wait().code(), Some(0), "{url}");
    assert!(TcpStream::connect(host).await.is_err());
}

#[tokio::test]
async fn a_hub_closes_every_connection_with_1001() {
    for signal in ["TERM", "INT"] {
        let (hub, url) = Bowline::hub(&[]);
        check(hub, url, signal).await;
    }
}

#[tokio::test]
async fn an_echo_server_closes_every_connection_with_1001() {
    for signal in ["TERM", "INT"] {
        let (server, url) = Bowline::echo(&["--workers", "2"]);
        check(server, url, signal).await;
    }
}

#[tokio::test]
async fn a_fan_out_closes_publishers_and_subscribers_with_1001() {
    for path in ["pub", "sub"] {
        let (server, url) = Bowline::echo(&["--fanout", "--workers", "2"]);
        check(server, format!("{url}{path}"), "TERM").await;
    }
}

#[tokio::test]
async fn clients_say_goodbye_as_well() {
    for (command, expected) in [
        (&["connect"][..], CloseCode::NORMAL),
        (&["echo", "--connect"][..], CloseCode::GOING_AWAY),
        (&["simulate", "--url"][..], CloseCode::GOING_AWAY),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let client = Bowline::start(&[command, &[&url]].concat());
        let (stream, _) = listener.accept().await.unwrap();
        let mut ws = bowline::accept(stream).await.unwrap();
        ws.send("hello").await.unwrap();
        // What it says or prints shows that it is at work.
        if command == ["connect"] {
            let mut client = client;
            assert_eq!(client.line(), "hello");
            client.signal("TERM");
            while ws.recv().await.is_some() {}
            assert_eq!(client.wait().code(), Some(0));
        } else {
            assert!(ws.recv().await.is_some());
            client.signal("TERM");
            while ws.recv().await.is_some() {}
            let mut client = client;
            assert_eq!(client.wait().code(), Some(0), "{command:?}");
        }
        assert_eq!(ws.ending().unwrap().code, expected, "{command:?}");
    }
}
