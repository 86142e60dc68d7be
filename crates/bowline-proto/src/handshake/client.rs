//! The client's side of the opening handshake: reading the answer (RFC 6455 section 4.1).

use std::fmt;

use bytes::Bytes;

use super::body::{BodyEnd, BodyReader};
use super::error::{HandshakeError, HandshakeMisuse, HandshakeViolation};
use super::extensions::parse_extensions;
use super::head::{HeadLimits, HeadParser};
use super::headers::Headers;
use super::key::AcceptKey;
use super::request::HttpVersion;
use super::response::ResponseHead;
use crate::deflate::negotiate::{DeflateOffer, DeflateParams, DeflateViolation, check_answer};

/// A request that was sent and whose answer is being read, in any pieces.
///
/// Made by [`ClientRequest::start`](super::ClientRequest::start). It holds no memory for the
/// answer until bytes arrive.
pub struct ClientHandshake {
    expected_accept: AcceptKey,
    subprotocols: Vec<String>,
    deflate_offers: Vec<DeflateOffer>,
    limits: ClientLimits,
    parser: HeadParser<ResponseHead>,
    interim_count: usize,
    response: Option<ResponseHead>,
    phase: Phase,
}

impl ClientHandshake {
    pub(crate) fn new(
        expected_accept: AcceptKey,
        subprotocols: Vec<String>,
        deflate_offers: Vec<DeflateOffer>,
        limits: ClientLimits,
    ) -> Self {
        Self {
            expected_accept,
            subprotocols,
            deflate_offers,
            limits,
            parser: HeadParser::new(limits.head),
            interim_count: 0,
            response: None,
            phase: Phase::Head,
        }
    }

    /// Takes the next bytes from the server; returns the outcome when there is one.
    ///
    /// Interim answers (1xx other than 101) are skipped (RFC 9110 section 15.2).
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] when the answer breaks a rule or passes a limit: drop the connection.
    /// [`response`](Self::response) then still has the head if it was complete. The error is
    /// repeated when more bytes are given.
    pub fn handle_input(&mut self, chunk: &[u8]) -> Result<Option<ClientOutcome>, HandshakeError> {
        let outcome = self.advance(chunk);
        match &outcome {
            Err(error) => self.phase = Phase::Failed(*error),
            Ok(Some(_)) => self.phase = Phase::Failed(HandshakeMisuse::Finished.into()),
            Ok(None) => {}
        }
        outcome
    }

    /// Takes the end of the connection, which may also be the end of a refusal's body.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Eof`] when no whole head had come, or the earlier error.
    pub fn handle_eof(&mut self) -> Result<ClientOutcome, HandshakeError> {
        let over = Phase::Failed(HandshakeMisuse::Finished.into());
        match std::mem::replace(&mut self.phase, over) {
            Phase::Head => {
                self.phase = Phase::Failed(HandshakeError::Eof);
                Err(HandshakeError::Eof)
            }
            Phase::Body(body) => {
                let end = body.handle_eof();
                self.refused(body, end)
            }
            Phase::Failed(error) => {
                self.phase = Phase::Failed(error);
                Err(error)
            }
        }
    }

    /// Returns the head of the answer, once it is complete and until it is handed out in an
    /// outcome.
    pub const fn response(&self) -> Option<&ResponseHead> {
        self.response.as_ref()
    }

    fn advance(&mut self, chunk: &[u8]) -> Result<Option<ClientOutcome>, HandshakeError> {
        let mut rest = chunk;
        loop {
            match std::mem::replace(&mut self.phase, Phase::Head) {
                Phase::Failed(error) => return Err(error),
                Phase::Body(mut body) => {
                    if let Some(end) = body.handle_input(rest) {
                        return self.refused(body, end).map(Some);
                    }
                    self.phase = Phase::Body(body);
                    return Ok(None);
                }
                Phase::Head => {}
            }
            let Some(parsed) = self.parser.handle_input(rest)? else {
                return Ok(None);
            };
            rest = rest.get(parsed.consumed..).unwrap_or_default();
            match parsed.head.status() {
                101 => {
                    let consumed = chunk.len() - rest.len();
                    return self.accepted(parsed.head, consumed).map(Some);
                }
                100..=199 if self.interim_count == self.limits.interim_count_max => {
                    return Err(HandshakeViolation::InterimAnswers.into());
                }
                100..=199 => self.interim_count += 1,
                _ => {
                    self.phase =
                        Phase::Body(BodyReader::new(&parsed.head, self.limits.body_size_max));
                    self.response = Some(parsed.head);
                }
            }
        }
    }

    /// Checks the answer 101 against the request (RFC 6455 section 4.1, answer items 1 to 6).
    fn accepted(
        &mut self,
        response: ResponseHead,
        consumed: usize,
    ) -> Result<ClientOutcome, HandshakeError> {
        let response = self.response.insert(response);
        if response.version() < HttpVersion::Http11 {
            return Err(HandshakeViolation::VersionTooOld.into());
        }
        let headers = response.headers();
        check_upgrade(headers)?;
        check_accept(headers, &self.expected_accept)?;
        let subprotocol = check_subprotocol(headers, &self.subprotocols)?;
        let deflate = check_extensions(headers, &self.deflate_offers)?;
        let response = self.response.take().ok_or(HandshakeMisuse::Finished)?;
        let accepted = ClientAccepted {
            response,
            subprotocol,
            deflate,
            consumed,
        };
        Ok(ClientOutcome::Accepted(accepted))
    }

    fn refused(
        &mut self,
        body: BodyReader,
        body_end: BodyEnd,
    ) -> Result<ClientOutcome, HandshakeError> {
        let response = self.response.take().ok_or(HandshakeMisuse::Finished)?;
        let body = body.into_body();
        Ok(ClientOutcome::Refused(ClientRefused {
            response,
            body,
            body_end,
        }))
    }
}

