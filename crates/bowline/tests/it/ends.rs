//! Connections without their opening handshake, and ways to poll them.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Poll, Wake},
    time::Duration,
};

use bowline::{
    Config, Transport, WebSocket,
    proto::{Connection, deflate::Deflate},
};
use bowline_testkit::{CountingMasks, Takeover, deflate_params};
use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{Far, Wire, wire};

pub(crate) fn server<S: Transport>(stream: S, config: Config) -> WebSocket<S> {
    let now = tokio::time::Instant::now().into_std();
    let connection = Connection::server(Arc::new(config), None, now);
    WebSocket::from_parts(connection, stream, BytesMut::new())
}

pub(crate) fn client<S: Transport>(stream: S, config: Config) -> WebSocket<S> {
    let now = tokio::time::Instant::now().into_std();
    let masks = Box::new(CountingMasks::default());
    let connection = Connection::client(Arc::new(config), None, masks, now);
    WebSocket::from_parts(connection, stream, BytesMut::new())
}

/// Makes a server whose client is the test.
pub(crate) fn wired_server() -> (WebSocket<Wire>, Far) {
    wired_server_with(Config::default())
}

pub(crate) fn wired_server_with(config: Config) -> (WebSocket<Wire>, Far) {
    let (wire, far) = wire();
    (server(wire, config), far)
}

/// Makes a server that negotiated compression with the test.
pub(crate) fn wired_deflate_server(config: Config) -> (WebSocket<Wire>, Far) {
    let (wire, far) = wire();
    let now = tokio::time::Instant::now().into_std();
    let deflate = Deflate::new(deflate_params(15, Takeover::No), Arc::default());
    let connection = Connection::server(Arc::new(config), Some(deflate), now);
    (
        WebSocket::from_parts(connection, wire, BytesMut::new()),
        far,
    )
}

/// Makes a client that negotiated compression with the test.
pub(crate) fn wired_deflate_client() -> (WebSocket<Wire>, Far) {
    let (wire, far) = wire();
    let now = tokio::time::Instant::now().into_std();
    let deflate = Deflate::new(deflate_params(15, Takeover::No), Arc::default());
    let masks = Box::new(CountingMasks::default());
    let connection = Connection::client(Arc::default(), Some(deflate), masks, now);
    (
        WebSocket::from_parts(connection, wire, BytesMut::new()),
        far,
    )
}

/// Makes a client and a server over TCP.
pub(crate) async fn tcp_pair() -> (WebSocket, WebSocket<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let accept = async {
        let (stream, _) = listener.accept().await.unwrap();
        bowline::accept(stream).await.unwrap()
    };
    let (client, server) = tokio::join!(bowline::connect(&url), accept);
    (client.unwrap(), server)
}

/// Polls a future `count` times, as long as it is pending, then drops it.
pub(crate) async fn poll_times<F: Future>(count: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..count {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
    }
    None
}

/// Lets other tasks run until all of them wait. Needs the paused clock.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Fails a test that lost a wake-up instead of letting it hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let soon = Duration::from_secs(30);
    let output = tokio::time::timeout(soon, future).await;
    output.expect("nothing waits for ever")
}

/// Counts how often a task is woken.
#[derive(Debug, Default)]
pub(crate) struct WakeCounter(AtomicUsize);

impl WakeCounter {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
