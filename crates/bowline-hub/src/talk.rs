//! One connection that speaks Clown.Talk.

use std::{
    future::Future as _,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bowline::{
    CloseCode, Message, Offer, PreparedMessage, Receiver, Sender, Transport,
    server::{Attributes, ConnectionHandle, Membership},
};
use bowline_bus::{
    Publication, Retain, SessionId,
    dialect::clown_talk::{Malformed, Received, Session, Window, encode, lines},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc::error::TrySendError, oneshot};
use tracing::{debug, info, trace};

use crate::{
    command::{Command, Joined, Newcomer, Order, Presence},
    exchange::Entry,
    hub::{Hub, TOO_SLOW},
    outbox::{Outbox, Outgoing},
    serving::Serving,
    stop::Stop,
};

/// A connection that has joined.
pub(crate) struct Talk<S: Transport> {
    receiver: Receiver<S>,
    /// Kept for the values that a silent session is told when it begins to listen.
    sender: Option<Sender<S>>,
    membership: Membership,
    session: Session,
    id: SessionId,
    hub: Arc<Hub>,
    /// Its place among the connections.
    _place: OwnedSemaphorePermit,
}

/// Answers an opening handshake, for a session that was attached before; `None` if it was refused.
pub(crate) async fn open<S: Transport>(
    offer: Offer<S>,
    window: Window,
    hub: Arc<Hub>,
    (stop, connection_place): (&Stop, OwnedSemaphorePermit),
) -> Result<Option<Box<Talk<S>>>, bowline::Error> {
    let config = &hub.common.config;
    let options = Arc::clone(&hub.common.talk);
    let session = Session::new(window.clone(), config.limits.bus.topic, options);
    let Ok(place) = Arc::clone(&hub.common.sessions).try_acquire_owned() else {
        info!("refused a session: there are too many");
        let offer = offer.with_header("Retry-After", RETRY_AFTER);
        let body = "The hub takes no more sessions.\n";
        return offer.refuse(503, body).await.map(|()| None);
    };
    let mut ws = offer.accept_now()?;
    let Ok(membership) = hub.group.join(&ws, Attributes::default()) else {
        ws.close(CloseCode::TRY_AGAIN_LATER, "").await?;
        return Ok(None);
    };
    let newcomer = Newcomer {
        window,
        presence: if session.is_talking() {
            Presence::Listening
        } else {
            Presence::Silent
        },
        connection: membership.handle().clone(),
        place,
    };
    let Some(Joined {
        session: id,
        behind,
    }) = join(newcomer, &hub).await
    else {
        ws.close(CloseCode::TRY_AGAIN_LATER, "").await?;
        return Ok(None);
    };
    debug!(
        session = id.as_u64(),
        base = session.window().base(),
        "joined"
    );
    if stop.is_stopped() {
        // Those who had joined before are closed together.
        membership.handle().close(CloseCode::GOING_AWAY, STOPS)?;
    }
    let (sender, receiver) = ws.split();
    let mut talk = Box::new(Talk {
        receiver,
        sender: Some(sender),
        membership,
        session,
        id,
        hub,
        _place: connection_place,
    });
    talk.catch_up(behind);
    if talk.session.is_talking() {
        talk.sender = None;
    }
    Ok(Some(talk))
}

impl<S: Transport> Talk<S> {
    /// Receives a message and carries out what needs no waiting; gives what does.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Due>> {
        let received = pin!(self.receiver.recv()).poll(cx);
        Poll::Ready(match ready!(received) {
            Some(message) => self.take(message, 0).map(Due::Rest),
            None => Some(Due::Leave),
        })
    }

    /// Begins with what has to wait.
    pub(crate) fn begin(mut self: Box<Self>, due: Due) -> Serving<S> {
        match due {
            Due::Rest(rest) => Serving::Working(Box::pin(async move {
                self.take_rest(rest).await;
                Some(self)
            })),
            Due::Leave => self.leave(),
        }
    }

    fn leave(self: Box<Self>) -> Serving<S> {
        self.report_end();
        let leave = Order::Leave { session: self.id }.into();
        match self.hub.commands.try_send(leave) {
            Err(TrySendError::Full(leave)) => Serving::Working(Box::pin(async move {
                self.tell(leave).await;
                None
            })),
            // The bus is gone only when the hub stops.
            Ok(()) | Err(TrySendError::Closed(_)) => Serving::Over,
        }
    }

    /// Carries out the lines of a message from some byte on; gives the rest when one has to wait.
    fn take(&mut self, message: Message, mut at: usize) -> Option<Rest> {
        let step = self.take_lines(&message, &mut at)?;
        Some(Rest { message, at, step })
    }

    fn take_lines(&mut self, message: &Message, at: &mut usize) -> Option<Step> {
        let Some(text) = message.as_text() else {
            self.session.refuse(Malformed::NotUtf8);
            debug!(session = self.id.as_u64(), "ignored a binary message");
            return None;
        };
        for line in lines(text.get(*at..).unwrap_or_default()) {
            *at += line.len() + 1;
            let step = match self.session.receive(line) {
                Received::Publish {
                    publication,
                    retain,
                } => self.publish(publication, retain).map(Step::Tell),
                Received::Init { reply } => Some(Step::Answer(reply)),
                Received::Skipped => None,
                Received::Malformed(malformed) => {
                    debug!(session = self.id.as_u64(), %malformed, "ignored a line");
                    None
                }
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    /// Carries out what had to wait, and the lines behind it.
    async fn take_rest(&mut self, mut rest: Rest) {
        loop {
            match rest.step {
                Step::Tell(command) => self.tell(command).await,
                Step::Answer(reply) => self.answer(reply).await,
            }
            match self.take(rest.message, rest.at) {
                Some(next) => rest = next,
                None => return,
            }
        }
    }

    /// Gives the command back that the shard has no room for.
    fn publish(&self, publication: Publication, retain: Retain) -> Option<Command> {
        trace!(session = self.id.as_u64(), topic = %publication.topic, "published");
        let entry = Entry {
            publisher: Some(self.id),
            publication,
            retain,
        };
        match self.hub.commands.try_send(Command::Publish(entry)) {
            Err(TrySendError::Full(command)) => Some(command),
            // The bus is gone only when the hub stops, and then the connection is closing.
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        }
    }

    fn report_end(&self) {
        if let Some(ending) = self.receiver.ending() {
            let counters = self.session.counters();
            debug!(
                session = self.id.as_u64(),
                code = ending.code.0,
                reason = &*ending.reason,
                cause = %ending.cause,
                messages = counters.messages,
                malformed = counters.malformed,
                "left"
            );
        }
    }

    /// Answers an init message, when everything is published that the session sent before. A session
    /// that was silent until then begins to listen.
    async fn answer(&mut self, reply: String) {
        let was_talking = self.sender.is_none();
        if !was_talking {
            self.reply(&reply);
        }
        let session = self.id;
        let (behind, answer) = oneshot::channel();
        self.tell(Order::Listen { session, behind }.into()).await;
        // Without an answer the hub stops, and the connection is closing.
        let behind = answer.await.ok().flatten();
        if was_talking {
            self.reply(&reply);
        }
        self.catch_up(behind);
        self.sender = None;
    }

    fn reply(&self, reply: &str) {
        let reply = PreparedMessage::new(reply.into());
        if let Err(error) = self.membership.handle().try_send_prepared(&reply) {
            debug!(session = self.id.as_u64(), %error, "not answered");
        }
    }

    /// Has the connection told what it is behind with, beside what it sends meanwhile.
    fn catch_up(&mut self, behind: Option<Outbox>) {
        if let Some(outbox) = behind
            && let Some(sender) = self.sender.take()
        {
            let window = self.session.window().clone();
            let connection = self.membership.handle().clone();
            tokio::spawn(catch_up(sender, window, outbox, connection));
        }
    }

    /// Waits while the shard has too much to do.
    async fn tell(&self, command: Command) {
        // The bus is gone only when the hub stops, and then the connection is closing.
        drop(self.hub.commands.send(command).await);
    }
}

/// What a connection cannot do at once.
pub(crate) enum Due {
    /// The rest of a message.
    Rest(Rest),
    /// Its end.
    Leave,
}

/// What is left of a message, beginning with something that has to wait.
pub(crate) struct Rest {
    message: Message,
    /// The byte at which the lines begin that follow.
    at: usize,
    step: Step,
}

enum Step {
    Tell(Command),
    Answer(String),
}

/// Attaches a session; `None` if the bus is full or gone.
async fn join(newcomer: Newcomer, hub: &Hub) -> Option<Joined> {
    let newcomer = Box::new(newcomer);
    let (joined, answer) = oneshot::channel();
    let order = Order::Join { newcomer, joined };
    hub.commands.send(order.into()).await.ok()?;
    match answer.await.ok()? {
        Ok(joined) => Some(joined),
        Err(error) => {
            info!(%error, "refused a session");
            None
        }
    }
}

/// Sends what an outbox holds, until nothing is left in it or the peer is too slow.
async fn catch_up<S: Transport>(
    mut sender: Sender<S>,
    window: Window,
    outbox: Outbox,
    connection: ConnectionHandle,
) {
    loop {
        let message = match outbox.next() {
            Outgoing::CaughtUp => return,
            Outgoing::TooSlow => break,
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
                return;
            },
            () = outbox.overflowed() => break,
        }
    }
    if let Err(error) = connection.close(CloseCode::TRY_AGAIN_LATER, TOO_SLOW) {
        debug!(%error, "already closing");
    }
}

/// When a refused client should come back, in seconds.
const RETRY_AFTER: &str = "5";
/// Told to clients when the hub stops.
pub(crate) const STOPS: &str = "the hub stops";
