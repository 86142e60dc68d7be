//! The limits that admission keeps.

use std::time::Duration;

use super::{AddressRange, rate::Rate};

/// Bounds what the server, an address, a prefix of addresses and a user may have.
///
/// An address is one IPv4 or IPv6 address. A prefix is a network: who has one IPv6 address has
/// usually 2^64 of them, so for IPv6 the limits of the prefix are those that count. To lift a
/// limit use the largest number, or [`Rate::UNLIMITED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Connections at a time, those in their handshake included. Default 65,536.
    pub connection_count_max: u32,
    /// Connections in their handshake at a time. Default 1,024: with a deadline of 10 seconds
    /// that is 100 stalled handshakes a second.
    pub handshake_count_max: u32,
    /// Connections at a time from one address. Default 256, because many people may share one.
    pub address_connection_count_max: u32,
    /// Connections at a time from one prefix. Default 2,048.
    pub prefix_connection_count_max: u32,
    /// New connections from one address. Default 20 a second, 100 at once.
    pub address_rate: Rate,
    /// New connections from one prefix. Default 100 a second, 500 at once.
    pub prefix_rate: Rate,
    /// Connections at a time of one user, whatever addresses they come from. Default 256, because
    /// many devices may share one name.
    pub user_connection_count_max: u32,
    /// New connections of one user. Default 20 a second, 100 at once.
    pub user_rate: Rate,
    /// Bits of an IPv4 prefix. Default 24.
    pub ipv4_prefix_len: u8,
    /// Bits of an IPv6 prefix. Default 64, the smallest network that is given to anyone.
    pub ipv6_prefix_len: u8,
    /// Addresses whose own use is known exactly, and prefixes and users as many. Default 65,536,
    /// about 6 MiB each when full. Beyond it, newcomers share limits.
    pub tracked_count_max: usize,
    /// Addresses that have no limits of their own, those of a load test for instance; the limits
    /// of the whole server, and of users, hold for them too. Default none.
    pub exempt_ranges: Vec<AddressRange>,
    /// When refused clients are told to come back.
    pub retry: RetryAfter,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            connection_count_max: 1 << 16,
            handshake_count_max: 1 << 10,
            address_connection_count_max: 256,
            prefix_connection_count_max: 2_048,
            address_rate: Rate::per_second(20, 100),
            prefix_rate: Rate::per_second(100, 500),
            user_connection_count_max: 256,
            user_rate: Rate::per_second(20, 100),
            ipv4_prefix_len: 24,
            ipv6_prefix_len: 64,
            tracked_count_max: 1 << 16,
            exempt_ranges: Vec::new(),
            retry: RetryAfter::default(),
        }
    }
}

/// Says when refused clients are told to come back, in the `Retry-After` field
/// (RFC 9110 section 10.2.3).
///
/// Clients refused because the whole server is full are given times one after the other, so that
/// they do not all come back at once. A client that connects too often is given the time at which
/// its rate allows the next connection, one that has too many connections the shortest time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// The shortest time. Default 1 second, the unit of the field.
    pub min: Duration,
    /// The longest time that a full server gives. Default 60 seconds.
    pub max: Duration,
    /// The time between two clients that come back. Default 10 milliseconds.
    pub interval: Duration,
}

impl Default for RetryAfter {
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_mins(1),
            interval: Duration::from_millis(10),
        }
    }
}

impl RetryAfter {
    /// Brings a time between the shortest and the longest.
    pub(super) fn clamp(self, wait: Duration) -> Duration {
        wait.min(self.max).max(self.min)
    }
}
