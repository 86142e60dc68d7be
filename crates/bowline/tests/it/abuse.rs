//! Peers that mean harm, or just behave badly, with stated bounds.

use std::time::Duration;

use bowline::{
    Cause, CloseCode, Config, EndedBy, Fin, Limits, Message, MessageKind, proto::LimitExceeded,
};
use bowline_testkit::{Chunks, Frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    allocations::{live, peak_of},
    ends::{
        client, poll_times, settle, soon, wired_deflate_client, wired_deflate_server, wired_server,
        wired_server_with,
    },
    wire::wire,
};

const KIB: isize = 1 << 10;
const MIB: isize = 1 << 20;

fn masked(frame: &Frame) -> Vec<u8> {
    frame.clone().masked([3, 1, 4, 1]).encode()
}

#[tokio::test(start_paused = true)]
async fn a_ping_flood_by_a_peer_that_never_reads_costs_no_memory() {
    let (mut ws, far) = wired_server();
    far.limit(0);
    let batch = masked(&Frame::ping([7; 125])).repeat(1000);
    let mut first = 0;
    for round in 0..100 {
        far.push(&batch);
        assert!(timeout(Duration::from_secs(1), ws.recv()).await.is_err());
        match round {
            0 => first = live(),
            _ => assert!(live() - first < 4 * KIB, "{} bytes", live() - first),
        }
    }
    far.unlimit();
    assert!(timeout(Duration::from_secs(1), ws.recv()).await.is_err());
    let pongs = far.frames();
    assert!((2..=32).contains(&pongs.len()), "{} pongs", pongs.len());
    assert!(pongs.iter().all(|frame| frame.opcode == Frame::PONG));
}

#[tokio::test(start_paused = true)]
async fn a_header_that_promises_8_eib_is_1009_and_allocates_nothing() {
    let promise = masked(&Frame::binary("").promising((1 << 63) - 1));
    let (mut ws, far) = wired_server();
    far.push(&promise);
    far.end();
    assert_eq!(ws.recv().await, None);
    let ending = ws.ending().unwrap();
    assert_eq!(ending.code, CloseCode::MESSAGE_TOO_BIG);
    assert_eq!(ending.cause, Cause::Limit(LimitExceeded::FrameSize));
    assert_eq!(far.frames()[0].close_code(), Some(1009));

    let config = Config {
        limits: Limits::NONE,
        ..Config::default()
    };
    let (mut ws, far) = wired_server_with(config);
    far.push(&promise);
    far.push(&[0; 1000]);
    assert!(poll_times(1, ws.recv()).await.is_none());
    far.push(&[0; 1000]);
    let (peak, received) = peak_of(poll_times(1, ws.recv())).await;
    assert!(received.is_none());
    assert!(peak < 8 * KIB, "memory follows what came: {peak} bytes");
}

