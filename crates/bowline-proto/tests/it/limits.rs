//! The bounds on what a peer may send, exact and before the memory is spent.

use bowline_proto::{
    Cause, Config, ConnectionState, LimitExceeded, Limits, Role, View,
    deflate::{ContextPool, Deflate},
};
use bowline_testkit::{Chunks, Collected, End, Frame, Takeover, deflate_params};
use bytes::BytesMut;

fn limited(limits: Limits) -> End {
    let config = Config {
        limits,
        ..Config::default()
    };
    let params = deflate_params(15, Takeover::Yes);
    let deflate = Deflate::new(params, ContextPool::default().into());
    End::new(Role::Server, config, Some(deflate))
}

fn refused(mut end: End, frames: &[Frame], limit: LimitExceeded) {
    end.read_frames(frames);
    // RFC 6455 section 7.4.1
    assert_eq!(end.write_frames()[0].close_code(), Some(1009), "{limit:?}");
    assert_eq!(end.take_events(), []);
    assert_eq!(end.ended().cause, Cause::Limit(limit));
}

fn accepted(mut end: End, frames: &[Frame]) {
    end.read_frames(frames);
    assert_eq!(end.connection.state(), ConnectionState::Open);
    assert!(matches!(end.events[..], [Collected::Message(..)]));
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut output = BytesMut::new();
    bowline_proto::deflate::compress_standalone(
        &ContextPool::default(),
        bowline_proto::deflate::WindowBits::MAX,
        bowline_proto::deflate::Level::DEFAULT,
        payload,
        &mut output,
    );
    output.to_vec()
}

fn more(len: usize) -> Frame {
    Frame::binary(vec![0; len]).more()
}

fn next(len: usize) -> Frame {
    Frame::continuation(vec![0; len])
}

/// What just fits and what does not, in each way it may come.
fn check(limits: Limits, limit: LimitExceeded, cases: &[(Vec<Frame>, Vec<Frame>)]) {
    for (fits, exceeds) in cases {
        for cut in [Chunks::whole(), Chunks::of(1), Chunks::of(100)] {
            let end = || {
                let mut end = limited(limits);
                end.reads = cut.clone();
                end
            };
            accepted(end(), fits);
            refused(end(), exceeds, limit);
        }
    }
}

#[test]
fn the_message_limit_is_exact_across_fragments_and_after_inflating() {
    let limits = Limits {
        message_size_max: 1000,
        ..Limits::default()
    };
    // RFC 7692 section 8: what counts is the size after inflating.
    let inflating = |len: usize| vec![Frame::binary(compressed(&vec![0; len])).rsv(4)];
    let cases = [
        (
            vec![Frame::binary([0; 1000])],
            vec![Frame::binary([0; 1001])],
        ),
        (vec![more(500), next(500)], vec![more(500), next(501)]),
        (vec![more(1000), next(0)], vec![more(1000), next(1)]),
        (inflating(1000), inflating(1001)),
        (inflating(1000), inflating(16 << 20)),
    ];
    check(limits, LimitExceeded::MessageSize, &cases);
}

#[test]
fn the_frame_limit_is_exact_for_each_frame() {
    let limits = Limits {
        frame_size_max: 1000,
        ..Limits::default()
    };
    let cases = [
        (
            vec![Frame::binary([0; 1000])],
            vec![Frame::binary([0; 1001])],
        ),
        (vec![more(1000), next(1000)], vec![more(1000), next(1001)]),
    ];
    check(limits, LimitExceeded::FrameSize, &cases);
}

#[test]
fn the_fragment_limit_is_exact_and_counts_empty_fragments() {
    let limits = Limits {
        fragment_count_max: 3,
        ..Limits::default()
    };
    let cases = [0, 1].map(|len| {
        let fits = vec![more(len), next(len).more(), next(len)];
        let exceeds = vec![more(len), next(len).more(), next(len).more(), next(len)];
        (fits, exceeds)
    });
    check(limits, LimitExceeded::FragmentCount, &cases);
    // One frame is always allowed, however it comes.
    let none = Limits {
        fragment_count_max: 0,
        ..limits
    };
    let cases = [(vec![Frame::binary("a")], vec![more(1), next(1)])];
    check(none, LimitExceeded::FragmentCount, &cases);
}

#[test]
fn a_promise_is_refused_at_the_header() {
    let limits = Limits::default();
    let no_frame_limit = Limits {
        frame_size_max: u64::MAX,
        ..limits
    };
    let promise = |len: u64| [Frame::binary([]).promising(len)];
    let eight_eib = (1 << 63) - 1;
    refused(
        limited(limits),
        &promise(eight_eib),
        LimitExceeded::FrameSize,
    );
    refused(
        limited(limits),
        &promise((16 << 20) + 1),
        LimitExceeded::FrameSize,
    );
    refused(
        limited(no_frame_limit),
        &promise(eight_eib),
        LimitExceeded::MessageSize,
    );
    let continued = [
        Frame::binary("a").more(),
        Frame::continuation([]).promising(eight_eib),
    ];
    refused(
        limited(no_frame_limit),
        &continued,
        LimitExceeded::MessageSize,
    );
}

#[test]
fn two_million_tiny_fragments_end_at_the_count_limit() {
    for payload in [&[][..], b"x"] {
        let mut end = limited(Limits::default());
        let start = end.stream(&[Frame::binary(payload).more()]);
        let next = end.stream(&[Frame::continuation(payload).more()]);
        end.read(&start);
        let mut frames = 1;
        let thousand = next.repeat(1000);
        while end.connection.state() == ConnectionState::Open {
            end.read(&thousand);
            frames += 1000;
            assert!(frames <= 2_000_000, "the limit never came");
        }
        assert!((131_072..133_000).contains(&frames), "{frames}");
        assert_eq!(end.write_frames()[0].close_code(), Some(1009));
        assert_eq!(
            end.ended().cause,
            Cause::Limit(LimitExceeded::FragmentCount)
        );
    }
}

#[test]
fn without_limits_anything_passes() {
    let mut end = limited(Limits::NONE);
    end.read_frames(&[Frame::binary([]).promising((1 << 63) - 1)]);
    assert_eq!(end.connection.state(), ConnectionState::Open);
}

/// Nothing is assembled there, so the application counts.
#[test]
fn limits_do_not_bind_in_the_fragment_view() {
    let limits = Limits {
        message_size_max: 10,
        frame_size_max: 10,
        fragment_count_max: 1,
    };
    for cut in [Chunks::whole(), Chunks::of(7)] {
        let mut end = limited(limits);
        end.reads = cut;
        end.connection.set_view(View::Fragments);
        end.read_frames(&[
            Frame::binary([1; 100]),
            Frame::binary([2; 100]).more(),
            Frame::continuation([3; 100]),
            Frame::binary(compressed(&[4; 100])).rsv(4),
        ]);
        assert_eq!(end.connection.state(), ConnectionState::Open);
        let bytes: usize = end.events.iter().map(payload_len).sum();
        assert_eq!(bytes, 400);
        end.connection.set_view(View::Messages);
        end.read_frames(&[Frame::binary([0; 11])]);
        assert_eq!(end.connection.state(), ConnectionState::Closing);
    }
}

fn payload_len(event: &Collected) -> usize {
    if let Collected::Fragment { payload, .. } = event {
        payload.len()
    } else {
        panic!("{event:?}")
    }
}
