//! The server's side of the opening handshake (RFC 6455 section 4.2).

use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::error::{HandshakeError, HandshakeMisuse};
use super::extensions::{ExtensionError, parse_extensions};
use super::field::{check_extra_header, is_visible, split_authority, token, write_field};
use super::headers::{Headers, Span};
use super::key::{accept_key, checked_key};
use super::refusal::{Refusal, RefusalDetail};
use super::request::{HttpVersion, RequestHead};
use crate::deflate::negotiate::{DeflateAnswer, DeflateNegotiation, DeflateOffer, DeflateParams};

/// Largest number of subprotocols in one offer. Real clients offer a handful.
pub const SUBPROTOCOL_COUNT_MAX: usize = 64;

/// Checks a request head against every rule of RFC 6455 section 4.2.1.
///
/// A request is taken for a handshake when its `Upgrade` names `websocket` or when it has a
/// `Sec-WebSocket-Key` or `Sec-WebSocket-Version` field: what a proxy that drops `Upgrade` leaves
/// is then refused with the reason instead of being served as a page.
///
/// # Errors
///
/// [`Refusal`] when it is a handshake that breaks a rule; [`Refusal::write`] answers it.
pub fn check_request(head: &RequestHead) -> Result<RequestCheck, Refusal> {
    let headers = head.headers();
    let has_upgrade = headers.contains_token(UPGRADE, "websocket");
    if !has_upgrade && headers.first(KEY).is_none() && headers.first(VERSION).is_none() {
        return Ok(RequestCheck::NotAnUpgrade);
    }
    check_line(head)?;
    check_host_field(headers)?;
    check_framing(headers)?;
    if !has_upgrade {
        return Err(RefusalDetail::UpgradeMissing.into());
    }
    if !headers.contains_token(CONNECTION, "upgrade") {
        return Err(RefusalDetail::ConnectionUpgradeMissing.into());
    }
    check_version(headers)?;
    let key = headers
        .at_most_one(KEY)
        .map_err(|_| RefusalDetail::KeyRepeated)?;
    let key = key.ok_or(RefusalDetail::KeyMissing)?;
    let origin = headers
        .at_most_one("origin")
        .map_err(|_| RefusalDetail::OriginRepeated)?;
    if origin.is_some_and(|origin| !is_visible(origin)) {
        return Err(RefusalDetail::OriginInvalid.into());
    }
    let bytes = head.as_bytes();
    Ok(RequestCheck::Offer(ServerHandshake {
        key: checked_key(key).ok_or(RefusalDetail::KeyInvalid)?,
        origin: origin.map(|origin| Span::locate(origin, bytes)),
        subprotocols: read_subprotocols(headers)?,
        deflate_offers: read_deflate_offers(headers)?,
        bytes: bytes.clone(),
    }))
}

/// Checks that a request names one host, as every server of HTTP/1.1 has to (RFC 9112 section
/// 3.2); one of HTTP/1.0 may name none. [`check_request`] does so with opening handshakes.
///
/// # Errors
///
/// [`Refusal`] for no `Host` field, several, or one that is not `host[:port]`.
pub fn check_host(head: &RequestHead) -> Result<(), Refusal> {
    let headers = head.headers();
    let is_free = head.version() < HttpVersion::Http11 && headers.first("host").is_none();
    if !is_free {
        check_host_field(headers)?;
    }
    Ok(())
}

/// What a request turned out to be.
#[derive(Clone, Debug)]
pub enum RequestCheck {
    /// A handshake that may be accepted.
    Offer(ServerHandshake),
    /// A plain HTTP request: give [`RequestHead::as_bytes`] and what follows to an HTTP server.
    NotAnUpgrade,
}

/// A checked opening handshake that is not yet answered.
///
/// It shares the bytes of the head.
#[derive(Clone)]
pub struct ServerHandshake {
    bytes: Bytes,
    key: [u8; 24],
    origin: Option<Span>,
    subprotocols: Vec<Span>,
    deflate_offers: Vec<DeflateOffer>,
}