#[tokio::test(start_paused = true)]
async fn two_million_tiny_fragments_are_1009_at_the_count_limit() {
    for payload in [&b"x"[..], b""] {
        let (mut ws, far) = wired_server();
        far.push(&masked(&Frame::binary(payload).more()));
        let batch = masked(&Frame::continuation(payload).more()).repeat(10_000);
        let mut batches = 0;
        let (peak, ()) = peak_of(async {
            while ws.ending().is_none() && batches < 200 {
                far.push(&batch);
                batches += 1;
                assert!(poll_times(1, ws.recv()).await.is_none());
            }
        })
        .await;
        assert_eq!(batches, 14, "131,072 fragments fit");
        assert!(peak < 2 * MIB, "{peak} bytes");
        far.end();
        assert_eq!(ws.recv().await, None);
        let ending = ws.ending().unwrap();
        assert_eq!(ending.code, CloseCode::MESSAGE_TOO_BIG);
        assert_eq!(ending.cause, Cause::Limit(LimitExceeded::FragmentCount));
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_deflate_bomb_is_1009_within_bounded_memory() {
    let (mut attacker, bomb) = wired_deflate_client();
    attacker.send(vec![0; 32 << 20]).await.unwrap();
    let bomb = bomb.written();
    assert!(bomb.len() < 64 << 10, "{} bytes", bomb.len());
    let config = Config {
        limits: Limits {
            message_size_max: 1 << 20,
            ..Limits::default()
        },
        ..Config::default()
    };
    let (mut ws, far) = wired_deflate_server(config);
    far.push(&bomb);
    far.end();
    let (peak, received) = peak_of(ws.recv()).await;
    assert_eq!(received, None);
    assert!(peak < 4 * MIB, "{peak} bytes");
    let ending = ws.ending().unwrap();
    assert_eq!(ending.code, CloseCode::MESSAGE_TOO_BIG);
    assert_eq!(ending.cause, Cause::Limit(LimitExceeded::MessageSize));
}

#[tokio::test(start_paused = true)]
async fn garbage_after_the_close_frame_is_ignored() {
    let (mut ws, far) = wired_server();
    far.push_masked(Frame::close(1000, "bye"));
    far.push(&vec![0xFF; 100_000]);
    far.end();
    assert_eq!(ws.recv().await, None);
    let ending = ws.ending().unwrap();
    assert!(ending.is_clean() && ending.by == EndedBy::Peer);
    assert_eq!(far.frames(), [Frame::close(1000, "")]);
}

#[tokio::test]
async fn a_peer_that_ended_its_direction_gets_all_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let mut ws = crate::ends::server(stream, Config::default());
    let echo = tokio::spawn(async move {
        while let Some(message) = ws.recv().await {
            ws.send(message).await.unwrap();
        }
        ws.ending().unwrap()
    });
    let messages: Vec<Frame> = (0..50).map(|n| Frame::binary(vec![n; 50_000])).collect();
    let upstream: Vec<u8> = messages.iter().flat_map(masked).collect();
    let (mut reader, mut writer) = peer.into_split();
    let writing = tokio::spawn(async move {
        writer.write_all(&upstream).await.unwrap();
        writer.shutdown().await.unwrap();
        writer
    });
    let mut answers = Vec::new();
    soon(reader.read_to_end(&mut answers)).await.unwrap();
    assert_eq!(Frame::parse_all(&answers), messages);
    let ending = soon(echo).await.unwrap();
    assert_eq!((ending.by, ending.cause), (EndedBy::Network, Cause::Eof));
    drop(writing.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_was_queued_when_the_peer_ended_its_direction_is_still_written() {
    let (mut ws, far) = wired_server();
    far.limit(10);
    ws.feed(vec![1; 1000]).await.unwrap();
    far.end();
    assert!(timeout(Duration::from_secs(4), ws.recv()).await.is_err());
    assert_eq!(ws.ending(), None);
    far.unlimit();
    assert_eq!(ws.recv().await, None);
    assert_eq!(ws.ending().unwrap().cause, Cause::Eof);
    assert_eq!(far.payloads(), [vec![1; 1000]]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ended_its_direction_and_reads_nothing_has_the_close_timeout() {
    let (mut ws, far) = wired_server();
    far.limit(10);
    ws.feed(vec![1; 1000]).await.unwrap();
    far.end();
    let start = tokio::time::Instant::now();
    assert_eq!(ws.recv().await, None);
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(ws.ending().unwrap().cause, Cause::Eof);
    assert!(far.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_makes_sends_wait_and_nothing_else() {
    let (ws, far) = wired_server();
    let (mut sender, mut receiver) = ws.split();
    far.limit(0);
    let sending = tokio::spawn(async move {
        for number in 0..100_u8 {
            sender.send(vec![number; 10_000]).await.unwrap();
        }
        sender
    });
    settle().await;
    for _ in 0..100 {
        far.push_masked(Frame::text("news"));
        assert_eq!(receiver.recv().await, Some(Message::text("news")));
        far.limit(5000);
    }
    assert!(!sending.is_finished());
    far.unlimit();
    drop(soon(sending).await.unwrap());
    let payloads = far.payloads();
    assert!(
        payloads
            .iter()
            .zip(0..100)
            .all(|(payload, number)| payload == &vec![number; 10_000])
    );
    assert_eq!(payloads.len(), 100);
}

#[tokio::test]
async fn a_reset_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let mut ws = crate::ends::server(stream, Config::default());
    peer.set_zero_linger().unwrap();
    drop(peer);
    assert_eq!(soon(ws.recv()).await, None);
    let ending = ws.ending().unwrap();
    assert_eq!(
        (ending.by, ending.cause),
        (
            EndedBy::Network,
            Cause::Transport(std::io::ErrorKind::ConnectionReset)
        )
    );
}

#[tokio::test(start_paused = true)]
async fn data_after_our_close_is_delivered_until_the_peers_close() {
    let (mut ws, far) = wired_server();
    ws.begin_close(CloseCode::NORMAL, "").unwrap();
    far.push_masked(Frame::text("on the way"));
    far.push_masked(Frame::ping("still there?"));
    far.push_masked(Frame::close(1000, ""));
    far.push_masked(Frame::text("too late"));
    far.end();
    assert_eq!(ws.recv().await, Some(Message::text("on the way")));
    assert_eq!(ws.recv().await, None);
    assert!(ws.ending().unwrap().is_clean());
    assert_eq!(far.frames(), [Frame::close(1000, "")]);

    let (mut ws, far) = wired_server();
    far.push_masked(Frame::text("dropped by close"));
    far.push_masked(Frame::close(1000, ""));
    far.end();
    assert!(ws.close(CloseCode::NORMAL, "").await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_message_of_64_mib_in_one_frame_passes_in_constant_memory() {
    const PIECE: usize = 64 << 10;
    const PIECES: usize = 1024;
    let (wire, far) = wire();
    let mut source = client(wire, Config::default());
    let (mut sink, into) = wired_server_with(Config::default());
    source
        .begin_frame(MessageKind::Binary, (PIECE * PIECES) as u64, Fin::Last)
        .await
        .unwrap();
    let mut received = 0;
    let mut ended = false;
    let piece = vec![1_u8; PIECE];
    let mut carried = 0;
    let (peak, ()) = peak_of(async {
        for _ in 0..PIECES {
            source.send_frame_payload(&piece[..]).await.unwrap();
            let written = far.take_written();
            carried += written.len();
            into.push(&written);
            while let Some(Some(fragment)) = poll_times(1, sink.recv_fragment()).await {
                assert!(!ended);
                received += fragment.payload.len();
                ended = fragment.message_end;
            }
        }
    })
    .await;
    assert!(ended && received == PIECE * PIECES && carried > received);
    assert!(peak < MIB, "{peak} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_stream_cut_into_single_bytes_is_read_once() {
    let (mut ws, far) = wired_server();
    far.cut(Chunks::of(1), Chunks::of(1));
    let stream = masked(&Frame::binary(vec![1; 2000]));
    far.push(&stream);
    assert_eq!(ws.recv().await.unwrap().len(), 2000);
    assert_eq!(far.read_count(), stream.len());
}
