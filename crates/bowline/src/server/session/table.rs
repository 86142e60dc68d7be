//! The sessions of a server, by id.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bowline_proto::handshake::RequestHead;
use tokio::{sync::oneshot, time::Instant};

use super::{Session, SessionSource, tasks::Tasks};

/// Keeps sessions with data of type `T`. Clones share the table.
pub struct Sessions<T> {
    options: Arc<SessionOptions>,
    table: Arc<Mutex<HashMap<Box<str>, Session<T>>>>,
}

/// Configures a table of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// How long a session lives without use, in whole minutes; zero is for ever. Default 20
    /// minutes.
    pub idle_timeout: Duration,
    /// The most sessions. Default 100,000.
    pub sessions_max: usize,
    /// Where a request may carry its session's id; the first place that holds the id of a live
    /// session wins. Default: the header `X-Session`, the cookie `session`, the query parameter
    /// `session`.
    pub sources: Vec<SessionSource>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_mins(20),
            sessions_max: 100_000,
            sources: vec![
                SessionSource::Header("X-Session".into()),
                SessionSource::Cookie("session".into()),
                SessionSource::Query("session".into()),
            ],
        }
    }
}

/// Says why nothing was done with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// There are as many sessions as there may be.
    #[error("there are {0} sessions already, which is the limit")]
    TableFull(usize),
    /// There is no live session of that id.
    #[error("there is no live session of that id")]
    Unknown,
    /// Too many tasks wait for the session.
    #[error("too many tasks wait for the session")]
    Busy,
}

impl<T: Send + Sync + 'static> Sessions<T> {
    /// Makes an empty table.
    pub fn new(options: SessionOptions) -> Self {
        Self {
            options: Arc::new(options),
            table: Arc::default(),
        }
    }

    /// Makes a session.
    ///
    /// # Errors
    /// [`SessionError::TableFull`].
    pub fn create(&self, data: T) -> Result<Session<T>, SessionError> {
        let mut table = self.lock();
        if table.len() >= self.options.sessions_max {
            return Err(SessionError::TableFull(self.options.sessions_max));
        }
        let id: Box<str> = BASE64_URL_SAFE_NO_PAD
            .encode(rand::random::<[u8; 16]>())
            .into();
        let session = Session::new(id.clone(), data, self.options.idle_timeout);
        table.insert(id, session.clone());
        Ok(session)
    }

    /// Finds a live session.
    pub fn get(&self, id: &str) -> Option<Session<T>> {
        self.lock().get(id).cloned()
    }

    /// Finds the live session a request belongs to, at the places and in the order of
    /// [`SessionOptions::sources`].
    pub fn resolve(&self, request: &RequestHead) -> Option<Session<T>> {
        let table = self.lock();
        let mut ids = self
            .options
            .sources
            .iter()
            .filter_map(|source| source.find(request));
        ids.find_map(|id| table.get(id)).cloned()
    }

    /// Counts the live sessions.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Says whether there is no live session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Destroys a session; false if there is none of that id.
    pub fn destroy(&self, id: &str) -> bool {
        let removed = self.lock().remove(id);
        if let Some(session) = &removed {
            session.destroy();
        }
        removed.is_some()
    }

    /// Destroys the sessions that were unused for longer than their timeout; gives how many.
    pub fn sweep(&self, now: Instant) -> usize {
        let expired: Vec<_> = {
            let mut table = self.lock();
            let expired = table.extract_if(|_, session| session.is_expired(now));
            expired.map(|(_, session)| session).collect()
        };
        for session in &expired {
            session.destroy();
        }
        expired.len()
    }

    /// Gives a future that sweeps once a minute, until every clone of the table is dropped: spawn
    /// it.
    pub fn sweep_for_ever(&self) -> impl Future<Output = ()> + Send + use<T> {
        let table = Arc::downgrade(&self.table);
        let options = Arc::clone(&self.options);
        async move {
            let mut minute = tokio::time::interval(Duration::from_mins(1));
            loop {
                let now = minute.tick().await;
                let Some(table) = table.upgrade() else { return };
                let options = Arc::clone(&options);
                Self { options, table }.sweep(now);
            }
        }
    }

    /// Runs `task` on a session, after the tasks that came before it and never at the same time;
    /// the result may be awaited or not.
    ///
    /// Must be called inside a tokio runtime, whose threads for blocking work run the task.
    ///
    /// # Errors
    /// [`SessionError::Unknown`]; [`SessionError::Busy`] if 1024 tasks wait.
    pub fn run<R: Send + 'static>(
        &self,
        id: &str,
        task: impl FnOnce(&Session<T>) -> R + Send + 'static,
    ) -> Result<oneshot::Receiver<R>, SessionError> {
        let session = self.get(id).ok_or(SessionError::Unknown)?;
        let (result, receiver) = oneshot::channel();
        let task = move |session: &Session<T>| {
            // Nobody may be waiting for it.
            drop(result.send(task(session)));
        };
        let turn = Tasks::push(&session, Box::new(task)).map_err(|_| SessionError::Busy)?;
        if let Some(turn) = turn {
            tokio::task::spawn_blocking(move || turn.run());
        }
        Ok(receiver)
    }

    /// Runs `task` on each session, as [`run`](Self::run); gives on how many.
    pub fn run_all(&self, task: impl Fn(&Session<T>) + Clone + Send + 'static) -> usize {
        let ids: Vec<_> = self.lock().keys().cloned().collect();
        self.run_each(ids.iter().map(|id| &**id), task)
    }

    /// Runs `task` on the live ones of several sessions, as [`run`](Self::run); gives on how many.
    pub fn run_each<'i>(
        &self,
        ids: impl IntoIterator<Item = &'i str>,
        task: impl Fn(&Session<T>) + Clone + Send + 'static,
    ) -> usize {
        ids.into_iter()
            .filter(|id| self.run(id, task.clone()).is_ok())
            .count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Session<T>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Sessions<T> {
    fn clone(&self) -> Self {
        Self {
            options: Arc::clone(&self.options),
            table: Arc::clone(&self.table),
        }
    }
}

impl<T> std::fmt::Debug for Sessions<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