impl ServerHandshake {
    /// Returns the `Origin` field, which browsers always send (RFC 6455 section 10.2).
    pub fn origin(&self) -> Option<&str> {
        self.origin.map(|origin| origin.text(&self.bytes))
    }

    /// Returns the subprotocols offered, most wanted first (RFC 6455 section 1.9).
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.subprotocols
            .iter()
            .map(|subprotocol| subprotocol.text(&self.bytes))
    }

    /// Returns the offers of permessage-deflate that follow RFC 7692, most wanted first.
    pub fn deflate_offers(&self) -> &[DeflateOffer] {
        &self.deflate_offers
    }

    /// Accepts the handshake: writes the answer 101 (RFC 6455 section 4.2.2, item 5).
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Misuse`] when the subprotocol was not offered, or a header is malformed
    /// or reserved. Nothing is written then; the request can still be refused with
    /// [`write_refusal`](super::write_refusal).
    pub fn accept(
        self,
        options: &AcceptOptions<'_>,
        out: &mut BytesMut,
    ) -> Result<ServerAccepted, HandshakeError> {
        if let Some(chosen) = options.subprotocol
            && !self.subprotocols().any(|offered| offered == chosen)
        {
            return Err(HandshakeMisuse::SubprotocolNotOffered.into());
        }
        for (name, value) in options.headers {
            check_extra_header(name, value, &[])?;
        }
        out.reserve(ANSWER_SIZE_USUAL);
        out.put_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
        out.put_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\n");
        write_field(out, "Sec-WebSocket-Accept", &accept_key(&self.key));
        if let Some(chosen) = options.subprotocol {
            write_field(out, "Sec-WebSocket-Protocol", chosen.as_bytes());
        }
        let deflate = options.deflate.answer(&self.deflate_offers);
        if let Some(answer) = deflate {
            out.put_slice(b"Sec-WebSocket-Extensions: ");
            answer.write(out);
            out.put_slice(b"\r\n");
        }
        for (name, value) in options.headers {
            write_field(out, name, value);
        }
        out.put_slice(b"\r\n");
        Ok(ServerAccepted {
            subprotocol: options.subprotocol.map(str::to_owned),
            deflate: deflate.map(DeflateAnswer::params),
        })
    }
}

/// Leaves out the bytes of the head, which may hold passwords and cookies, and the subprotocols, in
/// whose place pages send tokens.
impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake")
            .field("origin", &self.origin())
            .field("subprotocol_count", &self.subprotocols.len())
            .field("deflate_offers", &self.deflate_offers)
            .finish_non_exhaustive()
    }
}

/// How a server accepts a handshake.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcceptOptions<'a> {
    /// The subprotocol chosen, one of those offered; `None` for none.
    pub subprotocol: Option<&'a str>,
    /// Headers besides those of the handshake, `Set-Cookie` or `Server` for instance.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// What to agree to of permessage-deflate.
    pub deflate: DeflateNegotiation,
}

/// What was agreed in an accepted handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAccepted {
    /// The subprotocol in use.
    pub subprotocol: Option<String>,
    /// permessage-deflate as agreed; `None` when it is not in use.
    pub deflate: Option<DeflateParams>,
}

/// Checks the request line (RFC 6455 sections 3, 4.1 and 4.2.1, item 1).
fn check_line(head: &RequestHead) -> Result<(), RefusalDetail> {
    if head.method() != "GET" {
        return Err(RefusalDetail::MethodNotGet);
    }
    if head.version() < HttpVersion::Http11 {
        return Err(RefusalDetail::HttpVersionTooOld);
    }
    let target = head.target();
    let is_encoded = is_visible(target.as_bytes()) && !target.contains('#');
    let is_absolute = || {
        let scheme = target.split_once("://").map_or("", |(scheme, _)| scheme);
        let known = ["http", "https", "ws", "wss"];
        known.iter().any(|known| scheme.eq_ignore_ascii_case(known))
            && head
                .authority()
                .is_some_and(|authority| split_authority(authority).is_some())
    };
    if is_encoded && (target.starts_with('/') || is_absolute()) {
        Ok(())
    } else {
        Err(RefusalDetail::TargetInvalid)
    }
}

/// Checks `Host` (RFC 6455 section 4.2.1, item 2; RFC 9112 section 3.2).
fn check_host_field(headers: &Headers) -> Result<(), RefusalDetail> {
    let host = headers
        .at_most_one("host")
        .map_err(|_| RefusalDetail::HostRepeated)?;
    let host = str::from_utf8(host.ok_or(RefusalDetail::HostMissing)?);
    if !host.is_ok_and(|host| split_authority(host).is_some()) {
        return Err(RefusalDetail::HostInvalid);
    }
    Ok(())
}

/// Checks that no body follows.
fn check_framing(headers: &Headers) -> Result<(), RefusalDetail> {
    let has_length = headers.all("content-length").any(|length| length != b"0");
    if has_length || headers.first("transfer-encoding").is_some() {
        return Err(RefusalDetail::BodyPresent);
    }
    Ok(())
}

/// Checks `Sec-WebSocket-Version` (RFC 6455 sections 4.2.1, item 6, and 4.4).
fn check_version(headers: &Headers) -> Result<(), RefusalDetail> {
    let version = headers
        .at_most_one(VERSION)
        .map_err(|_| RefusalDetail::VersionRepeated)?;
    match version {
        None => Err(RefusalDetail::VersionMissing),
        Some(b"13") => Ok(()),
        Some(_) => Err(RefusalDetail::VersionUnsupported),
    }
}

/// Reads `Sec-WebSocket-Protocol` (RFC 6455 sections 4.1, request item 10, and 11.3.4).
fn read_subprotocols(headers: &Headers) -> Result<Vec<Span>, RefusalDetail> {
    let mut subprotocols: Vec<Span> = Vec::new();
    let bytes = headers.bytes();
    for element in headers.elements(PROTOCOL) {
        let name = token(element).ok_or(RefusalDetail::SubprotocolInvalid)?;
        if subprotocols
            .iter()
            .any(|earlier| earlier.of(bytes) == name.as_bytes())
        {
            return Err(RefusalDetail::SubprotocolRepeated);
        }
        if subprotocols.len() == SUBPROTOCOL_COUNT_MAX {
            return Err(RefusalDetail::TooManySubprotocols);
        }
        subprotocols.push(Span::locate(element, bytes));
    }
    if subprotocols.is_empty() && headers.first(PROTOCOL).is_some() {
        return Err(RefusalDetail::SubprotocolInvalid);
    }
    Ok(subprotocols)
}

/// Reads `Sec-WebSocket-Extensions`; offers that RFC 7692 does not allow are left out, which
/// declines them (RFC 7692 section 5.1).
fn read_deflate_offers(headers: &Headers) -> Result<Vec<DeflateOffer>, RefusalDetail> {
    let extensions = parse_extensions(headers.all(EXTENSIONS)).map_err(|error| match error {
        ExtensionError::Malformed => RefusalDetail::ExtensionsInvalid,
        ExtensionError::TooMany => RefusalDetail::TooManyExtensions,
    })?;
    Ok(extensions
        .iter()
        .filter_map(|found| DeflateOffer::from_extension(found).ok())
        .collect())
}

const UPGRADE: &str = "upgrade";
const CONNECTION: &str = "connection";
const KEY: &str = "sec-websocket-key";
const VERSION: &str = "sec-websocket-version";
const PROTOCOL: &str = "sec-websocket-protocol";
const EXTENSIONS: &str = "sec-websocket-extensions";

/// The usual size of an answer in bytes, to allocate once.
const ANSWER_SIZE_USUAL: usize = 256;
