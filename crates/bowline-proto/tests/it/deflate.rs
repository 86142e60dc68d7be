//! permessage-deflate: what a compressor sends, an inflater reads (RFC 7692, section 7.2).

use std::sync::Arc;

use bowline_proto::deflate::{
    Compressor, CompressorConfig, ContextPool, InflateError, Inflater, InflaterConfig, Level,
    MemLevel, WindowBits, compress_standalone,
};
use bytes::BytesMut;

pub(crate) fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).expect("8 to 15")
}

pub(crate) fn pool() -> Arc<ContextPool> {
    Arc::default()
}

pub(crate) fn inflater(window_bits: u8, takeover: bool) -> Inflater {
    let config = InflaterConfig {
        window_bits: bits(window_bits),
        takeover,
    };
    Inflater::new(pool(), config)
}

pub(crate) fn compressor(window_bits: u8, takeover: bool) -> Compressor {
    leveled(window_bits, takeover, Level::DEFAULT)
}

pub(crate) fn leveled(window_bits: u8, takeover: bool, level: Level) -> Compressor {
    let config = CompressorConfig {
        window_bits: bits(window_bits),
        takeover,
        level,
        mem_level: MemLevel::DEFAULT,
    };
    Compressor::new(pool(), config)
}

/// Compresses a message and sends it.
pub(crate) fn sent(compressor: &mut Compressor, payload: &[u8]) -> Vec<u8> {
    let mut output = BytesMut::new();
    compressor.compress(payload, &mut output).commit();
    output.to_vec()
}

/// Reads a message in pieces of `chunk` bytes through a buffer of `room` bytes, counting turns.
pub(crate) fn read_in_pieces(
    inflater: &mut Inflater,
    payload: &[u8],
    chunk: usize,
    room: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut message = Vec::new();
    let mut buffer = vec![0; room];
    let mut turns = 0;
    for piece in payload.chunks(chunk) {
        let mut rest = piece;
        loop {
            let progress = inflater.inflate(rest, &mut buffer)?;
            message.extend_from_slice(&buffer[..progress.produced]);
            rest = &rest[progress.consumed..];
            turns += 1;
            if rest.is_empty() && progress.produced < room {
                break;
            }
            assert!(
                progress.consumed + progress.produced > 0,
                "a turn without progress"
            );
        }
    }
    loop {
        let finish = inflater.finish(&mut buffer)?;
        message.extend_from_slice(&buffer[..finish.produced]);
        turns += 1;
        if finish.done {
            break;
        }
        assert_eq!(
            finish.produced, room,
            "only a full buffer calls for another"
        );
    }
    let bound = payload.len() + message.len() / room + 4;
    assert!(turns <= bound, "{turns} turns for {} bytes", payload.len());
    Ok(message)
}

pub(crate) fn read(inflater: &mut Inflater, payload: &[u8]) -> Result<Vec<u8>, InflateError> {
    read_in_pieces(inflater, payload, usize::MAX, 4096)
}

/// Bytes that compress about as well as JSON does.
pub(crate) fn text(seed: u32, length: usize) -> Vec<u8> {
    let words = [
        "alpha",
        "beta",
        "{\"topic\":",
        "\"value\"",
        "12",
        "true",
        ", ",
        "}\n",
    ];
    let mut state = seed;
    let mut bytes = Vec::new();
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(words[(state >> 29) as usize].as_bytes());
        bytes.extend_from_slice(&(state >> 24).to_le_bytes()[..1]);
    }
    bytes.truncate(length);
    bytes
}

