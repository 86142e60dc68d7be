//! Bursts of frames as they arrive, and the check that what was sent is right.

use bytes::Bytes;

use crate::{
    payload::{Kind, Size},
    peer::{Compression, Library, Role, bowline::Bowline},
};

/// Encodes a burst of `kind` messages for an end in role `receiver`.
pub fn burst(receiver: Role, kind: Kind, size: Size, compression: Compression) -> Bytes {
    let mut sender = Bowline::new(receiver.other(), compression).expect("all is supported");
    let stream = sender.stream();
    stream.record();
    sender.send(&Bowline::prepare(kind, &kind.payload(size)), size.burst());
    stream.take_record().into()
}

/// Checks that `library` reports exactly the messages of a burst.
///
/// # Panics
/// When it does not.
pub fn check_receive<L: Library>(library: &mut L, wire: &Bytes, kind: Kind, size: Size) {
    let payload = kind.payload(size);
    let mut count = 0;
    library.receive(wire, size.burst(), |is_text, received| {
        assert_eq!(is_text, kind.is_text(), "{}: kind", L::NAME);
        assert_eq!(received, payload, "{}: payload", L::NAME);
        count += 1;
    });
    assert_eq!(count, size.burst(), "{}: number of messages", L::NAME);
}

/// Checks that what `library` writes is a burst of valid frames with the payload.
///
/// # Panics
/// When it is not.
pub fn check_send<L: Library>(
    library: &mut L,
    role: Role,
    compression: Compression,
    kind: Kind,
    size: Size,
) {
    let stream = library.stream();
    stream.record();
    library.send(&L::prepare(kind, &kind.payload(size)), size.burst());
    let wire = stream.take_record().into();
    let mut receiver = Bowline::new(role.other(), compression).expect("all is supported");
    check_receive(&mut receiver, &wire, kind, size);
}
