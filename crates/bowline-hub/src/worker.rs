//! A thread that serves its share of the connections.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use bowline::CloseCode;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet},
};

use crate::{
    accept::accept,
    access::Access,
    command::{Command, Retained},
    hub::Hub,
    shard::Shard,
    stop::{Drained, Stop},
    talk,
};

/// What a worker begins with.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) listeners: Vec<(TcpListener, SocketAddr)>,
    pub(crate) hub: Hub,
    pub(crate) shard: Shard,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) stop: Stop,
}

/// What a worker ends with.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) drained: Drained,
    /// All shards end with the same values.
    pub(crate) retained: Retained,
}

/// Says why a worker ended before it was told to.
#[derive(Debug)]
pub(crate) enum WorkerError {
    /// The system refused what a worker needs.
    System(io::Error),
    /// It panicked; what it said is on the standard error output.
    Panic,
}

impl Worker {
    /// Starts the worker in a thread of its own, and gives what it will end with.
    pub(crate) fn start(
        self,
        index: usize,
    ) -> io::Result<oneshot::Receiver<Result<Finished, WorkerError>>> {
        in_thread(index, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(WorkerError::System)?;
            runtime.block_on(self.run())
        })
    }

    /// Serves until it is time to stop and every connection has ended.
    async fn run(self) -> Result<Finished, WorkerError> {
        let Self {
            listeners,
            hub,
            shard,
            commands,
            mut stop,
        } = self;
        let mut shard = tokio::spawn(shard.run(commands));
        let hub = Arc::new(hub);
        let mut accepting = JoinSet::new();
        for (listener, address) in listeners {
            let listener =
                tokio::net::TcpListener::from_std(listener).map_err(WorkerError::System)?;
            let access = Arc::new(Access::new(&hub.common.config, address));
            accepting.spawn(accept(listener, access, Arc::clone(&hub), stop.clone()));
        }
        tokio::select! {
            () = stop.stopped() => {}
            // It ends first only by a panic.
            _ = &mut shard => return Err(WorkerError::Panic),
        }
        let closed = hub
            .group
            .disconnect_each(CloseCode::GOING_AWAY, talk::STOPS, |_| true);
        debug_assert!(closed.is_ok(), "code and reason can be sent");
        drop(hub);
        let mut drained = Drained::default();
        while let Some(of_listener) = accepting.join_next().await {
            drained.add(of_listener.map_err(panicked)?);
        }
        let retained = shard.await.map_err(panicked)?;
        Ok(Finished { drained, retained })
    }
}

fn panicked(_: JoinError) -> WorkerError {
    WorkerError::Panic
}

/// Does work in a thread, and gives what it comes to.
fn in_thread<T: Send + 'static>(
    index: usize,
    work: impl FnOnce() -> Result<T, WorkerError> + Send + 'static,
) -> io::Result<oneshot::Receiver<Result<T, WorkerError>>> {
    let (finished, outcome) = oneshot::channel();
    thread::Builder::new()
        .name(format!("hub-{index}"))
        .spawn(move || {
            // Nobody waits for it when the future that runs the hub was dropped.
            drop(finished.send(work()));
        })?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_in_its_thread_comes_to_nothing() {
        let outcome = in_thread::<()>(0, || panic!("a worker that fails")).unwrap();
        assert!(outcome.await.is_err());
        let outcome = in_thread(1, || Ok(5)).unwrap();
        assert!(matches!(outcome.await, Ok(Ok(5))));
    }
}