/// Bytes that do not compress at all.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn every_window_and_level_round_trips_with_and_without_takeover() {
    for window_bits in 8..=15 {
        for takeover in [false, true] {
            for level in [1, 3, 6, 9] {
                let mut sender = leveled(window_bits, takeover, Level::new(level).unwrap());
                let mut receiver = inflater(window_bits, takeover);
                for (seed, length) in [5, 300, 40_000, 0, 1, 2, 3, 70_000, 600]
                    .into_iter()
                    .enumerate()
                {
                    let message = text(u32::try_from(seed % 3).unwrap(), length);
                    let payload = sent(&mut sender, &message);
                    let case = (window_bits, takeover, level, length);
                    assert_eq!(
                        read(&mut receiver, &payload).as_ref(),
                        Ok(&message),
                        "{case:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn takeover_makes_a_repeated_message_short() {
    let message = noise(200);
    for (takeover, shorter) in [(true, true), (false, false)] {
        let mut sender = compressor(15, takeover);
        let first = sent(&mut sender, &message).len();
        let second = sent(&mut sender, &message).len();
        assert_eq!(
            second < first / 4,
            shorter,
            "takeover {takeover}: {first}, {second}"
        );
    }
}

#[test]
fn an_empty_message_is_one_zero_byte() {
    let mut sender = compressor(15, true);
    let mut receiver = inflater(15, true);
    for message in [&b""[..], b"Hello", b""] {
        let payload = sent(&mut sender, message);
        assert_eq!(payload == [0], message.is_empty());
        assert_eq!(read(&mut receiver, &payload).as_deref(), Ok(message));
    }
    let mut output = BytesMut::new();
    compress_standalone(&pool(), WindowBits::MAX, Level::DEFAULT, b"", &mut output);
    assert_eq!(output, [0][..]);
}

#[test]
fn a_flush_is_whole_when_the_output_fills_where_the_input_ends() {
    let bytes = noise(16_500);
    // The room for one call into zlib grows with the input up to 16 KiB: the first range meets
    // it while it grows, the second once it is full, each in single steps.
    for length in (1..200).chain(16_350..16_400) {
        let message = &bytes[..length];
        let mut sender = leveled(15, false, Level::MIN);
        let mut receiver = inflater(15, false);
        assert_eq!(
            read(&mut receiver, &sent(&mut sender, message)).as_deref(),
            Ok(message)
        );
    }
}

#[test]
fn a_discarded_message_leaves_no_trace() {
    let mut sender = compressor(15, true);
    let mut untouched = compressor(15, true);
    let mut output = BytesMut::from(&b"before"[..]);
    let message = text(1, 400);
    assert!(sender.compress(&message, &mut output).size() > 0);
    assert_eq!(output, b"before"[..]);
    sender.compress(&message, &mut output).discard();
    assert_eq!(output, b"before"[..]);
    assert_eq!(sent(&mut sender, &message), sent(&mut untouched, &message));
}

#[test]
fn fragments_can_be_read_as_soon_as_they_are_sent() {
    let mut sender = compressor(15, true);
    let mut receiver = inflater(15, true);
    let mut buffer = vec![0; 1000];
    for last in [&b"the end"[..], b""] {
        for fragment in [text(1, 300), text(1, 300), Vec::new(), noise(100)] {
            let mut output = BytesMut::new();
            let size = sender.compress_fragment(&fragment, &mut output);
            assert_eq!(size, output.len());
            let progress = receiver.inflate(&output, &mut buffer).unwrap();
            assert_eq!(buffer[..progress.produced], fragment);
        }
        let mut output = BytesMut::new();
        sender.compress_last_fragment(last, &mut output);
        assert_eq!(read(&mut receiver, &output).as_deref(), Ok(last));
    }
}

#[test]
fn a_prepared_message_fits_between_messages_with_takeover() {
    let shared = pool();
    for window_bits in 8..=15 {
        let mut sender = compressor(window_bits, true);
        let mut receiver = inflater(window_bits, true);
        for seed in 0..6 {
            let message = text(seed / 2, 700);
            let mut output = BytesMut::new();
            if seed % 2 == 0 {
                compress_standalone(
                    &shared,
                    bits(window_bits),
                    Level::MAX,
                    &message,
                    &mut output,
                );
                sender.append_prepared(&message);
            } else {
                sender.compress(&message, &mut output).commit();
            }
            assert_eq!(read(&mut receiver, &output).as_ref(), Ok(&message));
        }
    }
}

#[test]
fn sizes_outside_of_the_standard_cannot_be_made() {
    assert_eq!((WindowBits::new(7), WindowBits::new(16)), (None, None));
    assert_eq!((Level::new(0), Level::new(10)), (None, None));
    assert_eq!((MemLevel::new(0), MemLevel::new(10)), (None, None));
}
