//! The hub as a server: listeners, connections, beginning and end.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use bowline::{Offer, Request};
use bowline_bus::{Publication, dialect::clown_talk::Window};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet, spawn_blocking},
    time::{Instant, sleep, timeout_at},
};
use tracing::{Instrument, debug, debug_span, error, info, warn};

use crate::{
    access::Access,
    config::{Config, ConfigError},
    http,
    hub::Hub,
    participant::Participant,
    shard::{Command, Retained, Shard},
    stop::{Drained, Stop, stop},
    store::{Store, StoreError},
    talk,
};

/// A hub that is bound to its addresses and not yet running.
#[derive(Debug)]
pub struct Server {
    config: Config,
    listeners: Vec<(TcpListener, SocketAddr)>,
    store: Option<Store>,
    retained: Vec<Publication>,
    commands: mpsc::Sender<Command>,
    queue: mpsc::Receiver<Command>,
}

/// Says why a hub cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says what failed while a hub ran or stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The last retained values could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the hub panicked.
    #[error("a part of the hub failed: {0}")]
    Task(#[from] JoinError),
}

impl Server {
    /// Checks the configuration, reads retained values and binds the addresses.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let (store, retained) = match &config.data {
            Some(folder) => {
                let store = Store::open(folder)?;
                let retained = store.load(&config.limits.bus.topic)?;
                (Some(store), retained)
            }
            None => (None, Vec::new()),
        };
        let mut listeners = Vec::new();
        for &address in &config.listen {
            let bound = async {
                let listener = TcpListener::bind(address).await?;
                let bound = listener.local_addr()?;
                Ok((listener, bound))
            };
            let listener = bound
                .await
                .map_err(|source| StartError::Listen { address, source })?;
            listeners.push(listener);
        }
        let (commands, queue) = mpsc::channel(config.limits.commands_max);
        Ok(Self {
            config,
            listeners,
            store,
            retained,
            commands,
            queue,
        })
    }

    /// Gives the addresses the hub listens on, with the ports it was given.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|(_, address)| *address)
    }

    /// Gives the URLs of the page, one for each listener.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        self.addresses().map(|address| format!("http://{address}/"))
    }

    /// Gives the number of values that were restored from the data folder.
    pub fn restored(&self) -> usize {
        self.retained.len()
    }

    /// Gives a handle that publishes and subscribes from within the program. It is heard once the
    /// hub runs.
    pub fn participant(&self) -> Participant {
        Participant::new(&self.commands, self.config.limits.bus.topic)
    }

    /// Serves until `until` is over; then closes every WebSocket with 1001, waits for all
    /// connections within the drain timeout and writes the retained values.
    ///
    /// # Errors
    /// [`RunError`] if the last values could not be written or a task failed.
    pub async fn run(self, until: impl Future<Output = ()>) -> Result<Drained, RunError> {
        let Self {
            config,
            listeners,
            store,
            retained,
            commands,
            queue,
        } = self;
        let (stopper, stop) = stop();
        let shard = Shard::new(config.limits, retained);
        let shard = tokio::spawn(shard.run(queue));
        let save_interval = config.save_interval;
        let store = store.map(Arc::new);
        let hub = Arc::new(Hub::new(config, commands.clone()));
        let saver = store.clone().map(|store| {
            let stop = stop.clone();
            tokio::spawn(save_regularly(store, commands, save_interval, stop))
        });
        let mut accepting = JoinSet::new();
        for (listener, address) in listeners {
            let access = Arc::new(Access::new(&hub.config, address));
            let hub = Arc::clone(&hub);
            accepting.spawn(accept(listener, access, hub, stop.clone()));
        }
        drop(hub);
        until.await;
        stopper.stop();
        let mut drained = Drained::default();
        while let Some(of_listener) = accepting.join_next().await {
            drained.add(of_listener?);
        }
        if let Some(saver) = saver {
            saver.await?;
        }
        let retained = shard.await?;
        if let Some(store) = store {
            save(&store, retained).await?;
        }
        Ok(drained)
    }
}

/// Accepts connections until the hub stops, then waits for them to end.
async fn accept(
    listener: TcpListener,
    access: Arc<Access>,
    hub: Arc<Hub>,
    mut stop: Stop,
) -> Drained {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(stream, peer, &access, &hub, (&stop, &mut connections)),
                Err(error) => {
                    // Out of file handles, for instance: it passes when connections end.
                    warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report_panic(ended),
            () = stop.stopped() => break,
        }
    }
    drop(listener);
    let deadline = Instant::now() + hub.config.drain_timeout;
    let before = connections.len();
    while let Ok(Some(ended)) = timeout_at(deadline, connections.join_next()).await {
        report_panic(ended);
    }
    let aborted = connections.len();
    connections.shutdown().await;
    Drained {
        closed: before - aborted,
        aborted,
    }
}

