//! Futures dropped after any number of polls lose, double and tear nothing.

use bowline::{CloseCode, Config, EndedBy, Event, Fin, Message, MessageKind, WebSocket};
use bowline_testkit::{Chunks, Frame, chunks};
use proptest::{collection::vec, prelude::*};

use crate::{
    ends::{client, poll_times, wired_server},
    wire::{Far, Wire, wire},
};

/// Names a way to receive.
#[derive(Clone, Copy, Debug)]
enum Receive {
    Message,
    Fragment,
    Event,
}

/// Names a call that sends, with the length of its payload.
#[derive(Clone, Debug)]
enum Send {
    Message(usize),
    Uncompressed(usize),
    Fragments(Vec<usize>),
    FramePieces(Vec<usize>),
    Feed(usize),
    Flush,
    Ping(usize),
    Pong(usize),
}

#[test]
fn a_receive_dropped_anywhere_loses_and_doubles_no_byte() {
    let lens = [0, 1, 125, 126, 700, 3];
    let mut stream = Vec::new();
    let mut expected = Vec::new();
    for (seed, len) in lens.into_iter().enumerate() {
        let payload = payload(seed, len);
        let (first, rest) = payload.split_at(len / 2);
        for frame in [
            Frame::binary(first).more(),
            Frame::ping(b"between"),
            Frame::continuation(rest),
            Frame::binary(&payload),
        ] {
            stream.extend(frame.masked([9, 8, 7, 6]).encode());
        }
        expected.extend([payload.clone(), payload]);
    }
    for receive in [Receive::Message, Receive::Fragment, Receive::Event] {
        for drops in [vec![1], vec![2], vec![3, 1, 2], vec![50, 1]] {
            for reads in [
                Chunks::of(1),
                Chunks::repeating(vec![3, 90]),
                Chunks::whole(),
            ] {
                let received = block_on(receive_all(receive, &drops, reads, &stream));
                assert_eq!(
                    received, expected,
                    "{receive:?}, dropped after {drops:?} polls"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_send_dropped_after_its_first_poll_is_sent_whole_and_in_order(
        sends in vec((send(), 0..4_usize), 1..24),
        writes in chunks(),
        is_split: bool,
    ) {
        let (wire, far) = wire();
        far.cut(Chunks::whole(), writes);
        let ws = client(wire, Config::default());
        let expected = block_on(async {
            if is_split { send_halves(ws, &sends).await } else { send_all(ws, &sends).await }
        });
        check(&far, &expected);
    }

    #[test]
    fn a_send_dropped_while_the_queue_is_full_is_sent_once_or_not_at_all(
        sends in vec((1_usize..30_000, 0..4_usize), 1..40),
    ) {
        let (wire, far) = wire();
        far.cut(Chunks::whole(), Chunks::of(997));
        let mut ws = client(wire, Config::default());
        let completed = block_on(async {
            let mut completed = Vec::new();
            for (number, (len, polls)) in sends.iter().enumerate() {
                let sent = poll_times(*polls, ws.send(payload(number, *len))).await;
                completed.push(sent.map(Result::unwrap).is_some());
            }
            ws.flush().await.unwrap();
            completed
        });
        let mut written = far.payloads().into_iter().peekable();
        for (number, (len, _)) in sends.iter().enumerate() {
            let is_written = written.next_if_eq(&payload(number, *len)).is_some();
            prop_assert!(is_written || !completed[number], "message {number} is missing");
        }
        prop_assert_eq!(written.next(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_dropped_anywhere_goes_on_with_the_next_receive() {
    for polls in 0..12 {
        let (mut ws, far) = wired_server();
        far.trickle();
        ws.feed("last words").await.unwrap();
        let closed = poll_times(polls, ws.close(CloseCode::NORMAL, "bye")).await;
        assert!(closed.is_none(), "the peer has not answered");
        far.push_masked(Frame::text("meanwhile"));
        far.push_masked(Frame::close(1000, "bye"));
        far.end();
        let ending = ws.close(CloseCode::GOING_AWAY, "again").await.unwrap();
        assert!(ending.is_clean() && ending.by == EndedBy::Local);
        let frames = far.frames();
        assert_eq!(frames[0].payload, b"last words");
        let code = if polls == 0 { 1001 } else { 1000 };
        assert_eq!(frames[1].close_code(), Some(code), "the first close counts");
        assert_eq!(frames.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_close_of_a_half_dropped_anywhere_is_carried_through_by_the_other() {
    for polls in 1..8 {
        let (ws, far) = wired_server();
        let (mut sender, mut receiver) = ws.split();
        far.trickle();
        drop(poll_times(polls, sender.close(CloseCode::NORMAL, "bye")).await);
        far.push_masked(Frame::close(1000, "bye"));
        far.end();
        assert_eq!(receiver.recv().await, None);
        assert!(receiver.ending().unwrap().is_clean());
        assert_eq!(far.frames(), [Frame::close(1000, "bye")]);
    }
}

async fn receive_all(
    receive: Receive,
    drops: &[usize],
    reads: Chunks,
    stream: &[u8],
) -> Vec<Vec<u8>> {
    let (mut ws, far) = wired_server();
    far.cut(reads, Chunks::of(1));
    far.push(stream);
    far.end();
    let mut messages = vec![Vec::new()];
    let mut drops = drops.iter().copied().cycle();
    loop {
        let Some(received) = receive_once(&mut ws, receive, drops.next().unwrap()).await else {
            continue;
        };
        let Some((payload, is_end)) = received else {
            break;
        };
        messages.last_mut().unwrap().extend(payload);
        if is_end {
            messages.push(Vec::new());
        }
    }
    assert_eq!(messages.pop(), Some(Vec::new()));
    messages
}

/// Gives nothing if the future was dropped; then a piece of a message, if any is left.
async fn receive_once(
    ws: &mut WebSocket<Wire>,
    receive: Receive,
    polls: usize,
) -> Option<Option<(Vec<u8>, bool)>> {
    match receive {
        Receive::Message => poll_times(polls, ws.recv())
            .await
            .map(|message| message.map(|message| (message.payload().to_vec(), true))),
        Receive::Fragment => poll_times(polls, ws.recv_fragment())
            .await
            .map(|piece| piece.map(|piece| (piece.payload.to_vec(), piece.message_end))),
        Receive::Event => match poll_times(polls, ws.recv_event()).await? {
            Some(Event::Message(message)) => Some(Some((message.payload().to_vec(), true))),
            None => Some(None),
            Some(Event::Ping(ping)) => {
                assert_eq!(&*ping, b"between");
                None
            }
            Some(_) => None,
        },
    }
}

macro_rules! send_with {
    ($ws:ident, $sends:ident) => {{
        let mut expected = Vec::new();
        for (number, (send, polls)) in $sends.iter().enumerate() {
            let byte = u8::try_from(number).unwrap();
            match send {
                Send::Message(len) => {
                    let message = Message::binary(vec![byte; *len]);
                    if poll_times(*polls, $ws.send(message)).await.is_some() || *polls > 0 {
                        expected.push(Frame::binary(vec![byte; *len]));
                    }
                }
                Send::Uncompressed(len) => {
                    let message = Message::binary(vec![byte; *len]);
                    if poll_times(*polls, $ws.send_uncompressed(message))
                        .await
                        .is_some()
                        || *polls > 0
                    {
                        expected.push(Frame::binary(vec![byte; *len]));
                    }
                }
                Send::Fragments(lens) => {
                    for (index, len) in lens.iter().enumerate() {
                        let fin = fin(index, lens);
                        let sent = $ws.send_fragment(MessageKind::Binary, vec![byte; *len], fin);
                        drop(poll_times(polls + 1, sent).await);
                        expected.push(fragment(index, fin, vec![byte; *len]));
                    }
                }
                Send::FramePieces(lens) => {
                    let total = lens.iter().sum::<usize>();
                    let begun = $ws.begin_frame(MessageKind::Binary, total as u64, Fin::Last);
                    drop(poll_times(polls + 1, begun).await);
                    for len in lens {
                        let sent = $ws.send_frame_payload(vec![byte; *len]);
                        drop(poll_times(polls + 1, sent).await);
                    }
                    expected.push(Frame::binary(vec![byte; total]));
                }
                Send::Feed(len) => {
                    if poll_times(*polls, $ws.feed(vec![byte; *len]))
                        .await
                        .is_some()
                    {
                        expected.push(Frame::binary(vec![byte; *len]));
                    }
                }
                Send::Flush => drop(poll_times(*polls, $ws.flush()).await),
                Send::Ping(len) => {
                    drop(poll_times(polls + 1, $ws.ping(&vec![byte; *len])).await);
                    expected.push(Frame::ping(vec![byte; *len]));
                }
                Send::Pong(len) => {
                    drop(poll_times(polls + 1, $ws.pong(&vec![byte; *len])).await);
                    expected.push(Frame::pong(vec![byte; *len]));
                }
            }
        }
        $ws.flush().await.unwrap();
        expected
    }};
}

async fn send_all(mut ws: WebSocket<Wire>, sends: &[(Send, usize)]) -> Vec<Frame> {
    send_with!(ws, sends)
}

async fn send_halves(ws: WebSocket<Wire>, sends: &[(Send, usize)]) -> Vec<Frame> {
    let (mut sender, _receiver) = ws.split();
    send_with!(sender, sends)
}

/// Data frames and control frames each keep their order; control frames may pass ahead of data.
fn check(far: &Far, expected: &[Frame]) {
    let written: Vec<Frame> = far
        .frames()
        .into_iter()
        .map(|frame| Frame { key: None, ..frame })
        .collect();
    for is_control in [false, true] {
        let of_class = |frame: &&Frame| (frame.opcode >= Frame::CLOSE) == is_control;
        let written: Vec<&Frame> = written.iter().filter(of_class).collect();
        let expected: Vec<&Frame> = expected.iter().filter(of_class).collect();
        assert_eq!(written, expected);
    }
}

fn send() -> impl Strategy<Value = Send> {
    let len = || prop_oneof![0..200_usize, 4_000..6_000_usize];
    let lens = || vec(0..300_usize, 1..5);
    prop_oneof![
        len().prop_map(Send::Message),
        len().prop_map(Send::Uncompressed),
        lens().prop_map(Send::Fragments),
        lens().prop_map(Send::FramePieces),
        len().prop_map(Send::Feed),
        Just(Send::Flush),
        (0..=125_usize).prop_map(Send::Ping),
        (0..=125_usize).prop_map(Send::Pong),
    ]
}

fn fin(index: usize, lens: &[usize]) -> Fin {
    if index + 1 == lens.len() {
        Fin::Last
    } else {
        Fin::More
    }
}

fn fragment(index: usize, fin: Fin, payload: Vec<u8>) -> Frame {
    let frame = if index == 0 {
        Frame::binary(payload)
    } else {
        Frame::continuation(payload)
    };
    if fin == Fin::Last {
        frame
    } else {
        frame.more()
    }
}

fn payload(seed: usize, len: usize) -> Vec<u8> {
    let bytes = seed.to_be_bytes().into_iter().cycle();
    bytes
        .zip(0..=255_u8)
        .map(|(a, b)| a ^ b)
        .cycle()
        .take(len)
        .collect()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}
