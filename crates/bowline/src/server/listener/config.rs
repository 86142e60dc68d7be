//! What a listener is configured with.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use bowline_proto::handshake::RequestHead;

use crate::{
    server::{
        Acceptor,
        admission::Admission,
        rules::{Explanation, Rules},
    },
    transport::tls::ServerTls,
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
    /// The certificate, for `wss` and `https`.
    pub tls: Option<ServerTls>,
    /// How long the TLS handshake, and before it a PROXY header, may take. Default ten seconds.
    pub tls_timeout: Duration,
    /// Whether a load balancer in front says who connects.
    pub proxy_header: ProxyHeaderUse,
    /// Heads, their deadline, compression and limits of connections.
    pub acceptor: Acceptor,
    /// Proves who the user of a request is; nobody is known without.
    pub identify: Option<Arc<Identify>>,
    /// With a realm, a request that only lacks a known user is answered with 401 and asked for
    /// Basic credentials (RFC 7617), instead of 403.
    pub realm: Option<Box<str>>,
    /// What is called when the rules refuse a request, before it is answered; it must not block.
    pub on_refused: Option<Arc<OnRefused>>,
}

/// Proves who the user of a request is.
pub type Identify = dyn Fn(&RequestHead) -> Option<Identity> + Send + Sync;

/// Gets the explanation of a refusal, to log it for instance.
pub type OnRefused = dyn Fn(&Explanation) + Send + Sync;

impl ListenerConfig {
    /// Makes a configuration with defaults.
    pub fn new(name: ListenerName, rules: Rules, admission: Admission) -> Self {
        Self {
            name,
            rules,
            admission,
            tls: None,
            tls_timeout: Duration::from_secs(10),
            proxy_header: ProxyHeaderUse::None,
            acceptor: Acceptor::default(),
            identify: None,
            realm: None,
            on_refused: None,
        }
    }
}

impl fmt::Debug for ListenerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerConfig")
            .field("name", &self.name)
            .field("tls", &self.tls.is_some())
            .field("proxy_header", &self.proxy_header)
            .finish_non_exhaustive()
    }
}

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub user: Arc<str>,
    /// The groups the user is in.
    pub groups: Vec<String>,
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
