//! The maker of client connections.

use std::{fmt, sync::Arc};

use bowline_proto::{deflate::negotiate::DeflateOffer, handshake::ClientLimits};

use super::{
    Credentials, Endpoint, ProxyChoice, Resolver, TcpOptions, Timeouts,
    journey::Journey,
    opening,
    request::{Asked, request},
    timeouts::within,
};
use crate::{
    error::{ConnectPhase, Error},
    options::Options,
    socket::WebSocket,
    transport::{ClientTls, Transport, Wiretap},
};

/// Makes the client's side of opening handshakes.
#[derive(Clone, Default)]
pub struct Connector {
    /// Configures the connections.
    pub options: Options,
    /// How servers are checked; `None` trusts what the operating system trusts.
    pub tls: Option<ClientTls>,
    /// Deadlines of the phases.
    pub timeouts: Timeouts,
    /// Bounds the answer of the server, and that of a proxy.
    pub limits: ClientLimits,
    /// Headers besides those of the handshake. They go to the origin of the first URL only, as
    /// any of them may be a password.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Cookies, each a name and a value; as the headers they go to the first origin only.
    pub cookies: Vec<(String, String)>,
    /// What the client calls itself; `None` sends no `User-Agent`.
    pub user_agent: Option<String>,
    /// Who the client says it is.
    pub credentials: Credentials,
    /// Subprotocols to offer, most wanted first.
    pub subprotocols: Vec<String>,
    /// Offers of permessage-deflate, most wanted first, in place of the one that
    /// `Options::deflate` makes; at most 16.
    pub deflate_offers: Vec<DeflateOffer>,
    /// What the header `Host` says in place of the host and port of the URL. As the headers it
    /// goes to the first origin only.
    pub host: Option<String>,
    /// The origin, for servers that want one.
    pub origin: Option<String>,
    /// How many redirects are followed (RFC 6455 section 4.1 leaves the choice). Default 0: a
    /// redirect is a refusal.
    ///
    /// A redirect never leads from TLS to plain text, and never twice to the same place. Where it
    /// leads to another scheme, host or port, credentials, cookies, headers and the client
    /// certificate are left behind, for good.
    pub redirect_count_max: usize,
    /// Which proxy leads to the server.
    pub proxy: ProxyChoice,
    /// How TCP connections are made.
    pub tcp: TcpOptions,
    /// Who looks names up; `None` asks the operating system.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// Who looks at what passes over the links; `None` for nobody.
    pub wiretap: Option<Arc<dyn Wiretap>>,
}

impl Connector {
    /// Adds a header to the request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds a cookie to the request. The value is sent as it is: what is not ASCII, and blanks,
    /// quotes, commas, semicolons and backslashes must be encoded before (RFC 6265 section 4.1.1).
    #[must_use]
    pub fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says what the client calls itself.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(user_agent.to_owned());
        self
    }

    /// Sets the credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Offers a subprotocol, less wanted than those offered before.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocols.push(subprotocol.to_owned());
        self
    }

    /// Names the origin, for servers that want one.
    #[must_use]
    pub fn with_origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// Sets how servers are checked.
    #[must_use]
    pub fn with_tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets which proxy leads to the server: a [`Proxy`](crate::Proxy) or a [`ProxyChoice`].
    #[must_use]
    pub fn with_proxy(mut self, proxy: impl Into<ProxyChoice>) -> Self {
        self.proxy = proxy.into();
        self
    }

    /// Follows up to this many redirects.
    #[must_use]
    pub const fn with_redirects(mut self, redirect_count_max: usize) -> Self {
        self.redirect_count_max = redirect_count_max;
        self
    }

    /// Connects to a URL.
    ///
    /// Not cancel-safe: dropping the future gives the attempt up.
    ///
    /// # Errors
    /// [`Error`] says which phase failed and why; [`Error::Refused`] has the server's answer if it
    /// was not 101, [`Error::Proxy`] that of the proxy.
    pub async fn connect(&self, url: &str) -> Result<WebSocket, Error> {
        self.connect_to(&Endpoint::parse(url)?).await
    }

    /// Connects to an endpoint. Not cancel-safe, as [`connect`](Self::connect).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_to(&self, endpoint: &Endpoint) -> Result<WebSocket, Error> {
        let journey = Box::pin(Journey::new(self, endpoint).make());
        let connected = within(self.timeouts.total, ConnectPhase::Total, journey).await;
        connected.map_err(|error| self.options.handshake_failed(error))
    }

    /// Makes the opening handshake on a stream that is connected already: a Unix socket, a tunnel.
    ///
    /// There is one request only: no redirect is followed, and no Digest challenge answered.
    ///
    /// Not cancel-safe: a dropped handshake drops the stream.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_on<S: Transport>(
        &self,
        endpoint: &Endpoint,
        stream: S,
    ) -> Result<WebSocket<S>, Error> {
        let connecting = async {
            let request = request(self, endpoint, Asked::AtFirst).await?;
            opening::handshake(self, &request, stream, endpoint.path()).await
        };
        let connected = connecting.await;
        connected.map_err(|error| self.options.handshake_failed(error))
    }
}

/// Shows the names of headers and cookies, not their values.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let cookies: Vec<_> = self.cookies.iter().map(|(name, _)| name).collect();
        f.debug_struct("Connector")
            .field("options", &self.options)
            .field("tls", &self.tls)
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("headers", &headers)
            .field("cookies", &cookies)
            .field("user_agent", &self.user_agent)
            .field("credentials", &self.credentials)
            .field("subprotocols", &self.subprotocols)
            .field("deflate_offers", &self.deflate_offers)
            .field("host", &self.host)
            .field("origin", &self.origin)
            .field("redirect_count_max", &self.redirect_count_max)
            .field("proxy", &self.proxy)
            .field("tcp", &self.tcp)
            .field("resolver", &self.resolver)
            .field("wiretap", &self.wiretap)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Proxy;

    #[test]
    fn nothing_secret_shows_in_debug_output() {
        let connector = Connector::default()
            .with_header("X-Api-Key", "s3cret")
            .with_cookie("id", "s3cret")
            .with_credentials(Credentials::digest("me", "s3cret"))
            .with_proxy(Proxy::parse("http://me:s3cret@proxy").unwrap());
        let shown = format!("{connector:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        for name in ["X-Api-Key", "id", "Digest", "http://proxy:80"] {
            assert!(shown.contains(name), "{name} in {shown}");
        }
        let bearer = Credentials::bearer(|_| async { Ok::<_, std::io::Error>("s3cret".into()) });
        assert_eq!(format!("{bearer:?}"), "Credentials(Bearer)");
    }
}