/// Leaves out the subprotocols, as one of them may be a token.
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("subprotocol_count", &self.subprotocols.len())
            .field("deflate_offers", &self.deflate_offers)
            .field("interim_count", &self.interim_count)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

/// The bounds of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// The bounds of each head.
    pub head: HeadLimits,
    /// Largest body kept of a refusal, in bytes. Default 64 KiB: room for an error page, which is
    /// for a person to read.
    pub body_size_max: usize,
    /// Largest number of interim answers before the final one. Default 8.
    pub interim_count_max: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            head: HeadLimits::default(),
            body_size_max: 64 * 1024,
            interim_count_max: 8,
        }
    }
}

/// How an opening handshake ended that followed the rules.
#[derive(Clone, Debug)]
pub enum ClientOutcome {
    /// The server switched to WebSocket.
    Accepted(ClientAccepted),
    /// The server gave another answer: a redirect, a request to log in, an error.
    Refused(ClientRefused),
}

/// What was agreed in an accepted handshake.
#[derive(Clone, Debug)]
pub struct ClientAccepted {
    /// The head of the answer, with its cookies.
    pub response: ResponseHead,
    /// The subprotocol in use.
    pub subprotocol: Option<String>,
    /// permessage-deflate as agreed; `None` when it is not in use.
    pub deflate: Option<DeflateParams>,
    /// How many bytes of the last chunk belong to the handshake; those after them are the first
    /// frames.
    pub consumed: usize,
}

/// An answer other than 101; the connection is to be dropped.
#[derive(Clone, Debug)]
pub struct ClientRefused {
    /// The head of the answer.
    pub response: ResponseHead,
    /// The body as far as it came and the limit allowed, with chunk framing removed but not
    /// decompressed.
    pub body: Bytes,
    /// Whether the body is whole.
    pub body_end: BodyEnd,
}

#[derive(Debug)]
enum Phase {
    Head,
    Body(BodyReader),
    /// Failed, or handed out its outcome.
    Failed(HandshakeError),
}

/// RFC 6455 section 4.1, answer items 2 and 3.
fn check_upgrade(headers: &Headers) -> Result<(), HandshakeViolation> {
    let mut upgrades = headers.elements("upgrade");
    let is_websocket = |value: &[u8]| value.eq_ignore_ascii_case(b"websocket");
    if !upgrades.next().is_some_and(is_websocket) || upgrades.next().is_some() {
        return Err(HandshakeViolation::Upgrade);
    }
    if !headers.contains_token("connection", "upgrade") {
        return Err(HandshakeViolation::Connection);
    }
    Ok(())
}

/// RFC 6455 section 4.1, answer item 4.
fn check_accept(headers: &Headers, expected: &AcceptKey) -> Result<(), HandshakeViolation> {
    let accept = headers.at_most_one("sec-websocket-accept");
    match accept.map_err(|_| HandshakeViolation::AcceptRepeated)? {
        None => Err(HandshakeViolation::AcceptMissing),
        Some(accept) if accept == expected => Ok(()),
        Some(_) => Err(HandshakeViolation::AcceptMismatch),
    }
}

/// RFC 6455 section 4.1, answer item 6; no subprotocol is a good answer to any offer.
fn check_subprotocol(
    headers: &Headers,
    offered: &[String],
) -> Result<Option<String>, HandshakeViolation> {
    let chosen = headers.at_most_one("sec-websocket-protocol");
    let Some(chosen) = chosen.map_err(|_| HandshakeViolation::SubprotocolRepeated)? else {
        return Ok(None);
    };
    let found = offered.iter().find(|offered| offered.as_bytes() == chosen);
    found
        .cloned()
        .map(Some)
        .ok_or(HandshakeViolation::SubprotocolNotOffered)
}

/// RFC 6455 section 4.1, answer item 5, and RFC 7692 section 5.
fn check_extensions(
    headers: &Headers,
    offers: &[DeflateOffer],
) -> Result<Option<DeflateParams>, HandshakeViolation> {
    let value = headers.at_most_one("sec-websocket-extensions");
    let value = value.map_err(|_| HandshakeViolation::ExtensionsRepeated)?;
    let answers = parse_extensions(value).map_err(HandshakeViolation::Extensions)?;
    let mut agreed = None;
    for answer in &answers {
        let params = check_answer(offers, answer).map_err(|violation| {
            if violation == DeflateViolation::NotOffered {
                HandshakeViolation::ExtensionNotOffered
            } else {
                HandshakeViolation::Deflate(violation)
            }
        })?;
        if agreed.replace(params).is_some() {
            return Err(HandshakeViolation::Deflate(DeflateViolation::AnsweredTwice));
        }
    }
    Ok(agreed)
}
