//! Tickets: credentials for one request within a short time.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::time::Instant;

use super::Identity;

/// Issues tickets and takes each of them once, soon.
///
/// A page that is signed in fetches a ticket by plain HTTP and connects with it in the query of the
/// URL. What is left of it in a history, a log or a proxy is worth nothing: it is used up, or has
/// expired. Clones share the tickets, which are known to this process only.
///
/// ```
/// use bowline::server::auth::{Identity, Tickets};
///
/// let tickets = Tickets::default();
/// let ticket = tickets.issue(Identity::new("anna"))?;
/// assert_eq!(tickets.redeem(ticket.as_str()), Some(Identity::new("anna")));
/// assert_eq!(tickets.redeem(ticket.as_str()), None, "it was used");
/// # Ok::<_, bowline::server::auth::TicketsFull>(())
/// ```
#[derive(Clone)]
pub struct Tickets {
    options: TicketOptions,
    issued: Arc<Mutex<Issued>>,
}

/// Bounds tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketOptions {
    /// How long a ticket may be used. Default 30 seconds.
    pub lifetime: Duration,
    /// How many may be issued within one lifetime. Default 65,536, about 13 MiB when full.
    pub count_max: usize,
}

impl Default for TicketOptions {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(30),
            count_max: 1 << 16,
        }
    }
}

impl Tickets {
    /// Makes an issuer of tickets.
    pub fn new(options: TicketOptions) -> Self {
        Self {
            options,
            issued: Arc::default(),
        }
    }

    /// Issues a ticket for a user: 192 random bits.
    ///
    /// # Errors
    /// [`TicketsFull`] when as many were issued within the lifetime as may be.
    pub fn issue(&self, identity: Identity) -> Result<Ticket, TicketsFull> {
        let now = Instant::now();
        let mut issued = self.issued();
        issued.forget_expired(now);
        if issued.order.len() >= self.options.count_max {
            return Err(TicketsFull);
        }
        let number: Number = rand::random();
        // A lifetime beyond what the clock can tell never ends.
        let expires = now.checked_add(self.options.lifetime);
        issued.identities.insert(number, identity);
        issued.order.push_back((expires, number));
        Ok(Ticket(BASE64_URL_SAFE_NO_PAD.encode(number).into()))
    }

    /// Takes a ticket; gives the user it was issued for, unless it was used before, has expired or
    /// was never issued.
    pub fn redeem(&self, ticket: &str) -> Option<Identity> {
        let mut number = Number::default();
        let decoded = BASE64_URL_SAFE_NO_PAD.decode_slice(ticket, &mut number);
        decoded.ok().filter(|len| *len == number.len())?;
        let mut issued = self.issued();
        issued.forget_expired(Instant::now());
        // The table is keyed: how long a look-up takes tells nothing about the tickets in it.
        issued.identities.remove(&number)
    }

    /// The lock is held for a few instructions, and nothing under it calls foreign code.
    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Tickets {
    fn default() -> Self {
        Self::new(TicketOptions::default())
    }
}

/// Shows the bounds only.
impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A ticket, to be handed to the user it was issued for. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(Box<str>);

impl Ticket {
    /// Gives the text: 32 letters, digits, `-` and `_`, which stand in a query as they are.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(hidden)")
    }
}

/// Too many tickets are issued and not yet expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many tickets are issued and not yet expired: try again later")]
pub struct TicketsFull;

type Number = [u8; 24];

#[derive(Default)]
struct Issued {
    identities: HashMap<Number, Identity>,
    /// All that were issued and have not expired, oldest first, used ones too.
    order: VecDeque<(Option<Instant>, Number)>,
}

impl Issued {
    fn forget_expired(&mut self, now: Instant) {
        while let Some((Some(expires), number)) = self.order.front()
            && *expires <= now
        {
            self.identities.remove(number);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_once_and_for_its_lifetime() {
        let tickets = Tickets::new(TicketOptions {
            lifetime: Duration::from_secs(5),
            count_max: 2,
        });
        let anna = || Identity::new("anna");
        let (first, second) = (
            tickets.issue(anna()).unwrap(),
            tickets.issue(anna()).unwrap(),
        );
        assert_ne!(first, second);
        assert_eq!(tickets.issue(anna()), Err(TicketsFull));
        assert_eq!(tickets.clone().redeem(first.as_str()), Some(anna()));
        assert_eq!(tickets.redeem(first.as_str()), None);
        assert_eq!(tickets.issue(anna()), Err(TicketsFull), "used ones count");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(tickets.redeem(second.as_str()), None, "it has expired");
        let third = tickets.issue(anna()).unwrap();
        let cut = third.as_str().get(..31).unwrap();
        for wrong in ["", "x", cut, "%%%", &"A".repeat(32), &"A".repeat(64)] {
            assert_eq!(tickets.redeem(wrong), None, "{wrong}");
        }
        assert_eq!(tickets.redeem(third.as_str()), Some(anna()));
        let shown = format!("{tickets:?} {third:?}");
        assert!(!shown.contains(third.as_str()), "{shown}");
    }
}
