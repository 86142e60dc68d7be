//! How links and the element do, and slow polling of a silent device.

use std::time::{Duration, Instant};

use super::{
    Effect, Level, Machine,
    queue::{Entry, Origin, Work},
};
use crate::plan::{GroupContent, LinkId, QueueVerb, SlowPoll};

/// What is known of slow polling.
#[derive(Debug, Default)]
pub(super) struct SlowPolling {
    misses: u32,
    /// When the device is pinged next; none while it is polled as usual.
    ping_due: Option<Instant>,
}

impl Machine {
    /// Gives how the element does: the worst of the links that count.
    pub fn health(&self) -> Level {
        self.level
    }

    /// Gives how a link does.
    pub fn link_health(&self, link: LinkId) -> Level {
        self.links
            .get(&link)
            .map_or(Level::Unknown, |state| state.level)
    }

    /// Says whether the main link is only pinged, because its device is silent.
    pub fn is_polling_slowly(&self) -> bool {
        self.slow.ping_due.is_some()
    }

    /// Notes that a link answers.
    pub(super) fn hear(&mut self, link: LinkId) {
        if let Some(state) = self.links.get_mut(&link) {
            state.silent_since = None;
            self.set_level(link, Level::Ok);
        }
        if link == MAIN {
            self.slow.misses = 0;
            if self.slow.ping_due.take().is_some() {
                self.notice("the device answers: polling as usual".to_owned());
            }
        }
    }

    /// Notes that a reply did not come, to a command sent at `since`.
    pub(super) fn miss_reply(&mut self, link: LinkId, since: Instant) {
        if let Some(state) = self.links.get_mut(&link) {
            state.silent_since.get_or_insert(since);
        }
        if link == MAIN {
            self.slow.misses = self.slow.misses.saturating_add(1);
        }
    }

    /// Brings levels up to date with the time.
    pub(super) fn review_health(&mut self) {
        let (now, patience) = (self.now(), self.patience());
        let mut silent = Vec::new();
        for (id, state) in &self.links {
            if state
                .silent_since
                .is_some_and(|since| since + patience <= now)
            {
                silent.push(*id);
            }
        }
        for link in silent {
            self.set_level(link, Level::Timeout);
        }
        self.review_element();
    }

    /// Gives how long a link may be silent: as the element says, else the connector.
    fn patience(&self) -> Duration {
        let said = self.settings.timeout.or(self.plan.timeout);
        said.unwrap_or(ELEMENT_TIMEOUT_DEFAULT)
    }

    /// Gives when the next level or ping is due.
    pub(super) fn health_due(&self) -> Option<Instant> {
        let patience = self.patience();
        let silences = self.links.values().filter_map(|state| {
            let since = state.silent_since?;
            (state.level != Level::Timeout).then_some(since + patience)
        });
        silences
            .chain(self.slow.ping_due)
            .chain(self.slow_poll_due())
            .min()
    }

    /// Says whether a group is not run because the device is only pinged.
    pub(super) fn is_held_back(&self, work: Work) -> bool {
        let (Some(_), Some(slow_poll)) = (self.slow.ping_due, self.slow_poll()) else {
            return false;
        };
        let Work::Group(id) = work else {
            return false;
        };
        let Some(group) = self.plan.groups.get(id) else {
            return false;
        };
        let is_ping = group.is_ping || slow_poll.ping_group == Some(id);
        let GroupContent::Pairs(pairs) = &group.content else {
            return false;
        };
        let of_group = self.link_of_group(group);
        !is_ping
            && pairs.iter().any(|pair| {
                let own = self.plan.pairs.get(*pair).and_then(|pair| pair.link);
                own.or(of_group) == Some(MAIN)
            })
    }

    /// Says how a link does.
    pub(super) fn set_level(&mut self, link: LinkId, level: Level) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        if std::mem::replace(&mut state.level, level) != level {
            self.emit(Effect::Health {
                link: Some(link),
                level,
            });
        }
    }

    fn review_element(&mut self) {
        let mut level = Level::Unknown;
        for (id, state) in &self.links {
            let settings = self.settings.links.get(id);
            if settings.is_none_or(|settings| settings.include_timeout) {
                level = worse(level, state.level);
            }
        }
        if std::mem::replace(&mut self.level, level) != level {
            self.emit(Effect::Health { link: None, level });
        }
    }

    fn slow_poll(&self) -> Option<SlowPoll> {
        self.plan.links.get(MAIN)?.slow_poll
    }

    /// Gives when silence becomes long enough for slow polling.
    fn slow_poll_due(&self) -> Option<Instant> {
        let patience = self.slow_poll()?.after?;
        let since = self.links.get(&MAIN)?.silent_since?;
        self.slow.ping_due.is_none().then_some(since + patience)
    }

    /// Begins to poll slowly, and pings, when it is time.
    pub(super) fn review_slow_poll(&mut self) {
        let Some(slow_poll) = self.slow_poll() else {
            return;
        };
        if self.slow.ping_due.is_none() {
            let by_count =
                slow_poll.after_timeouts > 0 && self.slow.misses >= slow_poll.after_timeouts;
            let by_time = self.slow_poll_due().is_some_and(|due| due <= self.now());
            if !by_count && !by_time {
                return;
            }
            self.notice("the device is silent: only pinging it".to_owned());
            self.slow.ping_due = Some(self.now() + slow_poll.interval);
        } else if self.slow.ping_due.is_some_and(|due| due <= self.now()) {
            self.slow.ping_due = Some(self.now() + slow_poll.interval);
            self.ping(slow_poll);
        }
    }

    fn ping(&mut self, slow_poll: SlowPoll) {
        let group = slow_poll.ping_group.map(Work::Group);
        let Some(work) = group.or_else(|| slow_poll.ping_pair.map(Work::Ping)) else {
            return;
        };
        let entry = Entry {
            work,
            origin: Origin::Other,
            interval: Duration::ZERO,
            composed: Vec::new(),
        };
        if self.queue.add(entry, QueueVerb::ExecuteOneTop).is_err() {
            self.counters.groups_dropped += 1;
        }
    }
}

/// Gives the worse of two levels; what is known counts more than what is not.
fn worse(left: Level, right: Level) -> Level {
    match (left, right) {
        (Level::Timeout, _) | (_, Level::Timeout) => Level::Timeout,
        (Level::Ok, _) | (_, Level::Ok) => Level::Ok,
        (Level::Unknown, Level::Unknown) => Level::Unknown,
    }
}

/// How long a link may be silent before the element is in timeout, if nobody says it.
pub const ELEMENT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// The link that slow polling is about.
pub(super) const MAIN: LinkId = LinkId(0);
