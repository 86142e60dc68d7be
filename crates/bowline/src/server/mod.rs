//! The server's side: accepting, and acting on what was accepted.
//!
//! [`accept`] and [`Acceptor`] make a [`WebSocket`] of a stream. A [`ConnectionGroup`] takes it
//! and calls handlers for what arrives; from then on a [`ConnectionHandle`], or the number that
//! names it in a [`Registry`], acts on it from any thread. [`Sessions`] remember visitors between
//! connections, and [`Registry::drain`] ends everything with manners.

mod address;
pub mod admission;
mod answer;
pub mod auth;
mod cookie;
mod drain;
mod entry;
mod filter;
mod group;
mod handle;
mod id;
mod listener;
mod offer;
mod opcode;
mod registry;
pub mod rules;
mod session;
#[cfg(feature = "hyper")]
mod upgrade;
mod values;

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bowline_proto::handshake::{
    HeadLimits, HeadParser, ParsedHead, Refusal, RefusalResponse, RequestCheck, RequestHead,
    check_request, write_refusal,
};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::coop::unconstrained,
    time::timeout,
};

pub use address::{AddressError, AddressRange};
pub use answer::Answer;
pub use auth::{Authenticator, BasicCredentials, Identity};
pub use cookie::SetCookie;
pub use drain::{DrainOptions, DrainReport};
pub use entry::Attributes;
pub use filter::{FilteredRequest, Filters, Refused, RequestFilter, ResponseFilter};
pub(crate) use group::OpenRound;
pub use group::{
    Broadcast, ConnectionGroup, GroupError, GroupOptions, GroupTable, GroupTableLimits,
    HandlerKind, Membership,
};
pub use handle::{ConnectionHandle, SendError};
pub use id::ConnectionId;
pub use listener::{
    Arrival, BodyError, HttpArrival, HttpExchange, HttpOptions, Listener, ListenerConfig,
    ListenerName, ListenerNameError, OnRefused, ProxyHeaderUse, WebSocketArrival,
};
pub use offer::Offer;
pub use opcode::{FrameCode, FrameCodeError};
pub use registry::{Registry, RegistryFull, ReservedId, UnknownConnection};
pub use session::{
    AttachedSession, Session, SessionError, SessionOptions, SessionSource, Sessions,
};
#[cfg(feature = "hyper")]
pub use upgrade::{Handover, PendingWebSocket, Rejection, UpgradedStream};
pub use values::Values;

use crate::{
    error::{ConnectPhase, Error},
    options::Options,
    socket::WebSocket,
    transport::{Rewind, Transport, is_plain_tcp},
};

/// Accepts a WebSocket on a stream, with the defaults of [`Acceptor`].
///
/// Not cancel-safe: a dropped handshake drops the stream.
///
/// # Errors
/// As [`Acceptor::accept`].
pub fn accept<S: Transport>(stream: S) -> impl Future<Output = Result<WebSocket<S>, Error>> {
    // On the heap for the time of the handshake: a task is as large as the largest future it
    // ever waits for, as long as it lives.
    Box::pin(async { Acceptor::default().accept_any(stream).await })
}

/// Makes the server's side of opening handshakes.
///
/// One value serves any number of streams. It reads the request head itself, bounded and within a
/// deadline, and needs no HTTP server; what is plain HTTP can be handed to one.
#[derive(Clone, Debug)]
pub struct Acceptor {
    /// Configures the connections.
    pub options: Options,
    /// Bounds the request head.
    pub head_limits: HeadLimits,
    /// How long the opening handshake may take, from the first read on.
    pub handshake_timeout: Duration,
}

impl Default for Acceptor {
    /// Heads of at most 16 KiB and 100 fields, within 10 seconds.
    fn default() -> Self {
        Self {
            options: Options::default(),
            head_limits: HeadLimits::default(),
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

/// What a client asked for.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once in a connection's life"
)]
pub enum Request<S> {
    /// A WebSocket: accept or refuse it.
    WebSocket(Offer<S>),
    /// Something else: its head, and the stream from its first byte on.
    Http(RequestHead, Rewind<S>),
}

impl Acceptor {
    /// Accepts a WebSocket at any path and with any origin; agrees to no subprotocol.
    ///
    /// Anything else is answered with the status that fits. Not cancel-safe: a dropped handshake
    /// drops the stream.
    ///
    /// # Errors
    /// [`Error::RefusedRequest`] for a malformed handshake, [`Error::NotWebSocket`] for plain
    /// HTTP, [`Error::Timeout`] past the deadline, [`Error::Io`] if the stream fails.
    pub fn accept<S: Transport>(
        &self,
        stream: S,
    ) -> impl Future<Output = Result<WebSocket<S>, Error>> {
        // On the heap for the time of the handshake: a task is as large as the largest future it
        // ever waits for, as long as it lives.
        Box::pin(self.accept_any(stream))
    }

    async fn accept_any<S: Transport>(&self, stream: S) -> Result<WebSocket<S>, Error> {
        match Box::pin(self.read_request(stream)).await? {
            Request::WebSocket(offer) => Box::pin(offer.accept()).await,
            Request::Http(_, rewind) => {
                let (_, mut stream) = rewind.into_parts();
                let upgrade = RefusalResponse {
                    status: 426,
                    headers: &[],
                    body: b"This address serves WebSocket only.\n",
                };
                let mut answer = BytesMut::new();
                if write_refusal(&upgrade, &mut answer).is_ok() {
                    self.answer(&mut stream, &answer, Unread::Unknown).await?;
                }
                Err(self.options.handshake_failed(Error::NotWebSocket))
            }
        }
    }

