//! What a listener is configured with.

use std::{fmt, num::NonZeroUsize, str::FromStr, sync::Arc, time::Duration};

use crate::{
    server::{
        Acceptor, Filters,
        admission::Admission,
        auth::Authenticator,
        rules::{Explanation, Rules},
    },
    transport::ServerTls,
};

/// Configures a [`Listener`](super::Listener).
#[derive(Clone)]
pub struct ListenerConfig {
    /// Names it in logs and in what is known of its connections.
    pub name: ListenerName,
    /// Which requests come in, and where they go. They may be replaced while it runs.
    pub rules: Rules,
    /// Limits, origins, trusted proxies and the application's hook. Listeners may share one.
    pub admission: Admission,
    /// Connections at a time on this listener, HTTP and WebSocket together; one more is answered
    /// with 503. Default no limit but that of the admission, which listeners may share.
    pub connection_count_max: u32,
    /// How many tasks accept connections. Default 1, which is enough unless very many come at once:
    /// what follows on a connection runs in a task of its own on any thread of the runtime, however
    /// many accept. [`Listener::bind`](super::Listener::bind) gives each a socket of its own.
    pub workers: NonZeroUsize,
    /// The certificates, for `wss` and `https`, and whether clients are asked for theirs.
    pub tls: Option<ServerTls>,
    /// How long the TLS handshake, and before it a PROXY header, may take. Default ten seconds.
    pub tls_timeout: Duration,
    /// Whether a load balancer in front says who connects.
    pub proxy_header: ProxyHeaderUse,
    /// Heads, their deadline, compression and limits of connections.
    pub acceptor: Acceptor,
    /// Bounds plain HTTP: bodies, and how long a connection waits for the next request.
    pub http: HttpOptions,
    /// Proves who the user of a request is; nobody is known without.
    pub authenticator: Option<Authenticator>,
    /// With a realm, a request that only lacks a known user is answered with 401 and asked for
    /// Basic credentials (RFC 7617), instead of 403. A rule may name another realm.
    pub realm: Option<Box<str>>,
    /// Look at requests before the rules, and at the answers to those that are refused.
    pub filters: Filters,
    /// What is called when the rules refuse a request, before it is answered; it must not block.
    pub on_refused: Option<Arc<OnRefused>>,
}

/// Gets the explanation of a refusal, to log it for instance.
pub type OnRefused = dyn Fn(&Explanation) + Send + Sync;

impl ListenerConfig {
    /// Makes a configuration with defaults.
    pub fn new(name: ListenerName, rules: Rules, admission: Admission) -> Self {
        Self {
            name,
            rules,
            admission,
            connection_count_max: u32::MAX,
            workers: NonZeroUsize::MIN,
            tls: None,
            tls_timeout: Duration::from_secs(10),
            proxy_header: ProxyHeaderUse::None,
            acceptor: Acceptor::default(),
            http: HttpOptions::default(),
            authenticator: None,
            realm: None,
            filters: Filters::default(),
            on_refused: None,
        }
    }
}

impl fmt::Debug for ListenerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerConfig")
            .field("name", &self.name)
            .field("tls", &self.tls.is_some())
            .field("workers", &self.workers)
            .field("proxy_header", &self.proxy_header)
            .field("http", &self.http)
            .field("authenticator", &self.authenticator)
            .field("filters", &self.filters)
            .finish_non_exhaustive()
    }
}

/// Bounds plain HTTP on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// How long a connection waits for the next request after an answer. Default 10 seconds; with
    /// zero each connection ends after one answer.
    pub keep_alive: Duration,
    /// The longest body of a request in bytes; one that is longer is answered with 413. What goes to
    /// another HTTP server is only checked for the length it names. Default 1,048,576.
    pub body_size_max: usize,
    /// How long the whole body of a request may take to arrive; what takes longer is answered with
    /// 408. Default 30 seconds.
    pub body_timeout: Duration,
    /// How long a client may take nothing of an answer before it is given up. Default 10 seconds.
    pub write_timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(10),
            body_size_max: 1 << 20,
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
        }
    }
}

/// Says whether connections begin with a PROXY header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeaderUse {
    /// They do not.
    #[default]
    None,
    /// Each does. Only a load balancer may reach the listener then: whoever does is believed.
    Required,
}

/// The name of a listener: 1 to 30 characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ListenerName(Arc<str>);

impl ListenerName {
    /// The most characters.
    pub const LEN_MAX: usize = 30;

    /// Gives the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for ListenerName {
    type Err = ListenerNameError;

    fn from_str(name: &str) -> Result<Self, ListenerNameError> {
        match name.chars().count() {
            1..=Self::LEN_MAX if !name.chars().any(char::is_control) => Ok(Self(name.into())),
            _ => Err(ListenerNameError),
        }
    }
}

impl fmt::Debug for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is no name of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a listener's name has 1 to 30 characters, none of them a control character")]
pub struct ListenerNameError;
