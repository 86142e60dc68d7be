//! How long making a connection may take.

use std::{future::Future, time::Duration};

use tokio::time::timeout;

use crate::error::{ConnectPhase, Error};

/// How long the phases of connecting may take; [`Error::Timeout`] names the one that took longer.
///
/// With redirects or a Digest challenge the phases happen again, each with its whole time, but
/// [`total`](Self::total) bounds them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Asking the hook of [`Credentials::bearer`](crate::Credentials::bearer). Default 10 s.
    pub credentials: Duration,
    /// Looking the name of the server or proxy up. Default 10 s.
    pub resolve: Duration,
    /// Making the TCP connection, over all addresses. Default 10 s.
    pub connect: Duration,
    /// Agreeing with the proxy, with the TLS handshake with it. Default 10 s.
    pub proxy: Duration,
    /// The TLS handshake with the server. Default 10 s.
    pub tls: Duration,
    /// The opening handshake, with the body of a refusal. Default 10 s.
    pub handshake: Duration,
    /// Everything together. Default 30 s.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self {
            credentials: ten,
            resolve: ten,
            connect: ten,
            proxy: ten,
            tls: ten,
            handshake: ten,
            total: 3 * ten,
        }
    }
}

/// Gives an attempt up when its phase has taken too long.
pub(super) async fn within<T>(
    deadline: Duration,
    phase: ConnectPhase,
    attempt: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(deadline, attempt)
        .await
        .unwrap_or(Err(Error::Timeout(phase)))
}
