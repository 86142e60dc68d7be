//! Memory follows the bytes received, never the bytes promised, and is given back.

use std::{io::IoSlice, sync::Arc, time::Instant};

use bowline_proto::{
    Compress, Config, Connection, Event, Fin, Limits, Message, MessageKind, Payload,
    PreparedMessage,
    deflate::{ContextPool, Deflate, Level, PoolLimits, WindowBits, compress_standalone},
};
use bowline_testkit::{Clock, CountingMasks, Frame, Takeover, deflate_params};
use bytes::BytesMut;

use crate::allocator::measure;

const KIB: isize = 1 << 10;
const MIB: isize = 1 << 20;
const KEY: [u8; 4] = [1, 2, 3, 4];

fn no_limits() -> Arc<Config> {
    Arc::new(Config {
        limits: Limits::NONE,
        ..Config::default()
    })
}

fn server(config: &Arc<Config>, now: Instant) -> Connection {
    Connection::server(Arc::clone(config), None, now)
}

/// Lets the engine read; gives the number of events.
fn read(connection: &mut Connection, now: Instant, mut input: &mut [u8]) -> usize {
    let mut events = 0;
    loop {
        let (used, event) = connection.poll_event(now, input);
        let Some(event) = event else {
            return events;
        };
        assert!(!matches!(event, Event::Closed(_)));
        events += 1;
        input = &mut input[used..];
    }
}

/// Lets the engine write everything into nothing.
fn discard(connection: &mut Connection) -> usize {
    let mut written = 0;
    loop {
        let mut slices = [IoSlice::new(&[]); 8];
        let filled = connection.poll_transmit(&mut slices);
        let len = slices[..filled].iter().map(|slice| slice.len()).sum();
        connection.handle_transmitted(len);
        written += len;
        if filled == 0 {
            return written;
        }
    }
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut output = BytesMut::new();
    let pool = ContextPool::default();
    compress_standalone(&pool, WindowBits::MAX, Level::DEFAULT, payload, &mut output);
    output.to_vec()
}

#[test]
fn a_new_connection_owns_nothing() {
    let config = no_limits();
    let now = Clock::new().now();
    let (_connection, usage) = measure(|| server(&config, now));
    assert_eq!(usage.total, 0);
}

#[test]
fn an_idle_connection_owns_nothing_again_after_traffic_of_every_kind() {
    let config = no_limits();
    let now = Clock::new().now();
    let frames = [
        Frame::text("whole"),
        Frame::ping([1; 125]),
        Frame::binary(vec![1; 5000]).more(),
        Frame::pong([2; 125]),
        Frame::continuation(vec![2; 50_000]),
    ];
    let stream: Vec<u8> = frames
        .iter()
        .flat_map(|frame| frame.clone().masked(KEY).encode())
        .collect();
    let mut connection = server(&config, now);
    let ((), usage) = measure(|| {
        for piece in [1, 3, 1000, stream.len()] {
            for chunk in stream.chunks(piece) {
                read(&mut connection, now, &mut chunk.to_vec());
                connection.send_text("an answer").unwrap();
                connection.ping(b"").unwrap();
            }
            connection.send(Message::binary(vec![3; 20_000])).unwrap();
            connection
                .begin_frame(MessageKind::Binary, 1, Fin::Last)
                .unwrap();
            connection
                .send_frame_payload(Payload::Borrowed(b"x"))
                .unwrap();
            discard(&mut connection);
        }
    });
    assert_eq!(usage.live, 0);
    assert!(usage.total > 0);
}

/// With takeover the raw windows stay, 32 KiB each way; the contexts belong to the pool.
#[test]
fn an_idle_connection_with_takeover_owns_its_windows_only() {
    let config = no_limits();
    let now = Clock::new().now();
    let payload: Vec<u8> = (0..200_000_u32).map(|n| (n / 7).to_le_bytes()[0]).collect();
    let stream = Frame::binary(compressed(&payload))
        .rsv(4)
        .masked(KEY)
        .encode();
    for (takeover, owned) in [(Takeover::Yes, 2 << 15), (Takeover::No, 0)] {
        let limits = PoolLimits {
            idle_inflaters_max: 0,
            idle_deflaters_max: 0,
        };
        let pool = Arc::new(ContextPool::new(limits));
        let deflate = Deflate::new(deflate_params(15, takeover), pool);
        let (mut connection, created) =
            measure(|| Connection::server(Arc::clone(&config), Some(deflate), now));
        assert!(created.live < KIB, "{created:?}");
        let (events, usage) = measure(|| {
            let events = read(&mut connection, now, &mut stream.clone());
            connection.send_binary(&payload).unwrap();
            discard(&mut connection);
            events
        });
        assert_eq!(events, 1);
        assert_eq!(usage.live, owned, "{takeover:?}");
    }
}

/// What was compressed once for all enters no window that nothing refers to yet.
#[test]
fn a_subscriber_with_takeover_that_gets_only_broadcasts_owns_no_window() {
    let config = no_limits();
    let now = Clock::new().now();
    let deflate = Deflate::new(deflate_params(15, Takeover::Yes), Arc::default());
    let mut connection = Connection::server(config, Some(deflate), now);
    let text = "a reading ".repeat(1000);
    let prepared = PreparedMessage::new(Message::text(text).into_owned());
    connection.send_prepared(&prepared).unwrap();
    discard(&mut connection);
    let (sent, usage) = measure(|| {
        connection.send_prepared(&prepared).unwrap();
        discard(&mut connection)
    });
    assert!((1..1000).contains(&sent), "{sent}");
    assert_eq!(usage.live, 0, "{usage:?}");
}

