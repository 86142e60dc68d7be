//! `Compression`: which messages a connection compresses, and with what.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Fin, gain::Gain};
use crate::{
    deflate::{Compressor, ContextPool, Level, WindowBits},
    message::{MessageKind, Payload},
};

/// The sending half of permessage-deflate on one connection.
#[derive(Debug)]
pub(crate) struct Compression {
    compressor: Compressor,
    /// Shorter messages are sent as they are.
    pub(super) size_min: usize,
    /// What a prepared message is compressed with.
    pub(super) window_bits: WindowBits,
    pub(super) level: Level,
    pub(super) pool: Arc<ContextPool>,
    /// A connection may carry text beside pictures: each kind has a memory of its own.
    text: Gain,
    binary: Gain,
}

impl Compression {
    pub(crate) fn new(
        compressor: Compressor,
        size_min: usize,
        window_bits: WindowBits,
        level: Level,
        pool: Arc<ContextPool>,
    ) -> Self {
        Self {
            compressor,
            size_min,
            window_bits,
            level,
            pool,
            text: Gain::default(),
            binary: Gain::default(),
        }
    }

    /// Says whether a message is long enough; one without bytes never is.
    pub(super) fn is_long_enough(&self, len: usize) -> bool {
        len >= self.size_min.max(1)
    }

    /// Compresses a whole message, unless that is not worth its time or makes it longer.
    pub(super) fn message(&mut self, kind: MessageKind, payload: &Payload<'_>) -> Option<Bytes> {
        if !self.is_long_enough(payload.len()) || !self.gain(kind).is_due() {
            return None;
        }
        let mut output = BytesMut::new();
        let compressed = self.compressor.compress(payload, &mut output);
        let size = compressed.size();
        let is_shorter = size < payload.len();
        if is_shorter {
            compressed.commit();
        } else {
            compressed.discard();
        }
        self.gain(kind).note(payload.len(), size);
        is_shorter.then(|| output.freeze())
    }

    /// Says whether a message whose first fragment is about to be sent is compressed. Its length
    /// is not known.
    pub(super) fn begins(&mut self, kind: MessageKind) -> bool {
        self.gain(kind).is_due()
    }

    /// Compresses a fragment so that what it holds can be read at once.
    pub(super) fn fragment(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        fin: Fin,
    ) -> Payload<'static> {
        let mut output = BytesMut::new();
        match fin {
            Fin::More => self.compressor.compress_fragment(payload, &mut output),
            Fin::Last => self.compressor.compress_last_fragment(payload, &mut output),
        };
        // What a short one gains says nothing.
        if self.is_long_enough(payload.len()) {
            self.gain(kind).note(payload.len(), output.len());
        }
        Payload::Shared(output.freeze())
    }

    /// Takes note of a message that was compressed elsewhere and is sent now.
    pub(super) fn append_prepared(&mut self, payload: &[u8]) {
        self.compressor.append_prepared(payload);
    }

    const fn gain(&mut self, kind: MessageKind) -> &mut Gain {
        match kind {
            MessageKind::Text => &mut self.text,
            MessageKind::Binary => &mut self.binary,
        }
    }
}
