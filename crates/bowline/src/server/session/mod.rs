//! What a program remembers of a visitor between and during connections.

mod source;
mod table;
mod tasks;

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

pub use source::SessionSource;
pub use table::{SessionError, SessionOptions, Sessions};
use tasks::Tasks;

use super::{handle::ConnectionHandle, id::ConnectionId};

/// One visitor's session: an id, the application's data, and the connection it uses now.
///
/// Clones share it. It is in every event of a connection it was attached to, see
/// [`ConnectionHandle::session`]. What connections with it send and receive keeps it alive.
pub struct Session<T> {
    inner: Arc<SessionInner<T>>,
}

pub(super) struct SessionInner<T> {
    id: Box<str>,
    data: T,
    created: Instant,
    /// Milliseconds from `created` to the last sign of use.
    active_after_ms: AtomicU64,
    timeout_minutes: AtomicU64,
    alive: AtomicBool,
    connection: Mutex<Option<ConnectionHandle>>,
    destroyed: Mutex<Vec<Destroyed<T>>>,
    tasks: Tasks<T>,
}

/// What is called when a session is destroyed.
type Destroyed<T> = Box<dyn FnOnce(&Session<T>) + Send>;

impl<T: Send + Sync + 'static> Session<T> {
    fn new(id: Box<str>, data: T, timeout: Duration) -> Self {
        Self {
            inner: Arc::new(SessionInner {
                id,
                data,
                created: Instant::now(),
                active_after_ms: AtomicU64::new(0),
                timeout_minutes: AtomicU64::new(minutes(timeout)),
                alive: AtomicBool::new(true),
                connection: Mutex::new(None),
                destroyed: Mutex::new(Vec::new()),
                tasks: Tasks::default(),
            }),
        }
    }

    /// Gives the id: 128 random bits as text, to be kept by the visitor.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Gives the application's data.
    pub fn data(&self) -> &T {
        &self.inner.data
    }

    /// Tells when the session was made.
    pub fn created(&self) -> Instant {
        self.inner.created
    }

    /// Tells when the session was last used.
    pub fn last_active(&self) -> Instant {
        let after = self.inner.active_after_ms.load(Ordering::Relaxed);
        self.inner.created + Duration::from_millis(after)
    }

    /// Says whether the session was not destroyed yet.
    pub fn is_alive(&self) -> bool {
        self.inner.alive.load(Ordering::Acquire)
    }

    /// Gives how long the session lives without use; zero is for ever.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.inner.timeout_minutes.load(Ordering::Relaxed) * SECONDS_PER_MINUTE)
    }

    /// Sets how long the session lives without use, in whole minutes, rounded up; zero is for
    /// ever.
    pub fn set_timeout(&self, timeout: Duration) {
        self.inner
            .timeout_minutes
            .store(minutes(timeout), Ordering::Relaxed);
    }

    /// Gives the connection the session was attached to last; `None` once that is over.
    pub fn connection(&self) -> Option<ConnectionHandle> {
        self.inner
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes that the session is in use. Traffic does so by itself.
    pub fn touch(&self) {
        self.inner.touch();
    }

    /// Has `call` called once when the session is destroyed; at once if it is already. One that
    /// panics then harms no other.
    pub fn on_destroy(&self, call: impl FnOnce(&Self) + Send + 'static) {
        let mut destroyed = self
            .inner
            .destroyed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.is_alive() {
            destroyed.push(Box::new(call));
        } else {
            drop(destroyed);
            call(self);
        }
    }

    /// Gives the session in the form a connection is accepted with.
    pub fn attach(&self) -> Arc<dyn AttachedSession> {
        Arc::clone(&self.inner) as Arc<dyn AttachedSession>
    }

    /// Says whether the session was unused for longer than its timeout.
    fn is_expired(&self, now: Instant) -> bool {
        let timeout = self.timeout();
        !timeout.is_zero() && now.saturating_duration_since(self.last_active()) >= timeout
    }

    /// Ends the session and calls what waits for that, once.
    fn destroy(&self) {
        let mut destroyed = self
            .inner
            .destroyed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.inner.alive.store(false, Ordering::Release);
        let calls = std::mem::take(&mut *destroyed);
        drop(destroyed);
        for call in calls {
            // One that panics must not take the others along, nor other sessions.
            drop(catch_unwind(AssertUnwindSafe(|| call(self))));
        }
    }
}

impl<T> Clone for Session<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// The id is a secret of the visitor and stays out of logs.
impl<T> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("created", &self.inner.created)
            .finish_non_exhaustive()
    }
}

/// A session of any type, as a connection holds it.
pub trait AttachedSession: Any + Send + Sync {
    /// Notes the connection that uses the session now.
    fn attached(&self, connection: &ConnectionHandle);
    /// Notes that a connection is over.
    fn detached(&self, connection: ConnectionId);
    /// Notes that the session is in use.
    fn touch(&self);
}

impl<T: Send + Sync + 'static> AttachedSession for SessionInner<T> {
    fn attached(&self, connection: &ConnectionHandle) {
        let mut current = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Some(connection.clone());
        drop(current);
        self.touch();
    }

    fn detached(&self, connection: ConnectionId) {
        let mut current = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|current| current.id() == connection)
        {
            *current = None;
        }
    }

    fn touch(&self) {
        let after = self.created.elapsed().as_millis();
        let after = u64::try_from(after).unwrap_or(u64::MAX);
        self.active_after_ms.fetch_max(after, Ordering::Relaxed);
    }
}

impl ConnectionHandle {
    /// Gives the session attached when the connection was accepted, if its data is of type `T`.
    pub fn session<T: Send + Sync + 'static>(&self) -> Option<Session<T>> {
        let session: Arc<dyn Any + Send + Sync> =
            self.attributes().session.as_ref().map(Arc::clone)?;
        session.downcast().ok().map(|inner| Session { inner })
    }

    /// Tells the session that the connection uses it.
    pub(super) fn attach_session(&self) {
        if let Some(session) = &self.attributes().session {
            session.attached(self);
        }
    }

    /// Tells the session that the connection is over.
    pub(super) fn detach_session(&self) {
        if let Some(session) = &self.attributes().session {
            session.detached(self.id());
        }
    }

    /// Says whether this is a connection of a session.
    pub fn has_session<T: Send + Sync + 'static>(&self, session: &Session<T>) -> bool {
        let own = self.session::<T>();
        own.is_some_and(|own| Arc::ptr_eq(&own.inner, &session.inner))
    }
}

fn minutes(timeout: Duration) -> u64 {
    timeout.as_secs().div_ceil(SECONDS_PER_MINUTE)
}

const SECONDS_PER_MINUTE: u64 = 60;
