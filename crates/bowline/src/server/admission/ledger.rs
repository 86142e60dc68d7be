//! The book of what is in use: a table each of addresses, prefixes and users, and the totals.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ipnet::IpNet;

use super::{
    limits::AdmissionLimits,
    refusal::{AdmissionReason, AdmissionRefusal},
    table::{Account, Place, Table},
};

/// What is in use now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections, those in their handshake included.
    pub connection_count: u32,
    /// Connections in their handshake.
    pub handshake_count: u32,
    /// Connections of the address asked for; zero for exempt addresses.
    pub address_connection_count: u32,
    /// Connections of the prefix of the address asked for; zero for exempt addresses.
    pub prefix_connection_count: u32,
}

/// How connections were admitted and refused since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionCounters {
    admitted_count: u64,
    refused_counts: [u64; AdmissionReason::ALL.len()],
}

impl AdmissionCounters {
    /// Returns how many connections were given a permit.
    ///
    /// One that is refused later, by the limits of its client behind a proxy, its origin or the
    /// hook, is counted here and among the refused.
    pub const fn admitted_count(&self) -> u64 {
        self.admitted_count
    }

    /// Returns how many connections were refused for a reason.
    pub fn refused_count(&self, reason: AdmissionReason) -> u64 {
        let counts = AdmissionReason::ALL.iter().zip(self.refused_counts);
        counts
            .filter_map(|(listed, count)| (*listed == reason).then_some(count))
            .sum()
    }

    pub(super) fn count_refused(&mut self, reason: AdmissionReason) {
        let counts = AdmissionReason::ALL.iter().zip(&mut self.refused_counts);
        for (listed, count) in counts {
            *count += u64::from(*listed == reason);
        }
    }
}

/// What admission knows, behind one lock.
#[derive(Debug)]
pub(super) struct Ledger {
    limits: AdmissionLimits,
    connection_count: u32,
    handshake_count: u32,
    addresses: Table<IpAddr>,
    prefixes: Table<IpAddr>,
    users: Table<Arc<str>>,
    /// When the next client that finds the server full is told to come back.
    next_retry_at: Option<Instant>,
    pub(super) counters: AdmissionCounters,
}

impl Ledger {
    pub(super) fn new(limits: AdmissionLimits) -> Self {
        Self {
            connection_count: 0,
            handshake_count: 0,
            addresses: Table::new(limits.tracked_count_max),
            prefixes: Table::new(limits.tracked_count_max),
            users: Table::new(limits.tracked_count_max),
            next_retry_at: None,
            counters: AdmissionCounters::default(),
            limits,
        }
    }

