//! The right of one connection to exist.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use bowline_proto::handshake::RequestHead;

use super::{
    Gate,
    hook::{Facts, Verdict},
    ledger::Charge,
    refusal::{AdmissionReason, AdmissionRefusal},
    seat::Seat,
    table::Place,
    trusted_proxies::ForwardedClient,
};

/// Counts a connection as long as it lives; dropping it gives everything back.
///
/// It may be dropped on any thread. Keep it with the connection.
#[must_use = "dropping a permit ends the connection's count"]
pub struct Permit {
    gate: Arc<Gate>,
    charge: Option<Charge>,
    /// On the heap, because most connections have none.
    user: Option<Box<ChargedUser>>,
    /// Its place on the listener it came to.
    seat: Option<Seat>,
    is_in_handshake: bool,
}

impl Permit {
    pub(super) const fn new(gate: Arc<Gate>, charge: Option<Charge>) -> Self {
        Self {
            gate,
            charge,
            user: None,
            seat: None,
            is_in_handshake: true,
        }
    }

    /// Returns the address for which the connection is counted; `None` while the client behind a
    /// trusted proxy is not known.
    pub fn address(&self) -> Option<IpAddr> {
        self.charge.map(|charge| charge.address)
    }

    /// Counts the connection for the source that a PROXY header gave instead of the peer.
    ///
    /// A source that is a trusted proxy is not counted: the client is known once the request is.
    ///
    /// # Errors
    /// [`AdmissionRefusal`] when the limits of the address are reached; the connection is still
    /// counted as before then, until the permit is dropped.
    pub fn attribute(&mut self, source: IpAddr, now: Instant) -> Result<(), AdmissionRefusal> {
        if self.gate.trusted_proxies.trusts(source) {
            let charge = self.charge.take();
            if let Some(charge) = charge {
                self.gate.lock().release_charge(charge);
            }
            return Ok(());
        }
        self.charge_to(source, now)
    }

    /// Decides about the request: finds the client behind trusted proxies, counts the connection
    /// for it, checks the origin and asks the hook, in this order.
    ///
    /// Returns the client.
    ///
    /// # Errors
    /// [`AdmissionRefusal`] with the reason and the answer. The connection is counted until the
    /// permit is dropped.
    pub fn decide(
        &mut self,
        request: &AdmissionRequest<'_>,
        now: Instant,
    ) -> Result<ForwardedClient, AdmissionRefusal> {
        let gate = Arc::clone(&self.gate);
        let headers = request.head.headers();
        let client = gate
            .trusted_proxies
            .resolve(request.peer.ip(), request.is_tls, headers);
        self.charge_to(client.address, now)?;
        let facts = Facts {
            peer: request.peer,
            client: client.address,
            hop_count: client.hop_count,
            is_tls: request.is_tls,
            reached: client.reached(request.head),
            head: request.head,
            counts: gate.lock().counts(client.address, now),
        };
        gate.origin_policy
            .check(request.head, facts.reached)
            .map_err(|error| gate.count_refused(error.into()))?;
        // The lock is free here: the hook may ask for counts.
        if let Some(hook) = &gate.hook
            && let Verdict::Refuse(answer) = hook.decide(&facts)
        {
            return Err(gate.count_refused(AdmissionRefusal::by_hook(answer)));
        }
        Ok(client)
    }

    /// Returns the user for whom the connection is counted, if there is one.
    pub fn user(&self) -> Option<&Arc<str>> {
        self.user.as_ref().map(|charged| &charged.name)
    }

    /// Counts the connection for a user too, once it is proven who that is.
    ///
    /// Nothing changes for a user it is counted for already: several requests on one connection
    /// are one connection. For another user it is counted instead.
    ///
    /// # Errors
    /// [`AdmissionRefusal`] when the limits of the user are reached; the connection is still
    /// counted as before then, until the permit is dropped.
    pub fn attribute_user(
        &mut self,
        user: &Arc<str>,
        now: Instant,
    ) -> Result<(), AdmissionRefusal> {
        if self.user() == Some(user) {
            return Ok(());
        }
        let mut ledger = self.gate.lock();
        let place = ledger.charge_user(user, now)?;
        let name = Arc::clone(user);
        if let Some(old) = self.user.replace(Box::new(ChargedUser { name, place })) {
            ledger.release_user(old.place);
        }
        Ok(())
    }

    /// Counts the connection for no user any more. Later calls change nothing.
    pub fn release_user(&mut self) {
        if let Some(user) = self.user.take() {
            self.gate.lock().release_user(user.place);
        }
    }

    /// Says that the handshake is over, so that another may begin. Later calls change nothing.
    pub fn end_handshake(&mut self) {
        if self.is_in_handshake {
            self.is_in_handshake = false;
            self.gate.lock().end_handshake();
        }
    }

    /// Keeps a place on a listener as long as the connection is counted.
    pub(crate) fn with_seat(mut self, seat: Seat) -> Self {
        self.seat = Some(seat);
        self
    }

    /// Gives the connection up because its listener is full.
    pub(crate) fn refuse_full(self, now: Instant) -> AdmissionRefusal {
        self.gate.lock().refuse_full(now)
    }

    /// Counts the connection for an address, and no longer for another.
    fn charge_to(&mut self, address: IpAddr, now: Instant) -> Result<(), AdmissionRefusal> {
        let address = address.to_canonical();
        if self.address() == Some(address) {
            return Ok(());
        }
        let mut ledger = self.gate.lock();
        let charge = ledger.charge(address, now)?;
        if let Some(old) = self.charge.replace(charge) {
            ledger.release_charge(old);
        }
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut ledger = self.gate.lock();
        if let Some(charge) = self.charge.take() {
            ledger.release_charge(charge);
        }
        if let Some(user) = self.user.take() {
            ledger.release_user(user.place);
        }
        if self.is_in_handshake {
            ledger.end_handshake();
        }
        ledger.end_connection();
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("address", &self.address())
            .field("is_in_handshake", &self.is_in_handshake)
            .finish_non_exhaustive()
    }
}

/// The user a connection is counted for, and where.
struct ChargedUser {
    name: Arc<str>,
    place: Place,
}

/// What [`Permit::decide`] has to know of a request.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionRequest<'a> {
    /// The other end of the TCP connection, or the source that a PROXY header gave.
    pub peer: SocketAddr,
    /// Whether the connection to this server uses TLS.
    pub is_tls: bool,
    /// The request.
    pub head: &'a RequestHead,
}

impl Gate {
    fn count_refused(&self, refusal: AdmissionRefusal) -> AdmissionRefusal {
        let reason: AdmissionReason = refusal.reason();
        self.lock().counters.count_refused(reason);
        refusal
    }
}
