//! The way of a connection from the socket to the handler.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU32},
};

use bowline_proto::handshake::{self, RefusalResponse, RequestHead, check_host};
use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    Arrival, BodyError, HttpArrival, ListenerConfig, ListenerName, ProxyHeaderUse, REFUSAL_TIMEOUT,
    WebSocketArrival, arrival::Visitor, body::Framing, judge::Refusal, now,
    source::read_proxy_header,
};
use crate::{
    error::{ConnectPhase, Error},
    metrics::HandshakeOutcome,
    server::{
        Answer, Offer, Refused, Request, Unread,
        admission::{Permit, Seat},
        answer::write_answer,
    },
    transport::{PeerCertificate, Rewind, Stream},
};

/// Decides on one connection after the other.
pub(super) struct Entrance {
    pub(super) config: ListenerConfig,
    /// Connections that are open now.
    connection_count: Arc<AtomicU32>,
}

/// Who is at the other end of a connection, and the place that is counted for them.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) peer: SocketAddr,
    pub(super) certificate: Option<PeerCertificate>,
    pub(super) permit: Permit,
}

/// A connection that was answered and waits for its next request.
pub(super) struct Kept {
    pub(super) stream: Stream,
    /// What came after the last request.
    pub(super) rest: BytesMut,
    pub(super) caller: Caller,
}

/// A request that was let in, and, for plain HTTP, where its connection comes back to.
pub(super) type Entered = (Arrival, Option<oneshot::Receiver<Kept>>);

impl Entrance {
    pub(super) fn new(config: ListenerConfig) -> Self {
        Self {
            config,
            connection_count: Arc::default(),
        }
    }

    pub(super) const fn name(&self) -> &ListenerName {
        &self.config.name
    }

    pub(super) const fn is_tls(&self) -> bool {
        self.config.tls.is_some()
    }

    /// Counts a connection before a byte of it is read; gives the answer if it is not let in.
    pub(super) fn admit(&self, peer: SocketAddr) -> Result<Permit, Answer> {
        let admitted = self.config.admission.admit(peer.ip(), now());
        let seated = admitted.and_then(|permit| {
            match Seat::take(&self.connection_count, self.config.connection_count_max) {
                Some(seat) => Ok(permit.with_seat(seat)),
                None => Err(permit.refuse_full(now())),
            }
        });
        seated.map_err(|refusal| {
            let (status, code) = (refusal.status(), refusal.reason().code());
            let options = &self.config.acceptor.options;
            options.handshake_over(HandshakeOutcome::Refused { status, code }, None);
            self.dress(None, peer, Refusal::from(refusal))
        })
    }

    /// Takes a connection to its first request, and says where that goes; `None` if it was refused
    /// and has been told so.
    pub(super) async fn enter(
        self: &Arc<Self>,
        tcp: TcpStream,
        mut peer: SocketAddr,
        mut permit: Permit,
    ) -> Result<Option<Entered>, Error> {
        let options = &self.config.acceptor.options;
        let stream = self.prepare(tcp, &mut peer, &mut permit).await;
        let stream = stream.map_err(|error| options.handshake_failed(error))?;
        let caller = Caller {
            peer,
            certificate: stream.peer_certificate(),
            permit,
        };
        let request = self.config.acceptor.read_request(stream).await?;
        self.receive(request, caller).await
    }

