//! When to ping, when to give up, and how long a round trip takes.

use std::time::{Duration, Instant};

use crate::config;

/// Watches one connection for signs of life. Any byte received is one.
#[derive(Debug)]
pub(crate) struct Keepalive {
    /// When the peer was last heard of.
    heard_at: Instant,
    /// How long after that the ping was sent whose pong is awaited as a sign of life.
    pinged_after: Span,
    /// When the last ping was sent, for the round-trip time.
    ping_sent_at: Option<Instant>,
    /// The number the next ping carries.
    next: u64,
    round_trip: Span,
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
            pinged_after: Span::NONE,
            ping_sent_at: None,
            next: 0,
            round_trip: Span::NONE,
        }
    }

    /// Notes that bytes arrived.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.pinged_after = Span::NONE;
    }

    /// Notes a pong; gives the round-trip time if it answers the last keepalive ping.
    pub(crate) fn pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let sent_at = self.ping_sent_at?;
        if payload != self.next.wrapping_sub(1).to_be_bytes() {
            return None;
        }
        self.ping_sent_at = None;
        self.round_trip = Span::new(now.saturating_duration_since(sent_at));
        self.round_trip()
    }

    /// The last measured round-trip time.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.get()
    }

    /// When [`due`](Self::due) has to be asked next.
    pub(crate) fn deadline(&self, config: &config::Keepalive) -> Option<Instant> {
        match self.pinged_after.get() {
            Some(after) => self
                .heard_at
                .checked_add(after)?
                .checked_add(config.timeout),
            None => self.heard_at.checked_add(config.interval),
        }
    }

    /// Says what is to be done at `now`.
    pub(crate) fn due(&self, config: &config::Keepalive, now: Instant) -> Due {
        match self.deadline(config) {
            Some(deadline) if deadline <= now => {}
            _ => return Due::Nothing,
        }
        if self.pinged_after.get().is_some() {
            return Due::GiveUp;
        }
        Due::Ping
    }

    /// Starts the clock for a sign of life.
    pub(crate) fn await_life(&mut self, now: Instant) {
        self.pinged_after = Span::new(now.saturating_duration_since(self.heard_at));
    }

    /// Numbers a new ping and gives its payload.
    pub(crate) fn ping_payload(&mut self, now: Instant) -> [u8; PAYLOAD_LEN] {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.ping_sent_at = Some(now);
        number.to_be_bytes()
    }
}

/// A time span or none, in half the room of an `Option<Duration>`: every connection holds some.
#[derive(Clone, Copy, Debug)]
struct Span(u64);

impl Span {
    const NONE: Self = Self(u64::MAX);

    /// Takes a time span; one of five centuries or more is none.
    fn new(span: Duration) -> Self {
        u64::try_from(span.as_nanos()).map_or(Self::NONE, Self)
    }

    fn get(self) -> Option<Duration> {
        (self.0 != u64::MAX).then(|| Duration::from_nanos(self.0))
    }
}

const PAYLOAD_LEN: usize = 8;
