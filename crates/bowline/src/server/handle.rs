//! Acting on a connection from any thread.

use std::{fmt, sync::Arc, time::Duration};

use bowline_proto::{Close, CloseCode, Message, PreparedBatch, PreparedMessage};

use super::{
    entry::{Accepted, Attributes, Entry},
    id::ConnectionId,
};
use crate::{
    error::Error,
    link::{Backlog, Link},
    metrics::report_slow,
    outbox::{Key, Outgoing, Refused, Sent},
    round::{Place, Round},
};

/// Acts on a connection that somebody else receives on: a group's handlers, or a task.
///
/// It may be cloned, kept and used from any thread, inside a runtime or not. It does not keep the
/// connection: once that is over, every call says so. What is sent through any number of handles
/// leaves in the order of the calls.
#[derive(Clone)]
pub struct ConnectionHandle {
    entry: Arc<Entry>,
}

impl ConnectionHandle {
    pub(super) fn new(entry: Arc<Entry>) -> Self {
        Self { entry }
    }

    /// Gives the number that names the connection for good.
    pub fn id(&self) -> ConnectionId {
        self.entry.id()
    }

    /// Says whether the connection is there; it may be closing.
    pub fn is_open(&self) -> bool {
        self.link().is_some_and(|link| link.ending().is_none())
    }

    /// Sends a message now: queues it by the policy of the connection's outbox and writes what
    /// can be written without waiting.
    ///
    /// # Errors
    /// [`SendError::Full`] if the policy is to wait: use [`send`](Self::send);
    /// [`SendError::Closed`] once the connection is closing.
    pub fn try_send(&self, message: impl Into<Message<'static>>) -> Result<Sent, SendError> {
        self.push(&Outgoing::Message(message.into()), None)
    }

    /// Sends a message that is encoded once for many connections, as [`try_send`](Self::try_send).
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_send_prepared(&self, message: &PreparedMessage) -> Result<Sent, SendError> {
        self.push(&Outgoing::Prepared(message.clone()), None)
    }

    /// Sends messages that are encoded once for many connections, one after the other, in as few
    /// writes as they take together.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send), for the first message that was not queued; those behind it
    /// are not sent either.
    pub fn try_send_batch(&self, batch: &PreparedBatch) -> Result<(), SendError> {
        let accepted = self.entry.accepted().ok_or(SendError::Closed)?;
        let link = accepted.link.upgrade().ok_or(SendError::Closed)?;
        if let Some(session) = accepted.session() {
            session.touch();
        }
        let pushed = link.push_batch(batch, &accepted.limits);
        if pushed.is_err() {
            self.report_slow(accepted);
        }
        Ok(pushed?)
    }

