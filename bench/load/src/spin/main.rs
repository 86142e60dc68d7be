//! `spin`: the plain loop over a stream in memory: what the library itself costs.
//!
//! `spin [bursts] [messages in a burst] [bytes in a message]` prints processor time, allocations
//! and writes for one message. Under `valgrind --tool=callgrind` it gives instruction counts.

mod counting;

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use bowline::{WebSocket, proto::Connection};
use bytes::BytesMut;
use cpu_time::ThreadTime;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Gives a burst, then lets the task yield, and so on; takes everything.
struct Wheel {
    burst: Vec<u8>,
    left: u64,
    yields: bool,
}

impl AsyncRead for Wheel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.yields = !self.yields;
        if self.yields {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.left > 0 {
            self.left -= 1;
            buffer.put_slice(&self.burst);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wheel {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        WRITES.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        WRITES.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Echoes plainly until the stream ends.
async fn echo(mut ws: WebSocket<Wheel>) -> u64 {
    let mut messages = 0;
    while let Some(message) = ws.recv().await {
        if ws.send(message).await.is_err() {
            break;
        }
        messages += 1;
    }
    messages
}

fn wheel(bursts: u64, count: usize, len: usize) -> WebSocket<Wheel> {
    let key = [0x11, 0x22, 0x33, 0x44];
    let mut frame = vec![0x82, 0x80 | len.min(126) as u8];
    if len > 125 {
        frame.extend((len as u16).to_be_bytes());
    }
    frame.extend(key);
    frame.extend((0..len).map(|index| key[index % 4]));
    let wheel = Wheel {
        burst: frame.repeat(count),
        left: bursts,
        yields: true,
    };
    let connection = Connection::server(Arc::default(), None, Instant::now());
    WebSocket::from_parts(connection, wheel, BytesMut::new())
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let mut number = |default| match numbers.next() {
        Some(number) => number.expect("an argument is a number"),
        None => default,
    };
    let (bursts, count, len) = (number(20_000), number(16) as usize, number(16) as usize);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async move {
        // What is made once is made before anything is counted.
        drop(tokio::spawn(echo(wheel(100, count, len))).await);
        let (began, allocations) = (ThreadTime::now(), counting::allocations());
        let echoed = tokio::spawn(echo(wheel(bursts, count, len))).await;
        let time = began.elapsed();
        let messages = echoed.expect("the loop does not panic") as f64;
        println!(
            "{:.1} ns, {:.2} allocations, {} writes for each of {messages} messages",
            time.as_nanos() as f64 / messages,
            (counting::allocations() - allocations) as f64 / messages,
            WRITES.load(Ordering::Relaxed) as f64 / messages,
        );
    });
}

static WRITES: AtomicU64 = AtomicU64::new(0);
