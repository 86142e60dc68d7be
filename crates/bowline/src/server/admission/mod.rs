//! Decides who may connect, how often, and from which page.
//!
#![doc = include_str!("../../../docs/guide/admission.md")]

mod authority;
mod forwarded;
mod hook;
mod ledger;
mod limits;
mod origin;
mod origin_policy;
mod permit;
pub mod proxy_protocol;
mod rate;
mod refusal;
mod seat;
mod table;
mod trusted_proxies;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

pub use super::{
    address::{AddressError, AddressRange},
    answer::Answer,
};
pub use authority::Scheme;
pub use hook::{AdmissionHook, Facts, Verdict};
pub use ledger::{AdmissionCounters, Counts};
pub use limits::{AdmissionLimits, RetryAfter};
pub use origin::{OriginPattern, OriginPatternError};
pub use origin_policy::{OriginError, OriginPolicy, Reached};
pub use permit::{AdmissionRequest, Permit};
pub use rate::Rate;
pub use refusal::{AdmissionReason, AdmissionRefusal};
pub(crate) use seat::Seat;
pub use trusted_proxies::{ForwardedClient, ForwardedHeader, TrustedProxies};

use ledger::Ledger;

/// Decides who may connect. Clones share the same counts.
///
/// It never waits and has no clock: every call is given the time.
#[derive(Clone)]
pub struct Admission {
    gate: Arc<Gate>,
}

impl Admission {
    /// Creates an admission from its parts.
    pub fn new(options: AdmissionOptions) -> Self {
        let AdmissionOptions {
            limits,
            origin_policy,
            trusted_proxies,
            hook,
        } = options;
        Self {
            gate: Arc::new(Gate {
                ledger: Mutex::new(Ledger::new(limits)),
                origin_policy,
                trusted_proxies,
                hook,
            }),
        }
    }

    /// Admits a new connection, before anything is read from it.
    ///
    /// It is counted for the peer, unless that is a trusted proxy: then it is counted for the
    /// client once [`Permit::decide`] or [`Permit::attribute`] knows it.
    ///
    /// # Errors
    /// [`AdmissionRefusal`] when a limit is reached. The connection is not counted then.
    pub fn admit(&self, peer: IpAddr, now: Instant) -> Result<Permit, AdmissionRefusal> {
        let is_client = !self.gate.trusted_proxies.trusts(peer);
        let charge = self.gate.lock().admit(is_client.then_some(peer), now)?;
        Ok(Permit::new(Arc::clone(&self.gate), charge))
    }

    /// Returns the totals of what is in use.
    pub fn counts(&self) -> Counts {
        self.gate.lock().totals()
    }

    /// Returns the totals and what an address uses.
    pub fn counts_of(&self, address: IpAddr, now: Instant) -> Counts {
        self.gate.lock().counts(address, now)
    }

    /// Returns how many connections are counted for a user, see [`Permit::attribute_user`].
    pub fn user_connection_count(&self, user: &str, now: Instant) -> u32 {
        self.gate.lock().user_connection_count(user, now)
    }

    /// Returns how connections were admitted and refused since the start.
    pub fn counters(&self) -> AdmissionCounters {
        self.gate.lock().counters
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(AdmissionOptions::default())
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// The parts of an [`Admission`]. The default has the default limits, the same-origin policy, no
/// trusted proxy and no hook.
#[derive(Clone, Default)]
pub struct AdmissionOptions {
    /// Bounds connections and handshakes.
    pub limits: AdmissionLimits,
    /// Says which web pages may connect.
    pub origin_policy: OriginPolicy,
    /// Names the proxies whose word on the client is taken.
    pub trusted_proxies: TrustedProxies,
    /// Decides at last, with all facts.
    pub hook: Option<Arc<dyn AdmissionHook>>,
}

impl fmt::Debug for AdmissionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionOptions")
            .field("limits", &self.limits)
            .field("origin_policy", &self.origin_policy)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("has_hook", &self.hook.is_some())
            .finish()
    }
}

/// What an admission and its permits share.
struct Gate {
    ledger: Mutex<Ledger>,
    origin_policy: OriginPolicy,
    trusted_proxies: TrustedProxies,
    hook: Option<Arc<dyn AdmissionHook>>,
}

impl Gate {
    /// The lock is held for a few instructions, and nothing under it calls foreign code.
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
