//! How a client is made.

use std::{
    error::Error as StdError,
    fmt,
    future::Future,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use bowline_proto::{Config, Keepalive};

use super::{
    Client, ClientEvents,
    control::Control,
    core::Core,
    dialer::{AnyDialer, Dialer},
    event::EventQueue,
    failure::Failure,
    handlers::Handlers,
    heartbeat::Heartbeat,
    open_link::OpenLink,
    outbox::{Outbox, OutboxOptions},
    policy::ReconnectPolicy,
    task::{Hooks, Task},
    verdict::Verdict,
};
use crate::{
    client::{Connector, Endpoint},
    error::UrlError,
    options::Options,
    receive_queue::ReceiveLimits,
};

/// Configures a [`Client`] before it starts.
pub struct ClientBuilder {
    endpoints: Vec<Endpoint>,
    dialer: Box<dyn AnyDialer>,
    policy: ReconnectPolicy,
    outbox: OutboxOptions,
    events: ReceiveLimits,
    heartbeat: Option<Heartbeat>,
    hooks: Hooks,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoints: vec![endpoint],
            dialer: Box::new(default_connector()),
            policy: ReconnectPolicy::default(),
            outbox: OutboxOptions::default(),
            events: ReceiveLimits::default(),
            heartbeat: None,
            hooks: Hooks {
                on_open: None,
                on_open_timeout: ON_OPEN_TIMEOUT_DEFAULT,
                classify: None,
            },
        }
    }

    /// Adds an endpoint to fail over to. Each attempt goes to the next one in turn; after a link
    /// that was stable the first is tried first again.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with the URL.
    pub fn with_fail_over(self, url: &str) -> Result<Self, UrlError> {
        Ok(self.with_endpoint(Endpoint::parse(url)?))
    }

    /// Adds an endpoint, as [`with_fail_over`](Self::with_fail_over).
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Chooses how links are made. Default: a [`Connector`] that pings after 20 s of silence and
    /// gives the link up after 10 s more.
    ///
    /// A connector without [`Config::keepalive`] does not notice a link that is dead.
    #[must_use]
    pub fn with_connector(self, connector: Connector) -> Self {
        self.with_dialer(connector)
    }

    /// Has links made by something of the application's own.
    #[must_use]
    pub fn with_dialer(mut self, dialer: impl Dialer) -> Self {
        self.dialer = Box::new(dialer);
        self
    }

    /// Chooses who makes the next attempt, and when.
    #[must_use]
    pub fn with_policy(mut self, policy: ReconnectPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Bounds what may wait for a link, and says what happens otherwise.
    #[must_use]
    pub fn with_outbox(mut self, options: OutboxOptions) -> Self {
        self.outbox = options;
        self
    }

    /// Bounds the messages that arrived and were not taken.
    #[must_use]
    pub const fn with_receive_limits(mut self, limits: ReceiveLimits) -> Self {
        self.events = limits;
        self
    }

    /// Sends a message again and again while a link is open.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    /// Runs `hook` on each new link, before anything that waits in the outbox is sent on it: to
    /// say hello, and to subscribe again.
    ///
    /// If it fails, or takes longer than its deadline, the link is closed and another is made. The
    /// state is `Open` once it is done. Its future is dropped if the client is closed or moved
    /// meanwhile.
    #[must_use]
    pub fn on_open<F, E>(mut self, hook: impl Fn(OpenLink) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.hooks.on_open = Some(Box::new(move |link| {
            let greeting = hook(link);
            Box::pin(async move { greeting.await.map_err(|error| Failure::Hook(error.into())) })
        }));
        self
    }

    /// Sets the deadline of the on-open hook. Default 30 s.
    #[must_use]
    pub const fn with_on_open_timeout(mut self, timeout: Duration) -> Self {
        self.hooks.on_open_timeout = timeout;
        self
    }

    /// Has failures judged by `classify`; `None` leaves one to [`Verdict::of`].
    #[must_use]
    pub fn classify(
        mut self,
        classify: impl Fn(&Failure) -> Option<Verdict> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.classify = Some(Box::new(classify));
        self
    }

    /// Starts the client; its first attempt begins at once.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> (Client, ClientEvents) {
        let core = Arc::new(Core {
            control: Control::new(self.endpoints.into()),
            outbox: Outbox::new(self.outbox),
            events: EventQueue::new(self.events),
            handles: AtomicUsize::new(0),
            link: Mutex::new(None),
        });
        let client = Client::new(Arc::clone(&core));
        let task = Task {
            core: Arc::clone(&core),
            dialer: self.dialer,
            policy: self.policy,
            hooks: self.hooks,
            heartbeat: self.heartbeat,
        };
        drop(tokio::spawn(task.run()));
        (client, ClientEvents::new(core))
    }

    /// Starts the client, with handlers for what happens.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start_with(self, handlers: Handlers) -> Client {
        let (client, events) = self.start();
        drop(tokio::spawn(handlers.run(client.core(), events)));
        client
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoints", &self.endpoints)
            .field("policy", &self.policy)
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}

fn default_connector() -> Connector {
    let config = Config {
        keepalive: Some(KEEPALIVE_DEFAULT),
        ..Config::default()
    };
    Connector {
        options: Options {
            config: Arc::new(config),
            ..Options::default()
        },
        ..Connector::default()
    }
}

const ON_OPEN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
const KEEPALIVE_DEFAULT: Keepalive = Keepalive {
    interval: Duration::from_secs(20),
    timeout: Duration::from_secs(10),
};
