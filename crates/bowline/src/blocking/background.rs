//! The thread that waits for sockets and clocks.

use std::{
    future::{Future, pending},
    io,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    time::timeout,
};

use super::RecvError;
use crate::error::Error;

/// Waits for futures on the calling thread, while the background thread drives sockets and clocks.
#[derive(Clone, Debug)]
pub(super) struct Background(Handle);

/// How the calls of one connection wait.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    background: Background,
    pub(super) receive_timeout: Option<Duration>,
    pub(super) send_timeout: Option<Duration>,
}

/// The calling thread belongs to an async runtime.
#[derive(Debug)]
pub(super) struct InsideRuntime;

impl Background {
    /// Gives the one of the process, and starts it if this is the first call.
    pub(super) fn get() -> io::Result<Self> {
        static STARTED: Mutex<Option<Background>> = Mutex::new(None);
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(background) = &*started {
            return Ok(background.clone());
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let background = Self(runtime.handle().clone());
        thread::Builder::new()
            .name("bowline-blocking".to_owned())
            .spawn(move || runtime.block_on(pending::<()>()))?;
        *started = Some(background.clone());
        Ok(background)
    }

    /// Waits for a future.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, InsideRuntime> {
        match Handle::try_current() {
            Ok(_) => Err(InsideRuntime),
            Err(_) => Ok(self.0.block_on(future)),
        }
    }

    /// Makes something that belongs to the background thread.
    pub(super) fn enter<T>(&self, make: impl FnOnce() -> T) -> T {
        let _guard = self.0.enter();
        make()
    }
}

impl Calls {
    pub(super) const fn new(background: Background) -> Self {
        Self {
            background,
            receive_timeout: None,
            send_timeout: None,
        }
    }

    /// Waits for a future, as long as it takes.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, InsideRuntime> {
        self.background.wait(future)
    }

    /// Waits for what is received.
    pub(super) fn receive<T>(&self, future: impl Future<Output = T>) -> Result<T, RecvError> {
        match self.receive_timeout {
            None => Ok(self.wait(future)?),
            Some(patience) => self.receive_within(patience, future),
        }
    }

    /// Waits for what is received, for so long at most.
    pub(super) fn receive_within<T>(
        &self,
        patience: Duration,
        future: impl Future<Output = T>,
    ) -> Result<T, RecvError> {
        self.wait(async { timeout(patience, future).await })?
            .map_err(|_| RecvError::TimedOut)
    }

    /// Waits for a send; false when it took too long.
    pub(super) fn send(
        &self,
        future: impl Future<Output = Result<(), Error>>,
    ) -> Result<bool, Error> {
        let Some(patience) = self.send_timeout else {
            return self.wait(future)?.map(|()| true);
        };
        match self.wait(async { timeout(patience, future).await })? {
            Ok(sent) => sent.map(|()| true),
            Err(_) => Ok(false),
        }
    }
}

impl From<InsideRuntime> for Error {
    fn from(_: InsideRuntime) -> Self {
        Self::InsideRuntime
    }
}

impl From<InsideRuntime> for RecvError {
    fn from(_: InsideRuntime) -> Self {
        Self::InsideRuntime
    }
}