    /// Sends a message under a key: with [`SlowPeer::KeepLatest`](crate::SlowPeer::KeepLatest) it
    /// replaces an older message with the same key that still waits.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_send_keyed(
        &self,
        key: &str,
        message: impl Into<Message<'static>>,
    ) -> Result<Sent, SendError> {
        self.push(&Outgoing::Message(message.into()), Some(Key::from(key)))
    }

    /// Sends a message, waiting for room in the outbox if its policy is to wait.
    ///
    /// Cancel-safe: dropped before it is ready, it has sent nothing.
    ///
    /// # Errors
    /// [`SendError::Closed`] once the connection is closing.
    pub async fn send(&self, message: impl Into<Message<'static>>) -> Result<Sent, SendError> {
        let message = Outgoing::Message(message.into());
        loop {
            let link = self.link().ok_or(SendError::Closed)?;
            let room = link.room().notified();
            let mut room = std::pin::pin!(room);
            // From here on no notice of room can be missed.
            room.as_mut().enable();
            match self.push(&message, None) {
                Err(SendError::Full) => room.await,
                result => return result,
            }
        }
    }

    /// Sends a message and does not say what became of it.
    pub fn post(&self, message: impl Into<Message<'static>>) {
        // The caller asked not to know.
        let _unasked = self.try_send(message).is_ok();
    }

    /// Sends a message, then closes the connection with 1000.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn send_then_close(&self, message: impl Into<Message<'static>>) -> Result<Sent, SendError> {
        let sent = self.try_send(message)?;
        self.close(CloseCode::NORMAL, "")
            .map_err(|_| SendError::Closed)?;
        Ok(sent)
    }

    /// Sends a ping of at most 125 bytes, ahead of queued messages.
    ///
    /// # Errors
    /// [`SendError::Closed`] once the connection is closing, [`SendError::Misuse`] if it is longer.
    pub fn ping(&self, payload: &[u8]) -> Result<(), SendError> {
        self.link()
            .ok_or(SendError::Closed)?
            .ping(payload)
            .map_err(SendError::from)
    }

    /// Begins the closing handshake behind what is queued. A connection that is over is closed
    /// already. Of a reason the first 123 bytes are sent, cut at the border of a character.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code that cannot be sent, and inside a frame that the connection's
    /// own task sends in pieces.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let close = Close::with_reason_cut(code, reason).map_err(Error::Misuse)?;
        match self.link().map(|link| link.close(Some(close))) {
            Some(Err(Refused::Misuse(misuse))) => Err(Error::Misuse(misuse)),
            None | Some(_) => Ok(()),
        }
    }

    /// Ends the connection at once, without a closing handshake.
    pub fn abort(&self) {
        if let Some(link) = self.link() {
            link.abort();
        }
    }

    /// Says how much waits for the peer.
    pub fn backlog(&self) -> Backlog {
        self.link().map(|link| link.backlog()).unwrap_or_default()
    }

    /// Takes the number of messages dropped since this was last asked, to tell the peer.
    pub fn take_lost(&self) -> u64 {
        self.link().map(|link| link.take_lost()).unwrap_or_default()
    }

    /// Gives the last round-trip time a keepalive ping measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.link()?.round_trip()
    }

    /// Gives the application's own number for the connection; zero at first.
    pub fn tag(&self) -> u64 {
        self.entry.tag()
    }

    /// Sets the application's own number for the connection.
    pub fn set_tag(&self, tag: u64) {
        self.entry.set_tag(tag);
    }

    /// Gives the name of the listener that accepted the connection.
    pub fn listener(&self) -> Option<&str> {
        self.attributes().listener.as_deref()
    }

    /// Gives the name of the connection's group.
    pub fn group(&self) -> Option<&str> {
        self.entry.accepted()?.group.as_deref()
    }

    /// Gives what is known about the connection.
    ///
    /// # Panics
    /// Never: a handle is made for accepted connections only.
    pub fn attributes(&self) -> &Attributes {
        self.entry
            .accepted()
            .expect("a handle is of an accepted connection")
            .attributes()
    }

    pub(super) fn push(&self, message: &Outgoing, key: Option<Key>) -> Result<Sent, SendError> {
        let accepted = self.entry.accepted().ok_or(SendError::Closed)?;
        let link = accepted.link.upgrade().ok_or(SendError::Closed)?;
        if let Some(session) = accepted.session() {
            session.touch();
        }
        let pushed = link.push(message, key, &accepted.limits);
        if pushed != Ok(Sent::Queued) {
            self.report_slow(accepted);
        }
        Ok(pushed?)
    }

    /// Takes part in what a batch broadcasts; gives what takes the share when that ends, or nothing
    /// if each message has to be pushed.
    pub(super) fn join_round(
        &self,
        round: &Arc<Round>,
        place: Place,
        first: usize,
    ) -> Option<Arc<dyn Link>> {
        let accepted = self.entry.accepted()?;
        if let Some(session) = accepted.session() {
            session.touch();
        }
        let link = accepted.link.upgrade()?;
        link.join_round(round, place, first).then_some(link)
    }

    /// Has what a batch broadcasts queued before anything else is done.
    pub(super) fn leave_round(&self) {
        if let Some(link) = self.link() {
            link.leave_round();
        }
    }

    /// Reports a peer that does not keep up, once until it does again.
    fn report_slow(&self, accepted: &Accepted) {
        if let Some(link) = self.link().filter(|link| link.take_slow_episode()) {
            let (group, policy) = (accepted.group.as_deref(), &accepted.limits.policy);
            report_slow(self.id(), group, policy, link.backlog());
        }
    }

    /// Queues the messages of a batch behind the first `done`; gives how many are then done, and why
    /// the next one was not.
    pub(super) fn push_all(
        &self,
        batch: &PreparedBatch,
        done: usize,
    ) -> (usize, Option<SendError>) {
        let accepted = self.entry.accepted();
        let Some((link, limits)) = accepted.and_then(|a| Some((a.link.upgrade()?, &a.limits)))
        else {
            return (done, Some(SendError::Closed));
        };
        let (done, refused) = link.push_all(batch, done, limits);
        (done, refused.map(SendError::from))
    }

    /// Queues the messages behind the first `done` as there is room; closes the connection, and says so, if there is none for
    /// `patience`.
    pub(super) async fn send_rest(
        &self,
        batch: &PreparedBatch,
        mut done: usize,
        patience: Duration,
    ) -> bool {
        loop {
            let Some(link) = self.link() else {
                return false;
            };
            let mut room = std::pin::pin!(link.room().notified());
            // From here on no notice of room can be missed.
            room.as_mut().enable();
            match self.push_all(batch, done) {
                (_, None) => return true,
                (now_done, Some(SendError::Full)) => done = now_done,
                (_, Some(_)) => return false,
            }
            if tokio::time::timeout(patience, room).await.is_err() {
                // One that is over needs no closing.
                let _told = self.close(CloseCode::TRY_AGAIN_LATER, "too slow").is_ok();
                return false;
            }
        }
    }

    fn link(&self) -> Option<Arc<dyn Link>> {
        self.entry.accepted()?.link.upgrade()
    }
}

impl PartialEq for ConnectionHandle {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for ConnectionHandle {}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionHandle").field(&self.id()).finish()
    }
}

/// Says why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The outbox is full, and its policy is to wait.
    #[error("the connection's outbox is full")]
    Full,
    /// The connection is closing or closed.
    #[error("the connection is closed")]
    Closed,
    /// The outbox was full, and its policy closed the connection.
    #[error("the peer did not keep up, so its connection was closed")]
    TooSlow,
    /// The call does not fit the state of the connection or a rule of the protocol.
    #[error(transparent)]
    Misuse(bowline_proto::Misuse),
}

impl From<Refused> for SendError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::TooSlow => Self::TooSlow,
            Refused::Closing => Self::Closed,
            Refused::Misuse(misuse) => Self::Misuse(misuse),
        }
    }
}
