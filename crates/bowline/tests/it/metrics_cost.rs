//! Allocations of a server that receives and answers, with nobody watching and with metrics.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bowline::{
    Acceptor, Metrics, Options,
    server::{Attributes, GroupOptions, GroupTable, GroupTableLimits, Registry},
};
use bowline_testkit::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::allocations::total;

const ROUNDS: usize = 200;
const BATCH: usize = 10;

/// A server whose client is this test, which writes frames that are encoded already.
struct Peer {
    stream: DuplexStream,
    handled: Arc<AtomicU64>,
}

impl Peer {
    async fn join(metrics: Option<Arc<Metrics>>, echoes: bool) -> Self {
        let acceptor = Acceptor {
            options: Options {
                metrics,
                ..Options::default()
            },
            ..Acceptor::default()
        };
        let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
        let group = groups.create("cost", GroupOptions::default()).unwrap();
        let handled = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&handled);
        group.on_text(move |connection, _| {
            count.fetch_add(1, Ordering::Relaxed);
            if echoes {
                connection.post("answer");
            }
        });
        let (mut stream, far) = duplex(1 << 16);
        let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let websocket = acceptor.accept(far).await.unwrap();
        group.adopt(websocket, Attributes::default()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        Self { stream, handled }
    }

    /// Sends a batch and lets the server handle it; fills `answers` with what it answers.
    async fn round(&mut self, batch: &[u8], answers: &mut [u8]) {
        let before = self.handled.load(Ordering::Relaxed);
        self.stream.write_all(batch).await.unwrap();
        while self.handled.load(Ordering::Relaxed) < before + BATCH as u64 {
            tokio::task::yield_now().await;
        }
        if !answers.is_empty() {
            Pin::new(&mut self.stream)
                .read_exact(answers)
                .await
                .unwrap();
        }
    }
}

/// Gives the bytes that receiving and handling allocates, once everything is warm.
fn allocations(metrics: Option<Arc<Metrics>>, echoes: bool) -> isize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut peer = Peer::join(metrics, echoes).await;
        let frame = Frame::text("question").masked([1, 2, 3, 4]).encode();
        let batch = frame.repeat(BATCH);
        let mut answers = vec![0; if echoes { BATCH * 8 } else { 0 }];
        for _ in 0..ROUNDS {
            peer.round(&batch, &mut answers).await;
        }
        let before = total();
        for _ in 0..ROUNDS {
            peer.round(&batch, &mut answers).await;
        }
        total() - before
    })
}

#[test]
fn receiving_allocates_nothing_watched_or_not() {
    let metrics = Arc::new(Metrics::new());
    assert_eq!(allocations(None, false), 0);
    assert_eq!(allocations(Some(Arc::clone(&metrics)), false), 0);
    assert_eq!(metrics.snapshot().messages_in, (2 * ROUNDS * BATCH) as u64);
}

#[test]
fn answering_allocates_no_more_with_metrics_than_without() {
    let metrics = Arc::new(Metrics::new());
    let off = allocations(None, true);
    let on = allocations(Some(Arc::clone(&metrics)), true);
    assert_eq!(on, off);
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.messages_out, (2 * ROUNDS * BATCH) as u64);
}
