//! Frames by opcode, on both ends and against another implementation.

use std::sync::Arc;

use bowline::{
    Acceptor, Cause, CloseCode, Config, Connector, Error, Fin, FrameCode, FrameCodeError, Limits,
    Message, MessageKind, Misuse, Nonstandard, PongMode, ProtocolViolation, WebSocket,
    proto::{LimitExceeded, Opcode},
};
use bowline_testkit::Frame;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        protocol::frame::coding::{Data, OpCode},
    },
};

use crate::{
    ends::{tcp_pair, wired_server_with as server},
    wire::Wire,
};

fn code(number: u8) -> FrameCode {
    FrameCode::from_code(number).unwrap()
}

async fn next(ws: &mut WebSocket<Wire>) -> Option<(u8, Vec<u8>)> {
    let (code, payload) = ws.recv_frame().await?;
    Some((code.code(), payload.to_vec()))
}

/// Makes a server of ours and a client of another implementation.
async fn with_tungstenite() -> (WebSocket<TcpStream>, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connect = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{address}/");
        tokio_tungstenite::client_async(url, stream)
            .await
            .unwrap()
            .0
    };
    let accept = async {
        let (stream, _) = listener.accept().await.unwrap();
        bowline::accept(stream).await.unwrap()
    };
    let (theirs, ours) = tokio::join!(connect, accept);
    (ours, theirs)
}

#[tokio::test]
async fn frames_of_every_kind_arrive_by_code() {
    let (mut ws, far) = server(Config::default());
    for frame in [
        Frame::text("a").more(),
        Frame::ping("p"),
        Frame::continuation("").more(),
        Frame::continuation("b"),
        Frame::binary("c"),
        Frame::pong("q"),
        Frame::close(1001, "bye"),
    ] {
        far.push_masked(frame);
    }
    far.trickle();
    far.end();
    for (number, payload) in [
        (1, &b"a"[..]),
        (9, b"p"),
        (0, b""),
        (128, b"b"),
        (130, b"c"),
        (10, b"q"),
        (8, b"\x03\xe9bye"),
    ] {
        assert_eq!(next(&mut ws).await, Some((number, payload.to_vec())));
    }
    // A program that answers the close frame itself does no harm.
    ws.send_frame(code(8), b"\x03\xe9").await.unwrap();
    assert_eq!(next(&mut ws).await, None);
    let sent: Vec<_> = far.frames().iter().map(|frame| frame.opcode).collect();
    assert_eq!(sent, [Frame::PONG, Frame::CLOSE]);
    assert!(ws.ending().unwrap().is_clean());
}

#[tokio::test]
async fn frames_leave_as_they_were_given() {
    let (mut ws, far) = server(Config::default());
    for (number, payload) in [
        (1, "a\u{e9}".as_bytes()),
        (9, b"p"),
        (0, b""),
        (128, b"b"),
        (130, b"\xff"),
        (10, b"q"),
    ] {
        ws.send_frame(code(number), payload).await.unwrap();
    }
    ws.send_frame(code(8), b"\x0f\xa0why").await.unwrap();
    let sent = far.frames();
    let codes: Vec<_> = sent
        .iter()
        .map(|frame| frame.opcode | u8::from(frame.fin) << 7)
        .collect();
    assert_eq!(codes, [1, 0x89, 0, 128, 130, 0x8A, 0x88]);
    assert!(sent.iter().all(|frame| frame.key.is_none()), "no mask");
    assert_eq!(sent[6].payload, b"\x0f\xa0why");
    let late = ws.send_frame(code(129), b"late").await;
    assert!(matches!(late, Err(Error::Closed(_))));
}

