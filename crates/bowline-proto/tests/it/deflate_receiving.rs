//! permessage-deflate: what an inflater accepts and what it refuses (RFC 7692, section 7.2.2).

use bowline_proto::deflate::InflateError;

use super::deflate::{compressor, inflater, noise, read, read_in_pieces, sent, text};

#[test]
fn the_examples_of_rfc_7692_section_7_2_3_are_read() {
    let hello = [
        "f248cdc9c90700",
        "000500faff48656c6c6f00",
        "f3 48cdc9c9070000",
        "f348cdc9c90700",
        "f248050000 00ffffcac9c90700",
    ];
    for payload in hello {
        let payload = hex(&payload.replace(' ', ""));
        let read = read(&mut inflater(15, false), &payload);
        assert_eq!(read.as_deref(), Ok(&b"Hello"[..]), "{payload:02x?}");
    }
    // Section 7.2.3.2: the second message refers to the first.
    let mut receiver = inflater(15, true);
    assert_eq!(
        read(&mut receiver, &hex("f248cdc9c90700")).as_deref(),
        Ok(&b"Hello"[..])
    );
    assert_eq!(
        read(&mut receiver, &hex("f200110000")).as_deref(),
        Ok(&b"Hello"[..])
    );
}

#[test]
fn a_message_of_stock_zlib_is_read_across_takeover() {
    let messages = [
        (
            "2ac94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d280600",
            b"the quick brown fox jumps".to_vec(),
        ),
        (
            "2ac122519c939a5a500c00",
            b"the quick brown fox sleeps".to_vec(),
        ),
        (
            "c2268353cba8c4a8c4a8c490940000",
            b"the quick brown fox jumps".repeat(40),
        ),
    ];
    for window_bits in [8, 9, 15] {
        let mut receiver = inflater(window_bits, true);
        for (payload, message) in &messages {
            assert_eq!(read(&mut receiver, &hex(payload)).as_ref(), Ok(message));
        }
    }
}

#[test]
fn a_message_may_be_made_of_streams_with_final_blocks() {
    let first = hex("ab562ac92fc84c56b2524ad44f52d2512a4bcc294d55b232ac0500");
    let first_text = br#"{"topic":"a/b","value":1}"#;
    // Both refer to the first text; one ends with a final block, the other as RFC 7692 has it.
    let second_text = br#"{"topic":"a/b","value":22}"#;
    for second in ["abc62e6164540b00", "aac62e6164540b00"] {
        let second = hex(second);
        let both = [first_text.as_slice(), second_text].concat();
        for takeover in [false, true] {
            let payload = [first.as_slice(), &second].concat();
            for (chunk, room) in [(usize::MAX, 4096), (1, 1), (3, 25), (28, 25)] {
                let mut receiver = inflater(15, takeover);
                let read = read_in_pieces(&mut receiver, &payload, chunk, room);
                assert_eq!(read.as_ref(), Ok(&both), "chunks of {chunk}, room {room}");
            }
        }
        // Section 7.2.3.4: with and without the rest of an empty stored block.
        for rest in [&[][..], &[0]] {
            let mut receiver = inflater(15, true);
            let payload = [first.as_slice(), rest].concat();
            assert_eq!(
                read(&mut receiver, &payload).as_deref(),
                Ok(&first_text[..])
            );
            assert_eq!(
                read(&mut receiver, &second).as_deref(),
                Ok(&second_text[..])
            );
        }
    }
}

#[test]
fn an_empty_payload_is_an_empty_message() {
    let mut receiver = inflater(15, true);
    assert_eq!(read(&mut receiver, b"").as_deref(), Ok(&b""[..]));
    let payload = sent(&mut compressor(15, true), b"Hello");
    assert_eq!(read(&mut receiver, &payload).as_deref(), Ok(&b"Hello"[..]));
}

