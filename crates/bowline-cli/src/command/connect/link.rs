//! The link below a session: one connection, or one that comes back.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bowline::{
    CloseCode, Connector, Ending, Endpoint, Error, Event, Keepalive, Message, Payload, Receiver,
    Sender,
    managed::{
        Client, ClientEvent, ClientEvents, ClientState, ClosedWhy, Delivery, DeliveryStatus,
        Failure as LinkFailure, Interrupted, OutboxOptions,
    },
    proto::Close,
};

use crate::exit::{Failure, check_ending};

/// What the opening handshake agreed on.
#[derive(Clone, Debug)]
pub(super) struct Agreed {
    pub(super) subprotocol: Option<String>,
    pub(super) is_compressed: bool,
}

/// Something that came over the link, or happened to it.
#[derive(Debug)]
pub(super) enum News {
    Message(Message),
    Ping(Payload<'static>),
    Pong {
        payload: Payload<'static>,
        round_trip: Option<Duration>,
    },
    Close(Option<Close>),
    /// The link is there again.
    Open(Agreed),
    /// The connection is over.
    Down(Ending),
    /// An attempt failed.
    Failed(Arc<LinkFailure>),
    /// The next attempt is due later.
    Waiting(Duration),
}

/// The end of the link that sends.
#[derive(Debug)]
pub(super) enum Outgoing {
    Once(Sender),
    Kept(Kept),
}

/// The end of the link that receives.
#[derive(Debug)]
pub(super) enum Incoming {
    Once(Receiver),
    Kept(ClientEvents),
}

/// A link that comes back, and what was given to it.
#[derive(Debug)]
pub(super) struct Kept {
    client: Client,
    /// Those whose fate is not known. There are as many as the outbox holds, at most, and a few.
    deliveries: VecDeque<Delivery>,
    lost: usize,
}

/// Connects once.
pub(super) async fn open_once(
    connector: &Connector,
    endpoint: &Endpoint,
) -> Result<(Outgoing, Incoming, Agreed), Failure> {
    let ws = connector.connect_to(endpoint).await;
    let ws = ws.map_err(|error| Failure::Connect {
        url: format!("{endpoint:?}"),
        error,
    })?;
    let agreed = Agreed {
        subprotocol: ws.subprotocol().map(str::to_owned),
        is_compressed: ws.is_compressed(),
    };
    let (sender, receiver) = ws.split();
    Ok((Outgoing::Once(sender), Incoming::Once(receiver), agreed))
}

/// Begins to connect, again and again.
pub(super) fn keep(
    mut connector: Connector,
    endpoint: Endpoint,
    hello: &[String],
) -> (Outgoing, Incoming) {
    if connector.options.config.keepalive.is_none() {
        let mut config = (*connector.options.config).clone();
        config.keepalive = Some(Keepalive {
            interval: KEEPALIVE_INTERVAL,
            timeout: KEEPALIVE_TIMEOUT,
        });
        connector.options.config = Arc::new(config);
    }
    let outbox = OutboxOptions {
        // Rather twice than never: a line that was piped in is not to be lost.
        interrupted: Interrupted::Resend,
        bytes_max: OUTBOX_BYTES_MAX,
        ..OutboxOptions::default()
    };
    let hello: Arc<[String]> = hello.into();
    let (client, events) = Client::builder_to(endpoint)
        .with_connector(connector)
        .with_outbox(outbox)
        .on_open(move |mut link| {
            let hello = Arc::clone(&hello);
            async move {
                for text in &*hello {
                    link.send(text.clone()).await?;
                }
                Ok::<_, Error>(())
            }
        })
        .start();
    let kept = Kept {
        client,
        deliveries: VecDeque::new(),
        lost: 0,
    };
    (Outgoing::Kept(kept), Incoming::Kept(events))
}

impl Outgoing {
    /// Sends a message.
    ///
    /// # Errors
    /// Those of the link; how it ended is told by its other end.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), Error> {
        match self {
            Self::Once(sender) => sender.send(message).await,
            Self::Kept(kept) => {
                kept.settle();
                let delivery = kept.client.send_with_room(message).await;
                kept.deliveries.push_back(delivery);
                Ok(())
            }
        }
    }

