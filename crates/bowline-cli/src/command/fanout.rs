//! `bowline echo --fanout`: what arrives on `/pub` goes to all on `/sub`.
//!
//! The subscribers of all workers are one group. A publisher broadcasts what it received together
//! in one turn, so that each subscriber gets it in one write. Nothing is left out: while a
//! subscriber's outbox is full, the publisher waits. A subscriber that takes nothing is closed, so
//! that the others go on.

use std::time::Duration;

use bowline::{
    CloseCode, Message, Offer, OutboxLimits, SlowPeer, Stream, WebSocket,
    server::{Attributes, ConnectionGroup, GroupOptions, Membership, Registry},
};

use crate::command::stop::Stop;

/// The subscribers.
#[derive(Clone)]
pub(crate) struct Fanout {
    subscribers: ConnectionGroup,
}

/// One connection of the fan-out.
pub(crate) enum Member {
    Publisher(WebSocket, Fanout),
    Subscriber(WebSocket, Membership),
}

impl Fanout {
    pub(crate) fn new() -> Self {
        let outbox = OutboxLimits {
            messages_max: OUTBOX_MESSAGES_MAX,
            bytes_max: OUTBOX_BYTES_MAX,
            policy: SlowPeer::Wait,
        };
        let options = GroupOptions {
            outbox,
            push_only: true,
            ..GroupOptions::default()
        };
        let subscribers = ConnectionGroup::new("subscribers", Registry::new(), options);
        Self { subscribers }
    }

    /// Accepts a publisher or a subscriber; a subscriber belongs to the group before it is
    /// answered, so that it misses nothing that is published from then on.
    pub(crate) async fn open(self, offer: Offer<Stream>) -> Result<Option<Member>, bowline::Error> {
        match offer.request().path() {
            "/pub" => Ok(Some(Member::Publisher(offer.accept().await?, self))),
            "/sub" => {
                let mut ws = offer.accept_now()?;
                let attributes = Attributes::default();
                let Ok(membership) = self.subscribers.join(&ws, attributes) else {
                    ws.close(CloseCode::TRY_AGAIN_LATER, "full").await?;
                    return Ok(None);
                };
                ws.flush().await?;
                Ok(Some(Member::Subscriber(ws, membership)))
            }
            _ => {
                let body = "Publish on /pub and subscribe on /sub.\n";
                offer.refuse(404, body).await?;
                Ok(None)
            }
        }
    }

    /// Broadcasts what a publisher sends, until it is gone.
    async fn publish(&self, ws: &mut WebSocket) {
        while let Some(message) = ws.recv().await {
            let batch = take_together(ws, message);
            self.subscribers
                .broadcast_all(batch, SUBSCRIBER_TIMEOUT)
                .await;
        }
    }
}

impl Member {
    /// Serves the connection until it is over, or closes it with 1001 when the server stops.
    pub(crate) async fn run(self, stop: &Stop) -> Result<(), bowline::Error> {
        let (mut ws, _membership, served) = match self {
            Self::Publisher(mut ws, fanout) => {
                let served = stop.cut(fanout.publish(&mut ws)).await;
                (ws, None, served)
            }
            Self::Subscriber(mut ws, membership) => {
                let served = stop.cut(ignore(&mut ws)).await;
                (ws, Some(membership), served)
            }
        };
        if served.is_some() {
            return Ok(());
        }
        ws.close(CloseCode::GOING_AWAY, "the server stops")
            .await
            .map(drop)
    }
}

/// Takes the messages that arrived together with the first one.
fn take_together(ws: &mut WebSocket, first: Message) -> Vec<Message> {
    let mut bytes = first.len();
    let mut batch = vec![first];
    while batch.len() < BATCH_MESSAGES_MAX
        && bytes < BATCH_BYTES_MAX
        && let Some(next) = ws.try_recv()
    {
        bytes += next.len();
        batch.push(next);
    }
    batch
}

/// Receives until the end, as a subscriber has nothing to say.
async fn ignore(ws: &mut WebSocket) {
    while ws.recv().await.is_some() {}
}

/// What may wait for one subscriber before publishers wait.
const OUTBOX_MESSAGES_MAX: usize = 1024;
const OUTBOX_BYTES_MAX: usize = 4 << 20;
/// What is broadcast in one turn at most.
const BATCH_MESSAGES_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 1 << 20;
/// How long a subscriber may take nothing.
const SUBSCRIBER_TIMEOUT: Duration = Duration::from_secs(10);
