//! Why a receive gave nothing.

use crate::error::Error;

/// Says why nothing was received. The connection is unharmed: receive again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// Nothing arrived in time. What arrived in part is kept.
    #[error("nothing was received in time")]
    TimedOut,
    /// The call was made inside of an async runtime.
    #[error("a blocking call cannot be made inside of an async runtime: use a thread of its own")]
    InsideRuntime,
}

impl From<RecvError> for Error {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::TimedOut => Self::RecvTimeout,
            RecvError::InsideRuntime => Self::InsideRuntime,
        }
    }
}
