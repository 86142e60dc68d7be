//! Messages that wait for a slow peer, and what is done when too many do.

use std::{collections::VecDeque, sync::Arc};

use bowline_proto::{Close, CloseCode, Compress, Connection, Message, Misuse, PreparedMessage};

/// Bounds what may wait for one connection, and says what happens beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// The most messages. Default 1024.
    pub messages_max: usize,
    /// The most bytes of payload. Default 1 MiB.
    pub bytes_max: usize,
    /// What is done with a message that does not fit. Default [`SlowPeer::Wait`].
    pub policy: SlowPeer,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self {
            messages_max: 1024,
            bytes_max: 1 << 20,
            policy: SlowPeer::Wait,
        }
    }
}

/// What is done with a message for a peer that does not keep up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SlowPeer {
    /// An awaited send waits for room; one that cannot wait is refused.
    #[default]
    Wait,
    /// The new message is dropped and counted.
    DropNewest,
    /// The oldest messages are dropped and counted, until the new one fits.
    DropOldest,
    /// Of messages with the same key only the newest waits. Those without a key, and keys beyond
    /// the bound, are treated as with [`DropOldest`](Self::DropOldest).
    KeepLatest,
    /// The connection is closed with this code and reason.
    Close(CloseCode, Box<str>),
}

/// A message as an outbox keeps it.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    Message(Message<'static>),
    Prepared(PreparedMessage),
}

/// The key under which [`SlowPeer::KeepLatest`] replaces an older message.
pub(crate) type Key = Arc<str>;

/// Holds the messages the engine has not taken yet.
///
/// An idle connection has none: it is made when the first message has to wait.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// What comes behind the last message; nothing is taken in after it.
    close: Option<LastFrame>,
    /// Messages dropped since the application last asked.
    lost: u64,
    /// It was full since it was made.
    was_full: bool,
}

#[derive(Debug)]
struct Entry {
    key: Option<Key>,
    message: Outgoing,
}

/// The close frame behind the last message, with or without a code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LastFrame(pub(crate) Option<Close>);

/// What became of a message that was put into an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It will be written, in order.
    Queued,
    /// It was dropped: the peer does not keep up.
    DroppedNew,
    /// It will be written, and this many older messages were dropped for it.
    DroppedOld(u64),
    /// It took the place of an older message with the same key.
    Replaced,
}

/// Why a message was not put into an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room, and the policy is to wait.
    Full,
    /// There is no room, and the policy is to close.
    TooSlow,
    /// A close frame is queued.
    Closing,
    /// The state of the connection does not allow a message.
    Misuse(Misuse),
}

impl Refused {
    pub(crate) fn of_misuse(misuse: Misuse) -> Self {
        if misuse == Misuse::SendAfterClose {
            Self::Closing
        } else {
            Self::Misuse(misuse)
        }
    }
}

