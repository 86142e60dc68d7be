//! A message encoded once and sent to many.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use super::{Compression, FrameStart};
use crate::{
    deflate::{WindowBits, compress_standalone},
    message::{Message, MessageKind, Payload},
};

/// Holds a message whose frame is encoded, and compressed, at most once per option set, however
/// many connections it is sent to. Clones share the encodings.
///
/// It serves connections in the server role; a client masks each frame with a key of its own, so
/// there it is encoded again. Memory: the payload, one copy of it as a frame, and one compressed
/// copy for each window size in use.
///
/// A message that compressing does not make shorter is sent as it is. Peers with context takeover
/// are served too: the message is compressed without reference to earlier ones, and its plain text
/// enters the window of each connection that has one.
#[derive(Clone, Debug)]
pub struct PreparedMessage(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    kind: MessageKind,
    payload: Bytes,
    plain: OnceLock<Bytes>,
    /// One for each window size, 8 to 15 bits; `None` if compressing makes it no shorter.
    compressed: [OnceLock<Option<Bytes>>; 8],
}

impl PreparedMessage {
    /// Takes the message; nothing is encoded yet.
    pub fn new(message: Message<'_>) -> Self {
        let kind = message.kind();
        Self(Arc::new(Prepared {
            kind,
            payload: message.into_payload().into_bytes(),
            plain: OnceLock::new(),
            compressed: Default::default(),
        }))
    }

    /// Gives the kind of the message.
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// Gives the length of the payload in bytes.
    pub fn len(&self) -> usize {
        self.0.payload.len()
    }

    /// Says whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.0.payload.is_empty()
    }

    /// Gives the payload, shared.
    pub(super) fn payload(&self) -> Payload<'static> {
        Payload::Shared(self.0.payload.clone())
    }

    /// The uncompressed frame.
    pub(super) fn plain(&self) -> &Bytes {
        self.0
            .plain
            .get_or_init(|| frame(FrameStart::sole(self.0.kind), &self.0.payload))
    }

    /// The frame for a connection that compresses.
    pub(super) fn frame(&self, options: &Compression) -> &Bytes {
        self.compressed(options).unwrap_or_else(|| self.plain())
    }

    /// The compressed frame for a connection's option set; `None` if it is no shorter than the
    /// uncompressed one, or if the message is too short to be compressed.
    pub(super) fn compressed(&self, options: &Compression) -> Option<&Bytes> {
        if !options.is_long_enough(self.len()) {
            return None;
        }
        let frame = self.slot(options.window_bits).get_or_init(|| {
            let mut output = BytesMut::new();
            let size = compress_standalone(
                &options.pool,
                options.window_bits,
                options.level,
                &self.0.payload,
                &mut output,
            );
            let start = FrameStart {
                rsv1: true,
                ..FrameStart::sole(self.0.kind)
            };
            (size < self.0.payload.len()).then(|| frame(start, &output))
        });
        frame.as_ref()
    }

    fn slot(&self, window_bits: WindowBits) -> &OnceLock<Option<Bytes>> {
        let index = usize::from(window_bits.get() - WindowBits::MIN.get());
        let slot = self.0.compressed.get(index);
        slot.expect("window bits are 8 to 15")
    }
}

fn frame(start: FrameStart, payload: &[u8]) -> Bytes {
    let header = start.header(payload.len() as u64, None).encode();
    let mut frame = BytesMut::with_capacity(header.as_slice().len() + payload.len());
    frame.extend_from_slice(header.as_slice());
    frame.extend_from_slice(payload);
    frame.freeze()
}
