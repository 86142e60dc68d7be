//! Where a WebSocket URL points.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

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
    /// The value of `Authorization`, made of name and password in the URL.
    pub(crate) authorization: Option<String>,
}

impl Endpoint {
    /// Reads a URL: `ws://` or `wss://`, a name or an IPv4 or IPv6 literal, by default port 80 or
    /// 443. A name and password in it become Basic credentials.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let url = Url::parse(url)?;
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
            authorization: basic_credentials(&url),
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
}

/// Credentials stay out of logs.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority, self.target)
    }
}

/// RFC 7617.
fn basic_credentials(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut credentials: Vec<u8> = percent_decode_str(url.username()).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(url.password().unwrap_or_default()));
    Some(format!("Basic {}", BASE64_STANDARD.encode(credentials)))
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
        let endpoint = Endpoint::parse("ws://clown:big%3Aclown@localhost/").unwrap();
        assert_eq!(
            endpoint.authorization.as_deref(),
            Some("Basic Y2xvd246YmlnOmNsb3du")
        );
        assert_eq!(format!("{endpoint:?}"), "ws://localhost/");
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
