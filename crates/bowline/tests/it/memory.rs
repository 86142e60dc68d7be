//! What a connection keeps while nothing happens on it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bowline::{
    Config, Keepalive, Receiver, Sender, WebSocket,
    server::{Attributes, ConnectionGroup, GroupOptions, Registry},
};
use bowline_testkit::Frame;
use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    allocations::{live, peak_of},
    ends::{client, poll_times, server, settle},
};

/// A stream that owns no memory: it gives these bytes, and takes everything.
struct Still {
    incoming: &'static [u8],
}

impl AsyncRead for Still {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.incoming.is_empty() {
            return Poll::Pending;
        }
        let len = self.incoming.len().min(buffer.remaining());
        let (now, later) = self.incoming.split_at(len);
        buffer.put_slice(now);
        self.incoming = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Still {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Gives what each of many connections keeps after it received a message, sent it back and waits
/// for the next.
async fn kept(make: fn(Still) -> WebSocket<Still>, incoming: &'static [u8]) -> isize {
    const COUNT: usize = 200;
    // The thread's read buffer is made once.
    let mut warm = make(Still { incoming });
    assert!(poll_times(1, warm.recv()).await.is_some());
    let mut idle = Vec::with_capacity(COUNT);
    let before = live();
    for _ in 0..COUNT {
        let mut ws = make(Still { incoming });
        let message = poll_times(1, ws.recv()).await.unwrap().unwrap();
        ws.send(message).await.unwrap();
        assert!(poll_times(1, ws.recv()).await.is_none());
        idle.push(ws);
    }
    let kept = live() - before;
    drop(idle);
    kept / isize::try_from(COUNT).unwrap()
}

fn leak(frame: &Frame) -> &'static [u8] {
    frame.encode().leak()
}

fn kept_alive() -> Config {
    Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_mins(1),
            timeout: Duration::from_mins(1),
        }),
        ..Config::default()
    }
}

#[tokio::test]
async fn an_idle_connection_keeps_less_than_1536_bytes_and_no_buffer() {
    let masked = leak(&Frame::text("hello").masked([1; 4]));
    let plain = leak(&Frame::text("hello"));
    let server_side = kept(|stream| server(stream, Config::default()), masked).await;
    let client_side = kept(|stream| client(stream, Config::default()), plain).await;
    // The configuration is made for each connection here; a program shares one.
    println!("a server keeps {server_side} bytes, a client {client_side}");
    assert!(server_side < 1536, "{server_side} bytes");
    assert!(client_side < 1536, "{client_side} bytes");
}

#[tokio::test]
async fn a_keepalive_adds_no_more_than_its_timer() {
    let masked = leak(&Frame::text("hello").masked([1; 4]));
    let without = kept(|stream| server(stream, Config::default()), masked).await;
    let with = kept(|stream| server(stream, kept_alive()), masked).await;
    println!("a keepalive adds {} bytes", with - without);
    assert!(with - without < 256, "{} bytes", with - without);
}

#[tokio::test]
async fn a_large_message_leaves_nothing_behind() {
    let small = leak(&Frame::text("hello").masked([1; 4]));
    let large = leak(&Frame::binary(vec![0xA5; 4 << 20]).masked([1; 4]));
    let after_small = kept(|stream| server(stream, Config::default()), small).await;
    let mut ws = server(Still { incoming: large }, Config::default());
    let before = live();
    for _ in 0..3 {
        let mut ws = server(Still { incoming: large }, Config::default());
        let message = poll_times(1000, ws.recv()).await.unwrap().unwrap();
        assert_eq!(message.len(), 4 << 20);
        ws.send(message).await.unwrap();
        assert!(poll_times(1, ws.recv()).await.is_none());
        let kept = live() - before;
        assert!(kept <= after_small, "{kept} bytes instead of {after_small}");
    }
    assert!(poll_times(1000, ws.recv()).await.is_some());
}

type Halves = (Sender<TcpStream>, Receiver<TcpStream>);

/// Sends messages, receives them again meanwhile, and gives the connection back.
async fn burst((mut sender, mut receiver): Halves, message: Bytes, count: usize) -> Halves {
    let len = message.len();
    let send = async {
        for _ in 0..count {
            sender.send(message.clone()).await.unwrap();
        }
    };
    let receive = async {
        for _ in 0..count {
            assert_eq!(receiver.recv().await.unwrap().len(), len);
        }
    };
    tokio::join!(send, receive);
    (sender, receiver)
}

/// Has every connection echo at the same time.
async fn burst_on_all(connections: Vec<Halves>, len: usize, count: usize) -> Vec<Halves> {
    let message = Bytes::from(vec![0xA5; len]);
    let mut bursts = JoinSet::new();
    for halves in connections {
        bursts.spawn(burst(halves, message.clone(), count));
    }
    let connections = bursts.join_all().await;
    settle().await;
    connections
}

/// Gives how much more each of many connections over TCP keeps, both ends together, after all have
/// echoed large messages at the same time than after a small one.
async fn kept_of_a_burst(serve: impl Fn(WebSocket<TcpStream>)) -> isize {
    const COUNT: usize = 32;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut connections = Vec::new();
    for _ in 0..COUNT {
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        serve(server(far.unwrap().0, Config::default()));
        connections.push(client(near.unwrap(), Config::default()).split());
    }
    // What is made once grows to what so many connections need.
    connections = burst_on_all(connections, 16, 1).await;
    let before = live();
    let (peak, connections) = peak_of(burst_on_all(connections, 1 << 20, 4)).await;
    let kept = live() - before;
    assert!(peak > 2 << 20, "a burst of {peak} bytes shows nothing");
    drop(connections);
    kept / isize::try_from(COUNT).unwrap()
}

#[tokio::test]
async fn a_burst_of_large_messages_on_many_connections_leaves_nothing_behind() {
    let kept = kept_of_a_burst(|mut ws| {
        tokio::spawn(async move {
            while let Some(message) = ws.recv().await {
                ws.send(message).await.unwrap();
            }
        });
    });
    let kept = kept.await;
    assert!(kept < 64, "each connection keeps {kept} bytes");
}

#[tokio::test]
async fn a_burst_of_large_messages_in_a_group_leaves_nothing_behind() {
    let group = ConnectionGroup::new("echo", Registry::new(), GroupOptions::default());
    group.on_binary(|connection, payload| {
        connection.try_send(payload.to_vec()).unwrap();
    });
    let kept = kept_of_a_burst(|ws| {
        group.adopt(ws, Attributes::default()).unwrap();
    });
    let kept = kept.await;
    assert!(kept < 64, "each connection keeps {kept} bytes");
}
