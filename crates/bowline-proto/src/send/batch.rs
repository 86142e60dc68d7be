//! Sending what is encoded once for many: messages alone, and those that leave together.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use super::{Compress, Compression, PreparedMessage, SendPath};
use crate::{deflate::WindowBits, error::Misuse};

/// Holds prepared messages that are sent one after the other to many connections. Clones share
/// the messages and their encodings.
///
/// The frames of a batch of small messages are laid together at most once per option set; each
/// connection then queues a reference to the same bytes, and they leave in one write. Memory: that
/// of the messages, and one more copy of their frames for each option set, of at most 32 KiB.
#[derive(Clone, Debug, Default)]
pub struct PreparedBatch(Arc<Batch>);

#[derive(Debug, Default)]
struct Batch {
    messages: Vec<PreparedMessage>,
    payload_len: usize,
    plain: OnceLock<Option<Bytes>>,
    /// One for each window size, 8 to 15 bits, with the shortest length that is compressed.
    compressed: [OnceLock<(usize, Option<Bytes>)>; 8],
}

impl PreparedBatch {
    /// Gives the messages, in their order.
    pub fn messages(&self) -> &[PreparedMessage] {
        &self.0.messages
    }

    /// Gives the number of messages.
    pub fn len(&self) -> usize {
        self.0.messages.len()
    }

    /// Says whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.0.messages.is_empty()
    }

    /// Gives the length of all payloads together in bytes.
    pub fn payload_len(&self) -> usize {
        self.0.payload_len
    }

    /// The frames of all messages, uncompressed; `None` if they are too long to lie together.
    pub(super) fn plain(&self) -> Option<&Bytes> {
        let together = || self.together(PreparedMessage::plain);
        self.0.plain.get_or_init(together).as_ref()
    }

    /// The same for a connection that compresses.
    pub(super) fn compressed(&self, options: &Compression) -> Option<&Bytes> {
        let index = usize::from(options.window_bits.get() - WindowBits::MIN.get());
        let (size_min, frames) = self.0.compressed.get(index)?.get_or_init(|| {
            let frames = self.together(|message| message.frame(options));
            (options.size_min, frames)
        });
        // What was made for other options is of no use.
        frames.as_ref().filter(|_| *size_min == options.size_min)
    }

    fn together<'a>(&'a self, frame: impl Fn(&'a PreparedMessage) -> &'a Bytes) -> Option<Bytes> {
        let messages = &self.0.messages;
        if let [message] = &messages[..] {
            let frame = frame(message);
            return (frame.len() <= TOGETHER_LEN_MAX).then(|| frame.clone());
        }
        if self.0.payload_len > TOGETHER_LEN_MAX {
            return None;
        }
        let len = messages.iter().map(|message| frame(message).len()).sum();
        if len > TOGETHER_LEN_MAX {
            return None;
        }
        let mut frames = BytesMut::with_capacity(len);
        for message in messages {
            frames.extend_from_slice(frame(message));
        }
        Some(frames.freeze())
    }
}

impl SendPath {
    /// Queues a message that is encoded once for many connections.
    pub(crate) fn prepared(&mut self, message: &PreparedMessage) -> Result<(), Misuse> {
        self.check_between_messages()?;
        if self.masks.is_some() {
            return self.message(message.kind(), &message.payload(), Compress::Auto);
        }
        match &mut self.compression {
            Some(compression) => {
                self.queue.push_encoded(message.frame(compression));
                compression.note_prepared(message);
            }
            None => self.queue.push_encoded(message.plain()),
        }
        Ok(())
    }

    /// Queues messages that are encoded once for many connections and whose frames lie together,
    /// but for the bytes that `write` takes at once; gives their number, or `None` if the frames
    /// do not lie together for this connection.
    pub(crate) fn batch(
        &mut self,
        batch: &PreparedBatch,
        write: impl FnOnce(&[u8]) -> usize,
    ) -> Result<Option<usize>, Misuse> {
        self.check_between_messages()?;
        if self.masks.is_some() {
            return Ok(None);
        }
        let frames = match &self.compression {
            Some(compression) => batch.compressed(compression),
            None => batch.plain(),
        };
        let Some(frames) = frames else {
            return Ok(None);
        };
        let is_first = self.queue.len() == 0 && !frames.is_empty();
        let written = if is_first { write(frames) } else { 0 };
        if written < frames.len() {
            self.queue.push_together(frames);
        }
        if written > 0 {
            self.advance(written.min(self.queue.len()));
        }
        if let Some(compression) = &mut self.compression {
            for message in batch.messages() {
                compression.note_prepared(message);
            }
        }
        Ok(Some(written))
    }
}

impl Compression {
    /// Takes note of a prepared message that is sent now.
    fn note_prepared(&mut self, message: &PreparedMessage) {
        if message.compressed(self).is_some() {
            self.append_prepared(&message.payload());
        }
    }
}

impl From<Vec<PreparedMessage>> for PreparedBatch {
    fn from(messages: Vec<PreparedMessage>) -> Self {
        let payload_len = messages.iter().map(PreparedMessage::len).sum();
        Self(Arc::new(Batch {
            messages,
            payload_len,
            ..Batch::default()
        }))
    }
}

impl FromIterator<PreparedMessage> for PreparedBatch {
    fn from_iter<I: IntoIterator<Item = PreparedMessage>>(messages: I) -> Self {
        Vec::from_iter(messages).into()
    }
}

/// What frames that lie together take at most; a pong waits for no more than this.
const TOGETHER_LEN_MAX: usize = 32 << 10;