#[tokio::test]
async fn what_is_out_of_order_is_refused_and_nothing_is_sent() {
    let alone: [(u8, &[u8], Misuse); 8] = [
        (0, b"x", Misuse::ContinuationWithoutStart),
        (128, b"x", Misuse::ContinuationWithoutStart),
        (129, b"\xff", Misuse::TextUtf8),
        (9, &[0; 126], Misuse::ControlTooLong),
        (10, &[0; 126], Misuse::ControlTooLong),
        (8, b"\x03", Misuse::ClosePayload),
        (8, b"\x03\xe8\xff", Misuse::ClosePayload),
        (8, b"\x03\xed", Misuse::CloseCode(CloseCode::NO_STATUS)),
    ];
    let inside: [(u8, &[u8], Misuse); 5] = [
        (1, b"x", Misuse::MessageUnfinished),
        (129, b"x", Misuse::MessageUnfinished),
        (2, b"x", Misuse::MessageUnfinished),
        (130, b"x", Misuse::MessageUnfinished),
        (128, b"\xff", Misuse::TextUtf8),
    ];
    let (mut ws, far) = server(Config::default());
    for (number, payload, misuse) in alone {
        let refused = ws.send_frame(code(number), payload).await;
        assert!(matches!(refused, Err(Error::Misuse(why)) if why == misuse));
    }
    assert_eq!(far.written(), b"");
    ws.send_frame(code(1), b"begun").await.unwrap();
    for (number, payload, misuse) in inside {
        let refused = ws.send_frame(code(number), payload).await;
        assert!(matches!(refused, Err(Error::Misuse(why)) if why == misuse));
    }
    assert!(matches!(
        ws.send("whole").await,
        Err(Error::Misuse(Misuse::MessageUnfinished))
    ));
    ws.send_frame(code(128), b"end").await.unwrap();
    assert_eq!(far.payloads(), [b"begun".to_vec(), b"end".to_vec()]);
    // Reserved opcodes and control frames with more to follow have no code.
    assert_eq!(
        FrameCode::from_code(3),
        Err(FrameCodeError::ReservedOpcode(3))
    );
    assert_eq!(
        FrameCode::new(Opcode::Ping, Fin::More),
        Err(FrameCodeError::FragmentedControl(Opcode::Ping))
    );
}

#[tokio::test]
async fn what_the_peer_sends_out_of_order_ends_the_connection() {
    let limits = Limits {
        frame_size_max: 10,
        ..Limits::default()
    };
    let violation = Cause::Violation;
    for (frames, cause, number) in [
        (
            vec![Frame::continuation("x")],
            violation(ProtocolViolation::ContinuationWithoutStart),
            1002,
        ),
        (
            vec![Frame::text("x").more(), Frame::binary("y")],
            violation(ProtocolViolation::MessageInterrupted),
            1002,
        ),
        (
            vec![Frame::new(11, "x")],
            violation(ProtocolViolation::ReservedOpcode(11)),
            1002,
        ),
        (
            vec![Frame::ping("x").more()],
            violation(ProtocolViolation::ControlFragmented),
            1002,
        ),
        (
            vec![Frame::binary([0; 11])],
            Cause::Limit(LimitExceeded::FrameSize),
            1009,
        ),
    ] {
        let config = Config {
            limits,
            ..Config::default()
        };
        let (mut ws, far) = server(config);
        for frame in frames {
            far.push_masked(frame);
        }
        far.end();
        while ws.recv_frame().await.is_some() {}
        assert_eq!(ws.ending().unwrap().cause, cause);
        assert_eq!(far.frames().last().unwrap().close_code(), Some(number));
    }
}

#[tokio::test]
async fn in_manual_mode_the_program_answers_pings() {
    let config = Config {
        pong: PongMode::Manual,
        ..Config::default()
    };
    let (mut ws, far) = server(config);
    far.push_masked(Frame::ping("one"));
    far.push_masked(Frame::text("two"));
    assert_eq!(next(&mut ws).await, Some((9, b"one".to_vec())));
    assert_eq!(next(&mut ws).await, Some((129, b"two".to_vec())));
    ws.flush().await.unwrap();
    assert_eq!(far.written(), b"", "nobody has answered");
    ws.send_frame(code(10), b"one").await.unwrap();
    assert_eq!(far.frames()[0].opcode, Frame::PONG);
    assert_eq!(far.frames()[0].payload, b"one");
}

#[tokio::test]
async fn a_message_keeps_the_way_it_was_begun_in() {
    let (mut ws, far) = server(Config::default());
    far.push_masked(Frame::text("a").more());
    assert_eq!(next(&mut ws).await, Some((1, b"a".to_vec())));
    far.push_masked(Frame::continuation("skipped"));
    far.push_masked(Frame::text("b"));
    assert_eq!(ws.recv().await, Some(Message::text("b")));
    far.push_masked(Frame::binary("c").more());
    let piece = ws.recv_fragment().await.unwrap();
    assert!(piece.frame_end && piece.message_start && !piece.message_end);
    far.push_masked(Frame::continuation("d").more());
    far.push_masked(Frame::continuation("e"));
    assert_eq!(next(&mut ws).await, Some((0, b"d".to_vec())));
    assert_eq!(next(&mut ws).await, Some((128, b"e".to_vec())));
}

