//! When to ping, when to give up, and how long a round trip takes.

use std::time::{Duration, Instant};

use crate::config;

/// Watches one connection for signs of life. Any byte received is one.
#[derive(Debug)]
pub(crate) struct Keepalive {
    /// When the peer was last heard of.
    heard_at: Instant,
    /// The ping whose pong is awaited as a sign of life.
    pinged_at: Option<Instant>,
    /// When the last ping was sent, for the round-trip time.
    ping_sent_at: Option<Instant>,
    /// The number the next ping carries.
    next: u64,
    round_trip: Option<Duration>,
}

/// What a passed deadline asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send a ping.
    Ping,
    /// The peer is dead.
    GiveUp,
}

impl Keepalive {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            heard_at: now,
            pinged_at: None,
            ping_sent_at: None,
            next: 0,
            round_trip: None,
        }
    }

    /// Notes that bytes arrived.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.pinged_at = None;
    }

    /// Notes a pong; gives the round-trip time if it answers the last keepalive ping.
    pub(crate) fn pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let sent_at = self.ping_sent_at?;
        if payload != self.next.wrapping_sub(1).to_be_bytes() {
            return None;
        }
        self.ping_sent_at = None;
        self.round_trip = Some(now.saturating_duration_since(sent_at));
        self.round_trip
    }

    /// The last measured round-trip time.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// When [`due`](Self::due) has to be asked next.
    pub(crate) fn deadline(&self, config: &config::Keepalive) -> Option<Instant> {
        match self.pinged_at {
            Some(at) => at.checked_add(config.timeout),
            None => self.heard_at.checked_add(config.interval),
        }
    }

    /// Says what is to be done at `now`.
    pub(crate) fn due(&self, config: &config::Keepalive, now: Instant) -> Due {
        match self.deadline(config) {
            Some(deadline) if deadline <= now => {}
            _ => return Due::Nothing,
        }
        if self.pinged_at.is_some() {
            return Due::GiveUp;
        }
        Due::Ping
    }

    /// Starts the clock for a sign of life.
    pub(crate) fn await_life(&mut self, now: Instant) {
        self.pinged_at = Some(now);
    }

    /// Numbers a new ping and gives its payload.
    pub(crate) fn ping_payload(&mut self, now: Instant) -> [u8; PAYLOAD_LEN] {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.ping_sent_at = Some(now);
        number.to_be_bytes()
    }
}

const PAYLOAD_LEN: usize = 8;
