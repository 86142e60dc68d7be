//! Sending to many connections of a group.

use std::time::Duration;

use bowline_proto::{Message, PreparedBatch, PreparedMessage};
use tokio::task::JoinSet;

use super::{ConnectionGroup, OpenRound};
use crate::{
    link::with_rounds,
    outbox::{Outgoing, Sent},
    server::handle::{ConnectionHandle, SendError},
};

impl ConnectionGroup {
    /// Sends a message to every connection, encoded once.
    ///
    /// In a handler it leaves when the messages that arrived together are handled.
    pub fn broadcast(&self, message: impl Into<Message<'static>>) -> Broadcast {
        self.send_to_all(message.into(), None)
    }

    /// Sends a message to every connection but one, for instance its sender.
    pub fn broadcast_except(
        &self,
        except: &ConnectionHandle,
        message: impl Into<Message<'static>>,
    ) -> Broadcast {
        self.send_to_all(message.into(), Some(except))
    }

    /// Sends a message to the connections with a tag.
    pub fn broadcast_tagged(&self, tag: u64, message: impl Into<Message<'static>>) -> Broadcast {
        self.broadcast_to(message, |connection| connection.tag() == tag)
    }

    /// Sends a message to the connections that `wanted` picks.
    pub fn broadcast_to(
        &self,
        message: impl Into<Message<'static>>,
        wanted: impl Fn(&ConnectionHandle) -> bool,
    ) -> Broadcast {
        self.push_to(PreparedMessage::new(message.into()), wanted)
    }

    /// Sends several messages to every connection, each encoded once and none left out: waits for
    /// room in the outboxes that are full.
    ///
    /// A connection that makes no room for `patience` is closed with 1013; none waits for another
    /// one. The messages of one call keep their order; those of two that run at the same time may
    /// mix. Must be called inside a tokio runtime. Cancel-safe in that dropping it leaves out only
    /// what it was waiting to send.
    pub async fn broadcast_all(
        &self,
        messages: impl IntoIterator<Item = Message<'static>>,
        patience: Duration,
    ) -> Broadcast {
        let batch: PreparedBatch = messages.into_iter().map(PreparedMessage::new).collect();
        let mut result = Broadcast::default();
        // Dropping it ends what waits.
        let mut late = JoinSet::new();
        self.inner
            .members
            .for_each(|connection| match connection.push_all(&batch, 0) {
                (_, None) => result.sent += 1,
                (done, Some(SendError::Full)) => {
                    let (connection, batch) = (connection.clone(), batch.clone());
                    late.spawn(async move { connection.send_rest(&batch, done, patience).await });
                }
                (_, Some(_)) => result.refused += 1,
            });
        while let Some(sent) = late.join_next().await {
            if sent.is_ok_and(|sent| sent) {
                result.sent += 1;
            } else {
                result.refused += 1;
            }
        }
        result
    }

    /// Sends a message to all but one, together with others of the same batch.
    fn send_to_all(
        &self,
        message: Message<'static>,
        except: Option<&ConnectionHandle>,
    ) -> Broadcast {
        let message = PreparedMessage::new(message);
        let sent = OpenRound::is_small(&message)
            .then(|| with_rounds(|rounds| self.send_in(rounds, &message, except)));
        match sent.flatten() {
            Some(result) => result,
            None => self.push_to(message, |connection| Some(connection) != except),
        }
    }

    fn send_in(
        &self,
        rounds: &mut Vec<OpenRound>,
        message: &PreparedMessage,
        except: Option<&ConnectionHandle>,
    ) -> Broadcast {
        rounds.retain(|round| !round.is_of(&self.inner) || round.takes(message));
        let open = rounds.iter_mut().find(|round| round.is_of(&self.inner));
        if let Some(round) = open {
            return round.send(message, except);
        }
        let mut round = OpenRound::new(&self.inner);
        let result = round.send(message, except);
        rounds.push(round);
        result
    }

    fn push_to(
        &self,
        message: PreparedMessage,
        wanted: impl Fn(&ConnectionHandle) -> bool,
    ) -> Broadcast {
        let message = Outgoing::Prepared(message);
        let mut result = Broadcast::default();
        self.inner.members.for_each(|connection| {
            if wanted(connection) {
                result.count(connection.push(&message, None).ok());
            }
        });
        result
    }
}

/// Counts what became of a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// Connections for which the message is queued.
    pub sent: usize,
    /// Connections whose policy dropped it, because their peer does not keep up.
    pub dropped: usize,
    /// Connections that were closing, full with the policy to wait, or closed for it by their
    /// policy.
    pub refused: usize,
}

impl Broadcast {
    pub(super) fn count(&mut self, sent: Option<Sent>) {
        match sent {
            Some(Sent::Queued | Sent::DroppedOld(_) | Sent::Replaced) => self.sent += 1,
            Some(Sent::DroppedNew) => self.dropped += 1,
            None => self.refused += 1,
        }
    }
}
