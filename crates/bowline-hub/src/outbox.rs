//! What waits to be sent on one connection.

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

/// Makes the two ends of the queue of one connection.
pub(crate) fn outbox(limits: &Limits) -> (OutboxSender, Outbox) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        changed: Notify::new(),
        messages_max: limits.outbox_messages_max,
        bytes_max: limits.outbox_bytes_max,
    });
    (OutboxSender(Arc::clone(&shared)), Outbox(shared))
}

/// The end that fills the queue. It never waits.
#[derive(Clone, Debug)]
pub(crate) struct OutboxSender(Arc<Shared>);

/// The end that empties the queue; belongs to the connection's task.
#[derive(Debug)]
pub(crate) struct Outbox(Arc<Shared>);

/// Says that a queue takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The queue was full. Its connection is now told to end; `lost` messages are lost with it.
    TooSlow { lost: u64 },
    /// The connection is gone.
    Gone,
}

/// One thing to send.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A message encoded for many connections.
    Message(PreparedMessage),
    /// A retained value, not encoded yet.
    Retained(Topic, Bytes),
}

impl OutboxSender {
    /// Queues a message.
    ///
    /// When the queue is full it is emptied and the connection ends: values are states, and a
    /// client that comes back is given the last ones, while one that misses some would never know.
    pub(crate) fn push(&self, message: PreparedMessage) -> Result<(), Refused> {
        let mut state = self.0.lock();
        match state.end {
            Some(End::Gone) => return Err(Refused::Gone),
            Some(End::TooSlow) => return Err(Refused::TooSlow { lost: 1 }),
            None => {}
        }
        let bytes = state.bytes + message.len();
        let is_full = state.messages >= self.0.messages_max
            || (state.messages > 0 && bytes > self.0.bytes_max);
        if is_full {
            let lost = state.messages as u64 + 1;
            *state = State {
                end: Some(End::TooSlow),
                ..State::default()
            };
            drop(state);
            self.0.changed.notify_one();
            return Err(Refused::TooSlow { lost });
        }
        state.messages += 1;
        state.bytes = bytes;
        state.entries.push_back(Entry::Message(message));
        drop(state);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Queues the retained values a new subscriber is told.
    ///
    /// They do not count: the bus bounds them, and they share its memory until they are sent.
    pub(crate) fn push_retained(&self, values: Vec<(Topic, Bytes)>) {
        self.0
            .lock()
            .entries
            .push_back(Entry::Retained(values.into_iter()));
        self.0.changed.notify_one();
    }
}

impl Outbox {
    /// Takes the next thing to send; `None` when the queue was too full and the connection is to
    /// end. Cancel-safe.
    pub(crate) async fn next(&self) -> Option<Outgoing> {
        loop {
            {
                let mut state = self.0.lock();
                if let Some(outgoing) = state.pop() {
                    return Some(outgoing);
                }
                if state.end.is_some() {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// Waits until the queue was too full. Cancel-safe.
    pub(crate) async fn overflowed(&self) {
        while self.0.lock().end.is_none() {
            self.0.changed.notified().await;
        }
        // The permit may be wanted by `next`.
        self.0.changed.notify_one();
    }
}

/// A queue whose connection is gone takes nothing more.
impl Drop for Outbox {
    fn drop(&mut self) {
        *self.0.lock() = State {
            end: Some(End::Gone),
            ..State::default()
        };
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
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
    entries: VecDeque<Entry>,
    /// Messages among the entries, and their bytes.
    messages: usize,
    bytes: usize,
    end: Option<End>,
}

impl State {
    fn pop(&mut self) -> Option<Outgoing> {
        while let Some(entry) = self.entries.front_mut() {
            if let Entry::Retained(values) = entry
                && let Some((topic, payload)) = values.next()
            {
                return Some(Outgoing::Retained(topic, payload));
            }
            if let Some(Entry::Message(message)) = self.entries.pop_front() {
                self.messages -= 1;
                self.bytes -= message.len();
                return Some(Outgoing::Message(message));
            }
        }
        None
    }
}

#[derive(Debug)]
enum Entry {
    Message(PreparedMessage),
    Retained(vec::IntoIter<(Topic, Bytes)>),
}

#[derive(Clone, Copy, Debug)]
enum End {
    TooSlow,
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(messages: usize, bytes: usize) -> (OutboxSender, Outbox) {
        outbox(&Limits {
            outbox_messages_max: messages,
            outbox_bytes_max: bytes,
            ..Limits::default()
        })
    }

    fn message(text: &str) -> PreparedMessage {
        PreparedMessage::new(text.into())
    }

    #[tokio::test]
    async fn retained_values_come_in_their_turn() {
        let (sender, outbox) = limited(4, 100);
        let topic = Topic::parse("a", &bowline_bus::TopicLimits::default()).unwrap();
        sender.push(message("reply")).unwrap();
        sender.push_retained(vec![(topic, "1".into())]);
        sender.push(message("later")).unwrap();
        assert!(matches!(outbox.next().await, Some(Outgoing::Message(_))));
        assert!(matches!(outbox.next().await, Some(Outgoing::Retained(..))));
        assert!(matches!(outbox.next().await, Some(Outgoing::Message(_))));
    }

    #[tokio::test]
    async fn too_many_messages_end_the_connection_and_free_the_queue() {
        let (sender, outbox) = limited(2, 100);
        sender.push(message("1")).unwrap();
        sender.push(message("2")).unwrap();
        assert_eq!(sender.push(message("3")), Err(Refused::TooSlow { lost: 3 }));
        outbox.overflowed().await;
        assert!(outbox.next().await.is_none());
        assert_eq!(sender.push(message("4")), Err(Refused::TooSlow { lost: 1 }));
    }

    #[tokio::test]
    async fn one_message_of_any_size_fits_and_a_second_one_within_the_bytes() {
        let (sender, outbox) = limited(8, 4);
        sender.push(message("123456")).unwrap();
        assert!(outbox.next().await.is_some());
        sender.push(message("12")).unwrap();
        sender.push(message("34")).unwrap();
        assert_eq!(sender.push(message("5")), Err(Refused::TooSlow { lost: 3 }));
    }

    #[test]
    fn nothing_waits_for_a_connection_that_is_gone() {
        let (sender, outbox) = limited(8, 100);
        drop(outbox);
        assert_eq!(sender.push(message("1")), Err(Refused::Gone));
    }
}