impl Outgoing {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Message(message) => message.len(),
            Self::Prepared(message) => message.len(),
        }
    }

    /// Gives the message to the engine.
    pub(crate) fn send_on(&self, connection: &mut Connection) -> Result<(), Misuse> {
        match self {
            Self::Message(message) => connection.send_with(message, Compress::Auto),
            Self::Prepared(message) => connection.send_prepared(message),
        }
    }
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.close.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the number of messages dropped since this was last asked.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Notes that the peer does not keep up; false if that is known.
    pub(crate) fn begin_slow_episode(&mut self) -> bool {
        !std::mem::replace(&mut self.was_full, true)
    }

    /// Puts a message behind the others, by the policy.
    pub(crate) fn push(
        &mut self,
        message: Outgoing,
        key: Option<Key>,
        limits: &OutboxLimits,
    ) -> Result<Sent, Refused> {
        if self.close.is_some() {
            return Err(Refused::Closing);
        }
        if limits.policy == SlowPeer::KeepLatest
            && let Some(key) = &key
            && let Some(at) = self.position(key)
        {
            return Ok(self.replace(at, message, limits));
        }
        if self.has_room(message.len(), limits) {
            self.append(message, key);
            return Ok(Sent::Queued);
        }
        match &limits.policy {
            SlowPeer::Wait => Err(Refused::Full),
            SlowPeer::Close(..) => Err(Refused::TooSlow),
            SlowPeer::DropNewest => {
                self.lost += 1;
                Ok(Sent::DroppedNew)
            }
            SlowPeer::DropOldest | SlowPeer::KeepLatest => {
                Ok(Sent::DroppedOld(self.displace(message, key, limits)))
            }
        }
    }

    /// Puts a close frame behind the messages; nothing follows it.
    pub(crate) fn push_close(&mut self, close: Option<Close>) {
        self.close.get_or_insert(LastFrame(close));
    }

    /// Says whether a close frame waits behind the messages.
    pub(crate) fn is_closing(&self) -> bool {
        self.close.is_some()
    }

    /// Takes the close frame although messages wait before it.
    pub(crate) fn cut(&mut self) -> Option<LastFrame> {
        self.close.take()
    }

    /// Takes the message the engine gets next.
    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.message.len();
        Some(entry.message)
    }

    /// Takes the close frame, once every message before it is taken.
    pub(crate) fn pop_close(&mut self) -> Option<LastFrame> {
        if self.entries.is_empty() {
            self.close.take()
        } else {
            None
        }
    }

    /// Says whether another message of `len` bytes fits. One alone always does.
    pub(crate) fn has_room(&self, len: usize, limits: &OutboxLimits) -> bool {
        self.entries.is_empty()
            || (self.entries.len() < limits.messages_max
                && self.bytes.saturating_add(len) <= limits.bytes_max)
    }

    fn append(&mut self, message: Outgoing, key: Option<Key>) {
        self.bytes += message.len();
        self.entries.push_back(Entry { key, message });
    }

    /// Drops old messages until the new one fits; gives how many.
    fn displace(&mut self, message: Outgoing, key: Option<Key>, limits: &OutboxLimits) -> u64 {
        let mut dropped = 0;
        while !self.has_room(message.len(), limits) && self.pop().is_some() {
            dropped += 1;
        }
        self.lost += dropped;
        self.append(message, key);
        dropped
    }

    fn position(&self, key: &Key) -> Option<usize> {
        let same = |entry: &Entry| entry.key.as_ref() == Some(key);
        self.entries.iter().position(same)
    }

    /// Puts a message in the place of an older one with the same key. If it is too long for that
    /// place, it goes to the end and the oldest make room.
    fn replace(&mut self, at: usize, message: Outgoing, limits: &OutboxLimits) -> Sent {
        let Some(mut entry) = self.entries.remove(at) else {
            return Sent::Replaced;
        };
        self.lost += 1;
        self.bytes -= entry.message.len();
        if self.has_room(message.len(), limits) {
            self.bytes += message.len();
            entry.message = message;
            self.entries.insert(at, entry);
            return Sent::Replaced;
        }
        Sent::DroppedOld(self.displace(message, entry.key, limits) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(policy: SlowPeer) -> OutboxLimits {
        OutboxLimits {
            messages_max: 3,
            bytes_max: 10,
            policy,
        }
    }

    fn text(text: &str) -> Outgoing {
        Outgoing::Message(Message::text(text.to_owned()))
    }

    /// Pushes `key=value` or `value` words; gives what happened to each and what is left.
    fn run(policy: SlowPeer, words: &str) -> (Vec<Result<Sent, Refused>>, String, u64) {
        let mut outbox = Outbox::default();
        let limits = limits(policy);
        let mut push = |word: &str| {
            let (key, value) = word
                .split_once('=')
                .map_or((None, word), |(k, v)| (Some(k), v));
            outbox.push(text(value), key.map(Key::from), &limits)
        };
        let results = words.split_whitespace().map(&mut push).collect();
        let mut left = Vec::new();
        while let Some(Outgoing::Message(message)) = outbox.pop() {
            left.push(message.as_text().unwrap_or_default().to_owned());
        }
        assert_eq!(outbox.bytes(), 0, "what is empty counts no bytes");
        (results, left.join(" "), outbox.take_lost())
    }

    #[test]
    fn waiting_refuses_what_does_not_fit_and_keeps_the_rest() {
        let (results, left, lost) = run(SlowPeer::Wait, "a b c d");
        assert_eq!(results[3], Err(Refused::Full));
        assert_eq!((left.as_str(), lost), ("a b c", 0));
    }

    #[test]
    fn bytes_bind_as_well_as_messages_but_one_message_always_fits() {
        let (results, left, _) = run(SlowPeer::Wait, "elevenbytes x");
        assert_eq!(results, [Ok(Sent::Queued), Err(Refused::Full)]);
        assert_eq!(left, "elevenbytes");
    }

    #[test]
    fn dropping_the_newest_or_the_oldest_counts_exactly_what_was_lost() {
        let (results, left, lost) = run(SlowPeer::DropNewest, "a b c d e");
        assert_eq!(results[3..], [Ok(Sent::DroppedNew), Ok(Sent::DroppedNew)]);
        assert_eq!((left.as_str(), lost), ("a b c", 2));
        let (results, left, lost) = run(SlowPeer::DropOldest, "a b c d longlong");
        assert_eq!(results[3], Ok(Sent::DroppedOld(1)));
        assert_eq!(results[4], Ok(Sent::DroppedOld(1)));
        assert_eq!((left.as_str(), lost), ("c d longlong", 2));
    }

    #[test]
    fn only_the_latest_message_of_a_key_waits_at_its_first_place() {
        let (results, left, lost) = run(SlowPeer::KeepLatest, "k=1 x k=2 k=3 y z");
        assert_eq!(results[2..4], [Ok(Sent::Replaced), Ok(Sent::Replaced)]);
        assert_eq!(results[5], Ok(Sent::DroppedOld(1)));
        assert_eq!((left.as_str(), lost), ("x y z", 3));
    }

    #[test]
    fn the_latest_message_of_a_key_stays_when_it_is_too_long_for_the_place_of_the_older() {
        let (results, left, lost) = run(SlowPeer::KeepLatest, "k=1 abc defg k=23456");
        assert_eq!(results[3], Ok(Sent::DroppedOld(2)));
        assert_eq!((left.as_str(), lost), ("defg 23456", 2));
        let (results, left, lost) = run(SlowPeer::KeepLatest, "k=1 k=elevenbytes");
        assert_eq!(results[1], Ok(Sent::Replaced));
        assert_eq!((left.as_str(), lost), ("elevenbytes", 1));
    }

    #[test]
    fn nothing_is_taken_in_behind_a_close_frame_which_comes_last() {
        let mut outbox = Outbox::default();
        let limits = limits(SlowPeer::Wait);
        assert_eq!(outbox.push(text("a"), None, &limits), Ok(Sent::Queued));
        outbox.push_close(None);
        assert_eq!(outbox.push(text("b"), None, &limits), Err(Refused::Closing));
        assert_eq!(outbox.pop_close(), None);
        assert!(outbox.pop().is_some());
        assert_eq!(outbox.pop_close(), Some(LastFrame(None)));
        assert!(outbox.is_empty());
    }
}
