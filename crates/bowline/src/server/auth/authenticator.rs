//! Finds the credentials of a request and the user they prove.

use std::{fmt, sync::Arc};

use bowline_proto::handshake::RequestHead;

use super::{BasicCredentials, Identity, Secret, Tickets, token::token_in};
use crate::transport::PeerCertificate;

/// What a request shows to prove who its user is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// A name and a password in `Authorization: Basic` (RFC 7617).
    Basic(BasicCredentials),
    /// A token, in `Authorization: Bearer` (RFC 6750) or as a subprotocol, see
    /// [`token_subprotocol`](super::token_subprotocol).
    Token(Secret),
    /// The value of the cookie that the [`Authenticator`] looks for.
    Cookie(Secret),
    /// The certificate that TLS has verified.
    Certificate(PeerCertificate),
}

/// Knows users by their credentials.
///
/// Every `Fn(&Credentials) -> Option<Identity>` is one. It is called on the task that accepts, so
/// it must not block: keep what it looks up in memory. [`PasswordList`](super::PasswordList) is one
/// for a few passwords.
pub trait UserStore: Send + Sync {
    /// Gives the user that the credentials prove; `None` if they are wrong.
    fn identify(&self, credentials: &Credentials) -> Option<Identity>;
}

impl<F: Fn(&Credentials) -> Option<Identity> + Send + Sync> UserStore for F {
    fn identify(&self, credentials: &Credentials) -> Option<Identity> {
        self(credentials)
    }
}

/// Proves who the user of a request is. Clones share the store and the tickets.
///
/// It looks for credentials in this order, what was meant for this request before what is sent with
/// every one, and only the first it finds count. If those are wrong or malformed, the user is not
/// known, whatever follows:
///
/// 1. the field `Authorization`, Basic or Bearer; malformed if there are two
/// 2. a token among the subprotocols
/// 3. a ticket in the query, with [`with_tickets`](Self::with_tickets)
/// 4. a cookie, with [`with_cookie`](Self::with_cookie)
/// 5. the client's certificate
#[derive(Clone)]
pub struct Authenticator {
    users: Arc<dyn UserStore>,
    cookie: Option<Box<str>>,
    tickets: Option<(Box<str>, Tickets)>,
}

impl Authenticator {
    /// Makes an authenticator that asks a store.
    pub fn new(users: impl UserStore + 'static) -> Self {
        Self {
            users: Arc::new(users),
            cookie: None,
            tickets: None,
        }
    }

    /// Looks for a cookie of this name too.
    ///
    /// Browsers send cookies with every handshake, whatever page starts it: keep the origin policy
    /// that only lets one's own pages in (RFC 6455 section 10.2).
    #[must_use]
    pub fn with_cookie(mut self, name: &str) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Looks for a ticket in this parameter of the query too. A request that shows one uses it up,
    /// whatever becomes of the request.
    #[must_use]
    pub fn with_tickets(mut self, parameter: &str, tickets: &Tickets) -> Self {
        self.tickets = Some((parameter.into(), tickets.clone()));
        self
    }

    /// Gives the user of a request, if the request proves one.
    pub fn identify(
        &self,
        request: &RequestHead,
        certificate: Option<&PeerCertificate>,
    ) -> Option<Identity> {
        match self.find(request, certificate)? {
            Found::Credentials(credentials) => self.users.identify(&credentials),
            Found::Identity(identity) => Some(identity),
            Found::Malformed => None,
        }
    }

    /// Finds the first that the request shows.
    fn find(&self, request: &RequestHead, certificate: Option<&PeerCertificate>) -> Option<Found> {
        authorization(request)
            .or_else(|| token_in(request))
            .or_else(|| self.ticket(request))
            .or_else(|| self.cookie(request))
            .or_else(|| certificate.map(|one| Some(Credentials::Certificate(one.clone())).into()))
    }

    fn ticket(&self, request: &RequestHead) -> Option<Found> {
        let (name, tickets) = self.tickets.as_ref()?;
        let mut parameters = request.query()?.split('&');
        let ticket = parameters.find_map(|parameter| {
            let (found, value) = parameter.split_once('=')?;
            (found == &**name).then_some(value)
        })?;
        let redeemed = tickets.redeem(ticket);
        Some(redeemed.map_or(Found::Malformed, Found::Identity))
    }

    fn cookie(&self, request: &RequestHead) -> Option<Found> {
        let name = self.cookie.as_ref()?.as_bytes();
        let mut cookies = request.headers().cookies();
        let value = cookies.find_map(|(found, value)| (found == name).then_some(value))?;
        let value = str::from_utf8(value).ok();
        Some(
            value
                .map(|value| Credentials::Cookie(Secret::new(value)))
                .into(),
        )
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("cookie", &self.cookie)
            .field("tickets", &self.tickets)
            .finish_non_exhaustive()
    }
}

/// What a request shows.
pub(super) enum Found {
    Credentials(Credentials),
    /// A ticket is the authenticator's own affair.
    Identity(Identity),
    /// Something is there that proves nothing.
    Malformed,
}

impl From<Option<Credentials>> for Found {
    fn from(credentials: Option<Credentials>) -> Self {
        credentials.map_or(Self::Malformed, Self::Credentials)
    }
}

fn authorization(request: &RequestHead) -> Option<Found> {
    let mut values = request.headers().all("authorization");
    let value = values.next()?;
    if values.next().is_some() {
        // A program in front may have read the other one.
        return Some(Found::Malformed);
    }
    let bearer = || {
        let (scheme, token) = str::from_utf8(value).ok()?.split_once(' ')?;
        let token = token.trim();
        let is_bearer = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
        is_bearer.then(|| Credentials::Token(Secret::new(token)))
    };
    let basic = BasicCredentials::from_request(request).map(Credentials::Basic);
    Some(basic.or_else(bearer).into())
}
