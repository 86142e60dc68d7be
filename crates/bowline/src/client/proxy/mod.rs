//! Connecting through a proxy.

mod choice;
mod http;
mod no_proxy;
mod socks;

use std::{fmt, time::Duration};

use bowline_proto::handshake::ClientLimits;
use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::TlsStream;
use url::{Host, Url};

pub use choice::{ProxyChoice, ProxyVariables};
pub use no_proxy::NoProxy;

use super::{Endpoint, endpoint::host_and_port, error::ProxyError, login::Login, timeouts::within};
use crate::{
    error::{ConnectPhase, Error, UrlError},
    transport::ClientTls,
};

/// A proxy that tunnels to the server. It never sees what is under TLS with the server.
#[derive(Clone, PartialEq)]
pub struct Proxy {
    kind: ProxyKind,
    host: String,
    port: u16,
    login: Option<Login>,
    tls: Option<ClientTls>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProxyKind {
    /// CONNECT of HTTP.
    Http,
    /// CONNECT of HTTP under TLS.
    Https,
    /// SOCKS5; the proxy looks names up.
    Socks5,
}

impl Proxy {
    /// Reads a URL: `http://`, `https://`, `socks5://` or `socks5h://`, with name and password if
    /// the proxy wants them. Without a scheme it is `http://`.
    ///
    /// The ports without which a URL does are 80, 443 and 1080. `socks5` and `socks5h` are the
    /// same: the proxy looks names up, so that nobody on this side learns them.
    ///
    /// # Errors
    /// [`ProxyError::Url`] or [`ProxyError::Scheme`].
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        Self::parse_from(None, url)
    }

    /// Sets name and password, in place of those in the URL.
    #[must_use]
    pub fn with_login(mut self, name: &str, password: &str) -> Self {
        self.login = Some(Login::new(name, password));
        self
    }

    /// Sets how a proxy under TLS is checked; without it the operating system says who is trusted.
    #[must_use]
    pub fn with_tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Gives the host without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Gives the port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    fn parse_from(variable: Option<&str>, text: &str) -> Result<Self, ProxyError> {
        let variable = || variable.map(Into::into);
        let fail = |reason| ProxyError::Url {
            variable: variable(),
            reason,
        };
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|error| fail(error.into()))?;
        let (kind, default_port) = match url.scheme() {
            "http" => (ProxyKind::Http, 80),
            "https" => (ProxyKind::Https, 443),
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            other => {
                return Err(ProxyError::Scheme {
                    variable: variable(),
                    scheme: other.into(),
                });
            }
        };
        let host = match url.host().ok_or_else(|| fail(UrlError::Host))? {
            Host::Domain("") => return Err(fail(UrlError::Host)),
            Host::Domain(name) => name.to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self {
            kind,
            host,
            port: url.port().unwrap_or(default_port),
            login: Login::of_url(&url),
            tls: None,
        })
    }

    /// Gives host and port as they are told in errors.
    pub(super) fn authority(&self) -> Box<str> {
        host_and_port(&self.host, self.port)
    }

    /// Opens a tunnel to the server over a connection to this proxy, within the deadline.
    ///
    /// # Errors
    /// [`Error::Proxy`] and [`Error::Timeout`].
    pub(super) async fn open(
        &self,
        tcp: TcpStream,
        endpoint: &Endpoint,
        limits: ClientLimits,
        deadline: Duration,
    ) -> Result<Tunnel, Error> {
        let start = Instant::now();
        match self.kind {
            ProxyKind::Http => {
                let tcp = http::open(tcp, self, endpoint, limits, deadline).await?;
                Ok(Tunnel::Tcp(tcp))
            }
            ProxyKind::Https => {
                let handshake = self.secure(tcp);
                let stream = within(deadline, ConnectPhase::Proxy, handshake).await?;
                let left = deadline.saturating_sub(start.elapsed());
                let stream = http::open(stream, self, endpoint, limits, left).await?;
                Ok(Tunnel::Tls(Box::new(stream)))
            }
            ProxyKind::Socks5 => {
                let opening = async { Ok(socks::open(tcp, self, endpoint).await?) };
                let tcp = within(deadline, ConnectPhase::Proxy, opening).await?;
                Ok(Tunnel::Tcp(tcp))
            }
        }
    }

    /// Makes the TLS handshake with the proxy.
    async fn secure(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        let fail = |source| ProxyError::Tls {
            proxy: self.authority(),
            source,
        };
        let tls = match &self.tls {
            Some(tls) => tls.clone(),
            None => ClientTls::native().map_err(fail)?,
        };
        let stream = tls.handshake(&self.host, tcp).await.map_err(fail)?;
        Ok(stream)
    }
}

/// Name and password stay out of logs.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Https => "https",
            ProxyKind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}", self.authority())
    }
}

/// A stream that leads to the server.
#[derive(Debug)]
pub(super) enum Tunnel {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_proxies_give_kind_host_port_and_login() {
        let cases = [
            ("http://proxy:3128", "http://proxy:3128", false),
            ("proxy:3128", "http://proxy:3128", false),
            ("proxy", "http://proxy:80", false),
            ("10.0.0.1", "http://10.0.0.1:80", false),
            ("https://Proxy.Example/", "https://proxy.example:443", false),
            ("https://proxy:80", "https://proxy:80", false),
            ("socks5://me:p%40ss@proxy", "socks5://proxy:1080", true),
            ("socks5h://PROXY:80", "socks5://proxy:80", false),
            ("SOCKS5://[::1]:9", "socks5://[::1]:9", false),
            (" me@proxy:1 ", "http://proxy:1", true),
        ];
        for (url, shown, has_login) in cases {
            let proxy = Proxy::parse(url).unwrap();
            assert_eq!(format!("{proxy:?}"), shown, "{url}");
            assert_eq!(proxy.login.is_some(), has_login, "{url}");
        }
        let proxy = Proxy::parse("socks5://me:p%40ss@proxy").unwrap();
        assert_eq!(proxy.login, Some(Login::new("me", "p@ss")));
        let proxy = proxy.with_login("you", "other");
        assert_eq!(proxy.login, Some(Login::new("you", "other")));
    }

    #[test]
    fn other_urls_are_refused_without_showing_them() {
        for url in [
            "",
            "socks5://",
            "http://a b",
            "http://:s3cret@",
            "proxy:99999",
        ] {
            let error = Proxy::parse(url).unwrap_err();
            assert!(matches!(error, ProxyError::Url { .. }), "{url}: {error:?}");
            assert!(!error.to_string().contains("s3cret"));
        }
        for url in ["socks4://proxy", "ftp://proxy"] {
            let error = Proxy::parse(url).unwrap_err();
            assert!(matches!(error, ProxyError::Scheme { .. }), "{url}");
        }
    }
}
