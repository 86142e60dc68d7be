//! Makes the links of one connection, by the values of the moment.

use bowline::{Connector, Endpoint, Error, Stream, WebSocket, managed::Dialer};
use tokio::sync::{mpsc, oneshot};

use super::attempt::{AttemptFailure, prepare};
use crate::{
    machine::{Attempt, AttemptError},
    plan::LinkId,
};

/// Asks the element what to attempt, each time.
#[derive(Debug)]
pub(super) struct LinkDialer {
    pub(super) link: LinkId,
    pub(super) base: Connector,
    pub(super) asks: mpsc::Sender<Ask>,
}

/// Asks for an attempt.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) link: LinkId,
    pub(super) reply: oneshot::Sender<Result<Attempt, AttemptError>>,
}

impl LinkDialer {
    async fn ask(&self) -> Result<Attempt, AttemptFailure> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask {
            link: self.link,
            reply,
        };
        self.asks
            .send(ask)
            .await
            .map_err(|_| AttemptFailure::Stopped)?;
        let attempt = answer.await.map_err(|_| AttemptFailure::Stopped)?;
        Ok(attempt?)
    }
}

impl Dialer for LinkDialer {
    type Stream = Stream;

    async fn make_link(&self, _endpoint: &Endpoint) -> Result<WebSocket, Error> {
        let dialer_error = |failure: AttemptFailure| Error::Dialer(failure.into());
        let attempt = self.ask().await.map_err(dialer_error)?;
        let (endpoint, connector) = prepare(&self.base, attempt).map_err(dialer_error)?;
        Box::pin(connector.connect_to(&endpoint)).await
    }
}
