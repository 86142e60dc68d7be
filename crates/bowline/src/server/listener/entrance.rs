//! The way of a connection from the socket to the handler.

use std::net::SocketAddr;

use bowline_proto::handshake::{RefusalResponse, RequestHead};
use bytes::BytesMut;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use super::{
    Arrival, HttpArrival, Identity, ListenerConfig, ListenerName, ProxyHeaderUse, WebSocketArrival,
    arrival::{Visitor, write_answer},
    now,
};
use crate::{
    error::{ConnectPhase, Error},
    metrics::HandshakeOutcome,
    server::{
        Offer, Request,
        admission::{
            AdmissionRefusal, AdmissionRequest, Permit,
            proxy_protocol::{HEADER_LEN_MAX_V1, ProxyHeaderParser},
        },
        rules::{Decision, RequestFacts, Routed, RuleRefusal},
    },
    transport::{Rewind, Stream},
};

/// Decides on one connection after the other.
pub(super) struct Entrance {
    config: ListenerConfig,
}

impl Entrance {
    pub(super) const fn new(config: ListenerConfig) -> Self {
        Self { config }
    }

    pub(super) const fn name(&self) -> &ListenerName {
        &self.config.name
    }

    pub(super) const fn is_tls(&self) -> bool {
        self.config.tls.is_some()
    }

    /// Counts a connection before a byte of it is read.
    pub(super) fn admit(&self, peer: SocketAddr) -> Result<Permit, AdmissionRefusal> {
        let admitted = self.config.admission.admit(peer.ip(), now());
        admitted.inspect_err(|refusal| {
            let outcome = HandshakeOutcome::Refused {
                status: refusal.status(),
                code: refusal.reason().code(),
            };
            let options = &self.config.acceptor.options;
            options.handshake_over(outcome, None);
        })
    }

    /// Takes a connection to its request, and says where that goes; `None` if it was refused and
    /// has been told so.
    pub(super) async fn enter(
        &self,
        tcp: TcpStream,
        mut peer: SocketAddr,
        mut permit: Permit,
    ) -> Result<Option<Arrival>, Error> {
        let options = &self.config.acceptor.options;
        let stream = self.prepare(tcp, &mut peer, &mut permit).await;
        let stream = stream.map_err(|error| options.handshake_failed(error))?;
        match self.config.acceptor.read_request(stream).await? {
            Request::WebSocket(offer) => self.websocket(offer, peer, permit).await,
            Request::Http(head, stream) => self.http(head, stream, peer, permit).await,
        }
    }

    /// Makes the stream that the request comes on.
    async fn prepare(
        &self,
        mut tcp: TcpStream,
        peer: &mut SocketAddr,
        permit: &mut Permit,
    ) -> Result<Stream, Error> {
        tcp.set_nodelay(true)?;
        let begin = self.begin(&mut tcp, permit, peer);
        timeout(self.config.tls_timeout, begin)
            .await
            .map_err(|_| Error::Timeout(ConnectPhase::Handshake))??;
        Ok(match &self.config.tls {
            None => Stream::Tcp(tcp),
            Some(tls) => timeout(self.config.tls_timeout, tls.accept(tcp))
                .await
                .map_err(|_| Error::Timeout(ConnectPhase::Tls))??,
        })
    }

    /// Reads the PROXY header, if there is one, and counts the connection for its source.
    async fn begin(
        &self,
        tcp: &mut TcpStream,
        permit: &mut Permit,
        peer: &mut SocketAddr,
    ) -> Result<(), Error> {
        if self.config.proxy_header == ProxyHeaderUse::None {
            return Ok(());
        }
        if let Some(source) = read_proxy_header(tcp).await? {
            permit
                .attribute(source.ip(), now())
                .map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
            *peer = source;
        }
        Ok(())
    }

    async fn websocket(
        &self,
        offer: Offer<Stream>,
        peer: SocketAddr,
        permit: Permit,
    ) -> Result<Option<Arrival>, Error> {
        match self.decide(offer.request(), peer, permit) {
            Ok((routed, visitor)) => Ok(Some(Arrival::WebSocket(WebSocketArrival {
                offer,
                routed,
                visitor,
            }))),
            Err(answer) => {
                let mut offer = offer;
                for (name, value) in &answer.headers {
                    offer = offer.with_header(name, value);
                }
                let Answer {
                    status, code, body, ..
                } = answer;
                offer.refuse_with_code(status, code, &body).await?;
                Ok(None)
            }
        }
    }

