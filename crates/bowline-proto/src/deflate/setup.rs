//! From what was negotiated to the transforms of one connection.

use std::sync::Arc;

use super::{
    Compressor, CompressorConfig, ContextPool, Inflater, InflaterConfig, Level, MemLevel,
    negotiate::DeflateParams,
};
use crate::{role::Role, send::Compression};

/// Gives a connection permessage-deflate: what was negotiated, and how to work.
#[derive(Clone, Debug)]
pub struct Deflate {
    /// What both ends agreed on.
    pub params: DeflateParams,
    /// Where contexts come from.
    pub pool: Arc<ContextPool>,
    /// How hard to compress.
    pub level: Level,
    /// How much memory a compressing context uses.
    pub mem_level: MemLevel,
}

impl Deflate {
    /// Takes the parameters with the default levels.
    pub fn new(params: DeflateParams, pool: Arc<ContextPool>) -> Self {
        Self {
            params,
            pool,
            level: Level::DEFAULT,
            mem_level: MemLevel::DEFAULT,
        }
    }

    /// Makes the two transforms for a connection in `role`; neither owns memory yet.
    pub(crate) fn split(self, role: Role, size_min: usize) -> (Inflater, Compression) {
        let params = self.params;
        let server = (
            params.server_max_window_bits,
            !params.server_no_context_takeover,
        );
        let client = (
            params.client_max_window_bits,
            !params.client_no_context_takeover,
        );
        let (sending, receiving) = match role {
            Role::Server => (server, client),
            Role::Client => (client, server),
        };
        let inflater = Inflater::new(
            Arc::clone(&self.pool),
            InflaterConfig {
                window_bits: receiving.0,
                takeover: receiving.1,
            },
        );
        let compressor = Compressor::new(
            Arc::clone(&self.pool),
            CompressorConfig {
                window_bits: sending.0,
                takeover: sending.1,
                level: self.level,
                mem_level: self.mem_level,
            },
        );
        let compression = Compression::new(compressor, size_min, sending.0, self.level, self.pool);
        (inflater, compression)
    }
}
