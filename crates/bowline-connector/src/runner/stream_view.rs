//! The last messages of an element.

use std::{collections::VecDeque, time::SystemTime};

use bytes::Bytes;

use super::{Direction, StreamMessage, ViewLimits};
use crate::plan::{LinkId, MessageKind};

/// Keeps the last messages, within bounds.
#[derive(Debug)]
pub(super) struct StreamView {
    limits: ViewLimits,
    messages: VecDeque<StreamMessage>,
    bytes: usize,
}

impl StreamView {
    pub(super) const fn new(limits: ViewLimits) -> Self {
        Self {
            limits,
            messages: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Notes a message, and gives what is shown of it.
    pub(super) fn note(
        &mut self,
        link: LinkId,
        direction: Direction,
        kind: MessageKind,
        payload: &Bytes,
    ) -> StreamMessage {
        let message = StreamMessage {
            at: SystemTime::now(),
            link,
            direction,
            kind,
            payload: cut(payload, self.limits.payload_max),
            length: payload.len(),
        };
        self.bytes += message.payload.len();
        self.messages.push_back(message.clone());
        while self.messages.len() > self.limits.messages_max || self.bytes > self.limits.bytes_max {
            let Some(oldest) = self.messages.pop_front() else {
                break;
            };
            self.bytes -= oldest.payload.len();
        }
        message
    }

    /// Gives the last messages, the oldest first.
    pub(super) fn messages(&self) -> Vec<StreamMessage> {
        self.messages.iter().cloned().collect()
    }
}

/// Cuts a payload so that what is cut off is not kept in memory either.
fn cut(payload: &Bytes, max: usize) -> Bytes {
    match payload.get(..max) {
        Some(beginning) if beginning.len() < payload.len() => Bytes::copy_from_slice(beginning),
        _ => payload.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_are_kept_within_bounds() {
        let mut view = StreamView::new(ViewLimits {
            payload_max: 4,
            messages_max: 2,
            bytes_max: 6,
        });
        let mut note = |text: &'static str| {
            let payload = Bytes::from_static(text.as_bytes());
            view.note(LinkId(1), Direction::In, MessageKind::Text, &payload)
        };
        let cut = note("abcdef");
        assert_eq!((&cut.payload[..], cut.length), (&b"abcd"[..], 6));
        note("gh");
        note("i");
        let kept = view.messages();
        let payloads: Vec<_> = kept.iter().map(|message| &message.payload[..]).collect();
        assert_eq!(payloads, [&b"gh"[..], b"i"]);
    }
}
