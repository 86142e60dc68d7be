//! permessage-deflate: what holds for any messages and any bytes.

use bowline_proto::deflate::{Compressor, Level, compress_standalone};
use bytes::BytesMut;
use proptest::prelude::*;

use super::deflate::{
    bits, compressor, inflater, leveled, noise, pool, read_in_pieces, sent, text,
};

/// One thing that a sender does with a message.
#[derive(Debug, Clone)]
enum Step {
    Compressed(Vec<u8>),
    Prepared(Vec<u8>),
    Discarded(Vec<u8>),
    /// The fragments before the last, and the last.
    Fragmented(Vec<Vec<u8>>, Vec<u8>),
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..4_u32, 0..1500_usize).prop_map(|(seed, length)| text(seed, length)),
        1 => (0..1500_usize).prop_map(noise),
        1 => (any::<u8>(), 0..5000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => message().prop_map(Step::Compressed),
        1 => message().prop_map(Step::Prepared),
        1 => message().prop_map(Step::Discarded),
        2 => (prop::collection::vec(message(), 0..3), message())
            .prop_map(|(others, last)| Step::Fragmented(others, last)),
    ]
}

/// Performs a step; returns the message and its payload, if any was sent.
fn perform(sender: &mut Compressor, window_bits: u8, step: &Step) -> Option<(Vec<u8>, BytesMut)> {
    let mut output = BytesMut::new();
    match step {
        Step::Compressed(message) => {
            sender.compress(message, &mut output).commit();
            Some((message.clone(), output))
        }
        Step::Prepared(message) => {
            compress_standalone(&pool(), bits(window_bits), Level::MIN, message, &mut output);
            sender.append_prepared(message);
            Some((message.clone(), output))
        }
        Step::Discarded(message) => {
            sender.compress(message, &mut output).discard();
            None
        }
        Step::Fragmented(others, last) => {
            for fragment in others {
                sender.compress_fragment(fragment, &mut output);
            }
            sender.compress_last_fragment(last, &mut output);
            Some(([others.concat(), last.clone()].concat(), output))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_windows_stay_in_step_through_any_sequence(
        window_bits in 8..=15_u8,
        takeover: bool,
        level in 1..=9_u8,
        steps in prop::collection::vec(step(), 1..6),
        (chunk, room) in (1..200_usize, 1..200_usize),
    ) {
        let mut sender = leveled(window_bits, takeover, Level::new(level).unwrap());
        let mut receiver = inflater(window_bits, takeover);
        for step in &steps {
            if let Some((message, payload)) = perform(&mut sender, window_bits, step) {
                let read = read_in_pieces(&mut receiver, &payload, chunk, room);
                prop_assert_eq!(read, Ok(message));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_end_in_a_message_or_an_error(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        (chunk, room) in (1..50_usize, 1..500_usize),
    ) {
        let mut receiver = inflater(15, true);
        for _ in 0..2 {
            drop(read_in_pieces(&mut receiver, &payload, chunk, room));
        }
    }

    #[test]
    fn a_damaged_message_ends_in_a_message_or_an_error(
        message in message(),
        (at, bit) in (any::<prop::sample::Index>(), 0..8),
        (chunk, room) in (1..50_usize, 1..500_usize),
    ) {
        let mut payload = sent(&mut compressor(15, false), &message);
        let at = at.index(payload.len());
        payload[at] ^= 1_u8 << bit;
        drop(read_in_pieces(&mut inflater(15, false), &payload, chunk, room));
    }
}
