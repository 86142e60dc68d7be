//! Links: connections of the WebSocket kind.

use std::{cmp::Ordering, time::Duration};

use super::{GroupId, PairId, ParameterId, SessionId};

/// A WebSocket client link, as the connector declares it. All of its settings are defaults: those
/// of the element win.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the format"
)]
pub struct Link {
    /// `Connection@name`.
    pub name: String,
    /// Where the state of the link is told.
    pub notify: NotifyParameters,
    /// Whether commands are composed when their group is queued, not when they are sent
    /// (`MakeCommandByProtocol`).
    pub is_composed_at_enqueue: bool,
    /// The custom opening handshake; `None` is the plain one.
    pub handshake: Option<SessionId>,
    /// Whether the link is one half of a redundant pair: its element moves to the other half when
    /// this one times out (`RedundantPolling`).
    pub is_redundant: bool,
    /// `UserSettings/BusAddress`.
    pub bus_address: BusAddress,
    /// `UserSettings/IPport`; the port of endpoints that name none.
    pub port: Option<u16>,
    /// Whether the element may not change the port.
    pub port_fixed: bool,
    /// `UserSettings/TimeoutTime`: how long a reply may take. 10 ms to 120 s.
    pub timeout: Option<Duration>,
    /// `UserSettings/Retries`: how often a command is sent again. 0 to 10.
    pub retries: Option<u32>,
    /// Whether certificates of servers are not verified (`SkipCertificateVerification`).
    pub is_unverified: bool,
    /// How the main link polls while the device is silent.
    pub slow_poll: Option<SlowPoll>,
}

/// The parameters that are told the state of a link (`NotifyConnectionPIDs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyParameters {
    /// Set to 1 when the link opens, to 0 when it closes; transitions only.
    pub connections: Option<ParameterId>,
    /// Set at each loss to the close code, 1006 without one.
    pub disconnections: Option<ParameterId>,
}

/// The bus address of a link: a text whose only known meaning is to bypass proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusAddress {
    /// The default text.
    pub default: Option<String>,
    /// Whether the element may not change it.
    pub is_fixed: bool,
    /// The texts an element may choose; empty allows any.
    pub choices: Vec<String>,
    /// The first and the last text an element may choose; numbers compare as numbers.
    pub range: (Option<String>, Option<String>),
}

impl BusAddress {
    /// Says whether an element may choose `text`: one of the choices, or within the range, where
    /// there are such; what bypasses proxies always.
    pub fn allows(&self, text: &str) -> bool {
        let is_default = self.default.as_deref() == Some(text);
        if self.is_fixed || is_default || Self::bypasses_proxy(text) {
            return is_default || !self.is_fixed;
        }
        let (from, to) = (self.range.0.as_deref(), self.range.1.as_deref());
        let has_range = from.is_some() || to.is_some();
        let is_within = from.is_none_or(|from| compare(from, text).is_le())
            && to.is_none_or(|to| compare(text, to).is_le());
        let is_choice = self.choices.iter().any(|choice| choice == text);
        is_choice || (has_range && is_within) || (self.choices.is_empty() && !has_range)
    }

    /// Says whether `text` bypasses proxies: "bypassProxy" in any case.
    pub fn bypasses_proxy(text: &str) -> bool {
        text.eq_ignore_ascii_case("bypassProxy")
    }
}

/// Compares as numbers where both are numbers.
fn compare(left: &str, right: &str) -> Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        (Ok(_) | Err(_), _) => left.cmp(right),
    }
}

/// Polls a silent device slowly: only its ping pair or group, until it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowPoll {
    /// After how many timeouts in a row; 0 counts none.
    pub after_timeouts: u32,
    /// After how long without an answer.
    pub after: Option<Duration>,
    /// How often it is pinged then. 1 s to 300 s.
    pub interval: Duration,
    /// What is sent: the group, or else the pair marked as ping.
    pub ping_group: Option<GroupId>,
    /// The pair marked as ping.
    pub ping_pair: Option<PairId>,
}
