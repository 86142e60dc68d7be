//! Messages of gigabytes, in one frame or many, compressed or not, in constant memory.

use std::{io::IoSlice, sync::Arc, time::Instant};

use bowline_proto::{
    Compress, Config, Connection, Event, Fin, MessageKind, Payload, Role, View,
    deflate::{ContextPool, Deflate},
};
use bowline_testkit::{Clock, CountingMasks, Takeover, deflate_params};
use bytes::Bytes;

use crate::allocator::measure;

const KIB: isize = 1 << 10;
const CHUNK: usize = 1 << 20;
const GIB: u64 = 1 << 30;

fn connection(role: Role, deflate: Option<Deflate>, now: Instant) -> Connection {
    let config = Arc::new(Config::default());
    let mut connection = match role {
        Role::Server => Connection::server(config, deflate, now),
        Role::Client => {
            let masks = Box::new(CountingMasks::default());
            Connection::client(config, deflate, masks, now)
        }
    };
    connection.set_view(View::Fragments);
    connection
}

/// Writes everything to the other end, which reads it in place; gives the bytes it was handed.
fn carry(from: &mut Connection, to: &mut Connection, now: Instant, buffer: &mut [u8]) -> Carried {
    let mut carried = Carried::default();
    loop {
        let mut slices = [IoSlice::new(&[]); 1];
        if from.poll_transmit(&mut slices) == 0 {
            return carried;
        }
        let len = slices[0].len().min(buffer.len());
        buffer[..len].copy_from_slice(&slices[0][..len]);
        from.handle_transmitted(len);
        let mut input = &mut buffer[..len];
        loop {
            let (used, event) = to.poll_event(now, input);
            let Some(event) = event else {
                break;
            };
            let Event::Fragment(fragment) = event else {
                panic!("{event:?}");
            };
            carried.bytes += fragment.payload.len() as u64;
            carried.ended |= fragment.message_end;
            input = &mut input[used..];
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Carried {
    bytes: u64,
    ended: bool,
}

/// A frame longer than 32 bits can say. A server's is neither copied nor masked on its way.
#[test]
fn a_frame_of_five_gibibytes_passes_in_constant_memory() {
    let now = Clock::new().now();
    let chunk = Bytes::from(vec![7; CHUNK]);
    // The first clone makes the count of references.
    drop(chunk.clone());
    let mut buffer = vec![0; CHUNK];
    let mut server = connection(Role::Server, None, now);
    let mut client = connection(Role::Client, None, now);
    let (carried, usage) = measure(|| {
        server
            .begin_frame(MessageKind::Binary, 5 * GIB, Fin::Last)
            .unwrap();
        let mut carried = 0;
        for turn in 1..=5 * GIB / CHUNK as u64 {
            let payload = Payload::Shared(chunk.clone());
            server.send_frame_payload(payload).unwrap();
            let step = carry(&mut server, &mut client, now, &mut buffer);
            carried += step.bytes;
            assert_eq!(carried, turn * CHUNK as u64);
            assert_eq!(step.ended, carried == 5 * GIB);
        }
        carried
    });
    assert_eq!(carried, 5 * GIB);
    assert!(usage.peak < KIB, "{usage:?}");
    assert_eq!(usage.live, 0);
}

/// The same, masked, as far as a test has time for.
#[test]
fn a_client_streams_a_frame_in_the_memory_of_a_piece() {
    let now = Clock::new().now();
    let chunk = Bytes::from(vec![7; CHUNK]);
    let mut buffer = vec![0; 64 << 10];
    let mut client = connection(Role::Client, None, now);
    let mut server = connection(Role::Server, None, now);
    let (carried, usage) = measure(|| {
        client
            .begin_frame(MessageKind::Binary, 5 * GIB, Fin::Last)
            .unwrap();
        let mut carried = 0;
        for _ in 0..32 {
            let payload = Payload::Shared(chunk.clone());
            client.send_frame_payload(payload).unwrap();
            carried += carry(&mut client, &mut server, now, &mut buffer).bytes;
        }
        carried
    });
    assert_eq!(carried, 32 << 20);
    assert!(usage.peak < CHUNK.cast_signed() + KIB, "{usage:?}");
}

#[test]
fn a_message_of_any_number_of_frames_passes_in_constant_memory() {
    let now = Clock::new().now();
    let chunk = Bytes::from(vec![7; CHUNK]);
    let mut buffer = vec![0; CHUNK];
    let mut server = connection(Role::Server, None, now);
    let mut client = connection(Role::Client, None, now);
    let (carried, usage) = measure(|| {
        let mut carried = 0;
        for turn in 0..1024 {
            let fin = fin(turn == 1023);
            let payload = Payload::Shared(chunk.clone());
            let kind = MessageKind::Binary;
            server
                .send_fragment(kind, payload, fin, Compress::Never)
                .unwrap();
            let step = carry(&mut server, &mut client, now, &mut buffer);
            carried += step.bytes;
            assert_eq!(step.ended, turn == 1023);
        }
        carried
    });
    assert_eq!(carried, GIB);
    assert!(usage.peak < 2 * KIB, "{usage:?}");
}

/// What both ends hold is a context each, the windows, a piece on its way and one handed out.
#[test]
fn a_compressed_message_streams_both_ways_in_constant_memory() {
    let now = Clock::new().now();
    let text: Vec<u8> = (0..1_u32 << 16)
        .map(|n| b'a' + (n.wrapping_mul(n) >> 7).to_le_bytes()[0] % 26)
        .collect();
    let mut buffer = vec![0; 16 << 10];
    for sender in [Role::Server, Role::Client] {
        let deflate = || {
            Some(Deflate::new(
                deflate_params(15, Takeover::Yes),
                Arc::new(ContextPool::default()),
            ))
        };
        let mut from = connection(sender, deflate(), now);
        let receiver = match sender {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        let mut to = connection(receiver, deflate(), now);
        let mut run = |pieces: usize| {
            let stream = || {
                let mut carried = 0;
                for turn in 1..=pieces {
                    let fin = fin(turn == pieces);
                    let payload = Payload::Borrowed(&text);
                    from.send_fragment(MessageKind::Text, payload, fin, Compress::Auto)
                        .unwrap();
                    carried += carry(&mut from, &mut to, now, &mut buffer).bytes;
                }
                carried
            };
            let (carried, usage) = measure(stream);
            assert_eq!(carried, (pieces * text.len()) as u64);
            usage
        };
        let first = run(8);
        assert!(first.peak < 1024 * KIB, "{first:?}");
        let longer = run(64);
        assert!(longer.peak <= first.peak, "{first:?}, {longer:?}");
        assert_eq!(longer.live, 0);
    }
}

fn fin(is_last: bool) -> Fin {
    if is_last { Fin::Last } else { Fin::More }
}
