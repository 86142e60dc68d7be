//! The end of a hub.

use std::time::Duration;

use bowline::CloseCode;
use bowline_hub::{Config, Drained};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::support::Hub;

#[tokio::test]
async fn every_connection_is_closed_with_1001() {
    let hub = Hub::start().await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(hub.join("").await);
    }
    let ends = tokio::spawn(async move {
        let mut codes = Vec::new();
        for mut client in clients {
            while client.recv().await.is_some() {}
            codes.push(client.ending().unwrap().code);
        }
        codes
    });
    let drained = hub.stop().await;
    assert_eq!(
        drained,
        Drained {
            closed: 5,
            aborted: 0
        }
    );
    assert_eq!(ends.await.unwrap(), [CloseCode::GOING_AWAY; 5]);
}

#[tokio::test]
async fn who_does_not_answer_is_cut_off_at_the_deadline() {
    let hub = Hub::start_with(Config {
        drain_timeout: Duration::from_millis(50),
        ..Config::default()
    })
    .await;
    let mut stream = TcpStream::connect(hub.address).await.unwrap();
    let request = format!(
        "GET /auth/clown-talk-server HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        hub.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    let drained = hub.stop().await;
    assert_eq!(
        drained,
        Drained {
            closed: 0,
            aborted: 1
        }
    );
    // The close frame came all the same: 1001, unmasked.
    let mut frame = Vec::new();
    drop(stream.read_to_end(&mut frame).await);
    assert_eq!(frame.get(..1), Some(&[0x88][..]));
    assert_eq!(frame.get(2..4), Some(&1001_u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn a_stopped_hub_answers_no_more() {
    let hub = Hub::start().await;
    let address = hub.address;
    assert_eq!(hub.stop().await, Drained::default());
    TcpStream::connect(address).await.unwrap_err();
}

#[tokio::test]
async fn an_idle_http_connection_does_not_delay_the_end() {
    let hub = Hub::start_with(Config {
        drain_timeout: Duration::from_mins(10),
        ..Config::default()
    })
    .await;
    let mut kept = TcpStream::connect(hub.address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", hub.address);
    kept.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        assert_ne!(kept.read_buf(&mut answer).await.unwrap(), 0);
    }
    let _silent = TcpStream::connect(hub.address).await.unwrap();
    assert_eq!(hub.stop().await.aborted, 0);
}
