//! The payload of a long frame, read to where it stays.

use bytes::BytesMut;

use super::{Frame, ReceivePath, View, assembler::Backlog};
use crate::{error::Fault, frame::apply_mask};

impl ReceivePath {
    /// Lends the storage of the message whose frame is arriving, with the number of bytes that are
    /// missing; `None` for less than these lengths, and for what cannot just be appended.
    pub(crate) fn lend_storage(
        &mut self,
        arrived_min: usize,
        missing_min: u64,
    ) -> Option<(BytesMut, u64)> {
        let frame = self.frame.as_ref()?;
        let missing = frame.header.payload_len - frame.received;
        let message = self.message.as_mut()?;
        let is_appended = frame.header.opcode.is_data()
            && !message.compressed
            && message.view == View::Messages
            && message.backlog == Backlog::None;
        let is_long = message.buffer.len() >= arrived_min && missing >= missing_min;
        (is_appended && is_long).then(|| (std::mem::take(&mut message.buffer), missing))
    }

    /// Takes the storage back with bytes appended behind the first `start`: fewer than were missing,
    /// so that the frame is not complete.
    pub(crate) fn take_storage_back(
        &mut self,
        mut storage: BytesMut,
        start: usize,
    ) -> Result<(), Fault> {
        let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) else {
            // Whatever ended the connection meanwhile dropped the message too.
            return Ok(());
        };
        let fresh = storage.get_mut(start..).unwrap_or_default();
        debug_assert!(
            (fresh.len() as u64) < frame.header.payload_len - frame.received,
            "the end of a frame is looked for elsewhere"
        );
        append(frame, fresh);
        message.check_text(fresh)?;
        message.buffer = storage;
        Ok(())
    }
}

/// Unmasks bytes that follow what was received of a frame.
fn append(frame: &mut Frame, fresh: &mut [u8]) {
    if let Some(key) = frame.header.masking_key {
        apply_mask(fresh, key, frame.received);
    }
    frame.received += fresh.len() as u64;
    frame.unmasked = frame.received;
}
