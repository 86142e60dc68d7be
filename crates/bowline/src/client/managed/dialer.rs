//! Who makes links.

use std::{future::Future, pin::Pin};

use crate::{
    client::{Connector, Endpoint},
    error::Error,
    socket::WebSocket,
    transport::Transport,
};

/// Makes links for a client: a [`Connector`], or something of the application's own, such as a
/// tunnel or a test.
pub trait Dialer: Send + Sync + 'static {
    /// The stream below the links.
    type Stream: Transport;

    /// Makes a link to an endpoint. The future is dropped to give the attempt up, and must let go
    /// of every socket then.
    fn make_link(
        &self,
        endpoint: &Endpoint,
    ) -> impl Future<Output = Result<WebSocket<Self::Stream>, Error>> + Send;
}

impl Dialer for Connector {
    type Stream = crate::transport::Stream;

    async fn make_link(&self, endpoint: &Endpoint) -> Result<WebSocket, Error> {
        self.connect_to(endpoint).await
    }
}

/// A [`Dialer`] of any type.
pub(super) trait AnyDialer: Send + Sync {
    fn dial_any<'a>(&'a self, endpoint: &'a Endpoint, attempt: u32) -> Dialling<'a>;
}

pub(super) type Dialling<'a> =
    Pin<Box<dyn Future<Output = Result<super::OpenLink, Error>> + Send + 'a>>;

impl<D: Dialer> AnyDialer for D {
    fn dial_any<'a>(&'a self, endpoint: &'a Endpoint, attempt: u32) -> Dialling<'a> {
        Box::pin(async move {
            let ws = self.make_link(endpoint).await?;
            Ok(super::OpenLink::new(ws, endpoint, attempt))
        })
    }
}
