//! Any bytes as compressed messages.

use std::sync::Arc;

use bowline_proto::deflate::{ContextPool, Inflater, InflaterConfig, WindowBits};

use super::Script;

/// Inflates messages one after the other, in pieces and with little room, and checks that every
/// turn moves and that pieces change nothing.
///
/// # Panics
/// If a promise of the inflater is broken.
pub fn inflate(data: &[u8]) {
    let mut script = Script::new(data);
    let options = script.byte();
    let config = InflaterConfig {
        window_bits: WindowBits::new(8 + options % 8).expect("8 to 15"),
        takeover: options & 0x80 == 0,
    };
    let room = 1 + usize::from(script.byte());
    let cut = 1 + usize::from(script.byte());
    let pool = Arc::new(ContextPool::default());
    let mut pieces = Inflater::new(Arc::clone(&pool), config);
    let mut whole = Inflater::new(pool, config);
    while !script.is_empty() {
        let message = script.bytes();
        let first = read(&mut whole, message, usize::MAX, 4096);
        let second = read(&mut pieces, message, cut, room);
        assert_eq!(first, second);
        if first.is_none() {
            return;
        }
    }
}

/// Gives the message, or nothing if it is corrupt.
fn read(inflater: &mut Inflater, message: &[u8], cut: usize, room: usize) -> Option<Vec<u8>> {
    let mut output = vec![0; room];
    let mut text = Vec::new();
    for piece in message.chunks(cut) {
        let mut rest = piece;
        loop {
            let progress = inflater.inflate(rest, &mut output).ok()?;
            text.extend_from_slice(&output[..progress.produced]);
            rest = &rest[progress.consumed..];
            if progress.produced < room {
                assert!(rest.is_empty(), "room left, but input too");
                break;
            }
        }
    }
    loop {
        let finish = inflater.finish(&mut output).ok()?;
        text.extend_from_slice(&output[..finish.produced]);
        if finish.done {
            return Some(text);
        }
        assert_eq!(finish.produced, room, "only a full buffer asks for another");
    }
}
