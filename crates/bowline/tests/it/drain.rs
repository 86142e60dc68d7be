//! Ending every connection with manners.

use std::time::Duration;

use bowline::{
    CloseCode,
    server::{DrainOptions, GroupOptions},
};
use futures_util::future::join_all;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::group_server::Server;

#[tokio::test]
async fn everybody_is_told_and_nobody_who_answers_is_cut() {
    let server = Server::start(GroupOptions::default()).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let (mut client, _) = server.join().await;
        clients.push(tokio::spawn(async move {
            assert_eq!(client.recv().await, None);
            client.ending().unwrap()
        }));
    }
    let options = DrainOptions {
        code: CloseCode::SERVICE_RESTART,
        reason: "back soon".into(),
        spread: Duration::from_millis(20),
        ..DrainOptions::default()
    };
    let report = server.registry.drain(&options).await;
    assert_eq!((report.told, report.cut.len()), (20, 0));
    for ending in join_all(clients).await {
        let ending = ending.unwrap();
        assert_eq!(ending.code, CloseCode::SERVICE_RESTART);
        assert_eq!(&*ending.reason, "back soon");
    }
    assert!(server.registry.is_empty());
}

#[tokio::test]
async fn who_does_not_answer_is_cut_at_the_deadline_and_named() {
    let server = Server::start(GroupOptions::default()).await;
    let address = server.listener.local_addr().unwrap();
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    deaf.write_all(request.as_bytes()).await.unwrap();
    let (stream, _) = server.listener.accept().await.unwrap();
    let websocket = bowline::accept(stream).await.unwrap();
    let handle = server
        .group
        .adopt(websocket, bowline::server::Attributes::default())
        .unwrap();
    let options = DrainOptions {
        deadline: Duration::from_millis(50),
        ..DrainOptions::default()
    };
    let report = server.registry.drain(&options).await;
    assert_eq!((report.told, report.cut), (1, vec![handle.id()]));
    server.registry.until_empty().await;
}
