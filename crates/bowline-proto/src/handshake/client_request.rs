//! The request of a client (RFC 6455 section 4.1).

use std::fmt;

use bytes::{BufMut as _, BytesMut};

use super::client::{ClientHandshake, ClientLimits};
use super::error::{HandshakeError, HandshakeMisuse};
use super::extensions::EXTENSION_COUNT_MAX;
use super::field::{check_extra_header, is_token, is_visible, split_authority, write_field};
use super::key::{accept_key, encode_key};
use super::server::SUBPROTOCOL_COUNT_MAX;
use crate::deflate::negotiate::{DeflateNegotiation, DeflateOffer};

/// An opening handshake to be sent, once or again for each connection.
///
/// Every part is checked when it is added, so that [`start`](Self::start) cannot fail and nothing
/// can be injected into the request.
#[derive(Clone)]
pub struct ClientRequest {
    host: String,
    target: String,
    origin: Option<String>,
    extra_fields: BytesMut,
    subprotocols: Vec<String>,
    deflate_offers: Vec<DeflateOffer>,
}

impl ClientRequest {
    /// Creates a request for `host`, a host with an optional port as it stands in a `Host` field,
    /// and `target`, an encoded path with an optional query.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Misuse`] when either is malformed (RFC 6455 section 3).
    pub fn new(host: &str, target: &str) -> Result<Self, HandshakeError> {
        if split_authority(host).is_none() {
            return Err(HandshakeMisuse::HostInvalid.into());
        }
        if !target.starts_with('/') || !is_visible(target.as_bytes()) || target.contains('#') {
            return Err(HandshakeMisuse::TargetInvalid.into());
        }
        Ok(Self {
            host: host.to_owned(),
            target: target.to_owned(),
            origin: None,
            extra_fields: BytesMut::new(),
            subprotocols: Vec::new(),
            deflate_offers: Vec::new(),
        })
    }

    /// Sets the `Origin` field, which clients other than browsers may leave out.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Misuse`] when it holds a blank, a control byte or a byte beyond ASCII.
    pub fn set_origin(&mut self, origin: &str) -> Result<(), HandshakeError> {
        if !is_visible(origin.as_bytes()) {
            return Err(HandshakeMisuse::OriginInvalid.into());
        }
        self.origin = Some(origin.to_owned());
        Ok(())
    }

    /// Adds a header after those of the handshake.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Misuse`] when it is malformed, or one of those that the handshake writes
    /// itself: `Host`, `Origin`, `Connection`, `Upgrade`, `Sec-WebSocket-*` and those that would
    /// announce a body.
    pub fn add_header(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError> {
        check_extra_header(name, value, &["host", "origin"])?;
        write_field(&mut self.extra_fields, name, value);
        Ok(())
    }

    /// Adds a subprotocol, less wanted than those added before (RFC 6455 section 1.9).
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Misuse`] when it is not a token, is offered already, or is one more than
    /// [`SUBPROTOCOL_COUNT_MAX`].
    pub fn add_subprotocol(&mut self, subprotocol: &str) -> Result<(), HandshakeError> {
        if !is_token(subprotocol.as_bytes()) {
            return Err(HandshakeMisuse::SubprotocolInvalid.into());
        }
        let is_offered = self
            .subprotocols
            .iter()
            .any(|offered| offered == subprotocol);
        if is_offered || self.subprotocols.len() == SUBPROTOCOL_COUNT_MAX {
            return Err(HandshakeMisuse::SubprotocolRepeated.into());
        }
        self.subprotocols.push(subprotocol.to_owned());
        Ok(())
    }

    /// Offers permessage-deflate in place of what was offered before; offers nothing when it is
    /// disabled.
    pub fn set_deflate(&mut self, wish: DeflateNegotiation) {
        self.deflate_offers.clear();
        self.deflate_offers.extend(wish.offer());
    }

    /// Adds an offer of permessage-deflate, less wanted than those before (RFC 7692 section 5).
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Misuse`] when it is one more than [`EXTENSION_COUNT_MAX`].
    pub fn add_deflate_offer(&mut self, offer: DeflateOffer) -> Result<(), HandshakeError> {
        if self.deflate_offers.len() == EXTENSION_COUNT_MAX {
            return Err(HandshakeMisuse::TooManyOffers.into());
        }
        self.deflate_offers.push(offer);
        Ok(())
    }

    /// Writes the request and returns the handshake that reads the answer.
    ///
    /// `nonce` must be 16 bytes from a secure random source, fresh for each connection
    /// (RFC 6455 section 4.1, request item 7).
    pub fn start(
        &self,
        nonce: [u8; 16],
        limits: ClientLimits,
        out: &mut BytesMut,
    ) -> ClientHandshake {
        let key = encode_key(nonce);
        out.reserve(REQUEST_SIZE_USUAL + self.target.len() + self.extra_fields.len());
        out.put_slice(b"GET ");
        out.put_slice(self.target.as_bytes());
        out.put_slice(b" HTTP/1.1\r\n");
        write_field(out, "Host", self.host.as_bytes());
        out.put_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\n");
        write_field(out, "Sec-WebSocket-Key", &key);
        out.put_slice(b"Sec-WebSocket-Version: 13\r\n");
        if let Some(origin) = &self.origin {
            write_field(out, "Origin", origin.as_bytes());
        }
        if !self.subprotocols.is_empty() {
            write_field(
                out,
                "Sec-WebSocket-Protocol",
                self.subprotocols.join(", ").as_bytes(),
            );
        }
        for (index, offer) in self.deflate_offers.iter().enumerate() {
            out.put_slice(if index == 0 {
                b"Sec-WebSocket-Extensions: "
            } else {
                b", "
            });
            offer.write(out);
        }
        if !self.deflate_offers.is_empty() {
            out.put_slice(b"\r\n");
        }
        out.put_slice(&self.extra_fields);
        out.put_slice(b"\r\n");
        ClientHandshake::new(
            accept_key(&key),
            self.subprotocols.clone(),
            self.deflate_offers.clone(),
            limits,
        )
    }
}

/// Leaves out the query and the added headers, which may hold passwords and cookies.
impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("host", &self.host)
            .field("path", &self.target.split('?').next().unwrap_or_default())
            .field("origin", &self.origin)
            .field("subprotocol_count", &self.subprotocols.len())
            .field("deflate_offers", &self.deflate_offers)
            .finish_non_exhaustive()
    }
}

/// The usual size of a request in bytes, to allocate once.
const REQUEST_SIZE_USUAL: usize = 384;
