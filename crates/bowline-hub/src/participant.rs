//! Taking part in the topics of a hub from within its program.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bowline::{Message, Text, server::ConnectionGroup};
use bowline_bus::{
    BusError, Limits, Publication, Retain, SessionId, Topic, TopicError, TopicFilter,
};
use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tracing::{trace, warn};

use crate::{
    command::{Command, Order},
    exchange::Entry,
};

/// Publishes and subscribes in a hub without a connection; from
/// [`Server::participant`](crate::Server::participant).
///
/// Handles clone cheaply and may be used from any task. They do not keep a hub running: once it
/// has stopped, every call fails with [`ParticipantError::Stopped`].
#[derive(Clone, Debug)]
pub struct Participant {
    commands: mpsc::WeakSender<Command>,
    limits: Limits,
}

/// Says why a participant was not heard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParticipantError {
    /// The topic or the filter is not one.
    #[error("{text:?} cannot be used here: {error}")]
    Topic {
        /// What was given.
        text: String,
        /// What is wrong with it.
        error: TopicError,
    },
    /// The bus has no room for another session or subscription, or the payload is too long.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The hub has stopped.
    #[error("the hub has stopped")]
    Stopped,
}

impl Participant {
    pub(crate) fn new(commands: &mpsc::Sender<Command>, limits: Limits) -> Self {
        Self {
            commands: commands.downgrade(),
            limits,
        }
    }

    /// Publishes a payload, which should be JSON, as all that pages and devices exchange is.
    ///
    /// Waits while the bus is busy. Cancel-safe: dropped before it is ready, it has published
    /// nothing.
    ///
    /// # Errors
    /// [`ParticipantError`] if the topic is not one, the payload is too long, or the hub has stopped.
    pub async fn publish(
        &self,
        topic: &str,
        payload: impl Into<Bytes>,
        retain: Retain,
    ) -> Result<(), ParticipantError> {
        let topic =
            Topic::parse(topic, &self.limits.topic).map_err(|error| not_a_topic(topic, error))?;
        let mut payload = payload.into();
        let (size, max) = (payload.len(), self.limits.payload_size_max);
        if size > max {
            return Err(BusError::PayloadTooLong { size, max }.into());
        }
        if retain == Retain::Keep {
            // It may be a part of something larger, which is not to be retained with it.
            payload = Bytes::copy_from_slice(&payload);
        }
        let publication = Publication { topic, payload };
        self.command(Command::Publish(Entry {
            publisher: None,
            publication,
            retain,
        }))
        .await
    }

    /// Hears what is published on the topics a filter matches, the retained values first.
    ///
    /// Cancel-safe: a dropped call has subscribed to nothing.
    ///
    /// # Errors
    /// [`ParticipantError`] if the filter is not one, the bus is full, or the hub has stopped.
    pub async fn subscribe(&self, filter: &str) -> Result<Subscription, ParticipantError> {
        let filter = TopicFilter::parse(filter, &self.limits.topic)
            .map_err(|error| not_a_topic(filter, error))?;
        let (inbound, inbox) = inbox();
        let lost = Arc::clone(&inbound.lost);
        let (joined, answer) = oneshot::channel();
        let order = Order::Hear {
            filter,
            inbox: inbound,
            joined,
        };
        self.command(order.into()).await?;
        let mut joining = Joining {
            answer,
            commands: self.commands.clone(),
        };
        let answered = (&mut joining.answer).await;
        let session = answered.map_err(|_| ParticipantError::Stopped)??;
        Ok(Subscription {
            session,
            commands: self.commands.clone(),
            inbox,
            lost,
        })
    }

    /// Broadcasts the payload of what is published on the topics a filter matches to a group of
    /// connections, as text, or as binary where it is not UTF-8; the retained values first.
    ///
    /// Goes on until the hub stops. Each connection's outbox bounds what waits for it, by the policy
    /// of the group. Dropping the future ends it.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn broadcast(
        &self,
        filter: &str,
        group: &ConnectionGroup,
    ) -> Result<(), ParticipantError> {
        let mut subscription = self.subscribe(filter).await?;
        while let Some(heard) = subscription.recv().await {
            match heard {
                Heard::Publication(publication) => broadcast(group, publication.payload),
                Heard::Lost(lost) => warn!(filter, lost, "publications missed the group"),
            }
        }
        Ok(())
    }

    async fn command(&self, command: Command) -> Result<(), ParticipantError> {
        let commands = self.commands.upgrade().ok_or(ParticipantError::Stopped)?;
        let sent = commands.send(command).await;
        sent.map_err(|_| ParticipantError::Stopped)
    }
}

/// What a participant hears. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    session: SessionId,
    commands: mpsc::WeakSender<Command>,
    inbox: mpsc::Receiver<Publication>,
    lost: Arc<AtomicU64>,
}

/// One thing a participant hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A value was published.
    Publication(Publication),
    /// So many publications are missing after those that wait now: they were not taken in time.
    Lost(u64),
}

impl Subscription {
    /// The most publications that wait to be taken; what is published beyond is lost, and counted.
    pub const WAITING_MAX: usize = INBOX_PUBLICATIONS_MAX;

    /// Waits for what is published next; `None` once the hub has stopped. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Heard> {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            return Some(Heard::Lost(lost));
        }
        let publication = self.inbox.recv().await?;
        Some(Heard::Publication(publication))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        leave(&self.commands, self.session);
    }
}

/// A subscription that is asked for. Dropped with an answer that was not taken, it ends what that
/// began.
struct Joining {
    answer: oneshot::Receiver<Result<SessionId, BusError>>,
    commands: mpsc::WeakSender<Command>,
}

impl Drop for Joining {
    fn drop(&mut self) {
        // An answer that comes later finds nobody, and the shard ends the session itself.
        self.answer.close();
        if let Ok(Ok(session)) = self.answer.try_recv() {
            leave(&self.commands, session);
        }
    }
}

fn leave(commands: &mpsc::WeakSender<Command>, session: SessionId) {
    if let Some(commands) = commands.upgrade() {
        // When there is no room, the shard finds the inbox closed at the next publication.
        drop(commands.try_send(Order::Leave { session }.into()));
    }
}

/// Makes the two ends of what waits for a subscription.
pub(crate) fn inbox() -> (Inbox, mpsc::Receiver<Publication>) {
    let (sender, waiting) = mpsc::channel(INBOX_PUBLICATIONS_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    (Inbox { sender, lost }, waiting)
}

/// The shard's end of a subscription.
#[derive(Debug)]
pub(crate) struct Inbox {
    sender: mpsc::Sender<Publication>,
    lost: Arc<AtomicU64>,
}

/// The participant does not listen any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl Inbox {
    /// Hands a publication over, or counts it as lost; gives how many were lost.
    pub(crate) fn push(&self, publication: Publication) -> Result<u64, Gone> {
        match self.sender.try_send(publication) {
            Ok(()) => Ok(0),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                Ok(1)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Gone),
        }
    }
}

fn broadcast(group: &ConnectionGroup, payload: Bytes) {
    let message = match Text::from_utf8(payload.clone()) {
        Ok(text) => Message::Text(text),
        Err(_not_utf8) => Message::binary(payload),
    };
    let told = group.broadcast(message);
    trace!(group = group.name(), ?told, "broadcast from the bus");
}

fn not_a_topic(text: &str, error: TopicError) -> ParticipantError {
    let text = text.to_owned();
    ParticipantError::Topic { text, error }
}

const INBOX_PUBLICATIONS_MAX: usize = 1024;
