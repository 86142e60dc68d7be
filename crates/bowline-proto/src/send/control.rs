//! Control frames of ours: pings, pongs and the close frame (RFC 6455 section 5.5).

use bytes::Bytes;

use super::{FrameStart, SendPath};
use crate::{
    error::Misuse,
    frame::{Close, Opcode},
};

impl SendPath {
    /// Queues a ping or pong, ahead of data.
    pub(crate) fn control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), Misuse> {
        if payload.len() > CONTROL_LEN_MAX {
            return Err(Misuse::ControlTooLong);
        }
        let key = self.next_key();
        let start = FrameStart {
            opcode,
            rsv1: false,
            fin: true,
        };
        let header = start.header(payload.len() as u64, key).encode();
        self.queue.push_control(&header, payload, key);
        Ok(())
    }

    /// Queues a keepalive ping, unless an earlier one still waits to be written.
    pub(crate) fn keepalive_ping(&mut self, payload: impl FnOnce() -> [u8; 8]) {
        self.progressed = false;
        self.ping_deferred = self.queue.len() > 0 || self.frame.is_some();
        if !self.ping_waits {
            let queued = self.control(Opcode::Ping, &payload());
            debug_assert!(queued.is_ok(), "a keepalive ping is short");
            self.ping_waits = true;
        }
    }

    /// Says whether a keepalive ping may be unanswered because it had to wait behind other bytes,
    /// which the peer was taking in since the last call.
    pub(crate) fn excuses_silence(&mut self) -> bool {
        let excused = self.ping_deferred && std::mem::take(&mut self.progressed);
        self.ping_deferred = self.ping_waits;
        excused
    }

    /// Answers a ping. The first ones are answered each; while the peer does not take them in,
    /// only the newest is kept (RFC 6455 section 5.5.3).
    pub(crate) fn answer_ping(&mut self, payload: &[u8]) {
        if self.pong_count < PONG_COUNT_MAX {
            self.pong_count += 1;
            let queued = self.control(Opcode::Pong, payload);
            debug_assert!(queued.is_ok(), "a ping has at most 125 bytes");
        } else {
            self.pong_latest = Some(Box::new(Bytes::copy_from_slice(payload)));
        }
    }

    /// Queues a close frame behind the data. Nothing is queued after it.
    ///
    /// Inside a frame sent in pieces there is no place for one; then the stream just ends. Says
    /// whether the frame was queued.
    pub(crate) fn close(&mut self, close: Option<&Close>) -> bool {
        self.pong_latest = None;
        if self.frame.is_some() {
            self.queue.drop_control();
            return false;
        }
        let mut payload = [0; CONTROL_LEN_MAX];
        let mut len = 0;
        if let Some(close) = close {
            let code = close.code().0.to_be_bytes();
            let bytes = code.iter().chain(close.reason().as_bytes());
            for (slot, byte) in payload.iter_mut().zip(bytes) {
                *slot = *byte;
                len += 1;
            }
        }
        let key = self.next_key();
        let start = FrameStart {
            opcode: Opcode::Close,
            rsv1: false,
            fin: true,
        };
        let payload = payload.get(..len).unwrap_or_default();
        self.queue
            .push_close(&start.header(len as u64, key).encode(), payload, key);
        true
    }
}

/// RFC 6455 section 5.5.
const CONTROL_LEN_MAX: usize = 125;
/// How many pings in a row are answered each before the peer takes anything in.
const PONG_COUNT_MAX: u8 = 16;
