//! permessage-deflate: what a connection compresses by itself, and how often anything is.

use std::sync::Arc;

use bowline_proto::{
    Compress, Config, Fin, Message, MessageKind, Payload, PreparedMessage, Role,
    deflate::{ContextPool, Deflate, PoolLimits},
};
use bowline_testkit::{Collected, End, Pair, Takeover, deflate_params};
use proptest::{collection::vec, prelude::*, sample::select};

fn end(role: Role, deflate: Option<(u8, Takeover)>, pool: &Arc<ContextPool>) -> End {
    let config = Config {
        compression_size_min: 64,
        ..Config::default()
    };
    let deflate = deflate
        .map(|(bits, takeover)| Deflate::new(deflate_params(bits, takeover), Arc::clone(pool)));
    End::new(role, config, deflate)
}

/// Bytes that nothing can be saved of, other ones for each seed.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| byte()).collect()
}

/// A reading of a sensor, other ones for each number.
fn reading(number: u64) -> String {
    let value = number * 7919 % 100_000;
    format!(
        r#"{{"sensor":"hall-{}/press-{}","seq":{number},"value":{value},"unit":"mbar","good":true}}"#,
        number % 4,
        number % 40,
    )
}

#[test]
fn a_stream_that_cannot_be_compressed_costs_one_attempt_for_64_messages() {
    for takeover in [Takeover::No, Takeover::Yes] {
        let pool = Arc::default();
        let mut sender = end(Role::Server, Some((15, takeover)), &pool);
        for seed in 0..6400 {
            sender.connection.send_binary(&noise(1000, seed)).unwrap();
            sender.write();
        }
        let attempts = pool.compressions();
        assert!(attempts <= 6400 / 64 + 8, "{attempts}");
        // Text has a memory of its own.
        let before = pool.compressions();
        for number in 0..20 {
            sender.connection.send_text(&readings(number, 5)).unwrap();
        }
        assert_eq!(pool.compressions() - before, 20);
        assert!(sender.write_frames().iter().all(|frame| frame.rsv == 4));
    }
}

#[test]
fn a_stream_that_can_be_compressed_again_is_noticed_within_64_messages() {
    let pool = Arc::default();
    let mut sender = end(Role::Client, Some((15, Takeover::No)), &pool);
    let mut rsv = |payload: &[u8]| {
        sender.connection.send_binary(payload).unwrap();
        sender.write_frames()[0].rsv
    };
    for seed in 0..1000 {
        assert_eq!(rsv(&noise(1000, seed)), 0);
    }
    let flags: Vec<_> = (0..100).map(|_| rsv(&[7; 1000])).collect();
    let first = flags.iter().position(|flag| *flag == 4).unwrap();
    assert!(first < 64, "{first}");
    assert!(flags[first..].iter().all(|flag| *flag == 4), "{flags:?}");
}

#[test]
fn messages_in_fragments_count_as_well_and_rest_as_a_whole() {
    let pool = Arc::default();
    let mut sender = end(Role::Server, Some((15, Takeover::Yes)), &pool);
    let mut tried = Vec::new();
    for seed in 0..300 {
        for (piece, fin) in [(0, Fin::More), (1, Fin::More), (2, Fin::Last)] {
            let payload = noise(300, 3 * seed + piece);
            let payload = Payload::Borrowed(&payload);
            let kind = MessageKind::Binary;
            let sent = sender
                .connection
                .send_fragment(kind, payload, fin, Compress::Auto);
            sent.unwrap();
        }
        let frames = sender.write_frames();
        assert!(frames[1..].iter().all(|frame| frame.rsv == 0));
        if frames[0].rsv == 4 {
            tried.push(seed);
        }
    }
    assert_eq!(tried[0], 0, "nothing is known of the first");
    assert!((2..=300 / 64 + 8).contains(&tried.len()), "{tried:?}");
}

/// Window bits and takeover, or no compression, by the number of a connection.
fn options(number: usize) -> Option<(u8, Takeover)> {
    match number % 5 {
        0 => None,
        1 => Some((15, Takeover::No)),
        2 => Some((15, Takeover::Yes)),
        3 => Some((12, Takeover::Yes)),
        _ => Some((9, Takeover::No)),
    }
}

#[test]
fn a_broadcast_to_a_thousand_is_compressed_once_for_each_window_size() {
    let (senders, receivers) = (Arc::default(), Arc::default());
    let mut pairs: Vec<_> = (0..1000)
        .map(|number| {
            let server = end(Role::Server, options(number), &senders);
            Pair::join(end(Role::Client, options(number), &receivers), server)
        })
        .collect();
    // Some have a window already when the first broadcast comes.
    let mut own = 0;
    for (number, pair) in pairs.iter_mut().enumerate() {
        if number % 7 == 0 {
            pair.server.connection.send_text(&reading(7)).unwrap();
            own += u64::from(options(number).is_some());
        }
    }
    let texts: Vec<String> = (0..20)
        .map(|n| (n..n + 20).map(reading).collect())
        .collect();
    for text in &texts {
        let prepared = PreparedMessage::new(Message::text(text.as_str()));
        for pair in &mut pairs {
            pair.server.connection.send_prepared(&prepared).unwrap();
        }
    }
    let windows = 3;
    assert_eq!(senders.compressions(), own + windows * texts.len() as u64);
    for (number, pair) in pairs.iter_mut().enumerate() {
        pair.server.connection.send_text(&reading(8)).unwrap();
        pair.run();
        let first = (number % 7 == 0).then(|| reading(7));
        let expected = first.into_iter().chain(texts.iter().cloned());
        let expected: Vec<_> = expected
            .chain([reading(8)])
            .map(|text| Collected::text(&text))
            .collect();
        assert_eq!(pair.client.take_events(), expected, "{number}");
    }
}