/// Gives a new connection a task: to be served, or to be refused when the hub is full.
fn admit(
    stream: TcpStream,
    peer: SocketAddr,
    access: &Arc<Access>,
    hub: &Arc<Hub>,
    (stop, connections): (&Stop, &mut JoinSet<()>),
) {
    let span = debug_span!("connection", %peer);
    if let Ok(place) = Arc::clone(&hub.places).try_acquire_owned() {
        let (access, hub, stop) = (Arc::clone(access), Arc::clone(hub), stop.clone());
        let connection = async move {
            serve(stream, access, &hub, stop).await;
            drop(place);
        };
        connections.spawn(connection.instrument(span));
    } else if let Ok(refusal) = Arc::clone(&hub.refusals).try_acquire_owned() {
        let hub = Arc::clone(hub);
        let connection = async move {
            refuse_full(stream, &hub).await;
            drop(refusal);
        };
        connections.spawn(connection.instrument(span));
    } else {
        debug!(%peer, "dropped a connection: too many are being refused");
    }
}

/// Serves one connection from its first byte to its end.
async fn serve(stream: TcpStream, access: Arc<Access>, hub: &Hub, mut stop: Stop) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot switch the delay of small packets off");
    }
    let request = tokio::select! {
        request = hub.acceptor.read_request(stream) => request,
        () = stop.stopped() => return,
    };
    let served = match request {
        Ok(Request::WebSocket(offer)) => open(offer, &access, hub, stop).await,
        Ok(Request::Http(_, stream)) => {
            http::serve(stream, access, hub.config.http_lifetime, stop).await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        debug!(%error, "no connection");
    }
}

/// Answers an opening handshake.
async fn open(
    offer: Offer<TcpStream>,
    access: &Access,
    hub: &Hub,
    stop: Stop,
) -> Result<(), bowline::Error> {
    let head = offer.request();
    if !access.admits_host(head.authority()) {
        return offer.refuse(421, http::UNKNOWN_HOST).await;
    }
    if !access.admits_origin(head) {
        info!(
            origin = offer.origin(),
            "refused a page of a foreign origin"
        );
        return offer.refuse(403, FOREIGN_ORIGIN).await;
    }
    let Some(name) = head.path().strip_prefix(AUTH_PATH) else {
        return offer.refuse(404, NO_SUCH_PATH).await;
    };
    let window = percent_decode_str(name)
        .decode_utf8()
        .map_err(|_| "the name is not UTF-8".to_owned())
        .and_then(|name| {
            Window::from_program(&name, &hub.config.limits.bus.topic)
                .map_err(|error| error.to_string())
        });
    match window {
        Ok(window) => talk::serve(offer, window, hub, stop).await,
        Err(reason) => {
            let body = format!("{NO_SUCH_PATH}Here {reason}.\n");
            offer.refuse(404, &body).await
        }
    }
}

/// Tells a client that the hub is full.
async fn refuse_full(stream: TcpStream, hub: &Hub) {
    let refused = match hub.acceptor.read_request(stream).await {
        Ok(Request::WebSocket(offer)) => {
            let offer = offer.with_header("Retry-After", "5");
            offer.refuse(503, http::HUB_FULL).await
        }
        Ok(Request::Http(_, stream)) => http::refuse_full(stream).await,
        Err(error) => Err(error),
    };
    match refused {
        Ok(()) => info!("refused a connection: the hub is full"),
        Err(error) => debug!(%error, "cannot tell a client that the hub is full"),
    }
}

/// Writes the retained values down whenever they have changed.
async fn save_regularly(
    store: Arc<Store>,
    commands: mpsc::Sender<Command>,
    interval: Duration,
    mut stop: Stop,
) {
    let mut revision = 0;
    loop {
        tokio::select! {
            () = sleep(interval) => {}
            () = stop.stopped() => return,
        }
        let (saved, answer) = oneshot::channel();
        if commands
            .send(Command::Save { revision, saved })
            .await
            .is_err()
        {
            return;
        }
        let Ok(Some(retained)) = answer.await else {
            continue;
        };
        match save(&store, retained).await {
            Ok(written) => revision = written,
            Err(error) => error!(%error, "retained values are not saved; the next attempt follows"),
        }
    }
}

/// Writes values down and gives their revision.
async fn save(store: &Arc<Store>, retained: Retained) -> Result<u64, RunError> {
    let store = Arc::clone(store);
    spawn_blocking(move || store.save(&retained.values).map(|()| retained.revision))
        .await?
        .map_err(RunError::Store)
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a connection's task failed");
    }
}

/// What the path of every WebSocket begins with.
pub(crate) const AUTH_PATH: &str = "/auth/";

const NO_SUCH_PATH: &str =
    "WebSockets are at /auth/clown-talk-server and /auth/clown-talk-server_base_topic.\n";
const FOREIGN_ORIGIN: &str =
    "A page of another origin may not use this hub. Start it with --origin to let it in.\n";

/// How long no connection is accepted after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
