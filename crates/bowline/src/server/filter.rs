//! Filters of requests before they are let in, and of the answers to those that are not.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bowline_proto::handshake::RequestHead;

use super::{Answer, Values, admission::Verdict, auth::Identity};
use crate::transport::PeerCertificate;

/// Looks at a request before the rules do: may refuse it with a whole answer, say who the user is,
/// and put values with the connection.
///
/// Every `Fn(&mut FilteredRequest<'_>) -> Verdict` is one. It is called on the task that accepts,
/// so it must not block.
pub trait RequestFilter: Send + Sync {
    /// Looks at one request.
    fn filter(&self, request: &mut FilteredRequest<'_>) -> Verdict;
}

impl<F: Fn(&mut FilteredRequest<'_>) -> Verdict + Send + Sync> RequestFilter for F {
    fn filter(&self, request: &mut FilteredRequest<'_>) -> Verdict {
        self(request)
    }
}

/// Changes the answer to a request that is not let in, before it goes out: status, headers, body.
///
/// Every `Fn(&Refused<'_>, &mut Answer)` is one. It is called on the task that accepts, so it must
/// not block.
pub trait ResponseFilter: Send + Sync {
    /// Changes one answer. One that cannot be sent afterwards is replaced by a bare 500.
    fn filter(&self, refused: &Refused<'_>, answer: &mut Answer);
}

impl<F: Fn(&Refused<'_>, &mut Answer) + Send + Sync> ResponseFilter for F {
    fn filter(&self, refused: &Refused<'_>, answer: &mut Answer) {
        self(refused, answer);
    }
}

/// A request as a filter sees it. What it may change is what follows of it: the user and the
/// values.
#[derive(Debug)]
pub struct FilteredRequest<'r> {
    /// The request: method, path, query, headers.
    pub head: &'r RequestHead,
    /// The other end of the TCP connection, or the source that the PROXY protocol gave.
    pub peer: SocketAddr,
    /// The client, behind however many trusted proxies.
    pub client: IpAddr,
    /// Whether the connection to this server uses TLS.
    pub is_tls: bool,
    /// Whether it is an opening handshake.
    pub is_upgrade: bool,
    /// The certificate that the client has shown.
    pub certificate: Option<&'r PeerCertificate>,
    /// The user, as the authenticator or an earlier filter knows it. The rules see what is left
    /// here.
    pub identity: Option<Identity>,
    /// What goes with the connection; the client's certificate is there already.
    pub values: Values,
}

/// What a response filter may know of a refusal.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'r> {
    /// The request; `None` for a connection that was refused before one was read.
    pub head: Option<&'r RequestHead>,
    /// The other end of the TCP connection, or the source that the PROXY protocol gave.
    pub peer: SocketAddr,
    /// The number of the reason; 0 for a redirect, and if the handler refused.
    pub code: u16,
}

/// The filters of a listener, called in the order in which they were added.
///
/// ```
/// use bowline::server::{Answer, FilteredRequest, Filters, Refused, admission::Verdict};
///
/// struct Tenant(String);
///
/// let filters = Filters::default()
///     .with_request(|request: &mut FilteredRequest<'_>| {
///         match request.head.headers().text("x-tenant") {
///             Some(tenant) => {
///                 request.values.insert(Tenant(tenant.to_owned()));
///                 Verdict::Admit
///             }
///             None => Answer::new(400).with_body("Which tenant?\n").into(),
///         }
///     })
///     .with_response(|_: &Refused<'_>, answer: &mut Answer| {
///         answer.headers.push(("X-Robots-Tag".to_owned(), b"none".to_vec()));
///     });
/// # drop(filters);
/// ```
#[derive(Clone, Default)]
pub struct Filters {
    requests: Vec<Arc<dyn RequestFilter>>,
    responses: Vec<Arc<dyn ResponseFilter>>,
}

impl Filters {
    /// Adds a filter of requests. The first that refuses ends the request.
    #[must_use]
    pub fn with_request(mut self, filter: impl RequestFilter + 'static) -> Self {
        self.requests.push(Arc::new(filter));
        self
    }

    /// Adds a filter of refusals. Each gets what the one before it left.
    #[must_use]
    pub fn with_response(mut self, filter: impl ResponseFilter + 'static) -> Self {
        self.responses.push(Arc::new(filter));
        self
    }

    /// Asks the filters of requests; gives the answer of the first that refuses.
    pub(super) fn screen(&self, request: &mut FilteredRequest<'_>) -> Result<(), Answer> {
        for filter in &self.requests {
            if let Verdict::Refuse(answer) = filter.filter(request) {
                return Err(answer);
            }
        }
        Ok(())
    }

    /// Has an answer changed by the filters of refusals; gives one that can be sent.
    pub(super) fn dress(&self, refused: &Refused<'_>, mut answer: Answer) -> Answer {
        for filter in &self.responses {
            filter.filter(refused, &mut answer);
        }
        match answer.check() {
            Ok(()) => answer,
            Err(_) => Answer::new(500).with_body("The server failed to answer.\n"),
        }
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filters")
            .field("request_count", &self.requests.len())
            .field("response_count", &self.responses.len())
            .finish()
    }
}

/// The number of the reason when a filter of requests refused.
pub(super) const REFUSED_BY_FILTER: u16 = 150;
