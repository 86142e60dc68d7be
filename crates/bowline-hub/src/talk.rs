//! One connection that speaks Clown.Talk.

use std::pin::pin;

use bowline::{CloseCode, Message, Offer, PreparedMessage, Receiver, Sender, Transport};
use bowline_bus::{
    Publication, Retain, SessionId,
    dialect::clown_talk::{Malformed, Received, Session, Window, encode, lines},
};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info, trace};

use crate::{
    hub::Hub,
    outbox::{Outbox, OutboxSender, Outgoing},
    shard::{Command, Joined, Presence},
    stop::Stop,
};

/// Accepts an opening handshake and serves the connection until it is over.
pub(crate) async fn serve<S: Transport>(
    offer: Offer<S>,
    window: Window,
    hub: &Hub,
    stop: Stop,
) -> Result<(), bowline::Error> {
    let session = Session::new(
        window.clone(),
        hub.config.limits.bus.topic,
        hub.config.talk.clone(),
    );
    let Some(joined) = join(&session, &hub.commands).await else {
        let offer = offer.with_header("Retry-After", RETRY_AFTER);
        return offer.refuse(503, "The hub takes no more sessions.\n").await;
    };
    let id = joined.session;
    let accepted = offer.accept().await;
    if let Ok(ws) = accepted {
        debug!(session = id.as_u64(), base = window.base(), "joined");
        let (sender, receiver) = ws.split();
        let talk = Talk {
            session,
            id,
            commands: &hub.commands,
            replies: joined.sender,
        };
        talk.run(sender, receiver, joined.outbox, stop).await;
        leave(id, &hub.commands).await;
        return Ok(());
    }
    leave(id, &hub.commands).await;
    accepted.map(drop)
}

/// What the reading side of a connection works with.
struct Talk<'h> {
    session: Session,
    id: SessionId,
    commands: &'h mpsc::Sender<Command>,
    replies: OutboxSender,
}

impl Talk<'_> {
    async fn run<S: Transport>(
        mut self,
        mut sender: Sender<S>,
        mut receiver: Receiver<S>,
        outbox: Outbox,
        stop: Stop,
    ) {
        let window = self.session.window().clone();
        let id = self.id.as_u64();
        let reading = async move {
            while let Some(message) = receiver.recv().await {
                self.take(&message).await;
            }
            (receiver.ending(), *self.session.counters())
        };
        let mut reading = pin!(reading);
        let (ending, counters) = tokio::select! {
            read = &mut reading => read,
            () = write(&mut sender, &window, outbox, stop) => reading.await,
        };
        if let Some(ending) = ending {
            debug!(
                session = id,
                code = ending.code.0,
                reason = &*ending.reason,
                cause = %ending.cause,
                messages = counters.messages,
                malformed = counters.malformed,
                "left"
            );
        }
    }

    async fn take(&mut self, message: &Message) {
        let Some(text) = message.as_text() else {
            self.session.refuse(Malformed::NotUtf8);
            debug!(session = self.id.as_u64(), "ignored a binary message");
            return;
        };
        for line in lines(text) {
            match self.session.receive(line) {
                Received::Publish {
                    publication,
                    retain,
                } => self.publish(publication, retain).await,
                Received::Init { reply } => self.answer(reply).await,
                Received::Skipped => {}
                Received::Malformed(malformed) => {
                    debug!(session = self.id.as_u64(), %malformed, "ignored a line");
                }
            }
        }
    }

    async fn publish(&self, publication: Publication, retain: Retain) {
        trace!(session = self.id.as_u64(), topic = %publication.topic, "published");
        let command = Command::Publish {
            publisher: Some(self.id),
            publication,
            retain,
        };
        // The bus is gone only when the hub stops, and then the connection is closing.
        drop(self.commands.send(command).await);
    }

    /// Answers an init message. A session that was silent until then begins to listen.
    async fn answer(&self, reply: String) {
        let reply = PreparedMessage::new(reply.into());
        if let Err(refused) = self.replies.push(reply) {
            // A full outbox ends the connection by itself.
            debug!(session = self.id.as_u64(), ?refused, "not answered");
        }
        let command = Command::Listen { session: self.id };
        drop(self.commands.send(command).await);
    }
}

/// Attaches a session; `None` if the bus is full or gone.
async fn join(session: &Session, commands: &mpsc::Sender<Command>) -> Option<Joined> {
    let (joined, answer) = oneshot::channel();
    let presence = if session.is_talking() {
        Presence::Listening
    } else {
        Presence::Silent
    };
    let command = Command::Join {
        window: session.window().clone(),
        presence,
        joined,
    };
    commands.send(command).await.ok()?;
    match answer.await.ok()? {
        Ok(joined) => Some(joined),
        Err(error) => {
            info!(%error, "refused a session");
            None
        }
    }
}

async fn leave(session: SessionId, commands: &mpsc::Sender<Command>) {
    // The bus is gone only when the hub stops.
    drop(commands.send(Command::Leave { session }).await);
}

/// Sends what is queued until the connection closes, and begins to close it when the hub stops or
/// the peer is too slow.
async fn write<S: Transport>(
    sender: &mut Sender<S>,
    window: &Window,
    outbox: Outbox,
    mut stop: Stop,
) {
    let (code, reason) = tokio::select! {
        written = pump(sender, window, outbox) => match written {
            Written::TooSlow => (CloseCode::TRY_AGAIN_LATER, "too slow: come back for the last values"),
            Written::Closed => return,
        },
        () = stop.stopped() => (CloseCode::GOING_AWAY, "the hub stops"),
    };
    if let Err(error) = sender.close(code, reason).await {
        debug!(%error, "already closing");
    }
}

/// Why nothing more is written.
enum Written {
    TooSlow,
    Closed,
}

async fn pump<S: Transport>(sender: &mut Sender<S>, window: &Window, outbox: Outbox) -> Written {
    while let Some(outgoing) = outbox.next().await {
        let message = match outgoing {
            Outgoing::Message(message) => message,
            Outgoing::Retained(topic, payload) => {
                let Some(relative) = window.outward(&topic) else {
                    continue;
                };
                match encode(relative, &payload) {
                    Ok(text) => PreparedMessage::new(text.into()),
                    Err(error) => {
                        debug!(%topic, %error, "a retained value cannot be told");
                        continue;
                    }
                }
            }
        };
        tokio::select! {
            sent = sender.send_prepared(&message) => if sent.is_err() {
                return Written::Closed;
            },
            () = outbox.overflowed() => return Written::TooSlow,
        }
    }
    Written::TooSlow
}

/// When a refused client should come back, in seconds.
const RETRY_AFTER: &str = "5";
