//! Two halves in two tasks.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bowline::{Cause, CloseCode, Config, EndedBy, Error, Message, Transport, WebSocket};
use bowline_testkit::Frame;
use tokio::{io::duplex, time::timeout};

use crate::{
    ends::{WakeCounter, client, poll_times, server, settle, soon, tcp_pair, wired_server},
    wire::Far,
};

/// Sends numbered messages and receives the other end's at the same time.
async fn exchange<S: Transport>(ws: WebSocket<S>, count: u32, len: usize) {
    let (mut sender, mut receiver) = ws.split();
    let sending = tokio::spawn(async move {
        for number in 0..count {
            sender.send(numbered(number, len)).await.unwrap();
        }
        sender
    });
    for number in 0..count {
        assert_eq!(receiver.recv().await, Some(numbered(number, len)));
    }
    drop(sending.await.unwrap());
}

fn numbered(number: u32, len: usize) -> Message {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(len.max(4), 0x5A);
    Message::binary(payload)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_directions_are_busy_at_once_with_mebibytes() {
    let (a, b) = duplex(4096);
    let a = tokio::spawn(exchange(client(a, Config::default()), 64, 128 << 10));
    let b = tokio::spawn(exchange(server(b, Config::default()), 64, 128 << 10));
    soon(async { (a.await.unwrap(), b.await.unwrap()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost_among_many_small_messages() {
    for room in [16, 300] {
        let (a, b) = duplex(room);
        let a = tokio::spawn(exchange(client(a, Config::default()), 10_000, 4));
        let b = tokio::spawn(exchange(server(b, Config::default()), 10_000, 4));
        soon(async { (a.await.unwrap(), b.await.unwrap()) }).await;
    }
    let (a, b) = tcp_pair().await;
    let a = tokio::spawn(exchange(a, 10_000, 40));
    let b = tokio::spawn(exchange(b, 10_000, 40));
    soon(async { (a.await.unwrap(), b.await.unwrap()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_pongs_does_not_steal_the_senders_wake_up() {
    let (a, b) = duplex(64);
    let (mut a_sender, mut a_receiver) = client(a, Config::default()).split();
    let (mut b_sender, mut b_receiver) = server(b, Config::default()).split();
    let drain_a = tokio::spawn(async move { while a_receiver.recv().await.is_some() {} });
    let pings = tokio::spawn(async move {
        for _ in 0..5_000 {
            a_sender.ping(b"are you there?").await.unwrap();
        }
        a_sender
    });
    let messages = tokio::spawn(async move {
        for number in 0..5_000 {
            b_sender.send(numbered(number, 100)).await.unwrap();
        }
        b_sender
    });
    let drain_b = tokio::spawn(async move { while b_receiver.recv().await.is_some() {} });
    soon(async {
        let mut a_sender = pings.await.unwrap();
        let b_sender = messages.await.unwrap();
        a_sender.close(CloseCode::NORMAL, "").await.unwrap();
        drain_a.await.unwrap();
        drain_b.await.unwrap();
        drop(b_sender);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_send_waits_while_the_peer_does_not_read_and_the_queue_stays_bounded() {
    let (ws, far) = wired_server();
    let (mut sender, _receiver) = ws.split();
    far.limit(0);
    let mut queued = 0;
    while poll_times(1, sender.feed(vec![0; 1000])).await.is_some() {
        queued += 1000;
    }
    assert!(queued <= (64 << 10) + 1000, "{queued} bytes are queued");
    let patience = Duration::from_hours(1);
    assert!(timeout(patience, sender.send("more")).await.is_err());
    far.unlimit();
    sender.send("last").await.unwrap();
    let payloads = far.payloads();
    assert_eq!(payloads.last().unwrap(), b"last");
    assert_eq!(payloads.len(), queued / 1000 + 1, "what waited is not lost");
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_when_the_connection_ends_is_told_so() {
    type End = fn(&Far);
    let ends: [(End, EndedBy, Cause); 4] = [
        (
            |far| far.push_masked(Frame::close(1001, "")),
            EndedBy::Peer,
            Cause::ClosingHandshake,
        ),
        (Far::end, EndedBy::Network, Cause::Eof),
        (
            |far| far.fail_reads(std::io::ErrorKind::ConnectionReset),
            EndedBy::Network,
            Cause::Transport(std::io::ErrorKind::ConnectionReset),
        ),
        (
            |far| far.push(&Frame::text("not masked").encode()),
            EndedBy::Local,
            Cause::Violation(bowline::ProtocolViolation::UnmaskedFrame),
        ),
    ];
    for (end, by, cause) in ends {
        for len in [10, 1 << 20] {
            let (ws, far) = wired_server();
            let (mut sender, mut receiver) = ws.split();
            far.limit(0);
            sender.feed(vec![0; len]).await.unwrap();
            let sending = tokio::spawn(async move { sender.send("waits").await });
            settle().await;
            end(&far);
            assert_eq!(receiver.recv().await, None);
            let Err(Error::Closed(Some(ending))) = soon(sending).await.unwrap() else {
                panic!("the message cannot have been sent");
            };
            assert_eq!((ending.by, ending.cause), (by, cause));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_is_woken_by_the_receiver_that_ends_the_connection() {
    let (ws, far) = wired_server();
    let (mut sender, mut receiver) = ws.split();
    far.limit(0);
    far.fail_reads(std::io::ErrorKind::ConnectionReset);
    let wakes = Arc::new(WakeCounter::default());
    let counting = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&counting);
    let mut sending = pin!(sender.send("waits"));
    assert!(sending.as_mut().poll(&mut cx).is_pending());
    // The stream has nothing to wake the sender for: it is only let go.
    assert_eq!(poll_times(1, receiver.recv()).await, Some(None));
    assert_eq!(wakes.count(), 1);
    assert!(matches!(
        sending.as_mut().poll(&mut cx),
        Poll::Ready(Err(Error::Closed(Some(_))))
    ));
}

#[tokio::test]
async fn the_senders_close_ends_the_receiver_with_an_ending() {
    let (a, b) = duplex(1024);
    let (mut sender, mut receiver) = client(a, Config::default()).split();
    let mut peer = server(b, Config::default());
    let peer = tokio::spawn(async move {
        assert_eq!(peer.recv().await, Some(Message::text("last")));
        assert_eq!(peer.recv().await, None);
        peer.ending().unwrap()
    });
    let receiving = tokio::spawn(async move {
        let last = receiver.recv().await;
        (last, receiver.ending().unwrap())
    });
    sender.send("last").await.unwrap();
    sender.close(CloseCode(4000), "enough").await.unwrap();
    let (last, ending) = receiving.await.unwrap();
    assert_eq!(last, None);
    assert!(ending.is_clean() && ending.by == EndedBy::Local);
    let ending = peer.await.unwrap();
    assert_eq!(
        (ending.by, ending.code, &*ending.reason),
        (EndedBy::Peer, CloseCode(4000), "enough")
    );
    assert!(matches!(
        sender.send("late").await,
        Err(Error::Closed(Some(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_close_from_the_sender_is_written_while_nothing_receives() {
    let (ws, far) = wired_server();
    let (mut sender, mut receiver) = ws.split();
    sender.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(far.frames(), [Frame::close(1000, "")]);
    tokio::time::sleep(Duration::from_hours(1)).await;
    far.push_masked(Frame::text("on the way"));
    far.push_masked(Frame::close(1000, ""));
    far.end();
    // The peer answered, only nobody looked.
    assert_eq!(receiver.recv().await, Some(Message::text("on the way")));
    assert_eq!(receiver.recv().await, None);
    assert!(receiver.ending().unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn the_stream_is_let_go_with_the_second_half() {
    let (ws, far) = wired_server();
    let (mut sender, receiver) = ws.split();
    drop(receiver);
    sender.send("still works").await.unwrap();
    assert!(!far.is_dropped());
    drop(sender);
    assert!(far.is_dropped());
    assert!(!far.is_shut_down(), "there was no closing handshake");
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_drop_is_written_for_the_close_timeout_at_most() {
    for reads_on in [true, false] {
        let (mut ws, far) = wired_server();
        far.limit(1);
        far.push(&[Frame::text("a"), Frame::text("b")].map(masked).concat());
        let message = ws.recv().await.unwrap();
        ws.send(message).await.unwrap();
        settle().await;
        let message = ws.recv().await.unwrap();
        assert!(
            timeout(Duration::from_secs(1), ws.send(message))
                .await
                .is_err()
        );
        drop(ws);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(!far.is_dropped());
        if reads_on {
            far.unlimit();
            settle().await;
            assert_eq!(far.frames(), [Frame::text("a"), Frame::text("b")]);
        } else {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        assert!(far.is_dropped());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_only_queued_before_the_drop_is_written_too() {
    let (mut ws, far) = wired_server();
    ws.feed("fed").await.unwrap();
    drop(ws);
    settle().await;
    assert_eq!(far.frames(), [Frame::text("fed")]);
    assert!(far.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_send_that_was_given_up_leaves_without_another_call() {
    let (mut ws, far) = wired_server();
    far.limit(0);
    assert!(poll_times(1, ws.send("given up")).await.is_none());
    far.unlimit();
    settle().await;
    assert_eq!(far.frames(), [Frame::text("given up")]);
    drop(ws);
}

fn masked(frame: Frame) -> Vec<u8> {
    frame.masked([1, 2, 3, 4]).encode()
}

#[tokio::test(start_paused = true)]
async fn an_abort_lets_go_at_once_although_nothing_receives() {
    let (ws, far) = wired_server();
    let (mut sender, mut receiver) = ws.split();
    sender.feed("never written").await.unwrap();
    sender.abort();
    assert!(far.is_dropped());
    assert_eq!(far.written(), b"");
    assert!(matches!(sender.flush().await, Err(Error::Closed(Some(_)))));
    assert_eq!(receiver.recv().await, None);
    assert_eq!(receiver.ending().unwrap().cause, Cause::Aborted);
}

#[tokio::test(start_paused = true)]
async fn the_waker_of_a_dropped_receive_does_no_harm() {
    let (ws, far) = wired_server();
    let (mut sender, mut receiver) = ws.split();
    far.limit(0);
    assert!(poll_times(1, sender.send("first")).await.is_none());
    // This registers interest in writing too, and is gone.
    assert!(poll_times(1, receiver.recv()).await.is_none());
    let sending = tokio::spawn(async move { sender.send("second").await });
    settle().await;
    assert!(poll_times(1, receiver.recv()).await.is_none());
    far.unlimit();
    soon(sending).await.unwrap().unwrap();
    assert_eq!(far.payloads(), [&b"first"[..], b"second"]);
}