    /// Reads a request head and says what it asks for.
    ///
    /// A head that breaks a rule is answered with the status that fits. Not cancel-safe: a dropped
    /// handshake drops the stream.
    ///
    /// # Errors
    /// [`Error::RefusedRequest`] for a malformed head or handshake, [`Error::Timeout`] past the
    /// deadline, [`Error::Io`] if the stream fails.
    pub async fn read_request<S: Transport>(&self, stream: S) -> Result<Request<S>, Error> {
        self.read_next(stream, BytesMut::new()).await
    }

    /// The same, of a stream of which the first bytes were read.
    pub(crate) async fn read_next<S: Transport>(
        &self,
        stream: S,
        first: BytesMut,
    ) -> Result<Request<S>, Error> {
        let read = self.read_checked(stream, first).await;
        read.map_err(|error| self.options.handshake_failed(error))
    }

    async fn read_checked<S: Transport>(
        &self,
        mut stream: S,
        first: BytesMut,
    ) -> Result<Request<S>, Error> {
        let read = timeout(self.handshake_timeout, self.read_head(&mut stream, first)).await;
        let mut unread = Unread::Unknown;
        let checked = match read {
            Err(_) => return Err(Error::Timeout(ConnectPhase::Handshake)),
            Ok(Err(HeadFailure::Io(error))) => return Err(error.into()),
            Ok(Err(HeadFailure::Refused(refusal))) => Err(refusal),
            Ok(Ok((head, rest))) => match check_request(&head) {
                Ok(check) => Ok((head, rest, check)),
                Err(refusal) => {
                    unread = Unread::after(&head, &rest);
                    Err(refusal)
                }
            },
        };
        match checked {
            Ok((head, rest, RequestCheck::Offer(handshake))) => Ok(Request::WebSocket(Offer::new(
                self, head, handshake, stream, rest,
            ))),
            Ok((head, rest, RequestCheck::NotAnUpgrade)) => {
                let mut first = BytesMut::from(head.as_bytes().as_ref());
                first.extend_from_slice(&rest);
                Ok(Request::Http(head, Rewind::new(first.freeze(), stream)))
            }
            Err(refusal) => {
                let mut answer = BytesMut::new();
                refusal.write(&mut answer);
                self.answer(&mut stream, &answer, unread).await?;
                Err(Error::RefusedRequest(refusal))
            }
        }
    }

    /// Reads the head; gives also what came after it.
    async fn read_head<S: Transport>(
        &self,
        stream: &mut S,
        first: BytesMut,
    ) -> Result<(RequestHead, BytesMut), HeadFailure> {
        let mut parser = HeadParser::<RequestHead>::new(self.head_limits);
        let mut chunk = first;
        loop {
            let parsed = parser.handle_input(&chunk).map_err(Refusal::from)?;
            if let Some(ParsedHead { head, consumed }) = parsed {
                return Ok((head, chunk.split_off(consumed)));
            }
            chunk.clear();
            chunk.reserve(CHUNK_LEN);
            if stream.read_buf(&mut chunk).await? == 0 {
                return Err(HeadFailure::Io(std::io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Writes an answer that ends the exchange, and ends the stream so that it arrives; the caller
    /// lets go of the stream afterwards.
    pub(crate) async fn answer<S: Transport>(
        &self,
        stream: &mut S,
        answer: &[u8],
        unread: Unread,
    ) -> Result<(), Error> {
        let write = async {
            stream.write_all(answer).await?;
            if unread == Unread::Nothing && is_quiet(stream).await {
                // Letting go of it ends it as well as a shutdown would, in one step.
                return Ok(());
            }
            stream.shutdown().await?;
            // Unread bytes would make the operating system reset the connection and lose the
            // answer on its way, so what the client still sends is read, up to a bound.
            let mut chunk = [0; DISCARD_CHUNK_LEN];
            let mut left = DISCARD_LEN_MAX;
            while left > 0 {
                match stream.read(&mut chunk).await {
                    // The answer is out; how the client leaves is its own affair.
                    Ok(0) | Err(_) => break,
                    Ok(read) => left = left.saturating_sub(read),
                }
            }
            Ok(())
        };
        match timeout(ANSWER_TIMEOUT.min(self.handshake_timeout), write).await {
            Ok(written) => written,
            // The client had its time to take the answer in.
            Err(_) => Ok(()),
        }
    }
}

/// What a client may still send of a request that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The request was read whole.
    Nothing,
    Unknown,
}

impl Unread {
    /// Says what is missing of a request whose head was read, with some bytes behind it.
    fn after(head: &RequestHead, rest: &[u8]) -> Self {
        let headers = head.headers();
        let announces = |name| headers.first(name).is_some();
        if rest.is_empty() && !announces("content-length") && !announces("transfer-encoding") {
            Self::Nothing
        } else {
            Self::Unknown
        }
    }
}

/// Says whether a stream is plain TCP, open and without received bytes.
async fn is_quiet<S: Transport>(stream: &mut S) -> bool {
    if !is_plain_tcp(stream) {
        return false;
    }
    let mut byte = [0];
    let mut read = pin!(unconstrained(stream.read(&mut byte)));
    poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending())).await
}

/// Why there is no head.
enum HeadFailure {
    Io(std::io::Error),
    Refused(Refusal),
}

impl From<std::io::Error> for HeadFailure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refusal> for HeadFailure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A usual browser head fits in one read.
const CHUNK_LEN: usize = 4 << 10;
const DISCARD_CHUNK_LEN: usize = 512;
/// What is read and dropped at most after a refusal.
const DISCARD_LEN_MAX: usize = 64 << 10;
/// How long a refused client may take to read the answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
