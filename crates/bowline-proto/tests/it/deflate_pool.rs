//! permessage-deflate: contexts belong to the pool and are only lent.

use std::sync::Arc;

use bowline_proto::deflate::{
    Compressor, CompressorConfig, ContextPool, Inflater, InflaterConfig, Level, MemLevel,
    PoolLimits, WindowBits, compress_standalone,
};
use bytes::BytesMut;

use super::deflate::{bits, compressor, pool, read, sent};

#[test]
fn a_context_is_held_only_while_a_message_lasts() {
    let shared = pool();
    let config = InflaterConfig {
        window_bits: WindowBits::MAX,
        takeover: true,
    };
    let payload = sent(&mut compressor(15, true), b"Hello");
    let mut receiver = Inflater::new(Arc::clone(&shared), config);
    assert_eq!(read(&mut receiver, b""), Ok(Vec::new()));
    assert_eq!(
        shared.idle_inflaters(),
        0,
        "an empty payload needs no context"
    );
    read(&mut receiver, &payload).unwrap();
    assert_eq!(shared.idle_inflaters(), 1);
    receiver.inflate(&payload, &mut [0; 9]).unwrap();
    assert_eq!(shared.idle_inflaters(), 0);
    drop(receiver);
    assert_eq!(shared.idle_inflaters(), 1, "dropping returns the context");
    let mut receiver = Inflater::new(Arc::clone(&shared), config);
    assert!(receiver.inflate(&[7], &mut [0; 9]).is_err());
    assert_eq!(shared.idle_inflaters(), 1, "an error returns the context");
}

#[test]
fn a_compressor_returns_its_context_after_each_message() {
    let shared = pool();
    let config = CompressorConfig {
        window_bits: WindowBits::MAX,
        takeover: true,
        level: Level::DEFAULT,
        mem_level: MemLevel::DEFAULT,
    };
    let mut sender = Compressor::new(Arc::clone(&shared), config);
    sent(&mut sender, b"");
    assert_eq!(
        shared.idle_deflaters(),
        0,
        "an empty message needs no context"
    );
    sent(&mut sender, b"Hello");
    assert_eq!(shared.idle_deflaters(), 1);
    sender.compress_fragment(b"Hello", &mut BytesMut::new());
    assert_eq!(shared.idle_deflaters(), 0);
    drop(sender);
    assert_eq!(shared.idle_deflaters(), 1);
}

#[test]
fn a_pool_keeps_no_more_idle_contexts_than_allowed() {
    let limits = PoolLimits {
        idle_inflaters_max: 0,
        idle_deflaters_max: 2,
    };
    let shared = Arc::new(ContextPool::new(limits));
    let mut output = BytesMut::new();
    for window_bits in [9, 12, 15, 15, 8] {
        compress_standalone(
            &shared,
            bits(window_bits),
            Level::MIN,
            b"Hello",
            &mut output,
        );
    }
    assert_eq!(shared.idle_deflaters(), 2);
    let config = InflaterConfig {
        window_bits: WindowBits::MAX,
        takeover: false,
    };
    let mut receiver = Inflater::new(Arc::clone(&shared), config);
    read(&mut receiver, &sent(&mut compressor(15, false), b"Hello")).unwrap();
    assert_eq!(shared.idle_inflaters(), 0);
}

/// Two compressors with takeover that write by turns, with a pool that keeps `idle_max` contexts.
fn by_turns(idle_max: usize, messages: usize) -> Vec<Vec<u8>> {
    let limits = PoolLimits {
        idle_deflaters_max: idle_max,
        ..PoolLimits::default()
    };
    let pool = Arc::new(ContextPool::new(limits));
    let config = CompressorConfig {
        window_bits: WindowBits::MAX,
        takeover: true,
        level: Level::DEFAULT,
        mem_level: MemLevel::DEFAULT,
    };
    let mut writers = [(); 2].map(|()| Compressor::new(Arc::clone(&pool), config));
    let mut inflaters = [(); 2].map(|()| {
        let config = InflaterConfig {
            window_bits: WindowBits::MAX,
            takeover: true,
        };
        Inflater::new(Arc::clone(&pool), config)
    });
    let mut written = Vec::new();
    for n in 0..messages {
        let payload = format!("reading {} of sensor {}", n / 3, n % 2).repeat(n % 5 + 1);
        let mut output = BytesMut::new();
        let compressed = writers[n % 2].compress(payload.as_bytes(), &mut output);
        // Some are thought better of: the peer's window never sees them.
        if n % 7 == 3 {
            compressed.discard();
            continue;
        }
        compressed.commit();
        assert_eq!(inflate(&mut inflaters[n % 2], &output), payload.as_bytes());
        written.push(output.to_vec());
        if n % 11 == 5 {
            // A message prepared elsewhere goes past the context.
            let prepared = b"prepared elsewhere";
            let mut standalone = BytesMut::new();
            compress_standalone(
                &pool,
                WindowBits::MAX,
                Level::DEFAULT,
                prepared,
                &mut standalone,
            );
            writers[n % 2].append_prepared(prepared);
            assert_eq!(inflate(&mut inflaters[n % 2], &standalone), prepared);
        }
    }
    written
}

fn inflate(inflater: &mut Inflater, message: &[u8]) -> Vec<u8> {
    let mut output = vec![0; 4096];
    let progress = inflater.inflate(message, &mut output).unwrap();
    assert_eq!(progress.consumed, message.len());
    let finish = inflater.finish(&mut output[progress.produced..]).unwrap();
    assert!(finish.done);
    output.truncate(progress.produced + finish.produced);
    output
}

#[test]
fn a_context_that_still_knows_the_window_is_as_good_as_one_that_is_told() {
    for idle_max in [0, 1, 2, 3] {
        let written = by_turns(idle_max, 200);
        let len: usize = written.iter().map(Vec::len).sum();
        assert!(
            len < written.len() * 24,
            "{len} bytes: repeated words are found in the window, {idle_max} idle"
        );
    }
}
