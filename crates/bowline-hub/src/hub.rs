//! What all connections of a hub share.

use std::sync::Arc;

use bowline::{Acceptor, Options};
use tokio::sync::{Semaphore, mpsc};

use crate::{config::Config, shard::Command};

/// What all connections of a hub share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) acceptor: Acceptor,
    pub(crate) commands: mpsc::Sender<Command>,
    /// A permit for each connection.
    pub(crate) places: Arc<Semaphore>,
    /// A permit for each connection that is being refused.
    pub(crate) refusals: Arc<Semaphore>,
}

impl Hub {
    pub(crate) fn new(config: Config, commands: mpsc::Sender<Command>) -> Self {
        let limits = &config.limits;
        let protocol = bowline::Config {
            limits: bowline::Limits {
                message_size_max: limits.message_size_max,
                frame_size_max: limits.message_size_max,
                ..bowline::Limits::default()
            },
            keepalive: config.keepalive,
            ..bowline::Config::default()
        };
        let acceptor = Acceptor {
            options: Options {
                config: Arc::new(protocol),
                ..Options::default()
            },
            handshake_timeout: config.handshake_timeout,
            ..Acceptor::default()
        };
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            places: permits(limits.connections_max),
            refusals: permits(limits.refusals_max),
            acceptor,
            commands,
            config,
        }
    }
}
