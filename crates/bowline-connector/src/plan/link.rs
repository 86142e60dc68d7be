//! Links: connections of the WebSocket kind.

use std::time::Duration;

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
}

impl BusAddress {
    /// Says whether `text` bypasses proxies: "bypassProxy" in any case.
    pub fn bypasses_proxy(text: &str) -> bool {
        text.eq_ignore_ascii_case("bypassProxy")
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