#[test]
fn a_header_that_promises_eight_exbibytes_costs_nothing() {
    let now = Clock::new().now();
    for limits in [Limits::default(), Limits::NONE] {
        let config = Arc::new(Config {
            limits,
            ..Config::default()
        });
        let mut stream = Frame::binary([7; 100])
            .promising((1 << 63) - 1)
            .masked(KEY)
            .encode();
        let mut connection = server(&config, now);
        let (_, usage) = measure(|| read(&mut connection, now, &mut stream));
        assert!(usage.peak < KIB, "{usage:?}");
    }
}

#[test]
fn an_unfinished_message_costs_what_has_arrived_of_it() {
    let config = no_limits();
    let now = Clock::new().now();
    let mut input = Frame::text(&"x".repeat(1 << 20))
        .promising(1 << 40)
        .masked(KEY)
        .encode();
    let mut connection = server(&config, now);
    let ((), usage) = measure(|| {
        for piece in input.chunks_mut(10_000) {
            assert_eq!(read(&mut connection, now, piece), 0);
        }
    });
    assert!(usage.live <= 2 * MIB + KIB, "{usage:?}");
    let ((), usage) = measure(|| connection.abort());
    assert!(usage.live <= -MIB, "the end gives it back: {usage:?}");
}

#[test]
fn a_bomb_costs_no_more_than_the_message_limit_allows() {
    let limits = Limits {
        message_size_max: 1 << 20,
        ..Limits::default()
    };
    let config = Arc::new(Config {
        limits,
        ..Config::default()
    });
    let now = Clock::new().now();
    let bomb = compressed(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let mut stream = Frame::binary(bomb).rsv(4).masked(KEY).encode();
    let deflate = Deflate::new(deflate_params(15, Takeover::Yes), Arc::default());
    let mut connection = Connection::server(config, Some(deflate), now);
    let (events, usage) = measure(|| read(&mut connection, now, &mut stream));
    assert_eq!(events, 0);
    assert_eq!(connection.ending().map(|ending| ending.code.0), Some(1009));
    // A growing buffer is copied from one of half its size.
    assert!(usage.peak <= 3 * MIB + 256 * KIB, "{usage:?}");
}

#[test]
fn empty_fragments_without_end_cost_nothing() {
    let config = no_limits();
    let now = Clock::new().now();
    let mut connection = server(&config, now);
    let mut start = Frame::binary([]).more().masked(KEY).encode();
    let thousand = Frame::continuation([])
        .more()
        .masked(KEY)
        .encode()
        .repeat(1000);
    let mut input = thousand.clone();
    read(&mut connection, now, &mut start);
    let ((), usage) = measure(|| {
        for _ in 0..2000 {
            input.copy_from_slice(&thousand);
            assert_eq!(read(&mut connection, now, &mut input), 0);
        }
    });
    assert_eq!(usage.total, 0);
}

#[test]
fn a_ping_flood_that_is_never_read_costs_sixteen_pongs_and_one() {
    let config = no_limits();
    let now = Clock::new().now();
    let mut connection = server(&config, now);
    let ping = Frame::ping([7; 125]).masked(KEY).encode();
    let mut input = ping.clone();
    let ((), usage) = measure(|| {
        for _ in 0..100_000 {
            input.copy_from_slice(&ping);
            assert_eq!(read(&mut connection, now, &mut input), 1);
            let mut slices = [IoSlice::new(&[]); 8];
            assert!(connection.poll_transmit(&mut slices) > 0);
        }
    });
    assert!(usage.peak <= 8 * KIB, "{usage:?}");
}

/// Counts what is allocated, which is what could grow with the square of the length.
#[test]
fn one_byte_reads_cost_linear_work() {
    let now = Clock::new().now();
    let text: String = (0..40_000_u32)
        .map(|n| char::from(b'a' + n.to_le_bytes()[0] % 26))
        .collect();
    let cost = |count: usize, compress: bool| {
        let text = text.repeat(count);
        let frame = if compress {
            Frame::new(Frame::TEXT, compressed(text.as_bytes())).rsv(4)
        } else {
            Frame::text(&text)
        };
        let mut stream = frame.masked(KEY).encode();
        let deflate = Deflate::new(deflate_params(15, Takeover::Yes), Arc::default());
        let mut connection = Connection::server(no_limits(), Some(deflate), now);
        let (events, usage) = measure(|| {
            let one_byte = stream.chunks_mut(1);
            one_byte
                .map(|byte| read(&mut connection, now, byte))
                .sum::<usize>()
        });
        assert_eq!(events, 1);
        usage.total
    };
    for compress in [false, true] {
        let (one, four) = (cost(1, compress), cost(4, compress));
        assert!(four <= one * 5, "{one} and {four}, compressed: {compress}");
    }
}

/// The masked copy is the only one a client makes of what it sends.
#[test]
fn a_large_message_is_queued_once() {
    let config = no_limits();
    let now = Clock::new().now();
    let payload = bytes::Bytes::from(vec![0; 1 << 20]);
    let mut connection = server(&config, now);
    let ((), usage) = measure(|| connection.send(Message::from(payload.clone())).unwrap());
    assert!(usage.peak < 2 * KIB, "a server shares it: {usage:?}");
    let masks = Box::new(CountingMasks::default());
    let mut connection = Connection::client(config, None, masks, now);
    let ((), usage) = measure(|| {
        let message = Message::from(payload.clone());
        connection.send_with(&message, Compress::Never).unwrap();
    });
    assert!(usage.peak < MIB + KIB, "{usage:?}");
}
