//! A plain HTTP request that was let in, and the answer to it.

use std::{fmt, io};

use bowline_proto::handshake::{HandshakeError, HttpVersion, RefusalResponse, RequestHead};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
    time::timeout,
};

use super::{
    BodyError, HttpOptions,
    arrival::Visitor,
    body::{BodyReader, Framing},
    entrance::Kept,
    judge::Refusal,
};
use crate::{
    error::{ConnectPhase, Error},
    server::{
        Unread, Values,
        admission::{ForwardedClient, Permit},
        answer::write_answer,
        auth::Identity,
        rules::Routed,
    },
    transport::{PeerCertificate, Rewind, Stream},
};

/// A plain HTTP request that was let in.
///
/// After an answer the listener waits for the next request on the connection, as long as
/// [`HttpOptions::keep_alive`] says; the rules decide about that one anew. It does not when a body
/// was sent and not read.
pub struct HttpArrival {
    pub(super) head: RequestHead,
    pub(super) stream: Stream,
    /// What came after the head.
    pub(super) rest: BytesMut,
    pub(super) framing: Framing,
    pub(super) routed: Routed,
    pub(super) visitor: Visitor,
    /// Takes the connection back to its listener.
    pub(super) next: oneshot::Sender<Kept>,
}

impl HttpArrival {
    /// Gives the request head.
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Gives the route the rules chose, with its captures.
    pub const fn routed(&self) -> &Routed {
        &self.routed
    }

    /// Gives the user, if one is known.
    pub const fn identity(&self) -> Option<&Identity> {
        self.visitor.known.identity.as_ref()
    }

    /// Gives the client behind trusted proxies.
    pub const fn client(&self) -> &ForwardedClient {
        &self.visitor.known.client
    }

    /// Gives the certificate that the client has shown.
    pub const fn certificate(&self) -> Option<&PeerCertificate> {
        self.visitor.caller.certificate.as_ref()
    }

    /// Gives what filters put with the connection, and the client's certificate.
    pub const fn values(&self) -> &Values {
        &self.visitor.known.values
    }

    /// Reads the body, which is empty if none was sent, within the bounds of [`HttpOptions`].
    ///
    /// A client that waits to be told so (RFC 9110 section 10.1.1) is told to send it.
    ///
    /// # Errors
    /// [`Error::RefusedBody`] for a body that is too long, malformed or takes too long; it was
    /// answered with the status that fits. [`Error::Io`] if the stream ends or fails.
    pub async fn read_body(mut self) -> Result<HttpExchange, Error> {
        let HttpOptions {
            body_size_max,
            body_timeout,
            ..
        } = self.options();
        let mut reader = BodyReader::new(self.framing, body_size_max);
        let read = match timeout(body_timeout, self.read_into(&mut reader)).await {
            Ok(Err(Failure::Io(error))) => return Err(error.into()),
            Ok(Err(Failure::Body(error))) => Err(error),
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(BodyError::TimedOut),
        };
        if let Err(error) = read {
            let Self {
                head,
                mut stream,
                visitor,
                ..
            } = self;
            let entrance = &visitor.entrance;
            let answered =
                entrance.refuse_http(&head, &mut stream, visitor.peer(), Refusal::from(error));
            answered.await?;
            return Err(Error::RefusedBody(error));
        }
        self.framing = Framing::Length(0);
        Ok(HttpExchange {
            arrival: self,
            body: reader.into_body().freeze(),
        })
    }

