//! What waits for a connection that is still being told the retained values.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec,
};

use bowline::PreparedMessage;
use bowline_bus::Topic;
use bytes::Bytes;
use tokio::sync::Notify;

use crate::config::Limits;

/// Makes the two ends of a queue that begins with retained values.
///
/// The values do not count: the bus bounds them, and they share its memory until they are sent.
pub(crate) fn outbox(limits: &Limits, values: Vec<(Topic, Bytes)>) -> (OutboxSender, Outbox) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            values: values.into_iter(),
            ..State::default()
        }),
        ended: Notify::new(),
        messages_max: limits.outbox_messages_max,
        bytes_max: limits.outbox_bytes_max,
    });
    (OutboxSender(Arc::clone(&shared)), Outbox(shared))
}

/// The end that fills the queue. It never waits.
#[derive(Debug)]
pub(crate) struct OutboxSender(Arc<Shared>);

/// The end that empties the queue.
#[derive(Debug)]
pub(crate) struct Outbox(Arc<Shared>);

/// Says that a queue takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Everything was taken out, and what follows is sent without the queue.
    CaughtUp,
    /// The queue was full. Its connection is now told to end; `lost` messages are lost with it.
    TooSlow { lost: u64 },
    /// The connection is gone.
    Gone,
}

/// What is taken out of a queue.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A retained value, not encoded yet.
    Retained(Topic, Bytes),
    /// A message encoded for many connections.
    Message(PreparedMessage),
    /// Nothing is left, and nothing more comes this way.
    CaughtUp,
    /// The queue was too full, so that the connection has to end.
    TooSlow,
}

impl OutboxSender {
    /// Queues a message behind the retained values.
    ///
    /// When the queue is full it is emptied and the connection ends: values are states, and a
    /// client that comes back is given the last ones, while one that misses some would never know.
    pub(crate) fn push(&self, message: &PreparedMessage) -> Result<(), Refused> {
        let mut state = self.0.lock();
        if let Some(end) = state.end {
            return Err(end);
        }
        let bytes = state.bytes + message.len();
        let is_full = state.messages.len() >= self.0.messages_max
            || (!state.messages.is_empty() && bytes > self.0.bytes_max);
        if is_full {
            let lost = state.messages.len() as u64 + 1;
            state.end(Refused::TooSlow { lost: 1 });
            drop(state);
            self.0.ended.notify_one();
            return Err(Refused::TooSlow { lost });
        }
        state.bytes = bytes;
        state.messages.push_back(message.clone());
        Ok(())
    }
}

impl Outbox {
    /// Takes the next thing out. Once it has said that nothing is left, the queue takes nothing
    /// more.
    pub(crate) fn next(&self) -> Outgoing {
        let mut state = self.0.lock();
        if let Some((topic, payload)) = state.values.next() {
            return Outgoing::Retained(topic, payload);
        }
        if let Some(message) = state.messages.pop_front() {
            state.bytes -= message.len();
            return Outgoing::Message(message);
        }
        match state.end {
            Some(Refused::TooSlow { .. }) => Outgoing::TooSlow,
            None | Some(Refused::CaughtUp | Refused::Gone) => {
                state.end(Refused::CaughtUp);
                Outgoing::CaughtUp
            }
        }
    }

    /// Waits until the queue was too full. Cancel-safe.
    pub(crate) async fn overflowed(&self) {
        while self.0.lock().end.is_none() {
            self.0.ended.notified().await;
        }
    }
}

/// A queue whose connection is gone takes nothing more.
impl Drop for Outbox {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.end.is_none() {
            state.end(Refused::Gone);
        }
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ended: Notify,
    messages_max: usize,
    bytes_max: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    values: vec::IntoIter<(Topic, Bytes)>,
    messages: VecDeque<PreparedMessage>,
    bytes: usize,
    /// Why nothing more is taken in.
    end: Option<Refused>,
}

impl State {
    fn end(&mut self, end: Refused) {
        *self = Self {
            end: Some(end),
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(messages: usize, bytes: usize) -> (OutboxSender, Outbox) {
        let limits = Limits {
            outbox_messages_max: messages,
            outbox_bytes_max: bytes,
            ..Limits::default()
        };
        let topic = Topic::parse("a", &bowline_bus::TopicLimits::default()).unwrap();
        outbox(&limits, vec![(topic, "1".into())])
    }

    fn message(text: &str) -> PreparedMessage {
        PreparedMessage::new(text.into())
    }

    #[test]
    fn the_retained_values_come_first_and_the_queue_ends_when_it_is_empty() {
        let (sender, outbox) = limited(4, 100);
        sender.push(&message("later")).unwrap();
        assert!(matches!(outbox.next(), Outgoing::Retained(..)));
        assert!(matches!(outbox.next(), Outgoing::Message(_)));
        sender.push(&message("last")).unwrap();
        assert!(matches!(outbox.next(), Outgoing::Message(_)));
        assert!(matches!(outbox.next(), Outgoing::CaughtUp));
        assert_eq!(sender.push(&message("direct")), Err(Refused::CaughtUp));
        drop(outbox);
        assert_eq!(sender.push(&message("direct")), Err(Refused::CaughtUp));
    }

    #[tokio::test]
    async fn too_many_messages_end_the_connection_and_free_the_queue() {
        let (sender, outbox) = limited(2, 100);
        sender.push(&message("1")).unwrap();
        sender.push(&message("2")).unwrap();
        assert_eq!(
            sender.push(&message("3")),
            Err(Refused::TooSlow { lost: 3 })
        );
        outbox.overflowed().await;
        assert!(matches!(outbox.next(), Outgoing::TooSlow));
        assert_eq!(
            sender.push(&message("4")),
            Err(Refused::TooSlow { lost: 1 })
        );
    }

    #[test]
    fn one_message_of_any_size_fits_and_a_second_one_within_the_bytes() {
        let (sender, outbox) = limited(8, 4);
        assert!(matches!(outbox.next(), Outgoing::Retained(..)));
        sender.push(&message("123456")).unwrap();
        assert!(matches!(outbox.next(), Outgoing::Message(_)));
        sender.push(&message("12")).unwrap();
        sender.push(&message("34")).unwrap();
        assert_eq!(
            sender.push(&message("5")),
            Err(Refused::TooSlow { lost: 3 })
        );
    }

    #[test]
    fn nothing_waits_for_a_connection_that_is_gone() {
        let (sender, outbox) = limited(8, 100);
        drop(outbox);
        assert_eq!(sender.push(&message("1")), Err(Refused::Gone));
    }
}
