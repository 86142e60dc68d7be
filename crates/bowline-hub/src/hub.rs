//! What the connections of one worker share.

use std::sync::Arc;

use bowline::{
    Acceptor, CloseCode, Options, OutboxLimits, SlowPeer,
    server::{ConnectionGroup, GroupOptions, Registry},
};
use bowline_bus::dialect::clown_talk;
use tokio::sync::{Semaphore, mpsc};

use crate::{command::Command, config::Config};

/// What the connections of one worker share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) common: Arc<Common>,
    /// To the worker's shard.
    pub(crate) commands: mpsc::Sender<Command>,
    /// The sessions' connections.
    pub(crate) group: ConnectionGroup,
}

impl Hub {
    pub(crate) fn new(common: Arc<Common>, commands: mpsc::Sender<Command>) -> Self {
        let limits = &common.config.limits;
        let options = GroupOptions {
            outbox: OutboxLimits {
                messages_max: limits.outbox_messages_max,
                bytes_max: limits.outbox_bytes_max,
                policy: SlowPeer::Close(CloseCode::TRY_AGAIN_LATER, TOO_SLOW.into()),
            },
            ..GroupOptions::default()
        };
        Self {
            group: ConnectionGroup::new("hub", common.registry.clone(), options),
            common,
            commands,
        }
    }
}

/// What the connections of all workers share.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) config: Config,
    pub(crate) acceptor: Acceptor,
    /// How all sessions talk.
    pub(crate) talk: Arc<clown_talk::Options>,
    /// A permit for each connection.
    pub(crate) places: Arc<Semaphore>,
    /// A permit for each connection that is being refused.
    pub(crate) refusals: Arc<Semaphore>,
    /// A permit for each session.
    pub(crate) sessions: Arc<Semaphore>,
    registry: Registry,
}

impl Common {
    pub(crate) fn new(config: Config) -> Self {
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
            sessions: permits(limits.bus.sessions_max as usize),
            registry: Registry::new(),
            talk: Arc::new(config.talk.clone()),
            acceptor,
            config,
        }
    }
}

/// Told to a client that does not keep up.
pub(crate) const TOO_SLOW: &str = "too slow: come back for the last values";
