//! Custom opening handshakes: HTTP sessions.

use std::time::Duration;

use super::ParameterId;

/// A value of the request: from a parameter when the attempt begins, or as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The value the parameter has when the attempt begins.
    Parameter(ParameterId),
    /// The text of the file.
    Literal(String),
}

/// What the opening request says and where the answer is stored (`HTTP/Session`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// `Session@name`.
    pub name: String,
    /// How long the attempt may take; the session connection's, else the session's.
    pub timeout: Option<Duration>,
    /// The path of the request.
    pub path: RequestPath,
    /// Headers besides those of every handshake, in order. A parameter that is empty leaves its
    /// header out.
    pub headers: Vec<(String, Source)>,
    /// Pairs that are added to the query, in order (`Request/Parameters`).
    pub query: Vec<(String, Source)>,
    /// Where the answer goes.
    pub targets: ResponseTargets,
    /// Who the client says it is.
    pub credentials: Option<HandshakeCredentials>,
    /// The proxy of the session; a proxy that is not empty is always used.
    pub proxy: Option<HandshakeProxy>,
}

/// Where the path of the request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestPath {
    /// The endpoint's own path.
    Endpoint,
    /// A parameter (`pid="8"`, and `url="50"` of digits only), or a literal. A value with `://`
    /// replaces the endpoint, any other one is taken from the root.
    From(Source),
}

/// The parameters that store parts of the answer, also of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseTargets {
    /// The status line (`Response@statusCode`).
    pub status_line: Option<ParameterId>,
    /// The body (`Content@pid`), bounded.
    pub body: Option<ParameterId>,
    /// Headers by name; repeated ones are joined by CR LF.
    pub headers: Vec<(String, ParameterId)>,
}

/// User name and password of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeCredentials {
    /// `Session@userName`.
    pub user: Source,
    /// `Session@password`.
    pub password: Source,
}

/// The proxy of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeProxy {
    /// `Session@proxyServer`: host and port, or a URL.
    pub server: Source,
    /// `Session@proxyUser`.
    pub user: Option<Source>,
    /// `Session@proxyPassword`.
    pub password: Option<Source>,
}
