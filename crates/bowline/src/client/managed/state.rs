//! What a client is doing, and why it stopped.

use std::{fmt, sync::Arc};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

use super::{core::Core, failure::Failure};

/// Tells what a client is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// A link is being made; before that, the old one may still be closing.
    Connecting {
        /// Counts the attempts since the last link that was stable; the first is 1.
        attempt: u32,
    },
    /// There is a link, and its on-open hook is done.
    Open,
    /// The last attempt failed, or the last link ended; the next attempt is due later.
    Waiting {
        /// When the next attempt begins, by tokio's clock.
        until: Instant,
    },
    /// There is no link and none will be made, until [`Client::reconnect`](super::Client::reconnect)
    /// or a new endpoint.
    Closed {
        /// Why.
        why: ClosedWhy,
    },
}

impl ClientState {
    /// Says whether the client is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}

impl fmt::Display for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { attempt } => write!(f, "connecting (attempt {attempt})"),
            Self::Open => f.write_str("open"),
            Self::Waiting { until } => {
                let left = until.saturating_duration_since(Instant::now());
                write!(f, "waiting for {:.1} s", left.as_secs_f64())
            }
            Self::Closed { why } => write!(f, "closed: {why}"),
        }
    }
}

/// Says why a client is closed.
#[derive(Clone, Debug)]
pub enum ClosedWhy {
    /// [`Client::close`](super::Client::close) was called.
    Asked,
    /// Every endpoint failed in a way that the same attempt would meet again.
    Fatal(Arc<Failure>),
    /// As many attempts in a row failed as the policy allows.
    AttemptsUsedUp(Arc<Failure>),
    /// There is no link, and the policy is to reconnect by hand.
    Manual(Arc<Failure>),
    /// For good: the last handle was dropped, or the runtime ended.
    Stopped,
}

impl ClosedWhy {
    /// Gives the failure that led here, if one did.
    pub const fn failure(&self) -> Option<&Arc<Failure>> {
        match self {
            Self::Fatal(failure) | Self::AttemptsUsedUp(failure) | Self::Manual(failure) => {
                Some(failure)
            }
            Self::Asked | Self::Stopped => None,
        }
    }
}

/// Two are equal if they are of one kind and of the same failure, not merely of a similar one.
impl PartialEq for ClosedWhy {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && match (self.failure(), other.failure()) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (one, other) => one.is_none() && other.is_none(),
            }
    }
}

impl Eq for ClosedWhy {}

impl fmt::Display for ClosedWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("as asked"),
            Self::Fatal(failure) => write!(f, "another attempt would fail alike: {failure}"),
            Self::AttemptsUsedUp(failure) => write!(f, "too many attempts failed: {failure}"),
            Self::Manual(failure) => write!(f, "until reconnected by hand: {failure}"),
            Self::Stopped => f.write_str("for good"),
        }
    }
}

/// Follows the state of a client. Each one remembers what it has reported.
///
/// It does not keep the client open.
pub struct StateWatch {
    core: Arc<Core>,
    transitions: Receiver<ClientState>,
    reported: ClientState,
}

impl StateWatch {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let (reported, transitions) = core.control.subscribe();
        Self {
            core,
            transitions,
            reported,
        }
    }

    /// Gives the present state. It then counts as reported, with all that led to it.
    pub fn current(&mut self) -> ClientState {
        (self.reported, self.transitions) = self.core.control.subscribe();
        self.reported.clone()
    }

    /// Waits for the next transition and reports the state it led to.
    ///
    /// Every transition is reported once, in order, also one that is over by now; of more than 32
    /// that nobody asked for, the last 32. `None` once the client has stopped for good and that was
    /// reported. Cancel-safe.
    pub async fn changed(&mut self) -> Option<ClientState> {
        if self.reported == STOPPED {
            return None;
        }
        loop {
            match self.transitions.recv().await {
                Ok(state) => {
                    self.reported = state.clone();
                    return Some(state);
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Waits until the state is, or for a moment was, one that `is_wanted` accepts; begins with the
    /// present one. `None` if the client stopped for good and never will be. Cancel-safe.
    pub async fn wait_for(
        &mut self,
        is_wanted: impl Fn(&ClientState) -> bool,
    ) -> Option<ClientState> {
        let mut state = self.current();
        while !is_wanted(&state) {
            state = self.changed().await?;
        }
        Some(state)
    }
}

impl fmt::Debug for StateWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateWatch")
            .field("reported", &self.reported)
            .finish_non_exhaustive()
    }
}

const STOPPED: ClientState = ClientState::Closed {
    why: ClosedWhy::Stopped,
};
