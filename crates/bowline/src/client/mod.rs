//! Connecting to a WebSocket server.

mod connector;
mod credentials;
mod dial;
mod digest;
mod endpoint;
pub(crate) mod error;
mod journey;
mod login;
pub mod managed;
mod opening;
mod proxy;
mod race;
mod request;
mod resolver;
mod tcp;
mod timeouts;

pub use connector::Connector;
pub use credentials::Credentials;
pub use endpoint::Endpoint;
pub use proxy::{NoProxy, Proxy, ProxyChoice, ProxyVariables};
pub use resolver::{ADDRESS_COUNT_MAX, Resolver};
pub use tcp::TcpOptions;
pub use timeouts::Timeouts;

use crate::{error::Error, socket::WebSocket};

/// Connects to `ws://` or `wss://`, with the defaults of [`Connector`].
///
/// Not cancel-safe: dropping the future gives the attempt up.
///
/// # Errors
/// As [`Connector::connect`].
pub async fn connect(url: &str) -> Result<WebSocket, Error> {
    Connector::default().connect(url).await
}