    /// Waits for the next request on a connection; `None` if there is none in time, or before the
    /// listener stops.
    pub(super) async fn next(
        self: &Arc<Self>,
        kept: Kept,
        stopped: &mut watch::Receiver<()>,
    ) -> Result<Option<Entered>, Error> {
        let Kept {
            mut stream,
            mut rest,
            caller,
        } = kept;
        let more = async {
            if !rest.is_empty() {
                return true;
            }
            let read = timeout(self.config.http.keep_alive, stream.read_buf(&mut rest)).await;
            read.is_ok_and(|read| read.is_ok_and(|len| len > 0))
        };
        let more = tokio::select! {
            biased;
            // It ends a client too that has sent its next request already.
            _ = stopped.changed() => false,
            more = more => more,
        };
        if !more {
            drop(timeout(REFUSAL_TIMEOUT, stream.shutdown()).await);
            return Ok(None);
        }
        let request = self.config.acceptor.read_next(stream, rest).await?;
        self.receive(request, caller).await
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

    async fn receive(
        self: &Arc<Self>,
        request: Request<Stream>,
        caller: Caller,
    ) -> Result<Option<Entered>, Error> {
        match request {
            Request::WebSocket(offer) => self.websocket(offer, caller).await,
            Request::Http(head, stream) => self.http(head, stream, caller).await,
        }
    }

    async fn websocket(
        self: &Arc<Self>,
        offer: Offer<Stream>,
        mut caller: Caller,
    ) -> Result<Option<Entered>, Error> {
        match self.judge(offer.request(), true, &mut caller) {
            Ok(admitted) => Ok(Some((
                Arrival::WebSocket(WebSocketArrival {
                    offer,
                    routed: admitted.routed,
                    visitor: Visitor::new(self, caller, admitted.known),
                }),
                None,
            ))),
            Err(refusal) => {
                let code = refusal.code;
                let answer = self.dress(Some(offer.request()), caller.peer, refusal);
                offer.refuse_whole(answer, code).await?;
                Ok(None)
            }
        }
    }

    async fn http(
        self: &Arc<Self>,
        head: RequestHead,
        stream: Rewind<Stream>,
        mut caller: Caller,
    ) -> Result<Option<Entered>, Error> {
        let (first, mut stream) = stream.into_parts();
        let mut rest = BytesMut::from(first);
        rest.advance(head.as_bytes().len());
        let judged = self
            .check(&head)
            .and_then(|framing| Ok((framing, self.judge(&head, false, &mut caller)?)));
        let (framing, admitted) = match judged {
            Ok(judged) => judged,
            Err(refusal) => {
                self.refuse_http(&head, &mut stream, caller.peer, refusal)
                    .await?;
                return Ok(None);
            }
        };
        let (next, kept) = oneshot::channel();
        let arrival = HttpArrival {
            head,
            stream,
            rest,
            framing,
            routed: admitted.routed,
            visitor: Visitor::new(self, caller, admitted.known),
            next,
        };
        Ok(Some((Arrival::Http(arrival), Some(kept))))
    }

    /// Checks what every plain request has to keep to; gives how its body ends.
    fn check(&self, head: &RequestHead) -> Result<Framing, Refusal> {
        check_host(head)?;
        Ok(Framing::of(head, self.config.http.body_size_max)?)
    }

    /// Answers a plain request with a refusal and ends the connection.
    pub(super) async fn refuse_http(
        &self,
        head: &RequestHead,
        stream: &mut Stream,
        peer: SocketAddr,
        refusal: Refusal,
    ) -> Result<(), Error> {
        let answer = self.dress(Some(head), peer, refusal);
        let response = RefusalResponse {
            status: answer.status,
            headers: &answer.borrowed_headers(),
            body: answer.body.as_bytes(),
        };
        let mut bytes = BytesMut::new();
        let written = write_answer(head, &response, &mut bytes);
        debug_assert_eq!(written, Ok(()), "the answer was checked");
        let acceptor = &self.config.acceptor;
        acceptor.answer(stream, &bytes, Unread::Unknown).await
    }

    /// Has the filters change a refusal.
    pub(super) fn dress(
        &self,
        head: Option<&RequestHead>,
        peer: SocketAddr,
        refusal: Refusal,
    ) -> Answer {
        let Refusal { answer, code } = refusal;
        let refused = Refused { head, peer, code };
        self.config.filters.dress(&refused, answer)
    }
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrance")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::told(error.status(), error.code(), &error)
    }
}

impl From<handshake::Refusal> for Refusal {
    fn from(refusal: handshake::Refusal) -> Self {
        Self::told(refusal.status(), refusal.detail().code(), &refusal)
    }
}

impl Refusal {
    /// Tells the reason in one line of text.
    fn told(status: u16, code: u16, reason: &impl fmt::Display) -> Self {
        Self {
            code,
            answer: Answer::new(status)
                .with_header("Content-Type", "text/plain; charset=utf-8")
                .with_body(format!("{reason} (detail {code})\n")),
        }
    }
}
