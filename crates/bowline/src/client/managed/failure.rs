//! Why there is no link.

use std::{error::Error as StdError, fmt};

use bowline_proto::Ending;

use crate::error::Error;

/// Says why an attempt failed, or how a link ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// No link could be made.
    Connect(Error),
    /// A link ended that was open.
    Ended(Ending),
    /// The on-open hook failed, so the new link was closed.
    Hook(Box<dyn StdError + Send + Sync>),
    /// The on-open hook took longer than its deadline, so the new link was closed.
    HookTimeout,
    /// The new link ended while the on-open hook ran.
    EndedInHook(Ending),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => fmt::Display::fmt(error, f),
            Self::Ended(ending) => {
                write!(f, "the link ended: {} ({})", ending.cause, ending.code)
            }
            Self::Hook(error) => write!(f, "the on-open hook failed: {error}"),
            Self::HookTimeout => f.write_str("the on-open hook took longer than its deadline"),
            Self::EndedInHook(ending) => write!(
                f,
                "the link ended while the on-open hook ran: {} ({})",
                ending.cause, ending.code
            ),
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            Self::Hook(error) => Some(&**error),
            Self::Ended(_) | Self::HookTimeout | Self::EndedInHook(_) => None,
        }
    }
}
