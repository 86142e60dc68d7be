//! What all elements of a program have alike.

use std::{sync::Arc, time::Duration};

use bowline::{Config, Connector, Options, managed::Backoff};

use super::WatchLimits;
use crate::{Store, hooks::Hooks, record::Recorder};

/// How elements are run.
#[derive(Clone, Debug)]
pub struct RunnerOptions {
    /// Where saved values are kept; `None` forgets them.
    pub store: Option<Store>,
    /// Hooks of the program's own and scripts, after the extractions of the settings.
    pub hooks: Hooks,
    /// How links are made, before plan and settings have their say: what trust, deadlines, limits
    /// and the `User-Agent` begin from. Its credentials, offers and headers are not looked at.
    pub connector: Connector,
    /// When automatic attempts are made.
    pub backoff: Backoff,
    /// The pause after a failure that the same attempt would most likely meet again, such as a 404 or
    /// a certificate that is not trusted. A device may be mended, so attempts go on. Default 30 s.
    pub hopeless_pause: Duration,
    /// What waits for a watcher.
    pub watch: WatchLimits,
    /// What is kept of messages for those who look at them.
    pub view: ViewLimits,
    /// What timers with a random start begin with; `None` asks the system.
    pub seed: Option<u64>,
    /// Who takes down everything that goes in and comes out; for one element only.
    pub recorder: Option<Arc<dyn Recorder>>,
}

/// Bounds what is kept of the messages of an element for people to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewLimits {
    /// The bytes of a payload that are kept; the rest is cut. Default 64 KiB.
    pub payload_max: usize,
    /// How many messages are kept for those who come later. Default 100.
    pub messages_max: usize,
    /// How many bytes of them are kept altogether. Default 1 MiB.
    pub bytes_max: usize,
}

impl Default for RunnerOptions {
    /// Nothing is saved, there are no hooks, messages may have 64 MiB, and the rest as said above.
    fn default() -> Self {
        Self {
            store: None,
            hooks: Hooks::new(),
            connector: default_connector(),
            backoff: Backoff::default(),
            hopeless_pause: Duration::from_secs(30),
            watch: WatchLimits::default(),
            view: ViewLimits::default(),
            seed: None,
            recorder: None,
        }
    }
}

impl Default for ViewLimits {
    fn default() -> Self {
        Self {
            payload_max: 64 << 10,
            messages_max: 100,
            bytes_max: 1 << 20,
        }
    }
}

fn default_connector() -> Connector {
    let mut config = Config::default();
    config.limits.message_size_max = MESSAGE_SIZE_MAX;
    config.limits.frame_size_max = MESSAGE_SIZE_MAX;
    Connector {
        options: Options {
            config: Arc::new(config),
            ..Options::default()
        },
        user_agent: Some(USER_AGENT.into()),
        ..Connector::default()
    }
}

/// What the systems this format comes from take at most, as 1024 packets of 64 KiB.
const MESSAGE_SIZE_MAX: u64 = 64 << 20;
const USER_AGENT: &str = concat!("bowline/", env!("CARGO_PKG_VERSION"));
