//! Answers leave together, and nothing is held back.

use std::{
    future::pending,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bowline::{Config, Message, WebSocket};
use bowline_testkit::Frame;
use futures_util::{Sink, SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    ends::{WakeCounter, poll_times, server, settle, wired_server},
    wire::{Far, Wire, wire},
};

/// Pushes frames so that one read gets them all.
fn push_at_once(far: &Far, frames: impl IntoIterator<Item = Frame>) {
    let masked = |frame: Frame| frame.masked([1, 2, 3, 4]).encode();
    far.push(&frames.into_iter().flat_map(masked).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn answers_to_a_burst_leave_in_few_writes() {
    let (mut ws, far) = wired_server();
    let burst = (0..100_u8).map(|number| Frame::binary([number]));
    push_at_once(&far, burst.clone());
    let echo = async {
        while let Some(message) = ws.recv().await {
            ws.send(message).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_secs(1), echo).await.is_err());
    assert_eq!(far.frames(), burst.collect::<Vec<_>>());
    assert!(far.write_count() <= 4, "{} writes", far.write_count());
}

#[tokio::test(start_paused = true)]
async fn a_single_message_is_written_before_send_returns() {
    let (mut ws, far) = wired_server();
    ws.send("now").await.unwrap();
    assert_eq!(far.frames(), [Frame::text("now")]);
    assert_eq!(far.write_count(), 1);
}

/// Takes the first of two messages that arrived together and answers it.
async fn answer_first(ws: &mut WebSocket<Wire>, far: &Far) {
    push_at_once(far, [Frame::text("one"), Frame::text("two")]);
    let first = ws.recv().await.unwrap();
    ws.send(first).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_leaves_when_the_task_sleeps() {
    let (mut ws, far) = wired_server();
    answer_first(&mut ws, &far).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(far.frames(), [Frame::text("one")]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_leaves_when_the_task_waits_for_a_channel() {
    let (mut ws, far) = wired_server();
    answer_first(&mut ws, &far).await;
    let (sender, mut channel) = mpsc::channel::<()>(1);
    let waited = timeout(Duration::from_secs(1), channel.recv()).await;
    drop(sender);
    assert!(waited.is_err());
    assert_eq!(far.frames(), [Frame::text("one")]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_leaves_when_the_next_receive_is_dropped() {
    let (mut ws, far) = wired_server();
    answer_first(&mut ws, &far).await;
    assert!(ws.recv().await.is_some());
    tokio::select! {
        biased;
        _ = ws.recv() => {}
        () = pending() => {}
        () = std::future::ready(()) => {}
    }
    assert_eq!(far.frames(), [Frame::text("one")]);
}

#[tokio::test(start_paused = true)]
async fn a_pong_leaves_while_the_application_handles_what_came_with_the_ping() {
    let (mut ws, far) = wired_server();
    push_at_once(
        &far,
        [
            Frame::text("a"),
            Frame::ping("?"),
            Frame::text("b"),
            Frame::text("c"),
        ],
    );
    assert_eq!(ws.recv().await, Some(Message::text("a")));
    assert_eq!(ws.recv().await, Some(Message::text("b")));
    sleep(Duration::from_mins(1)).await;
    assert_eq!(far.frames(), [Frame::pong("?")]);
    far.push_masked(Frame::ping("!"));
    assert_eq!(ws.recv().await, Some(Message::text("c")));
    assert!(timeout(Duration::from_secs(1), ws.recv()).await.is_err());
    assert_eq!(far.frames(), [Frame::pong("?"), Frame::pong("!")]);
}

#[tokio::test(start_paused = true)]
async fn a_large_payload_leaves_with_its_header_in_one_vectored_write() {
    let (mut ws, far) = wired_server();
    ws.feed("small").await.unwrap();
    ws.send(vec![7; 1 << 20]).await.unwrap();
    assert_eq!((far.write_count(), far.vectored_count()), (1, 1));
    assert_eq!(far.payloads()[1].len(), 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn messages_taken_from_the_buffer_let_other_tasks_run() {
    let (mut ws, far) = wired_server();
    push_at_once(&far, (0..20_000).map(|_| Frame::text("")));
    let other = tokio::spawn(async {});
    for _ in 0..10_000 {
        assert!(ws.recv().await.is_some());
        if other.is_finished() {
            return;
        }
    }
    panic!("the other task never ran");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_forwarded_into_a_sink() {
    let (ws, far) = wired_server();
    let (sender, receiver) = ws.split();
    for number in 0..50_u8 {
        far.push_masked(Frame::binary([number]));
    }
    far.push_masked(Frame::close(1000, "done"));
    far.end();
    let forwarded = receiver.map(Ok).forward(sender).await;
    // The peer's close came first, so the sink could not be closed any more than it was.
    forwarded.unwrap();
    let written = far.payloads();
    assert_eq!(written.len(), 50);
    assert!(
        written
            .iter()
            .zip(0..)
            .all(|(payload, number)| payload == &[number])
    );
    assert_eq!(far.frames().last().unwrap().close_code(), Some(1000));
}

#[tokio::test(start_paused = true)]
async fn the_sinks_close_waits_for_the_peer_and_does_not_spin() {
    let (mut ws, far) = wired_server();
    SinkExt::send(&mut ws, Message::text("last")).await.unwrap();
    let wakes = Arc::new(WakeCounter::default());
    let counting = Waker::from(Arc::clone(&wakes));
    for _ in 0..3 {
        let closed = Pin::new(&mut ws).poll_close(&mut Context::from_waker(&counting));
        assert!(closed.is_pending());
    }
    assert!(
        wakes.count() <= 1,
        "woken {} times for nothing",
        wakes.count()
    );
    far.push_masked(Frame::close(1000, ""));
    far.end();
    SinkExt::close(&mut ws).await.unwrap();
    assert!(ws.ending().unwrap().is_clean());
    assert_eq!(far.frames(), [Frame::text("last"), Frame::close(1000, "")]);
}

#[tokio::test(start_paused = true)]
async fn the_close_of_a_sink_half_flushes_and_does_not_spin() {
    let (ws, far) = wired_server();
    let (mut sender, _receiver) = ws.split();
    far.limit(0);
    let wakes = Arc::new(WakeCounter::default());
    let counting = Waker::from(Arc::clone(&wakes));
    for _ in 0..3 {
        let closed = Pin::new(&mut sender).poll_close(&mut Context::from_waker(&counting));
        assert!(closed.is_pending());
    }
    assert_eq!(wakes.count(), 0);
    far.unlimit();
    SinkExt::close(&mut sender).await.unwrap();
    assert_eq!(far.frames(), [Frame::close(1000, "")]);
}

#[test]
fn nothing_panics_or_is_held_back_outside_of_a_runtime() {
    let (mut ws, far) = wired_server();
    let mut cx = Context::from_waker(Waker::noop());
    push_at_once(&far, [Frame::text("one"), Frame::text("two")]);
    let mut poll = |future: Pin<&mut dyn Future<Output = ()>>| {
        assert!(future.poll(&mut cx).is_ready());
    };
    poll(std::pin::pin!(async {
        let first = ws.recv().await.unwrap();
        ws.send(first).await.unwrap();
        assert_eq!(far.frames(), [Frame::text("one")]);
        assert!(ws.recv().await.is_some());
        ws.begin_close(bowline::CloseCode::NORMAL, "").unwrap();
        assert!(
            poll_times(2, ws.recv()).await.is_none(),
            "the peer has not answered"
        );
        far.push_masked(Frame::close(1000, ""));
        far.end();
        assert_eq!(ws.recv().await, None);
    }));
}

#[tokio::test(start_paused = true)]
async fn what_is_fed_leaves_with_the_next_receive() {
    let (mut ws, far) = wired_server();
    ws.feed("fed").await.unwrap();
    settle().await;
    assert_eq!(far.written(), b"");
    assert!(poll_times(1, ws.recv()).await.is_none());
    assert_eq!(far.frames(), [Frame::text("fed")]);
}

#[test]
fn runtimes_that_take_turns_on_a_thread_hold_nothing_back() {
    let runtimes = [(); 2].map(|()| {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    });
    let mut open = Vec::new();
    for round in 1..=3 {
        for runtime in &runtimes {
            runtime.block_on(async {
                let (mut ws, far) = wired_server();
                answer_first(&mut ws, &far).await;
                settle().await;
                assert_eq!(far.frames(), [Frame::text("one")], "round {round}");
                open.push(ws);
            });
        }
    }
}

/// A stream that panics when something is written.
struct Explosive(Wire);

impl AsyncRead for Explosive {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Explosive {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        panic!("the stream of the test panics");
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_panics_holds_no_other_back() {
    for _ in 0..2 {
        let (wire, broken_far) = wire();
        let mut broken = server(Explosive(wire), Config::default());
        let (mut ws, far) = wired_server();
        push_at_once(&broken_far, [Frame::text("one"), Frame::text("two")]);
        let first = broken.recv().await.unwrap();
        broken.send(first).await.unwrap();
        answer_first(&mut ws, &far).await;
        settle().await;
        assert_eq!(far.frames(), [Frame::text("one")]);
    }
}
