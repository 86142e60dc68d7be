//! The hub as a server: listeners, workers, beginning and end.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};

use bowline_bus::Publication;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet, spawn_blocking},
    time::sleep,
};
use tracing::error;

use crate::{
    command::{Command, Order, Retained},
    config::{Config, ConfigError},
    exchange::exchange,
    hub::{Common, Hub},
    listen::listen,
    participant::Participant,
    shard::Shard,
    stop::{Drained, Stop, Stopper, stop},
    store::{Store, StoreError},
    worker::{Finished, Worker, WorkerError},
};

/// A hub that is bound to its addresses and not yet running.
#[derive(Debug)]
pub struct Server {
    config: Config,
    listeners: Vec<Listeners>,
    store: Option<Store>,
    retained: Vec<Publication>,
    /// To the first worker.
    commands: mpsc::Sender<Command>,
    queue: mpsc::Receiver<Command>,
}

/// The listeners at one address, one for each worker.
#[derive(Debug)]
struct Listeners {
    address: SocketAddr,
    sockets: Vec<TcpListener>,
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
    /// The system refused what a worker needs.
    #[error("cannot start a worker: {0}")]
    Start(io::Error),
    /// A worker panicked; the others were stopped.
    #[error("worker {0} of the hub failed")]
    Worker(usize),
}

impl Server {
    /// Checks the configuration, reads retained values and binds the addresses.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let (store, retained) = match config.data.clone() {
            Some(folder) => {
                let limits = config.limits.bus.topic;
                let load = move || {
                    let store = Store::open(&folder)?;
                    let retained = store.load(&limits)?;
                    Ok::<_, StoreError>((Some(store), retained))
                };
                let loaded = spawn_blocking(load).await;
                loaded.unwrap_or_else(|error| resume_unwind(error.into_panic()))?
            }
            None => (None, Vec::new()),
        };
        let mut listeners = Vec::new();
        for &address in &config.listen {
            let (address, sockets) = listen(address, config.workers)
                .map_err(|source| StartError::Listen { address, source })?;
            listeners.push(Listeners { address, sockets });
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
        self.listeners.iter().map(|listeners| listeners.address)
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
        Participant::new(&self.commands, self.config.limits.bus)
    }

    /// Serves until `until` is over; then closes every WebSocket with 1001, waits for all
    /// connections within the drain timeout and writes the retained values.
    ///
    /// The workers are threads, each with a runtime of its own. Dropped before it is ready, it has
    /// them stop in the same way, and does not write the values.
    ///
    /// # Errors
    /// [`RunError`] if the last values could not be written, or a part of the hub failed: then
    /// the rest is stopped at once.
    pub async fn run(mut self, until: impl Future<Output = ()>) -> Result<Drained, RunError> {
        let (stopper, stop) = stop();
        let interval = self.config.save_interval;
        let store = self.store.take().map(Arc::new);
        let saver = store.clone().map(|store| {
            let commands = self.commands.clone();
            tokio::spawn(save_regularly(store, commands, interval, stop.clone()))
        });
        let workers = self.start(&stop)?;
        let (drained, retained) = finish(workers, until, stopper).await;
        if let Some(saver) = saver {
            saver.await?;
        }
        if let (Some(store), Some(retained)) = (store, retained) {
            save(&store, retained).await?;
        }
        drained
    }

    /// Starts the workers, which all begin with the same retained values.
    fn start(self, stop: &Stop) -> Result<JoinSet<(usize, Outcome)>, RunError> {
        let Self {
            config,
            mut listeners,
            retained,
            commands,
            queue,
            ..
        } = self;
        let common = Arc::new(Common::new(config));
        let limits = common.config.limits;
        let mut ends = Some((commands, queue));
        let mut workers = JoinSet::new();
        let seats = exchange(common.config.workers.get(), &limits);
        for (index, seat) in seats.into_iter().enumerate() {
            let ends = ends.take();
            let (commands, queue) = ends.unwrap_or_else(|| mpsc::channel(limits.commands_max));
            let sessions = Arc::clone(&common.sessions);
            let own = |of: &mut Listeners| Some((of.sockets.pop()?, of.address));
            let worker = Worker {
                listeners: listeners.iter_mut().filter_map(own).collect(),
                hub: Hub::new(Arc::clone(&common), commands),
                shard: Shard::new(limits, &retained, seat, sessions),
                commands: queue,
                stop: stop.clone(),
            };
            let outcome = worker.start(index).map_err(RunError::Start)?;
            let outcome = async move { (index, outcome.await.unwrap_or(Err(WorkerError::Panic))) };
            workers.spawn(outcome);
        }
        Ok(workers)
    }
}

type Outcome = Result<Finished, WorkerError>;

/// Waits until it is time to stop, or a worker fails, then for all workers; gives the retained
/// values of one that did not fail.
async fn finish(
    mut workers: JoinSet<(usize, Outcome)>,
    until: impl Future<Output = ()>,
    stopper: Stopper,
) -> (Result<Drained, RunError>, Option<Retained>) {
    let mut drained = Ok(Drained::default());
    let mut retained = None;
    let mut end = |ended: Result<(usize, Outcome), JoinError>| match (ended, &mut drained) {
        (Ok((_, Ok(finished))), drained) => {
            if let Ok(drained) = drained {
                drained.add(finished.drained);
            }
            retained = Some(finished.retained);
        }
        // The first failure is told; it may be the cause of others.
        (_, Err(_)) => {}
        (Ok((_, Err(WorkerError::System(error)))), drained) => {
            *drained = Err(RunError::Start(error));
        }
        (Ok((index, Err(WorkerError::Panic))), drained) => {
            *drained = Err(RunError::Worker(index));
        }
        (Err(error), drained) => *drained = Err(error.into()),
    };
    tokio::select! {
        () = until => {}
        Some(ended) = workers.join_next() => end(ended),
    }
    stopper.stop();
    while let Some(ended) = workers.join_next().await {
        end(ended);
    }
    (drained, retained)
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
            .send(Order::Save { revision, saved }.into())
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_fails_stops_the_others_and_their_values_are_kept() {
        let (stopper, mut stop) = stop();
        let mut workers = JoinSet::new();
        workers.spawn(async { (0, Err(WorkerError::Panic)) });
        workers.spawn(async move {
            stop.stopped().await;
            let retained = Retained {
                revision: 7,
                values: Vec::new(),
            };
            let drained = Drained::default();
            (1, Ok(Finished { drained, retained }))
        });
        let (drained, retained) = finish(workers, pending(), stopper).await;
        assert!(matches!(drained, Err(RunError::Worker(0))), "{drained:?}");
        assert_eq!(retained.unwrap().revision, 7);
    }
}