#[test]
fn a_truncated_message_is_refused() {
    // The first byte of noise alone opens a stored block, which makes a whole empty message.
    for (message, length_min) in [(text(1, 300), 1), (noise(300), 2), (b"Hello".to_vec(), 1)] {
        let payload = sent(&mut compressor(15, false), &message);
        for length in length_min..payload.len() {
            let read = read(&mut inflater(15, false), &payload[..length]);
            assert_eq!(
                read,
                Err(InflateError::Truncated),
                "{length} of {}",
                payload.len()
            );
        }
    }
}

#[test]
fn a_message_that_is_no_deflate_stream_is_refused() {
    let cases = [
        ("07", InflateError::Corrupt),
        ("00010000000000", InflateError::Corrupt),
        ("f248cdc9c90700ffffffff", InflateError::Corrupt),
        ("f248cdc9c907000000ffff", InflateError::Truncated),
        ("f2001100", InflateError::Corrupt),
    ];
    for (payload, error) in cases {
        assert_eq!(
            read(&mut inflater(15, false), &hex(payload)),
            Err(error),
            "{payload}"
        );
    }
}

#[test]
fn a_reference_beyond_the_negotiated_window_is_refused() {
    let message = noise(2000);
    let mut sender = compressor(15, true);
    let (first, second) = (sent(&mut sender, &message), sent(&mut sender, &message));
    let cases = [
        (15, true, true),
        (11, true, true),
        (10, true, false),
        (8, true, false),
        (15, false, false),
    ];
    for (window_bits, takeover, within) in cases {
        let mut receiver = inflater(window_bits, takeover);
        assert_eq!(read(&mut receiver, &first).as_ref(), Ok(&message));
        let expected = if within {
            Ok(message.clone())
        } else {
            Err(InflateError::Corrupt)
        };
        assert_eq!(read(&mut receiver, &second), expected, "{window_bits} bits");
    }
}

#[test]
fn a_bomb_never_writes_beyond_the_callers_buffer() {
    let payload = sent(&mut compressor(15, false), &vec![0; 1_000_000]);
    assert!(payload.len() < 10_000);
    let mut receiver = inflater(15, false);
    let mut buffer = [7; 200];
    let mut rest = &payload[..];
    for _ in 0..50 {
        let progress = receiver.inflate(rest, &mut buffer[..100]).unwrap();
        assert_eq!(progress.produced, 100);
        rest = &rest[progress.consumed..];
        assert_eq!(buffer[100..], [7; 100]);
    }
    assert!(!rest.is_empty(), "input is taken as room is made");
}

#[test]
fn a_full_buffer_is_never_taken_for_the_end() {
    let message = text(3, 500);
    let payload = sent(&mut compressor(15, false), &message);
    let mut receiver = inflater(15, false);
    let mut buffer = vec![0; 500];
    let progress = receiver.inflate(&payload, &mut buffer).unwrap();
    assert_eq!(progress.produced, 500);
    let rest = &payload[progress.consumed..];
    // Without room nothing moves and nothing is claimed.
    assert_eq!(receiver.inflate(rest, &mut []).unwrap().consumed, 0);
    assert!(!receiver.finish(&mut []).unwrap().done);
    let progress = receiver.inflate(rest, &mut [0]).unwrap();
    assert_eq!((progress.consumed, progress.produced), (rest.len(), 0));
    let finish = receiver.finish(&mut [0]).unwrap();
    assert_eq!((finish.produced, finish.done), (0, true));
}

/// Undoes the notation of the vectors below.
fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}

#[test]
fn a_window_of_8_bits_is_read_as_one_of_9() {
    for (length, within) in [(500, true), (512, true), (600, false)] {
        let message = noise(length);
        let mut sender = compressor(10, true);
        let mut receiver = inflater(8, true);
        let first = read(&mut receiver, &sent(&mut sender, &message));
        assert_eq!(first.as_ref(), Ok(&message));
        let second = read(&mut receiver, &sent(&mut sender, &message));
        assert_eq!(second.is_ok(), within, "a distance of {length} bytes");
    }
}
