//! `bowline echo` as a server and as a client.

use bowline::{CloseCode, Connector, DeflateNegotiation, Error, Message, WebSocket};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::{self, Utf8Bytes, protocol::CloseFrame};

use crate::support::{Bowline, complaint, run};

async fn echoed(ws: &mut WebSocket, message: Message) {
    ws.send(message.clone()).await.unwrap();
    assert!(ws.recv().await.as_ref() == Some(&message));
}

#[tokio::test]
async fn text_and_binary_come_back_as_what_they_were_at_any_path() {
    let (_server, url) = Bowline::echo(&[]);
    for path in ["", "any/path?query=1"] {
        let mut ws = bowline::connect(&format!("{url}{path}")).await.unwrap();
        for message in [
            Message::text(""),
            Message::text("\u{1f9f6}"),
            Message::binary(&[][..]).into_owned(),
            Message::binary(vec![0, 255]),
            Message::binary(vec![7; 1 << 20]),
        ] {
            echoed(&mut ws, message).await;
        }
        let ending = ws.close(CloseCode(4321), "over").await.unwrap();
        assert!(ending.is_clean());
    }
}

#[tokio::test]
async fn compression_is_agreed_to_unless_it_is_switched_off() {
    for (more, compressed) in [(&[][..], true), (&["--no-deflate"][..], false)] {
        let (_server, url) = Bowline::echo(more);
        let mut ws = bowline::connect(&url).await.unwrap();
        assert_eq!(ws.is_compressed(), compressed);
        echoed(&mut ws, Message::text("a".repeat(10_000))).await;
    }
    let (_server, url) = Bowline::echo(&[]);
    let mut connector = Connector::default();
    connector.options.deflate = DeflateNegotiation::DISABLED;
    assert!(!connector.connect(&url).await.unwrap().is_compressed());
}

#[tokio::test]
async fn limits_bind_unless_they_are_lifted() {
    let message = Message::binary(vec![1; (16 << 20) + 1]);
    let (_server, url) = Bowline::echo(&[]);
    let mut ws = bowline::connect(&url).await.unwrap();
    drop(ws.send(message.clone()).await);
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.ending().unwrap().code, CloseCode::MESSAGE_TOO_BIG);

    let (_server, url) = Bowline::echo(&["--no-limits"]);
    let mut connector = Connector::default();
    connector.options.config = std::sync::Arc::new(bowline::Config {
        limits: bowline::Limits::NONE,
        ..bowline::Config::default()
    });
    let mut ws = connector.connect(&url).await.unwrap();
    echoed(&mut ws, message).await;
}

#[tokio::test]
async fn every_worker_serves_the_one_address() {
    let (_server, url) = Bowline::echo(&["--workers", "3"]);
    let mut all = Vec::new();
    for _ in 0..24 {
        all.push(bowline::connect(&url).await.unwrap());
    }
    for ws in &mut all {
        echoed(ws, Message::text("hello")).await;
    }
}

#[tokio::test]
async fn plain_http_is_told_that_this_is_a_websocket() {
    let (_server, url) = Bowline::echo(&[]);
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
}

#[test]
fn an_address_that_is_taken_is_an_error_however_many_workers_there_are() {
    let (_server, url) = Bowline::echo(&["--workers", "2"]);
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    for workers in ["1", "2"] {
        let output = run(&["echo", "--listen", address, "--workers", workers]);
        assert_eq!(output.status.code(), Some(1), "{workers}");
        let complaint = complaint(&output);
        assert!(complaint.contains(&format!("cannot listen on {address}")));
    }
}

#[tokio::test]
async fn as_a_client_it_sends_back_until_the_server_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let mut client = Bowline::start(&["echo", "--connect", &url]);
    let (stream, _) = listener.accept().await.unwrap();
    let mut ws = bowline::accept(stream).await.unwrap();
    for message in [Message::text("one"), Message::binary(vec![0; 100_000])] {
        ws.send(message.clone()).await.unwrap();
        assert!(ws.recv().await == Some(message));
    }
    ws.close(CloseCode(3000), "done").await.unwrap();
    assert_eq!(client.wait().code(), Some(0));
}

#[tokio::test]
async fn as_a_client_it_understands_another_library() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let mut client = Bowline::start(&["echo", "--connect", &url]);
    let (stream, _) = listener.accept().await.unwrap();
    let ws = tokio_tungstenite::accept_async(stream).await.unwrap();
    converse(ws).await;
    assert_eq!(client.wait().code(), Some(0));
}

#[tokio::test]
async fn as_a_server_it_is_understood_by_another_library() {
    let (_server, url) = Bowline::echo(&[]);
    let (ws, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    converse(ws).await;
}

/// Sends messages, expects them back, and closes.
async fn converse<S>(mut ws: tokio_tungstenite::WebSocketStream<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use futures_util::{SinkExt, StreamExt};
    for message in [
        tungstenite::Message::text("hello"),
        tungstenite::Message::binary(vec![1, 2, 3]),
        tungstenite::Message::text("x".repeat(200_000)),
    ] {
        ws.send(message.clone()).await.unwrap();
        assert!(ws.next().await.unwrap().unwrap() == message);
    }
    let close = CloseFrame {
        code: 1000.into(),
        reason: Utf8Bytes::from_static("bye"),
    };
    ws.close(Some(close)).await.unwrap();
    while let Some(Ok(_)) = ws.next().await {}
}

#[tokio::test]
async fn as_a_client_it_reports_a_connection_that_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let mut client = Bowline::start(&["echo", "--connect", &url]);
    let (stream, _) = listener.accept().await.unwrap();
    drop(bowline::accept(stream).await.unwrap());
    assert_eq!(client.wait().code(), Some(5));
}

#[tokio::test]
async fn an_echo_server_refuses_nothing_it_should_not() {
    let (_server, url) = Bowline::echo(&[]);
    let connector = Connector::default().with_origin("https://example.com");
    assert!(!matches!(
        connector.connect(&url).await,
        Err(Error::Refused(_))
    ));
}
