//! Where a WebSocket URL points.

use std::fmt;

use url::{Host, Url};

use super::login::Login;
use crate::error::UrlError;

/// A WebSocket URL, taken apart (RFC 6455 section 3).
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) secure: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The `Host` field: with a port only if it is not the scheme's own.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) target: String,
    /// Name and password in the URL.
    pub(super) login: Option<Login>,
}

impl Endpoint {
    /// Reads a URL: `ws://` or `wss://`, a name or an IPv4 or IPv6 literal, by default port 80 or
    /// 443. A name and password in it become Basic credentials, or answer a Digest challenge.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        Self::from_url(&Url::parse(url)?)
    }

    fn from_url(url: &Url) -> Result<Self, UrlError> {
        let secure = match url.scheme() {
            "ws" => false,
            "wss" => true,
            other => return Err(UrlError::Scheme(other.into())),
        };
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        let authority = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(UrlError::Host)?;
        let host = match url.host().ok_or(UrlError::Host)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let authority = match url.port() {
            Some(port) => format!("{authority}:{port}"),
            None => authority.to_owned(),
        };
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self {
            secure,
            host,
            port: url.port().unwrap_or(if secure { 443 } else { 80 }),
            authority,
            target,
            login: Login::of_url(url),
        })
    }

    /// Says whether the connection is under TLS.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Gives the host without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Gives the path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&*self.target, |(path, _)| path)
    }

    /// Gives the port, the scheme's own if the URL names none.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Tells whether both have the same scheme, host and port (RFC 6454 section 5).
    pub(super) fn is_same_origin(&self, other: &Self) -> bool {
        (self.secure, &*self.host, self.port) == (other.secure, &*other.host, other.port)
    }

    /// Follows the reference in a `Location` (RFC 9110 section 10.2.2). The schemes of HTTP stand
    /// for those of WebSocket; a fragment, and name and password, are left out.
    pub(super) fn follow(&self, location: &str) -> Result<Self, UrlError> {
        let scheme = if self.secure { "wss" } else { "ws" };
        let base = Url::parse(&format!("{scheme}://{}{}", self.authority, self.target))?;
        let mut url = base.join(location)?;
        let scheme = match url.scheme() {
            "http" => "ws",
            "https" => "wss",
            other => other,
        }
        .to_owned();
        if url.set_scheme(&scheme).is_err() {
            return Err(UrlError::Scheme(scheme.into()));
        }
        url.set_fragment(None);
        let mut endpoint = Self::from_url(&url)?;
        endpoint.login = None;
        Ok(endpoint)
    }
}

/// Name and password stay out of logs, and so does the query, where some servers want a token.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        let (path, query) = match self.target.split_once('?') {
            Some((path, _)) => (path, "?(hidden)"),
            None => (&*self.target, ""),
        };
        write!(f, "{scheme}://{}{path}{query}", self.authority)
    }
}

/// Writes host and port, with brackets around an IPv6 address.
pub(super) fn host_and_port(host: &str, port: u16) -> Box<str> {
    if host.contains(':') {
        format!("[{host}]:{port}").into()
    } else {
        format!("{host}:{port}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_give_host_port_and_target() {
        let cases = [
            (
                "ws://example.com",
                (false, "example.com", 80, "example.com", "/"),
            ),
            (
                "wss://example.com/a?b=c",
                (true, "example.com", 443, "example.com", "/a?b=c"),
            ),
            (
                "ws://127.0.0.1:9001/",
                (false, "127.0.0.1", 9001, "127.0.0.1:9001", "/"),
            ),
            (
                "ws://[::1]:9001/x",
                (false, "::1", 9001, "[::1]:9001", "/x"),
            ),
            ("wss://[::1]", (true, "::1", 443, "[::1]", "/")),
            (
                "WS://EXAMPLE.com:80/ä",
                (false, "example.com", 80, "example.com", "/%C3%A4"),
            ),
        ];
        for (url, (secure, host, port, authority, target)) in cases {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.secure, secure, "{url}");
            assert_eq!(endpoint.host, host, "{url}");
            assert_eq!(endpoint.port, port, "{url}");
            assert_eq!(endpoint.authority, authority, "{url}");
            assert_eq!(endpoint.target, target, "{url}");
        }
    }

    #[test]
    fn name_and_password_become_basic_credentials_and_stay_out_of_debug_output() {
        let endpoint = Endpoint::parse("ws://clown:big%3Aclown@localhost/a?token=s3cret").unwrap();
        assert_eq!(
            endpoint.login.as_ref().unwrap().basic(),
            b"Basic Y2xvd246YmlnOmNsb3du"
        );
        assert_eq!(format!("{endpoint:?}"), "ws://localhost/a?(hidden)");
    }

    #[test]
    fn references_are_followed_from_where_they_were_given() {
        let base = "wss://me:pw@a.example:8443/x/y?q=1";
        let cases = [
            ("z", "wss://a.example:8443/x/z"),
            ("/z?p=2", "wss://a.example:8443/z?p=2"),
            ("?p", "wss://a.example:8443/x/y?p"),
            ("//b.example/z", "wss://b.example/z"),
            ("https://b.example/z#part", "wss://b.example/z"),
            ("wss://b.example:443/", "wss://b.example/"),
            ("http://b.example:80/", "ws://b.example/"),
            ("https://b.example:80/", "wss://b.example:80/"),
            ("wss://you:pw@b.example/", "wss://b.example/"),
        ];
        for (location, expected) in cases {
            let followed = Endpoint::parse(base).unwrap().follow(location);
            assert_eq!(followed, Endpoint::parse(expected), "{location}");
        }
        for location in ["ftp://b.example/", "wss://", "https://[::1", "mailto:a@b"] {
            let followed = Endpoint::parse(base).unwrap().follow(location);
            assert!(followed.is_err(), "{location}: {followed:?}");
        }
    }

    #[test]
    fn other_schemes_fragments_and_missing_hosts_are_refused() {
        assert_eq!(
            Endpoint::parse("http://a/"),
            Err(UrlError::Scheme("http".into()))
        );
        assert_eq!(Endpoint::parse("ws://a/#b"), Err(UrlError::Fragment));
        assert!(matches!(
            Endpoint::parse("ws:///x y"),
            Err(UrlError::Syntax(_)) | Ok(_)
        ));
        assert!(matches!(
            Endpoint::parse("localhost:80"),
            Err(UrlError::Scheme(_))
        ));
        assert!(matches!(Endpoint::parse("/path"), Err(UrlError::Syntax(_))));
    }
}
