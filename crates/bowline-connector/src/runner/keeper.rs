//! Keeps the link of one connection.

use std::time::Duration;

use bowline::{
    CloseCode, Connector, Endpoint, Message,
    managed::{
        Backoff, Client, ClientEvent, ClientEvents, ClientState, DeliveryStatus, Failure,
        OutboxOptions, ReconnectPolicy, Unsent, Verdict,
    },
};
use tokio::sync::mpsc;

use super::{
    LinkState, RunnerOptions, attempt,
    dialer::{Ask, LinkDialer},
    error::LinkSettingsError,
};
use crate::{
    element::{LinkSettings, Reconnect},
    machine::{Level, Loss},
    plan::{Handshake, Link, LinkId},
};

/// The link of one connection: made when it is asked for the first time, then kept as told.
#[derive(Debug)]
pub(super) struct Keeper {
    id: LinkId,
    base: Connector,
    policy: ReconnectPolicy,
    hopeless_pause: Duration,
    client: Option<Client>,
    /// Whether the end of the present link was asked for, to make another.
    is_reopening: bool,
    pub(super) name: String,
    pub(super) state: LinkState,
    pub(super) level: Level,
    /// Where the last attempt went, without secrets.
    pub(super) endpoint: Option<String>,
    pub(super) is_compressed: bool,
    pub(super) subprotocol: Option<String>,
    pub(super) last_loss: Option<Loss>,
    /// How many links there were.
    pub(super) opened: u64,
}

/// The ways from the links to their element.
#[derive(Clone, Debug)]
pub(super) struct Wires {
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) events: mpsc::Sender<(LinkId, ClientEvent)>,
}

impl Keeper {
    pub(super) fn new(
        id: LinkId,
        link: (&Link, Option<&Handshake>),
        settings: &LinkSettings,
        options: &RunnerOptions,
    ) -> Result<Self, LinkSettingsError> {
        Ok(Self {
            id,
            base: attempt::base(link, settings, &options.connector)?,
            policy: match settings.reconnect {
                Reconnect::Manual => ReconnectPolicy::Manual,
                Reconnect::Automatic => ReconnectPolicy::Automatic(Backoff {
                    attempts_max: None,
                    ..options.backoff.clone()
                }),
            },
            hopeless_pause: options.hopeless_pause,
            client: None,
            is_reopening: false,
            name: link.0.name.clone(),
            state: LinkState::Closed,
            level: Level::Unknown,
            endpoint: None,
            is_compressed: false,
            subprotocol: None,
            last_loss: None,
            opened: 0,
        })
    }

    /// Makes the link if there is none.
    pub(super) fn open(&mut self, wires: &Wires) {
        match self.client.as_ref().map(Client::state) {
            Some(ClientState::Open) => {}
            Some(ClientState::Connecting { .. }) => self.state = LinkState::Connecting,
            Some(ClientState::Waiting { .. } | ClientState::Closed { .. }) | None => {
                self.reopen(wires);
            }
        }
    }

    /// Makes the link anew.
    pub(super) fn reopen(&mut self, wires: &Wires) {
        self.is_reopening = self.state == LinkState::Open;
        self.state = LinkState::Connecting;
        match &self.client {
            Some(client) => client.reconnect(),
            None => self.client = Some(self.start(wires)),
        }
    }

    /// Closes the link and makes no other.
    pub(super) fn close(&mut self) {
        self.is_reopening = false;
        if self.state != LinkState::Open {
            self.state = LinkState::Closed;
        }
        if let Some(client) = &self.client {
            let begun = client.begin_close(CloseCode::NORMAL, "");
            begun.expect("1000 without a reason can be sent");
        }
    }

    /// Sends a message on the present link.
    ///
    /// # Errors
    /// Why it is not sent.
    pub(super) fn send(&self, message: Message) -> Result<(), String> {
        let client = self.client.as_ref();
        let client = client
            .filter(|client| self.state == LinkState::Open && client.state() == ClientState::Open);
        let Some(client) = client else {
            return Err("the link is not open".into());
        };
        match client.send(message).status() {
            DeliveryStatus::Queued | DeliveryStatus::Kept | DeliveryStatus::Sent => Ok(()),
            status @ (DeliveryStatus::Expired | DeliveryStatus::Dropped(_)) => {
                Err(format!("{status:?}"))
            }
        }
    }

    /// Notes what happened to the link.
    pub(super) fn note(&mut self, event: &ClientEvent) {
        let meanwhile = self.client.as_ref().map(Client::state);
        match event {
            ClientEvent::Open(info) => {
                self.state = LinkState::Open;
                self.is_compressed = info.is_compressed;
                self.subprotocol.clone_from(&info.subprotocol);
                self.opened += 1;
            }
            ClientEvent::LinkClosed(_) | ClientEvent::Failed(_) => {
                let is_reopening = std::mem::take(&mut self.is_reopening);
                let is_kept = is_reopening || self.policy != ReconnectPolicy::Manual;
                self.state = match meanwhile {
                    Some(ClientState::Connecting { .. }) => LinkState::Connecting,
                    Some(ClientState::Waiting { .. }) => LinkState::Waiting,
                    // It was not told yet what it comes to.
                    Some(ClientState::Open) if is_kept => LinkState::Connecting,
                    Some(ClientState::Open | ClientState::Closed { .. }) | None => {
                        LinkState::Closed
                    }
                };
            }
            ClientEvent::Waiting { .. } => {
                if let Some(ClientState::Waiting { .. }) = meanwhile {
                    self.state = LinkState::Waiting;
                }
            }
            ClientEvent::Message(_) => {}
        }
    }

    /// Tells the round trip of the last keepalive ping.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.client.as_ref()?.round_trip()
    }

    /// Gives the client, if there ever was one.
    pub(super) fn client(&self) -> Option<Client> {
        self.client.clone()
    }

    fn start(&self, wires: &Wires) -> Client {
        let endpoint = Endpoint::parse(NOWHERE).expect("the place holder is a URL");
        let pause = self.hopeless_pause;
        let (client, events) = Client::builder_to(endpoint)
            .with_dialer(LinkDialer {
                link: self.id,
                base: self.base.clone(),
                asks: wires.asks.clone(),
            })
            .with_policy(self.policy.clone())
            .with_outbox(OutboxOptions {
                bytes_max: OUTBOX_BYTES_MAX,
                unsent: Unsent::Drop,
                ..OutboxOptions::default()
            })
            .classify(move |failure| Some(judge(failure, pause)))
            .start();
        drop(tokio::spawn(forward(self.id, events, wires.events.clone())));
        client
    }
}

/// Hands the events of a link to its element, which takes them when it has time.
async fn forward(
    link: LinkId,
    mut events: ClientEvents,
    element: mpsc::Sender<(LinkId, ClientEvent)>,
) {
    loop {
        while let Some(event) = events.recv().await {
            if element.send((link, event)).await.is_err() {
                return;
            }
        }
        if !events.revived().await {
            return;
        }
    }
}

/// Judges a failure: a device is never given up, since it may be mended.
fn judge(failure: &Failure, pause: Duration) -> Verdict {
    match (Verdict::of(failure), failure) {
        (Verdict::Fatal, Failure::Ended(ending)) if ending.is_clean() => Verdict::Retry,
        (Verdict::Fatal, _) => Verdict::RetryAfter(pause),
        (verdict, _) => verdict,
    }
}

/// The dialer asks the element where to go instead.
const NOWHERE: &str = "ws://element.invalid/";
/// What may wait to be sent on one link.
const OUTBOX_BYTES_MAX: usize = 16 << 20;