    /// Sends a ping; false if this link sends its own only.
    pub(super) async fn ping(&mut self, payload: &[u8]) -> Result<bool, Error> {
        match self {
            Self::Once(sender) => sender.ping(payload).await.map(|()| true),
            Self::Kept(_) => Ok(false),
        }
    }

    /// Waits until the fate of everything that was sent is known.
    pub(super) async fn settle(&mut self) {
        let Self::Kept(kept) = self else { return };
        while let Some(delivery) = kept.deliveries.front_mut() {
            let status = delivery.await;
            kept.count(status);
            kept.deliveries.pop_front();
        }
    }

    /// Begins to close.
    pub(super) async fn close(&mut self, code: CloseCode, reason: &str) {
        // An error says that the connection is closing already; codes were checked before.
        drop(match self {
            Self::Once(sender) => sender.close(code, reason).await,
            Self::Kept(kept) => kept.client.begin_close(code, reason),
        });
    }

    /// Gives how many messages did not get through, as far as is known.
    pub(super) fn lost(&mut self) -> usize {
        match self {
            Self::Once(_) => 0,
            Self::Kept(kept) => {
                kept.settle();
                kept.lost + kept.deliveries.len()
            }
        }
    }
}

impl Kept {
    /// Forgets those whose fate is known.
    fn settle(&mut self) {
        while let Some(delivery) = self.deliveries.front()
            && delivery.status().is_final()
        {
            self.count(delivery.status());
            self.deliveries.pop_front();
        }
    }

    fn count(&mut self, status: DeliveryStatus) {
        if status != DeliveryStatus::Sent {
            self.lost += 1;
        }
    }
}

impl Incoming {
    /// Waits for something; `None` when the link is over and will not come back. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<News> {
        match self {
            Self::Once(receiver) => loop {
                match receiver.recv_event().await? {
                    Event::Message(message) => return Some(News::Message(message)),
                    Event::Ping(payload) => return Some(News::Ping(payload)),
                    Event::Pong {
                        payload,
                        round_trip,
                    } => {
                        return Some(News::Pong {
                            payload,
                            round_trip,
                        });
                    }
                    Event::Close(close) => return Some(News::Close(close)),
                    Event::Closed(ending) => return Some(News::Down(ending)),
                    // Messages come whole.
                    Event::Fragment(_) => {}
                }
            },
            Self::Kept(events) => Some(match events.recv().await? {
                ClientEvent::Message(message) => News::Message(message),
                ClientEvent::Open(info) => News::Open(Agreed {
                    subprotocol: info.subprotocol.clone(),
                    is_compressed: info.is_compressed,
                }),
                ClientEvent::LinkClosed(ending) => News::Down(ending),
                ClientEvent::Failed(failure) => News::Failed(failure),
                ClientEvent::Waiting { until } => {
                    let now = tokio::time::Instant::now();
                    News::Waiting(until.saturating_duration_since(now))
                }
            }),
        }
    }

    /// Says how the link came to its end, after this program closed it with `chosen`, if it did.
    ///
    /// # Errors
    /// [`Failure`] if it was not in order.
    pub(super) fn check(&self, chosen: CloseCode) -> Result<(), Failure> {
        match self {
            Self::Once(receiver) => check_ending(receiver.ending(), chosen),
            Self::Kept(events) => match events.state() {
                ClientState::Closed {
                    why:
                        ClosedWhy::Fatal(failure)
                        | ClosedWhy::AttemptsUsedUp(failure)
                        | ClosedWhy::Manual(failure),
                } => check_failure(failure, chosen),
                ClientState::Connecting { .. }
                | ClientState::Open
                | ClientState::Waiting { .. }
                | ClientState::Closed {
                    why: ClosedWhy::Asked | ClosedWhy::Stopped,
                } => Ok(()),
            },
        }
    }
}

/// A server that says goodbye for good is no failure.
fn check_failure(failure: Arc<LinkFailure>, chosen: CloseCode) -> Result<(), Failure> {
    if let LinkFailure::Ended(ending) = &*failure {
        return check_ending(Some(ending.clone()), chosen);
    }
    Err(Failure::GivenUp(failure))
}

const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes that wait for the next link; then input waits.
const OUTBOX_BYTES_MAX: usize = 16 << 20;
