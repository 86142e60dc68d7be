//! Where a request carries the id of its session.

use bowline_proto::handshake::RequestHead;

/// Names a place in a request where the id of a session may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionSource {
    /// The value of a header.
    Header(Box<str>),
    /// The value of a cookie.
    Cookie(Box<str>),
    /// The value of a parameter in the query of the URI.
    Query(Box<str>),
}

impl SessionSource {
    /// Finds the id in a request.
    pub(super) fn find<'r>(&self, request: &'r RequestHead) -> Option<&'r str> {
        match self {
            Self::Header(name) => request.headers().text(name),
            Self::Cookie(name) => {
                let cookie = request
                    .headers()
                    .cookies()
                    .find(|(n, _)| *n == name.as_bytes())?;
                std::str::from_utf8(cookie.1).ok()
            }
            Self::Query(name) => {
                let mut parameters = request
                    .query()?
                    .split('&')
                    .filter_map(|p| p.split_once('='));
                parameters
                    .find(|(n, _)| *n == &**name)
                    .map(|(_, value)| value)
            }
        }
    }
}
