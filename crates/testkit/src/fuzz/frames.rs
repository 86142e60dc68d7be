//! Any stream, cut in two ways, means the same.

use bowline_proto::{
    Cause, CloseCode, Config, FrameHeader, LimitExceeded, Limits, ProtocolViolation, Role,
    deflate::Deflate,
};

use super::Script;
use crate::{Chunks, Collected, End, Takeover, deflate_params};

/// Reads headers, then the whole stream at once and in pieces, in either role, and compares.
///
/// # Panics
/// If a promise of the engine is broken.
pub fn frames(data: &[u8]) {
    let mut script = Script::new(data);
    let options = script.byte();
    let cut = Chunks::of(usize::from(script.byte()) % 32);
    let stream = script.rest();
    header(stream);
    let whole = events(options, &Chunks::whole(), stream);
    let cut = events(options, &cut, stream);
    assert_eq!(whole, cut);
}

/// A header that is read is written back as it was, and no part of it is taken for a whole.
fn header(stream: &[u8]) {
    let Ok(Some((header, len))) = FrameHeader::decode(stream) else {
        return;
    };
    assert_eq!(header.encode().as_slice(), &stream[..len]);
    for part in 0..len {
        assert_eq!(FrameHeader::decode(&stream[..part]), Ok(None));
    }
}

fn events(options: u8, cut: &Chunks, stream: &[u8]) -> Vec<Collected> {
    let role = match options & 1 {
        0 => Role::Server,
        _ => Role::Client,
    };
    let deflate = match options & 6 {
        0 => None,
        2 => Some(deflate_params(15, Takeover::Yes)),
        4 => Some(deflate_params(9, Takeover::No)),
        _ => Some(deflate_params(8, Takeover::Yes)),
    };
    let config = Config {
        limits: Limits {
            message_size_max: 4096,
            frame_size_max: 2048,
            fragment_count_max: 8,
        },
        ..Config::default()
    };
    let deflate = deflate.map(|params| Deflate::new(params, std::sync::Arc::default()));
    let mut end = End::new(role, config, deflate);
    end.reads = cut.clone();
    end.read(stream);
    let bound = stream.len() * 3 + 2;
    assert!(end.polls <= bound, "{} polls", end.polls);
    end.ended();
    let mut events = end.take_events();
    if options & 6 != 0 {
        events.iter_mut().for_each(forget_which_fault);
    }
    events
}

/// A compressed piece may hold text that is wrong, more bytes than the limit allows and data that
/// does not inflate. Which of them is found first depends on the cut.
fn forget_which_fault(event: &mut Collected) {
    if let Collected::Closed(ending) = event
        && let Cause::Violation(ProtocolViolation::Inflate(_) | ProtocolViolation::TextUtf8)
        | Cause::Limit(LimitExceeded::MessageSize) = ending.cause
    {
        ending.code = CloseCode::INVALID_PAYLOAD;
        ending.cause = Cause::Violation(ProtocolViolation::TextUtf8);
    }
}