    async fn http(
        &self,
        head: RequestHead,
        stream: Rewind<Stream>,
        peer: SocketAddr,
        permit: Permit,
    ) -> Result<Option<Arrival>, Error> {
        match self.decide(&head, peer, permit) {
            Ok((routed, visitor)) => Ok(Some(Arrival::Http(HttpArrival {
                head,
                stream,
                routed,
                visitor,
                acceptor: self.config.acceptor.clone(),
            }))),
            Err(answer) => {
                let headers: Vec<_> = answer
                    .headers
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_slice()))
                    .collect();
                let response = RefusalResponse {
                    status: answer.status,
                    headers: &headers,
                    body: answer.body.as_bytes(),
                };
                let mut bytes = BytesMut::new();
                let (_, mut stream) = stream.into_parts();
                if write_answer(&head, &response, &mut bytes).is_ok() {
                    self.config.acceptor.answer(&mut stream, &bytes).await?;
                }
                Ok(None)
            }
        }
    }

    /// Asks the rules, then admission.
    fn decide(
        &self,
        head: &RequestHead,
        peer: SocketAddr,
        mut permit: Permit,
    ) -> Result<(Routed, Visitor), Answer> {
        let identity = self
            .config
            .identify
            .as_ref()
            .and_then(|identify| identify(head));
        let request = AdmissionRequest {
            peer,
            is_tls: self.is_tls(),
            head,
        };
        let client = permit
            .decide(&request, now())
            .map_err(Answer::of_admission)?;
        let routed = self.route(head, identity.as_ref(), client.address)?;
        permit.end_handshake();
        let listener = self.config.name.shared();
        Ok((
            routed,
            Visitor {
                peer,
                client,
                identity,
                listener,
                permit,
            },
        ))
    }

    fn route(
        &self,
        head: &RequestHead,
        identity: Option<&Identity>,
        client: std::net::IpAddr,
    ) -> Result<Routed, Answer> {
        let facts = RequestFacts {
            user: identity.map(|identity| &*identity.user),
            groups: identity.map_or(&[], |identity| &identity.groups),
            tls: self.is_tls(),
            ..RequestFacts::new(head, Some(client))
        };
        // Decided and explained by the same set, whatever replaces it meanwhile.
        let set = self.config.rules.active().set;
        match set.decide(&facts) {
            Decision::Route(routed) => Ok(routed),
            Decision::Redirect(location) => Err(Answer {
                status: Decision::REDIRECT_STATUS,
                code: 0,
                headers: vec![("Location".to_owned(), location.into_bytes())],
                body: String::new(),
            }),
            Decision::Refuse(refusal) => {
                if let Some(on_refused) = &self.config.on_refused {
                    on_refused(&set.explain(&facts));
                }
                Err(self.rule_answer(refusal))
            }
        }
    }

    fn rule_answer(&self, refusal: RuleRefusal) -> Answer {
        let body = format!("{refusal} (detail {})\n", refusal.code());
        match (&self.config.realm, refusal) {
            (Some(realm), RuleRefusal::UserRequired) => {
                let realm = realm.replace(['"', '\\'], "");
                let challenge = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
                let headers = vec![("WWW-Authenticate".to_owned(), challenge.into_bytes())];
                Answer {
                    status: 401,
                    code: refusal.code(),
                    headers,
                    body,
                }
            }
            _ => Answer {
                status: refusal.status(),
                code: refusal.code(),
                headers: Vec::new(),
                body,
            },
        }
    }
}

/// An answer that refuses a request.
struct Answer {
    status: u16,
    /// Says why, for counters; 0 for a redirect.
    code: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: String,
}

impl Answer {
    #[expect(clippy::needless_pass_by_value, reason = "it maps an error")]
    fn of_admission(refusal: AdmissionRefusal) -> Self {
        Self {
            status: refusal.status(),
            code: refusal.reason().code(),
            headers: refusal.headers(),
            body: refusal.body(),
        }
    }
}

/// Reads a PROXY header and nothing behind it; gives the source it names.
async fn read_proxy_header(tcp: &mut TcpStream) -> Result<Option<SocketAddr>, Error> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let mut parser = ProxyHeaderParser::new();
    let mut chunk = [0; HEADER_LEN_MAX_V1];
    loop {
        let seen = tcp.peek(&mut chunk).await?;
        if seen == 0 {
            return Err(Error::Io(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let input = chunk.get(..seen).unwrap_or_default();
        let parsed = parser.handle_input(input).map_err(|_| invalid())?;
        // All of what is seen belongs to a header that is not complete.
        let taken = parsed.map_or(seen, |parsed| parsed.consumed);
        tcp.read_exact(chunk.get_mut(..taken).unwrap_or_default())
            .await?;
        if let Some(parsed) = parsed {
            return Ok(parsed.header.source());
        }
    }
}