#[tokio::test]
async fn fragments_go_both_ways_with_another_implementation() {
    let (mut ours, mut theirs) = with_tungstenite().await;
    for (opcode, payload, fin) in [
        (OpCode::Data(Data::Text), "a", false),
        (OpCode::Data(Data::Continue), "", false),
        (OpCode::Data(Data::Continue), "bc", true),
        (OpCode::Data(Data::Binary), "d", true),
    ] {
        let frame = tungstenite::protocol::frame::Frame::message(payload, opcode, fin);
        let message = tungstenite::Message::Frame(frame);
        theirs.send(message).await.unwrap();
    }
    for (number, payload) in [(1, "a"), (0, ""), (128, "bc"), (130, "d")] {
        let (code, received) = ours.recv_frame().await.unwrap();
        assert_eq!((code.code(), &*received), (number, payload.as_bytes()));
    }
    for (number, payload) in [(2, "e"), (0, "f"), (9, "ping"), (128, "g"), (129, "h")] {
        let payload = payload.as_bytes();
        ours.send_frame(code(number), payload).await.unwrap();
    }
    let mut received = Vec::new();
    for _ in 0..3 {
        received.push(theirs.next().await.unwrap().unwrap());
    }
    assert_eq!(
        received,
        [
            tungstenite::Message::Ping("ping".into()),
            tungstenite::Message::Binary("efg".into()),
            tungstenite::Message::Text("h".into()),
        ]
    );
    theirs.flush().await.unwrap();
    let (code, payload) = ours.recv_frame().await.unwrap();
    assert_eq!((code.code(), &*payload), (10, &b"ping"[..]));
}

#[tokio::test]
async fn halves_have_frames_and_the_client_masks_them() {
    let (client, server) = tcp_pair().await;
    let (mut sender, mut receiver) = client.split();
    let (mut answers, mut requests) = server.split();
    sender.send_frame(code(1), b"a").await.unwrap();
    sender.send_frame(code(128), b"b").await.unwrap();
    for _ in 0..2 {
        let (code, payload) = requests.recv_frame().await.unwrap();
        answers.send_frame(code, payload).await.unwrap();
        // The server takes masked frames only, so both were.
        let (answered, _) = receiver.recv_frame().await.unwrap();
        assert_eq!(answered, code);
    }
}

#[tokio::test]
async fn a_compressed_message_is_one_frame_and_frames_are_never_compressed() {
    let (mut client, mut server) = tcp_pair().await;
    assert!(client.is_compressed());
    let half = [7; 1000];
    for fin in [Fin::More, Fin::Last] {
        client
            .send_fragment(MessageKind::Binary, &half, fin)
            .await
            .unwrap();
    }
    let (one, payload) = server.recv_frame().await.unwrap();
    assert_eq!((one.code(), payload.len()), (130, 2000));
    for number in [2, 128] {
        client.send_frame(code(number), &half).await.unwrap();
    }
    for number in [2, 128] {
        let (two, payload) = server.recv_frame().await.unwrap();
        assert_eq!((two.code(), payload.len()), (number, 1000));
    }
}

#[tokio::test]
async fn a_server_that_masks_against_the_standard_is_refused_unless_the_client_is_told_to_bear_it()
{
    let mut acceptor = Acceptor::default();
    let nonstandard = Nonstandard {
        mask_server_frames: true,
        accept_masked_server_frames: true,
    };
    let config = Arc::new(Config {
        nonstandard,
        ..Config::default()
    });
    acceptor.options.config = Arc::clone(&config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    for bears in [true, false] {
        let mut connector = Connector::default();
        if bears {
            connector.options.config = Arc::clone(&config);
        }
        let accept = async {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await.unwrap()
        };
        let (client, mut server) = tokio::join!(connector.connect(&url), accept);
        let mut client = client.unwrap();
        server.send("masked").await.unwrap();
        if bears {
            assert_eq!(client.recv().await, Some(Message::text("masked")));
            client.send("heard").await.unwrap();
            assert_eq!(server.recv().await, Some(Message::text("heard")));
            continue;
        }
        let refused = async {
            assert_eq!(client.recv().await, None);
            client.ending().unwrap()
        };
        let (ending, told) = tokio::join!(refused, server.recv());
        let violation = Cause::Violation(ProtocolViolation::MaskedFrame);
        assert_eq!((ending.cause, told), (violation, None));
        assert_eq!(server.ending().unwrap().code, CloseCode::PROTOCOL_ERROR);
    }
}
