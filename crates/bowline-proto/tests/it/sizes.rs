//! How large the types are that every connection and every call carries.

use std::mem::size_of;

use bowline_proto::{
    Cause, Connection, Ending, Event, FrameHeader, LimitExceeded, Message, Misuse, Payload,
    ProtocolViolation,
};

#[test]
fn errors_are_small() {
    assert!(size_of::<ProtocolViolation>() <= 4);
    assert!(size_of::<LimitExceeded>() <= 1);
    assert!(size_of::<Misuse>() <= 4);
    assert!(size_of::<Result<(), Misuse>>() <= 4);
    assert!(size_of::<Cause>() <= 8);
    assert!(size_of::<Ending>() <= 32);
}

#[test]
fn events_are_small() {
    assert!(size_of::<Payload<'_>>() <= 40);
    assert!(size_of::<Message<'_>>() <= 48);
    assert!(size_of::<Event<'_>>() <= 64);
    assert!(size_of::<FrameHeader>() <= 24);
}

/// What an idle connection costs in all: it owns nothing else.
#[test]
fn a_connection_is_smaller_than_640_bytes() {
    let size = size_of::<Connection>();
    assert!(size <= 640, "{size} bytes");
}
