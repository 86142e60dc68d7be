//! Messages that arrive together are taken together, which nobody notices.

use std::time::Duration;

use bowline::{
    Cause, CloseCode, Message, ReceiveLimits, WebSocket,
    server::{Attributes, GroupOptions},
};
use bowline_testkit::Frame;
use futures_util::StreamExt;
use tokio::time::sleep;

use crate::{
    allocations::live,
    ends::{settle, wired_server},
    registry::Hall,
    wire::{Far, Wire},
};

/// Pushes frames so that one read gets them all.
fn push_at_once(far: &Far, frames: impl IntoIterator<Item = Frame>) {
    let masked = |frame: Frame| frame.masked([1, 2, 3, 4]).encode();
    far.push(&frames.into_iter().flat_map(masked).collect::<Vec<_>>());
}

fn numbered(count: u8) -> impl Iterator<Item = Frame> {
    (0..count).map(|number| Frame::binary([number]))
}

fn number(message: &Message) -> u8 {
    message.payload()[0]
}

/// Receives the first of ten messages that arrived together.
async fn receive_first() -> (WebSocket<Wire>, Far) {
    let (mut ws, far) = wired_server();
    push_at_once(&far, numbered(10));
    assert_eq!(number(&ws.recv().await.unwrap()), 0);
    (ws, far)
}

#[tokio::test(start_paused = true)]
async fn no_message_is_lost_or_overtaken_when_the_way_of_receiving_changes() {
    let (mut ws, far) = receive_first().await;
    let fragment = ws.recv_fragment().await.unwrap();
    assert_eq!((fragment.payload[0], fragment.message_end), (1, true));
    assert_eq!(number(&ws.recv().await.unwrap()), 2);
    let event = ws.recv_event().await.unwrap();
    assert!(matches!(event, bowline::Event::Message(message) if number(&message) == 3));
    assert_eq!(number(&ws.recv().await.unwrap()), 4);
    let (code, payload) = ws.recv_frame().await.unwrap();
    assert!(code.fin() == bowline::proto::Fin::Last && *payload == [5]);
    assert_eq!(number(&ws.recv().await.unwrap()), 6);
    assert_eq!(number(&ws.try_recv().unwrap()), 7);
    assert_eq!(number(&ws.next().await.unwrap()), 8);
    let (_sender, mut receiver) = ws.split();
    push_at_once(&far, [Frame::binary([10]), Frame::binary([11])]);
    assert_eq!(number(&receiver.recv().await.unwrap()), 9);
    assert_eq!(number(&receiver.recv().await.unwrap()), 10);
    let mut queue = receiver.queued(ReceiveLimits::default());
    push_at_once(&far, [Frame::binary([12])]);
    assert_eq!(number(&queue.recv().await.unwrap()), 11);
    assert_eq!(number(&queue.recv().await.unwrap()), 12);
}

#[tokio::test(start_paused = true)]
async fn a_group_gets_what_arrived_with_the_message_received_before_it() {
    let (ws, far) = receive_first().await;
    let hall = Hall::new(GroupOptions::default());
    hall.group.on_binary(|connection, payload| {
        connection.post(Message::binary(payload.to_vec()));
    });
    hall.group.adopt(ws, Attributes::default()).unwrap();
    settle().await;
    push_at_once(&far, [Frame::binary([10])]);
    settle().await;
    assert_eq!(
        far.frames(),
        (1..=10)
            .map(|number| Frame::binary([number]))
            .collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_behind_messages_ends_the_connection_after_their_answers() {
    let (mut ws, far) = wired_server();
    let wrong = Frame {
        payload: vec![0xFF],
        ..Frame::text("")
    };
    push_at_once(&far, numbered(4).chain([wrong]));
    for _ in 0..4 {
        let message = ws.recv().await.unwrap();
        ws.send(message).await.unwrap();
    }
    assert!(crate::ends::poll_times(1, ws.recv()).await.is_none());
    let close = [Frame::close(1007, "")];
    let written = far.frames();
    assert_eq!(written[..4], numbered(4).collect::<Vec<_>>());
    assert_eq!(written[4].opcode, close[0].opcode);
    far.end();
    assert_eq!(ws.recv().await, None);
    let ending = ws.ending().unwrap();
    assert_eq!(ending.code, CloseCode::INVALID_PAYLOAD);
    assert!(matches!(ending.cause, Cause::Violation(_)), "{ending:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_of_a_burst_is_written_before_send_returns() {
    let (mut ws, far) = wired_server();
    push_at_once(&far, numbered(3));
    for _ in 0..3 {
        let message = ws.recv().await.unwrap();
        ws.send(message).await.unwrap();
    }
    assert_eq!(far.frames(), numbered(3).collect::<Vec<_>>());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(far.write_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_kept_holds_at_most_32_times_its_length() {
    for len in [16, 125, 300, 1000, 5000] {
        let (mut ws, far) = wired_server();
        let count = 60_000 / (len + 8);
        push_at_once(&far, (0..count).map(|_| Frame::binary(vec![7; len])));
        // The thread's read buffer is made once, and the wire keeps what is pushed.
        let mut kept = ws.recv().await.unwrap();
        let before = live();
        for _ in 1..count {
            kept = ws.recv().await.unwrap();
        }
        let held = live() - before;
        assert_eq!(kept.len(), len);
        let most = isize::try_from(len * 32 + 256).unwrap();
        assert!(held <= most, "{len} bytes hold {held}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_kept_of_a_burst_that_was_expected_holds_at_most_32_times_its_length_too() {
    for len in [300, 1000, 5000] {
        let (mut ws, far) = wired_server();
        let count = 16_000 / (len + 8);
        let mut held = 0;
        for round in 0..3 {
            push_at_once(&far, (0..count).map(|_| Frame::binary(vec![round; len])));
            let before = live();
            let mut kept = None;
            for _ in 0..count {
                kept = ws.recv().await;
            }
            held = live() - before;
            assert_eq!(kept.unwrap().payload()[..], vec![round; len]);
        }
        let most = isize::try_from(len * 32 + 256).unwrap();
        assert!(held <= most, "{len} bytes hold {held}");
    }
}

#[tokio::test(start_paused = true)]
async fn bursts_come_whole_and_in_order_whatever_the_one_before_let_expect() {
    let (mut ws, far) = wired_server();
    let mut sent = 0_u32;
    for (count, len) in [
        (20, 900),
        (3, 10),
        (60, 900),
        (1, 200_000),
        (2, 5_000),
        (40, 1_000),
        (1, 1),
        (10, 300),
    ] {
        let numbers = sent..sent + count;
        sent += count;
        let payload = |number: u32| [&number.to_be_bytes()[..], &vec![9; len]].concat();
        push_at_once(
            &far,
            numbers.clone().map(|number| Frame::binary(payload(number))),
        );
        for number in numbers {
            let message = ws.recv().await.unwrap();
            assert_eq!(message.payload()[..], payload(number), "{count} of {len}");
        }
    }
}
