//! The seeds of the corpora, written by hand in code.

use std::fs;

use bowline_proto::deflate::{ContextPool, Level, WindowBits, compress_standalone};
use bowline_testkit::{Frame, LengthForm};
use bytes::BytesMut;

use crate::corpus::folder;

/// Writes the seeds: `cargo test -p bowline-testkit -- --ignored write_seeds`.
#[test]
#[ignore = "writes into the source tree; only needed when a seed is added"]
fn write_seeds() {
    write("frames", &frames());
    write("heads", &heads());
    write("inflate", &inflate());
    write("engine", &engine());
}

fn write(target: &str, seeds: &[Vec<u8>]) {
    let folder = folder(target);
    fs::create_dir_all(&folder).expect("the corpus can be written");
    for (number, seed) in seeds.iter().enumerate() {
        let path = folder.join(format!("seed-{number:02}"));
        fs::write(path, seed).expect("the corpus can be written");
    }
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut output = BytesMut::new();
    let pool = ContextPool::default();
    compress_standalone(&pool, WindowBits::MAX, Level::DEFAULT, payload, &mut output);
    output.to_vec()
}

fn streams() -> Vec<Vec<Frame>> {
    let hello = compressed(b"Hello Hello Hello");
    let (start, rest) = hello.split_at(3);
    vec![
        vec![
            Frame::text("Hello"),
            Frame::binary([0; 126]),
            Frame::text(""),
        ],
        vec![
            Frame::text("caf\u{e9}").more(),
            Frame::ping("p"),
            Frame::continuation("\u{20ac}"),
        ],
        vec![
            Frame::binary("").more(),
            Frame::continuation("").more(),
            Frame::continuation(""),
        ],
        vec![
            Frame::ping([7; 125]),
            Frame::pong(""),
            Frame::close(1000, "bye"),
        ],
        vec![Frame::new(Frame::CLOSE, ""), Frame::text("late")],
        vec![Frame::binary([1; 300]).length_form(LengthForm::SixtyFour)],
        vec![Frame::binary([]).promising(u64::MAX >> 1)],
        vec![Frame::text("x").rsv(2)],
        vec![
            Frame::new(Frame::TEXT, b"\xf0\x9f\x92"),
            Frame::continuation("x"),
        ],
        vec![
            Frame::new(Frame::TEXT, &hello).rsv(4),
            Frame::new(Frame::TEXT, &hello).rsv(4),
        ],
        vec![
            Frame::new(Frame::TEXT, start).rsv(4).more(),
            Frame::ping(""),
            Frame::continuation(rest),
        ],
        vec![Frame::binary(compressed(&[0; 5000])).rsv(4)],
        vec![Frame::binary([]).rsv(4), Frame::close(4999, "")],
    ]
}

/// Role and compression, where to cut, then a stream.
fn frames() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, stream) in (0..).zip(streams()) {
        for role in [0, 1] {
            let compression = if number >= 9 { 2 } else { 0 };
            let mut seed = vec![role | compression, number + 1];
            for frame in &stream {
                let frame = match role {
                    0 => frame.clone().masked([1, 2, 3, 4]),
                    _ => frame.clone(),
                };
                seed.extend(frame.encode());
            }
            seeds.push(seed);
        }
    }
    seeds
}

/// Where to cut, then a head.
fn heads() -> Vec<Vec<u8>> {
    let request = "GET /chat?x=1 HTTP/1.1\r\nHost: example.com:80\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n";
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; \
        server_max_window_bits=\"10\"\r\n";
    let heads = [
        format!("{request}\r\n"),
        format!("{request}Origin: http://example.com\r\nCookie: a=b; c=d\r\n\r\n"),
        format!("{request}{deflate}Sec-WebSocket-Protocol: chat, superchat\r\n\r\n"),
        format!("{request}{deflate}{deflate}\r\n"),
        request.replace("13", "8") + "\r\n",
        request.replace("GET", "POST") + "Content-Length: 3\r\n\r\nabc",
        request.replace("\r\n", "\n"),
        "GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        format!("{answer}\r\n\u{1}frames"),
        format!("{answer}Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope".to_owned(),
        "HTTP/1.1 302 Found\r\nLocation: /\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\nuntil the end".to_owned(),
        "HTTP/1.1 101 X\r\nA: b\r\n folded\r\n\r\n".to_owned(),
    ];
    let cut = |(number, head): (u8, String)| [&[number * 5], head.as_bytes()].concat();
    (0..).zip(heads).map(cut).collect()
}

/// Options, room, cut, then messages behind their lengths.
fn inflate() -> Vec<Vec<u8>> {
    let messages: [Vec<u8>; 7] = [
        compressed(b"Hello"),
        compressed(&[b'a'; 3000]),
        compressed(b""),
        // A stored block, a final block with more behind it, and blocks that end too early.
        b"\x00\x05\x00\xfa\xffHello\x00".to_vec(),
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00".to_vec(),
        b"\xf2\x48\xcd".to_vec(),
        b"\x04\x00\xff".to_vec(),
    ];
    let mut seeds = Vec::new();
    for (number, message) in (0..).zip(&messages) {
        for options in [0x07, 0x80, 0x01] {
            let mut seed = vec![options, number * 40, number];
            for message in [message, message, &messages[0]] {
                seed.push(u8::try_from(message.len()).expect("a short message"));
                seed.extend_from_slice(message);
            }
            seeds.push(seed);
        }
    }
    seeds
}

/// Options, reads, writes, then calls: a number and its arguments.
fn engine() -> Vec<Vec<u8>> {
    let calls: [&[u8]; 12] = [
        &[6, 0, 5, b'H', b'e', b'l', b'l', b'o', 4],
        &[3, 0x01, 3, b'a', b'b', b'c', 3, 0x09, 1, b'p', 4, 4],
        &[3, 0x81, 1, b'a', 3, 0x00, 1, b'b', 3, 0x08, 0],
        &[7, 2, 0, 2, b'x', b'y', 7, 0, 0, 1, b'z', 4],
        &[8, 0, 3, 9, 1, b'a', 10, 1, b'p', 4, 9, 2, b'b', b'c', 4],
        &[12, 10, 6, 0, 1, b'x', 3, 0x08, 2, 0x03, 0xe8],
        &[13, 1, 3, 0x01, 4, b'a', b'b', b'c', b'd', 13, 0],
        &[
            14, 9, b'a', b'a', b'a', b'a', b'a', b'a', b'a', b'a', b'a', 4,
        ],
        &[5, 20, 4, 5, 10, 5, 200],
        &[5, 20, 10, 1, b'p', 5, 9, 0, 1, 0x82, 5, 20],
        &[15, 0, 6, 0, 1, b'x'],
        &[15, 1, 3, 0x01, 1, b'a'],
    ];
    let mut seeds = Vec::new();
    for options in [0x00, 0x01, 0x0a, 0x0f, 0x18] {
        for call in calls {
            let tail: &[u8] = &[6, 0, 3, b'e', b'n', b'd', 4];
            seeds.push([&[options, 7, 3], call, tail].concat());
        }
    }
    seeds
}
