//! What both roles configure alike.

use std::sync::{Arc, OnceLock};

use bowline_proto::{
    Config,
    deflate::{ContextPool, Deflate, DeflateNegotiation, DeflateParams},
};

use crate::metrics::Metrics;

/// Configures the connections a [`Connector`](crate::Connector) or [`Acceptor`](crate::Acceptor)
/// makes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Limits, keepalive and the closing handshake.
    pub config: Arc<Config>,
    /// What to offer or agree to of permessage-deflate.
    pub deflate: DeflateNegotiation,
    /// Where compression contexts come from.
    pub pool: Arc<ContextPool>,
    /// What counts the handshakes and the connections; `None` counts nothing.
    pub metrics: Option<Arc<Metrics>>,
}

impl Options {
    pub(crate) fn deflate(&self, params: DeflateParams) -> Deflate {
        Deflate::new(params, Arc::clone(&self.pool))
    }
}

impl Default for Options {
    /// The engine's defaults, permessage-deflate without context takeover, and one pool of
    /// compression contexts for the whole process. Nothing is counted.
    fn default() -> Self {
        static POOL: OnceLock<Arc<ContextPool>> = OnceLock::new();
        static CONFIG: OnceLock<Arc<Config>> = OnceLock::new();
        Self {
            config: Arc::clone(CONFIG.get_or_init(Arc::default)),
            deflate: DeflateNegotiation::default(),
            pool: Arc::clone(POOL.get_or_init(Arc::default)),
            metrics: None,
        }
    }
}
