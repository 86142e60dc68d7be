//! What a connection of a group costs while nothing happens on it.

use std::sync::Arc;

use bowline::{
    Acceptor, Config, Request, WebSocket,
    proto::Connection,
    server::{Attributes, GroupOptions},
};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::Hall;
use crate::allocations::live;

const COUNT: usize = 200;

/// Makes the two ends of many connections.
async fn pairs() -> (Vec<TcpStream>, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        let address = listener.local_addr().unwrap();
        let (connected, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        far.push(connected.unwrap());
        near.push(accepted.unwrap().0);
    }
    (near, far)
}

/// Gives the bytes that each of many idle connections costs.
async fn cost(serve: impl Fn(TcpStream)) -> isize {
    let (near, far) = pairs().await;
    let before = live();
    near.into_iter().for_each(serve);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let cost = (live() - before) / isize::try_from(COUNT).unwrap();
    drop(far);
    cost
}

#[tokio::test]
async fn an_idle_connection_of_a_group_costs_little_more_than_a_task_with_its_stream() {
    // A subscriber of another test's thread would make spans here too.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let bare = cost(|mut stream| {
        tokio::spawn(async move {
            let mut byte = [0];
            drop(stream.read(&mut byte).await);
        });
    })
    .await;
    let config = Arc::new(Config::default());
    let websocket = |stream| {
        let now = tokio::time::Instant::now().into_std();
        let connection = Connection::server(Arc::clone(&config), None, now);
        WebSocket::from_parts(connection, stream, BytesMut::new())
    };
    let own_task = cost(|stream| {
        let mut websocket = websocket(stream);
        tokio::spawn(async move { websocket.recv().await });
    })
    .await;
    let hall = Hall::new(GroupOptions::default());
    let in_group = cost(|stream| {
        let attributes = Attributes::default();
        hall.group.adopt(websocket(stream), attributes).unwrap();
    })
    .await;
    println!("a task with a stream {bare}, with a WebSocket {own_task}, in a group {in_group}");
    assert!(in_group - bare < 1160, "{} bytes", in_group - bare);
}

/// A request as a browser sends it.
const REQUEST: &str = "GET /chat?room=7 HTTP/1.1\r\nHost: example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: */*\r\nAccept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Origin: https://example.com\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";

#[tokio::test]
async fn a_request_that_is_kept_costs_its_length_and_no_buffer_of_the_handshake() {
    let hall = Hall::new(GroupOptions::default());
    let acceptor = Acceptor::default();
    let mut far = Vec::new();
    let mut join = async |keeps: bool| {
        let (near, mut client) = tokio::io::duplex(1);
        let (_, request) = tokio::join!(
            client.write_all(REQUEST.as_bytes()),
            acceptor.read_request(near)
        );
        let Ok(Request::WebSocket(offer)) = request else {
            panic!("the request is a handshake");
        };
        let request = keeps.then(|| offer.request().clone());
        let mut answer = [0; 512];
        let (websocket, ()) = tokio::join!(offer.accept(), async {
            let mut len = 0;
            while !answer[..len].ends_with(b"\r\n\r\n") {
                len += client.read(&mut answer[len..]).await.unwrap();
            }
        });
        let attributes = Attributes {
            request,
            ..Attributes::default()
        };
        hall.group.adopt(websocket.unwrap(), attributes).unwrap();
        tokio::task::yield_now().await;
        far.push(client);
    };
    let mut costs = [0; 2];
    for (keeps, cost) in [false, true].into_iter().zip(&mut costs) {
        join(keeps).await;
        let before = live();
        for _ in 0..COUNT {
            join(keeps).await;
        }
        *cost = (live() - before) / isize::try_from(COUNT).unwrap();
    }
    let [without, with] = costs;
    println!(
        "a request of {} bytes costs {}",
        REQUEST.len(),
        with - without
    );
    let bound = isize::try_from(REQUEST.len() * 2 + 512).unwrap();
    assert!(with - without < bound, "{} bytes", with - without);
    assert!(
        without < 2048,
        "{without} bytes with both ends of the stream"
    );
}
