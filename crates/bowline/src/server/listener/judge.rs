//! What a listener decides about a request.

use std::net::IpAddr;

use bowline_proto::handshake::RequestHead;

use super::{
    entrance::{Caller, Entrance},
    now,
};
use crate::server::{
    Answer, FilteredRequest, Values,
    admission::{AdmissionRefusal, AdmissionRequest, ForwardedClient},
    auth::{Identity, basic_challenge},
    filter::REFUSED_BY_FILTER,
    rules::{Decision, RequestFacts, Routed, RuleRefusal},
};

/// A request that is let in.
pub(super) struct Admitted {
    pub(super) routed: Routed,
    pub(super) known: Known,
}

/// What was found out about a request.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) client: ForwardedClient,
    pub(super) identity: Option<Identity>,
    pub(super) values: Values,
}

/// An answer that refuses a request, before filters have changed it.
pub(super) struct Refusal {
    pub(super) answer: Answer,
    /// Says why, for counters; 0 for a redirect.
    pub(super) code: u16,
}

impl Entrance {
    /// Asks, in this order: admission with the origins and the hook, the authenticator, the
    /// filters, the rules, and the limits of the user.
    pub(super) fn judge(
        &self,
        head: &RequestHead,
        is_upgrade: bool,
        caller: &mut Caller,
    ) -> Result<Admitted, Refusal> {
        let request = AdmissionRequest {
            peer: caller.peer,
            is_tls: self.is_tls(),
            head,
        };
        let client = caller.permit.decide(&request, now())?;
        let certificate = caller.certificate.as_ref();
        let mut values = Values::default();
        if let Some(certificate) = certificate {
            values.insert(certificate.clone());
        }
        let authenticator = self.config.authenticator.as_ref();
        let mut request = FilteredRequest {
            head,
            peer: caller.peer,
            client: client.address,
            is_tls: self.is_tls(),
            is_upgrade,
            certificate,
            identity: authenticator.and_then(|one| one.identify(head, certificate)),
            values,
        };
        let screened = self.config.filters.screen(&mut request);
        screened.map_err(|answer| Refusal {
            answer,
            code: REFUSED_BY_FILTER,
        })?;
        let FilteredRequest {
            identity, values, ..
        } = request;
        let routed = self.route(head, identity.as_ref(), client.address)?;
        match &identity {
            Some(identity) => caller.permit.attribute_user(&identity.user, now())?,
            // A request before it on the connection may have had one. Between plain requests the
            // connection stays that user's, or every other one would count for the rate.
            None if is_upgrade => caller.permit.release_user(),
            None => {}
        }
        caller.permit.end_handshake();
        Ok(Admitted {
            routed,
            known: Known {
                client,
                identity,
                values,
            },
        })
    }

    fn route(
        &self,
        head: &RequestHead,
        identity: Option<&Identity>,
        client: IpAddr,
    ) -> Result<Routed, Refusal> {
        let facts = RequestFacts {
            user: identity.map(|identity| &*identity.user),
            groups: identity.map_or(&[], |identity| &identity.groups),
            tls: self.is_tls(),
            ..RequestFacts::new(head, Some(client))
        };
        // Decided and explained by the same set, whatever replaces it meanwhile.
        let set = self.config.rules.active().set;
        let refused = match set.decide(&facts) {
            Decision::Route(routed) => return Ok(routed),
            Decision::Redirect(location) => {
                return Err(Refusal {
                    answer: Answer::new(Decision::REDIRECT_STATUS)
                        .with_header("Location", location),
                    code: 0,
                });
            }
            Decision::Challenge(realm) => challenge(realm.as_str()),
            Decision::Refuse(refusal) => match &self.config.realm {
                Some(realm) if refusal == RuleRefusal::UserRequired => challenge(realm),
                _ => refusal.into(),
            },
        };
        if let Some(on_refused) = &self.config.on_refused {
            on_refused(&set.explain(&facts));
        }
        Err(refused)
    }
}

/// Asks who the user is.
fn challenge(realm: &str) -> Refusal {
    let Refusal { mut answer, code } = RuleRefusal::UserRequired.into();
    answer.status = Decision::CHALLENGE_STATUS;
    Refusal {
        answer: answer.with_header("WWW-Authenticate", basic_challenge(realm)),
        code,
    }
}

impl From<RuleRefusal> for Refusal {
    fn from(refusal: RuleRefusal) -> Self {
        let code = refusal.code();
        Self {
            answer: Answer::new(refusal.status()).with_body(format!("{refusal} (detail {code})\n")),
            code,
        }
    }
}

impl From<AdmissionRefusal> for Refusal {
    fn from(refusal: AdmissionRefusal) -> Self {
        Self {
            answer: refusal.answer(),
            code: refusal.reason().code(),
        }
    }
}