    /// Answers with a whole response. The body is left out of the answer to a HEAD request.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a status outside 200-599 or a header that cannot be sent;
    /// [`Error::Timeout`] if the client takes nothing of it for
    /// [`HttpOptions::write_timeout`]; [`Error::Io`] if the stream fails.
    pub async fn answer(
        mut self,
        status: u16,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Result<(), Error> {
        let mut answer = BytesMut::new();
        let response = RefusalResponse {
            status,
            headers,
            body,
        };
        write_answer(&self.head, &response, &mut answer).map_err(HandshakeError::from)?;
        let is_kept = self.may_be_kept(status);
        if is_kept {
            answer = keep_alive(&answer, self.options().keep_alive.as_secs());
        }
        self.write(answer.freeze()).await?;
        if is_kept {
            let Self {
                stream,
                rest,
                visitor,
                next,
                ..
            } = self;
            let caller = visitor.caller;
            // Nobody waits for it if the listener's task is gone.
            drop(next.send(Kept {
                stream,
                rest,
                caller,
            }));
            return Ok(());
        }
        let acceptor = &self.visitor.entrance.config.acceptor;
        acceptor
            .answer(&mut self.stream, b"", Unread::Unknown)
            .await
    }

    /// Gives the stream from the first byte of the request on, for an HTTP server. The connection
    /// is counted until the permit is dropped.
    ///
    /// The rules have decided about this request only: tell that server to serve one, or let it
    /// decide about those that follow.
    pub fn into_stream(self) -> (Rewind<Stream>, Permit) {
        let mut first = BytesMut::from(self.head.as_bytes().as_ref());
        first.extend_from_slice(&self.rest);
        let stream = Rewind::new(first.freeze(), self.stream);
        (stream, self.visitor.caller.permit)
    }

    fn options(&self) -> HttpOptions {
        self.visitor.entrance.config.http
    }

    /// Reads until the body is whole.
    async fn read_into(&mut self, reader: &mut BodyReader) -> Result<(), Failure> {
        reader.handle_input(&mut self.rest)?;
        if !reader.is_done() && self.rest.is_empty() && expects_continue(&self.head) {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
            self.stream.flush().await?;
        }
        while !reader.is_done() {
            self.rest.reserve(READ_LEN);
            if self.stream.read_buf(&mut self.rest).await? == 0 {
                return Err(Failure::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            reader.handle_input(&mut self.rest)?;
        }
        Ok(())
    }

    /// Says whether another request may follow on the connection (RFC 9112 section 9.3).
    fn may_be_kept(&self, status: u16) -> bool {
        let headers = self.head.headers();
        !self.options().keep_alive.is_zero()
            && self.head.version() == HttpVersion::Http11
            && !headers.contains_token("connection", "close")
            && self.framing == Framing::Length(0)
            && status != UPGRADE_REQUIRED
            && !self.next.is_closed()
    }

    /// Writes as fast as the client takes it.
    async fn write(&mut self, mut answer: Bytes) -> Result<(), Error> {
        let pace = self.options().write_timeout;
        let stalled = |_| Error::Timeout(ConnectPhase::Handshake);
        while answer.has_remaining() {
            let written = timeout(pace, self.stream.write_buf(&mut answer));
            if written.await.map_err(stalled)?? == 0 {
                return Err(Error::Io(io::ErrorKind::WriteZero.into()));
            }
        }
        Ok(timeout(pace, self.stream.flush())
            .await
            .map_err(stalled)??)
    }
}

/// A plain HTTP request whose body was read: answer it.
pub struct HttpExchange {
    arrival: HttpArrival,
    body: Bytes,
}

impl HttpExchange {
    /// Gives everything but the body.
    pub const fn arrival(&self) -> &HttpArrival {
        &self.arrival
    }

    /// Gives the body.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Answers with a whole response, as [`HttpArrival::answer`].
    ///
    /// # Errors
    /// As [`HttpArrival::answer`].
    pub async fn answer(
        self,
        status: u16,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Result<(), Error> {
        self.arrival.answer(status, headers, body).await
    }
}

/// Leaves out the body, and what came behind it.
impl fmt::Debug for HttpArrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpArrival")
            .field("head", &self.head)
            .field("framing", &self.framing)
            .field("routed", &self.routed)
            .field("visitor", &self.visitor)
            .finish_non_exhaustive()
    }
}

/// Leaves out the body.
impl fmt::Debug for HttpExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpExchange")
            .field("arrival", &self.arrival)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Why there is no body.
enum Failure {
    Io(io::Error),
    Body(BodyError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

fn expects_continue(head: &RequestHead) -> bool {
    let expect = head.headers().text("expect");
    head.version() == HttpVersion::Http11
        && expect.is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue"))
}

/// Turns an answer that ends the connection into one that keeps it.
fn keep_alive(answer: &[u8], secs: u64) -> BytesMut {
    let end = answer
        .windows(CLOSE.len())
        .position(|window| window == CLOSE)
        .unwrap_or_default();
    let (status_line, rest) = answer.split_at(end);
    let rest = rest
        .strip_prefix(CLOSE)
        .expect("the engine writes the field behind the status line");
    let mut kept = BytesMut::with_capacity(answer.len() + CLOSE.len());
    kept.extend_from_slice(status_line);
    // The time is told so that a client does not send a request into the end of the connection.
    kept.extend_from_slice(format!("Keep-Alive: timeout={secs}\r\n").as_bytes());
    kept.extend_from_slice(rest);
    kept
}

const CLOSE: &[u8] = b"Connection: close\r\n";
/// Its answer has another `Connection` field.
const UPGRADE_REQUIRED: u16 = 426;
/// What is read of a body at a time.
const READ_LEN: usize = 16 << 10;
