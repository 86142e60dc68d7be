//! What rules decide.

use std::fmt;

use thiserror::Error;

use super::name::RuleName;

/// What is to be done with a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Decision {
    /// Answer with [`REDIRECT_STATUS`](Self::REDIRECT_STATUS) and this `Location`: a path or an
    /// absolute URL of visible ASCII, safe to put in a header.
    Redirect(String),
    /// Answer with the status of the refusal.
    Refuse(RuleRefusal),
    /// Answer with [`CHALLENGE_STATUS`](Self::CHALLENGE_STATUS) and ask for the user in this
    /// realm: the rule that would let a known user in has named it. The reason is
    /// [`RuleRefusal::UserRequired`].
    Challenge(RuleName),
    /// Hand it to a handler.
    Route(Routed),
}

impl Decision {
    /// The status of redirects: temporary, with the method kept (RFC 9110 section 15.4.8).
    pub const REDIRECT_STATUS: u16 = 307;
    /// The status that asks who the user is (RFC 9110 section 15.5.2).
    pub const CHALLENGE_STATUS: u16 = 401;

    /// Gives the status to answer with, if the request goes to no handler.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect(_) => Some(Self::REDIRECT_STATUS),
            Self::Refuse(refusal) => Some(refusal.status()),
            Self::Challenge(_) => Some(Self::CHALLENGE_STATUS),
            Self::Route(_) => None,
        }
    }
}

/// One line, without queries.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(location) => {
                let shown = location.split(['?', '#']).next().unwrap_or_default();
                let hidden = if shown.len() < location.len() {
                    "..."
                } else {
                    ""
                };
                write!(f, "{} to {shown}{hidden}", Self::REDIRECT_STATUS)
            }
            Self::Refuse(refusal) => {
                let (status, code) = (refusal.status(), refusal.code());
                write!(f, "{status}: {refusal} (detail {code})")
            }
            Self::Challenge(realm) => {
                let refusal = RuleRefusal::UserRequired;
                let (status, code) = (Self::CHALLENGE_STATUS, refusal.code());
                let realm = realm.as_str();
                write!(f, "{status} in realm {realm:?}: {refusal} (detail {code})")
            }
            Self::Route(routed) => {
                let kind = if routed.websocket {
                    "WebSocket"
                } else {
                    "plain HTTP"
                };
                write!(f, "route {}, {kind}", routed.name)
            }
        }
    }
}

/// Leaves out queries, which may hold passwords.
impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decision({self})")
    }
}

/// Which handler a request goes to, and with what.
#[derive(Clone, PartialEq, Eq)]
pub struct Routed {
    /// The handler's name.
    pub name: RuleName,
    /// The path that the rules saw: decoded, without dot segments. Handlers that look at the path
    /// use this one, else they may read it differently from the rules.
    pub path: String,
    /// What each wildcard of the route's pattern took: of the path decoded, of the query as it
    /// can stand in one.
    pub captures: Vec<String>,
    /// Whether the request is an opening handshake, which the handler may accept. Otherwise it is
    /// plain HTTP.
    pub websocket: bool,
}

/// Leaves out the captures, which may come from the query.
impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("websocket", &self.websocket)
            .finish_non_exhaustive()
    }
}

/// Why rules refuse a request, as a number that stays the same from version to version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[repr(u16)]
#[non_exhaustive]
pub enum RuleRefusal {
    /// 200: the path is not one that rules are compared with; status 400.
    #[error("the path is malformed")]
    PathMalformed = 200,
    /// 201: no allow rule lets the request in; status 403.
    #[error("no rule allows the request")]
    NotAllowed = 201,
    /// 202: a deny rule keeps the request out; status 403.
    #[error("a rule denies the request")]
    Denied = 202,
    /// 203: the request is kept out, and is from nobody known; were the user known, an allow rule
    /// could let it in. Status 403; 401 if the rule or the listener names a realm to ask in.
    #[error("a rule allows the request to known users only")]
    UserRequired = 203,
    /// 204: the request is let in, but no route takes it; status 404.
    #[error("no route takes the request")]
    NoRoute = 204,
    /// 205: an opening handshake where the route or the listener takes none; status 403.
    #[error("the route takes no WebSocket")]
    WebSocketForbidden = 205,
    /// 206: plain HTTP where the route takes only WebSocket connections; status 426, with an `Upgrade`
    /// header (RFC 9110 section 15.5.22).
    #[error("the route takes only WebSocket connections")]
    WebSocketRequired = 206,
    /// 207: redirects lead in a circle; status 508.
    #[error("the redirect leads in a circle")]
    RedirectLoop = 207,
}

impl RuleRefusal {
    /// Gives the number, for logs and counters.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Gives the HTTP status to answer with.
    pub const fn status(self) -> u16 {
        match self {
            Self::PathMalformed => 400,
            Self::NotAllowed | Self::Denied | Self::UserRequired | Self::WebSocketForbidden => 403,
            Self::NoRoute => 404,
            Self::WebSocketRequired => 426,
            Self::RedirectLoop => 508,
        }
    }

    /// Gives the headers that the answer needs.
    ///
    /// What `bowline_proto::handshake::write_refusal` writes has them already.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::WebSocketRequired => &[("Connection", "Upgrade"), ("Upgrade", "websocket")],
            Self::PathMalformed
            | Self::NotAllowed
            | Self::Denied
            | Self::UserRequired
            | Self::NoRoute
            | Self::WebSocketForbidden
            | Self::RedirectLoop => &[],
        }
    }
}
