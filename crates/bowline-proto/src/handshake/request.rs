//! The head of an HTTP/1.x request.

use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::error::HeadError;
use super::field::{is_field_value, is_token, split_authority, write_field};
use super::head::{HeadLimits, HeadParser};
use super::headers::{Headers, Span};

/// A checked request head that owns its bytes.
#[derive(Clone)]
pub struct RequestHead {
    method: Span,
    target: Span,
    version: HttpVersion,
    headers: Headers,
}

impl RequestHead {
    /// Makes a head from the parts of a request that somebody else has parsed, an HTTP library
    /// for instance.
    ///
    /// # Errors
    ///
    /// [`HeadError`] when a part could not stand in a head, or a limit is passed.
    pub fn from_parts<'p>(
        method: &str,
        target: &str,
        version: HttpVersion,
        fields: impl IntoIterator<Item = (&'p str, &'p [u8])>,
        limits: HeadLimits,
    ) -> Result<Self, HeadError> {
        let is_target_byte = |byte: u8| byte > b' ' && byte != 0x7f;
        if !is_token(method.as_bytes()) || !target.bytes().all(is_target_byte) {
            return Err(HeadError::StartLine);
        }
        let mut bytes = BytesMut::with_capacity(512);
        for part in [method, " ", target, " ", version.as_str(), "\r\n"] {
            bytes.put_slice(part.as_bytes());
        }
        for (name, value) in fields {
            if !is_token(name.as_bytes()) {
                return Err(HeadError::HeaderName);
            }
            if !is_field_value(value) {
                return Err(HeadError::HeaderValue);
            }
            write_field(&mut bytes, name, value);
        }
        bytes.put_slice(b"\r\n");
        let parsed = HeadParser::new(limits).handle_input(&bytes)?;
        parsed.map(|parsed| parsed.head).ok_or(HeadError::StartLine)
    }

    /// Returns the method, in the case in which it was sent.
    pub fn method(&self) -> &str {
        self.method.text(self.headers.bytes())
    }

    /// Returns the request target as sent: a path with an optional query, or an absolute URL
    /// (RFC 9112 section 3.2).
    pub fn target(&self) -> &str {
        self.target.text(self.headers.bytes())
    }

    /// Returns the path of the target, without the query and not decoded.
    pub fn path(&self) -> &str {
        let path = self.resource().split('?').next().unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// Returns the query of the target, without the question mark and not decoded.
    pub fn query(&self) -> Option<&str> {
        self.resource().split_once('?').map(|(_, query)| query)
    }

    /// Returns the host and port asked for: those of an absolute target, else the `Host` field
    /// (RFC 9112 section 3.2.2).
    pub fn authority(&self) -> Option<&str> {
        match self.absolute() {
            Some((authority, _)) => Some(authority),
            None => self.headers.text("host"),
        }
    }

    /// Tells whether the `Origin` field names the host and port that the request asks for.
    ///
    /// A browser sends `Origin` with every handshake, whatever page started it: a server that
    /// knows its users by cookies must compare it (RFC 6455 section 10.2). A port left out is the
    /// default of the origin's scheme, because a head does not tell whether TLS is used. Without
    /// an `Origin` field the answer is `false`.
    pub fn is_same_origin(&self) -> bool {
        let parts = || {
            let (scheme, origin) = self.headers.text("origin")?.split_once("://")?;
            let default_port = match scheme {
                "http" => 80,
                "https" => 443,
                _ => return None,
            };
            let (origin_host, origin_port) = split_authority(origin)?;
            let (host, port) = split_authority(self.authority()?)?;
            let same_port = origin_port.unwrap_or(default_port) == port.unwrap_or(default_port);
            Some(same_port && origin_host.eq_ignore_ascii_case(host))
        };
        parts().unwrap_or(false)
    }

    /// Returns the HTTP version.
    pub const fn version(&self) -> HttpVersion {
        self.version
    }

    /// Returns the header fields.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Returns the head as it came, with the empty line that ends it.
    ///
    /// A server that shares its port with HTTP gives these bytes, and those after them, to it.
    pub const fn as_bytes(&self) -> &Bytes {
        self.headers.bytes()
    }

    /// Parses a whole head, with room for exactly its header fields.
    pub(crate) fn parse_with<'b>(
        bytes: &'b Bytes,
        fields: &mut [httparse::Header<'b>],
    ) -> Result<Self, HeadError> {
        let mut request = httparse::Request::new(fields);
        if request.parse(bytes)?.is_partial() {
            return Err(HeadError::StartLine);
        }
        let part = |text: Option<&str>| {
            let text = text.ok_or(HeadError::StartLine)?;
            Ok::<_, HeadError>(Span::locate(text.as_bytes(), bytes))
        };
        Ok(Self {
            method: part(request.method)?,
            target: part(request.path)?,
            version: HttpVersion::from_minor(request.version)?,
            headers: Headers::locate(bytes, request.headers),
        })
    }

    /// Splits an absolute target into authority and the rest.
    fn absolute(&self) -> Option<(&str, &str)> {
        let target = self.target();
        if target.starts_with('/') {
            return None;
        }
        let (_, rest) = target.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.split_at_checked(end)
    }

    /// Returns path and query.
    fn resource(&self) -> &str {
        match self.absolute() {
            Some((_, resource)) => resource,
            None => self.target(),
        }
    }
}