#[test]
fn a_broadcast_that_compressing_makes_no_shorter_is_sent_as_it_is_and_tried_once() {
    let pool = Arc::default();
    let noise = noise(1000, 1);
    let prepared = PreparedMessage::new(Message::binary(noise.as_slice()).into_owned());
    for takeover in [Takeover::No, Takeover::Yes] {
        for _ in 0..10 {
            let mut sender = end(Role::Server, Some((15, takeover)), &pool);
            sender.connection.send_prepared(&prepared).unwrap();
            let frames = sender.write_frames();
            assert_eq!((frames[0].rsv, &frames[0].payload), (0, &noise));
        }
    }
    assert_eq!(pool.compressions(), 1);
}

/// What an application may send.
#[derive(Clone, Debug)]
enum Act {
    Readings(u64, u64),
    Noise(usize),
    Prepared(u64, u64),
    PreparedNoise(usize),
    Fragments(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (0..100_u64, 1..20_u64).prop_map(|(number, count)| Act::Readings(number, count)),
        1 => (0..100_u64, 20..900_u64).prop_map(|(number, count)| Act::Readings(number, count)),
        4 => (1..2000_usize).prop_map(Act::Noise),
        3 => (0..100_u64, 1..60_u64).prop_map(|(number, count)| Act::Prepared(number, count)),
        1 => (1..2000_usize).prop_map(Act::PreparedNoise),
        1 => (0..100_u64).prop_map(Act::Fragments),
    ];
    vec(act, 0..120)
}

fn readings(number: u64, count: u64) -> String {
    (number..number + count).map(reading).collect()
}

/// Does what the act says and gives what the other end has to report.
fn perform(end: &mut End, act: &Act, seed: u64) -> Collected {
    let connection = &mut end.connection;
    match *act {
        Act::Readings(number, count) => {
            let text = readings(number, count);
            connection.send_text(&text).unwrap();
            Collected::text(&text)
        }
        Act::Noise(len) => {
            let noise = noise(len, seed);
            connection.send_binary(&noise).unwrap();
            Collected::binary(&noise)
        }
        Act::Prepared(number, count) => {
            let text = readings(number, count);
            let prepared = PreparedMessage::new(Message::text(text.as_str()));
            connection.send_prepared(&prepared).unwrap();
            Collected::text(&text)
        }
        Act::PreparedNoise(len) => {
            let noise = noise(len, seed);
            let prepared = PreparedMessage::new(Message::binary(noise.as_slice()));
            connection.send_prepared(&prepared).unwrap();
            Collected::binary(&noise)
        }
        Act::Fragments(number) => {
            let text = readings(number, 4);
            for fin in [Fin::More, Fin::Last] {
                let (first, second) = text.split_at(100);
                let piece = if fin == Fin::More { first } else { second };
                let payload = Payload::Borrowed(piece.as_bytes());
                let kind = MessageKind::Text;
                connection
                    .send_fragment(kind, payload, fin, Compress::Auto)
                    .unwrap();
            }
            Collected::text(&text)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Several connections share few contexts, so that most are taken by somebody else meanwhile.
    #[test]
    fn peers_read_what_was_sent_whatever_was_chosen(
        acts in acts(),
        bits in 8..=15_u8,
        takeover in select(vec![Takeover::Yes, Takeover::Yes, Takeover::No]),
        idle_deflaters_max in 0..3_usize,
        connections in 1..4_usize,
        role in select(vec![Role::Server, Role::Client]),
    ) {
        let limits = PoolLimits { idle_deflaters_max, ..PoolLimits::default() };
        let pool = Arc::new(ContextPool::new(limits));
        let options = Some((bits, takeover));
        let mut pairs: Vec<_> = (0..connections)
            .map(|_| Pair::join(end(Role::Client, options, &pool), end(Role::Server, options, &pool)))
            .collect();
        for (seed, act) in (1..).zip(&acts) {
            for pair in &mut pairs {
                let (from, to) = match role {
                    Role::Server => (&mut pair.server, &mut pair.client),
                    Role::Client => (&mut pair.client, &mut pair.server),
                };
                let expected = perform(from, act, seed);
                let bytes = from.write();
                to.read(&bytes);
                prop_assert_eq!(to.take_events(), [expected]);
            }
        }
    }
}