    /// Counts a new connection in its handshake; nothing is counted when it is refused.
    pub(super) fn admit(
        &mut self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Option<Charge>, AdmissionRefusal> {
        // The limits of the address come first: who passes them does not get one of the times
        // at which a full server asks its clients to come back.
        if let Some(address) = address {
            self.check_address(address, now)?;
        }
        self.check_totals(now)?;
        self.connection_count += 1;
        self.handshake_count += 1;
        self.counters.admitted_count += 1;
        Ok(address.map(|address| self.count_address(address, now)))
    }

    /// Counts a connection that is already admitted for an address.
    pub(super) fn charge(
        &mut self,
        address: IpAddr,
        now: Instant,
    ) -> Result<Charge, AdmissionRefusal> {
        self.check_address(address, now)?;
        Ok(self.count_address(address, now))
    }

    pub(super) fn release_charge(&mut self, charge: Charge) {
        let Some((address, prefix)) = charge.places else {
            return;
        };
        self.addresses.at_mut(address).end_connection();
        self.prefixes.at_mut(prefix).end_connection();
    }

    /// Counts a connection that is already admitted for a user.
    pub(super) fn charge_user(
        &mut self,
        user: &Arc<str>,
        now: Instant,
    ) -> Result<Place, AdmissionRefusal> {
        let account = self.users.account(user, now);
        if account.connection_count >= self.limits.user_connection_count_max {
            return Err(self.refuse(AdmissionReason::UserConnectionCount, Duration::ZERO));
        }
        let wait = account.bucket.wait(self.limits.user_rate, now);
        if !wait.is_zero() {
            return Err(self.refuse(AdmissionReason::UserRate, wait));
        }
        let place = self.users.place(user, now);
        let account = self.users.at_mut(place);
        account.begin_connection(self.limits.user_rate, now);
        Ok(place)
    }

    pub(super) fn release_user(&mut self, place: Place) {
        self.users.at_mut(place).end_connection();
    }

    pub(super) fn user_connection_count(&self, user: &str, now: Instant) -> u32 {
        self.users.account(user, now).connection_count
    }

    pub(super) fn end_handshake(&mut self) {
        debug_assert!(self.handshake_count > 0, "a handshake was counted");
        self.handshake_count = self.handshake_count.saturating_sub(1);
    }

    pub(super) fn end_connection(&mut self) {
        debug_assert!(self.connection_count > 0, "a connection was counted");
        self.connection_count = self.connection_count.saturating_sub(1);
    }

    /// Returns the totals, and what an address uses.
    pub(super) fn counts(&self, address: IpAddr, now: Instant) -> Counts {
        let (of_address, of_prefix) = self.accounts(address, now);
        Counts {
            address_connection_count: of_address.connection_count,
            prefix_connection_count: of_prefix.connection_count,
            ..self.totals()
        }
    }

    pub(super) fn totals(&self) -> Counts {
        Counts {
            connection_count: self.connection_count,
            handshake_count: self.handshake_count,
            ..Counts::default()
        }
    }

    /// Checks the prefix before the address, so that one network cannot fill the table with
    /// addresses beyond its own limits.
    fn check_address(&mut self, address: IpAddr, now: Instant) -> Result<(), AdmissionRefusal> {
        if self.is_exempt(address) {
            return Ok(());
        }
        let (of_address, of_prefix) = self.accounts(address, now);
        let limits = &self.limits;
        let checks = [
            (
                AdmissionReason::PrefixConnectionCount,
                AdmissionReason::PrefixRate,
                of_prefix,
                (limits.prefix_connection_count_max, limits.prefix_rate),
            ),
            (
                AdmissionReason::AddressConnectionCount,
                AdmissionReason::AddressRate,
                of_address,
                (limits.address_connection_count_max, limits.address_rate),
            ),
        ];
        for (count_reason, rate_reason, account, (count_max, rate)) in checks {
            if account.connection_count >= count_max {
                return Err(self.refuse(count_reason, Duration::ZERO));
            }
            let wait = account.bucket.wait(rate, now);
            if !wait.is_zero() {
                return Err(self.refuse(rate_reason, wait));
            }
        }
        Ok(())
    }

    fn check_totals(&mut self, now: Instant) -> Result<(), AdmissionRefusal> {
        let reason = if self.connection_count >= self.limits.connection_count_max {
            AdmissionReason::ConnectionCount
        } else if self.handshake_count >= self.limits.handshake_count_max {
            AdmissionReason::HandshakeCount
        } else {
            return Ok(());
        };
        let wait = self.next_retry(now);
        Err(self.refuse(reason, wait))
    }

    /// Refuses a connection for which there is no place on its listener.
    pub(super) fn refuse_full(&mut self, now: Instant) -> AdmissionRefusal {
        let wait = self.next_retry(now);
        self.refuse(AdmissionReason::ConnectionCount, wait)
    }

    fn count_address(&mut self, address: IpAddr, now: Instant) -> Charge {
        let address = address.to_canonical();
        if self.is_exempt(address) {
            return Charge {
                address,
                places: None,
            };
        }
        let address_place = self.addresses.place(&address, now);
        let prefix_place = self.prefixes.place(&self.prefix(address), now);
        let of_address = self.addresses.at_mut(address_place);
        of_address.begin_connection(self.limits.address_rate, now);
        let of_prefix = self.prefixes.at_mut(prefix_place);
        of_prefix.begin_connection(self.limits.prefix_rate, now);
        Charge {
            address,
            places: Some((address_place, prefix_place)),
        }
    }

    fn accounts(&self, address: IpAddr, now: Instant) -> (Account, Account) {
        let address = address.to_canonical();
        (
            self.addresses.account(&address, now),
            self.prefixes.account(&self.prefix(address), now),
        )
    }

    fn prefix(&self, address: IpAddr) -> IpAddr {
        let prefix_len = match address {
            IpAddr::V4(_) => self.limits.ipv4_prefix_len,
            IpAddr::V6(_) => self.limits.ipv6_prefix_len,
        };
        network_of(address, prefix_len)
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        let ranges = &self.limits.exempt_ranges;
        ranges.iter().any(|range| range.contains(address))
    }

    /// Gives the next time at which a refused client may come back.
    fn next_retry(&mut self, now: Instant) -> Duration {
        let retry = self.limits.retry;
        let waited = self
            .next_retry_at
            .map(|next| next.saturating_duration_since(now))
            .unwrap_or_default();
        let wait = retry.clamp(waited);
        self.next_retry_at = now.checked_add(wait.saturating_add(retry.interval));
        wait
    }

    fn refuse(&mut self, reason: AdmissionReason, wait: Duration) -> AdmissionRefusal {
        self.counters.count_refused(reason);
        AdmissionRefusal::later(reason, wait.max(self.limits.retry.min))
    }
}

/// What a connection is counted in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) address: IpAddr,
    /// The accounts of address and prefix; `None` for exempt addresses.
    places: Option<(Place, Place)>,
}

/// Gives the first address of the network an address is in.
fn network_of(address: IpAddr, prefix_len: u8) -> IpAddr {
    let address = address.to_canonical();
    // A prefix longer than the address stands for the address itself.
    IpNet::new(address, prefix_len).map_or(address, |network| network.network())
}
