//! What a hub is configured with.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    thread,
    time::Duration,
};

use bowline::Keepalive;
use bowline_bus::dialect::clown_talk;
use thiserror::Error;

/// Configures a hub. The default listens on loopback only and writes nothing to disk.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Default `127.0.0.1:8080`; port 0 takes any free port.
    pub listen: Vec<SocketAddr>,
    /// Threads that serve, each with its own listeners, connections and copy of the bus. Default
    /// one per core.
    pub workers: NonZeroUsize,
    /// The folder for retained values, created when missing; `None` keeps them in memory only.
    pub data: Option<PathBuf>,
    /// Origins that pages may have besides the hub's own, such as `https://example.com`.
    pub origins: Vec<String>,
    /// Names, without port, under which a hub on loopback may be addressed besides `localhost` and
    /// loopback addresses. A reverse proxy on the same computer passes such a name on.
    pub hosts: Vec<String>,
    /// Bounds.
    pub limits: Limits,
    /// How a silent connection is kept alive and a dead one noticed. Default: a ping after 30 s of
    /// silence, and 20 s for its answer.
    pub keepalive: Option<Keepalive>,
    /// How long an opening handshake or the head of a first request may take. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long a connection that only asks over HTTP is kept. Default 5 min.
    pub http_lifetime: Duration,
    /// How long connections have to end when the hub stops. Default 10 s.
    pub drain_timeout: Duration,
    /// How often changed retained values are written to [`data`](Self::data). Default 5 s.
    pub save_interval: Duration,
    /// How sessions talk.
    pub talk: clown_talk::Options,
}

/// Bounds of a hub, each with the policy for when it is reached. They hold for all workers
/// together, unless they say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time, HTTP and WebSocket together; further ones are answered with
    /// 503. Default 10,000.
    pub connections_max: usize,
    /// Connections that are being told 503 at the same time; further ones are dropped at once.
    /// Default 128.
    pub refusals_max: usize,
    /// Commands of all connections of one worker that wait for its bus; the next one makes its
    /// connection wait. Default 1,024.
    pub commands_max: usize,
    /// Publications of other workers that wait for one worker; then the others publish nothing
    /// until it has taken them, and their commands wait. Default 1,024.
    pub forwarded_publications_max: usize,
    /// Bytes of the publications of other workers that wait for one worker, with the same policy;
    /// one turn's publications of each worker may come on top. Default 8 MiB.
    pub forwarded_bytes_max: usize,
    /// Messages that wait for one connection; one more closes it with 1013. Default 1,024.
    pub outbox_messages_max: usize,
    /// Bytes of the messages that wait for one connection; more close it with 1013, but one message
    /// of any size fits. Default 4 MiB.
    pub outbox_bytes_max: usize,
    /// Bytes of one received message; a longer one closes its connection with 1009. Default 2 MiB.
    pub message_size_max: u64,
    /// Bounds of the bus.
    pub bus: bowline_bus::Limits,
}

/// Says what is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing to listen on.
    #[error("there is no address to listen on: name at least one")]
    NothingToListenOn,
    /// A bound is zero, so that nothing would pass.
    #[error("the limit {0} must be at least 1")]
    ZeroLimit(&'static str),
    /// A time is zero, so that nothing could happen in it.
    #[error("the time {0} must be longer than 0")]
    ZeroTime(&'static str),
}

impl Config {
    /// Says whether the hub can work with these values.
    ///
    /// # Errors
    /// [`ConfigError`] names the first value that it cannot work with.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.listen.is_empty() {
            return Err(ConfigError::NothingToListenOn);
        }
        let limits = &self.limits;
        let counts = [
            ("connections_max", limits.connections_max),
            ("commands_max", limits.commands_max),
            (
                "forwarded_publications_max",
                limits.forwarded_publications_max,
            ),
            ("forwarded_bytes_max", limits.forwarded_bytes_max),
            ("outbox_messages_max", limits.outbox_messages_max),
            ("outbox_bytes_max", limits.outbox_bytes_max),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::ZeroLimit(name));
        }
        if limits.message_size_max == 0 {
            return Err(ConfigError::ZeroLimit("message_size_max"));
        }
        let times = [
            ("handshake_timeout", self.handshake_timeout),
            ("http_lifetime", self.http_lifetime),
            ("drain_timeout", self.drain_timeout),
            ("save_interval", self.save_interval),
        ];
        match times.iter().find(|(_, time)| time.is_zero()) {
            Some((name, _)) => Err(ConfigError::ZeroTime(name)),
            None => Ok(()),
        }
    }

    /// Says whether every address to listen on can be reached from this computer only.
    pub fn is_loopback_only(&self) -> bool {
        self.listen.iter().all(|address| address.ip().is_loopback())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT_DEFAULT))],
            workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            data: None,
            origins: Vec::new(),
            hosts: Vec::new(),
            limits: Limits::default(),
            keepalive: Some(Keepalive {
                interval: Duration::from_secs(30),
                timeout: Duration::from_secs(20),
            }),
            handshake_timeout: Duration::from_secs(10),
            http_lifetime: Duration::from_mins(5),
            drain_timeout: Duration::from_secs(10),
            save_interval: Duration::from_secs(5),
            talk: clown_talk::Options::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            refusals_max: 128,
            commands_max: 1024,
            forwarded_publications_max: 1024,
            forwarded_bytes_max: 8 << 20,
            outbox_messages_max: 1024,
            outbox_bytes_max: 4 << 20,
            message_size_max: 2 << 20,
            bus: bowline_bus::Limits::default(),
        }
    }
}

const PORT_DEFAULT: u16 = 8080;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_works_and_stays_on_this_computer() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert!(config.is_loopback_only());
    }

    #[test]
    fn values_that_let_nothing_pass_are_refused() {
        let mut config = Config::default();
        config.limits.outbox_messages_max = 0;
        assert_eq!(
            config.check(),
            Err(ConfigError::ZeroLimit("outbox_messages_max"))
        );
        let config = Config {
            drain_timeout: Duration::ZERO,
            ..Config::default()
        };
        assert_eq!(config.check(), Err(ConfigError::ZeroTime("drain_timeout")));
        let config = Config {
            listen: Vec::new(),
            ..Config::default()
        };
        assert_eq!(config.check(), Err(ConfigError::NothingToListenOn));
    }
}