/// Leaves out the query, which may hold passwords.
impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method())
            .field("path", &self.path())
            .field("version", &self.version)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The version of HTTP/1 that a head names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpVersion {
    /// HTTP/1.0, which cannot be upgraded.
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl HttpVersion {
    /// Returns the version as it stands in a head.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }

    pub(crate) const fn from_minor(minor: Option<u8>) -> Result<Self, HeadError> {
        match minor {
            Some(0) => Ok(Self::Http10),
            Some(1) => Ok(Self::Http11),
            _ => Err(HeadError::Version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, fields: &[(&str, &str)]) -> Result<RequestHead, HeadError> {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        RequestHead::from_parts(
            "GET",
            target,
            HttpVersion::Http11,
            fields,
            HeadLimits::default(),
        )
    }

    #[test]
    fn target_is_split_into_authority_path_and_query() {
        for (target, authority, path, query) in [
            ("/", "h", "/", None),
            ("/a/b?c=d?e", "h", "/a/b", Some("c=d?e")),
            ("/?", "h", "/", Some("")),
            ("/a?u=http://x/y", "h", "/a", Some("u=http://x/y")),
            ("http://x:1/a?b", "x:1", "/a", Some("b")),
            ("wss://x", "x", "/", None),
            ("http://x?b", "x", "/", Some("b")),
        ] {
            let head = head(target, &[("Host", "h")]).unwrap();
            assert_eq!(head.target(), target);
            assert_eq!(head.authority(), Some(authority), "{target}");
            assert_eq!(head.path(), path, "{target}");
            assert_eq!(head.query(), query, "{target}");
        }
    }

    // RFC 6455 section 10.2, RFC 6454 section 7.
    #[test]
    fn origin_is_compared_with_host_and_port() {
        for (origin, host, same) in [
            ("http://a.example", "a.example", true),
            ("https://A.example", "a.EXAMPLE", true),
            ("http://a:80", "a", true),
            ("https://a", "a:443", true),
            ("http://a:8080", "a:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://a:8080", "a", false),
            ("https://a", "a:80", false),
            ("http://b", "a", false),
            ("http://a.evil", "a", false),
            ("http://a@b", "b", false),
            ("null", "a", false),
            ("", "a", false),
            ("file://", "a", false),
            ("a", "a", false),
        ] {
            let head = head("/", &[("Host", host), ("Origin", origin)]).unwrap();
            assert_eq!(head.is_same_origin(), same, "{origin} {host}");
        }
        assert!(!head("/", &[("Host", "a")]).unwrap().is_same_origin());
    }

    #[test]
    fn foreign_parts_cannot_smuggle_a_line() {
        assert_eq!(
            head("/ HTTP/1.1\r\nX: 1", &[]).unwrap_err(),
            HeadError::StartLine
        );
        assert_eq!(head("", &[]).unwrap_err(), HeadError::StartLine);
        assert_eq!(
            head("/", &[("A", "1\r\nB: 2")]).unwrap_err(),
            HeadError::HeaderValue
        );
        assert_eq!(
            head("/", &[("A\r\nB", "1")]).unwrap_err(),
            HeadError::HeaderName
        );
    }
}
