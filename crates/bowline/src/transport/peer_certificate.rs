//! The certificate that the other end of a TLS connection has proven to own.

use std::{fmt, sync::Arc};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

/// The certificate chain of the other end, which TLS has verified: it leads to a root that is
/// trusted, and the other end has the private key. Clones share it.
///
/// It is the client's on a server that asks for one, see
/// [`ServerTlsBuilder`](super::ServerTlsBuilder).
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The peer's own first; never empty.
    chain: Arc<[CertificateDer<'static>]>,
}

impl PeerCertificate {
    /// Takes a chain that was verified, the peer's own certificate first; `None` for an empty one.
    ///
    /// For servers that do TLS themselves and put it into the extensions of a request, where an
    /// [`Offer`](crate::Offer) finds it.
    pub fn from_chain(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let chain: Arc<[_]> = chain
            .iter()
            .cloned()
            .map(CertificateDer::into_owned)
            .collect();
        (!chain.is_empty()).then_some(Self { chain })
    }

    /// Gives the certificate in DER (RFC 5280).
    pub fn der(&self) -> &[u8] {
        self.chain.first().map(AsRef::as_ref).unwrap_or_default()
    }

    /// Gives the whole chain as it was sent, in DER, the peer's own certificate first.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.iter().map(AsRef::as_ref)
    }

    /// Gives SHA-256 of the certificate, by which it can be recognised.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.der()).into()
    }

    /// Gives the last common name of the subject (RFC 5280 section 4.1.2.6), if there is one that
    /// is text.
    pub fn common_name(&self) -> Option<String> {
        common_name(&subject(self.chain.first()?)?)
    }
}

/// Shows the subject's common name only.
impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCertificate")
            .field("common_name", &self.common_name())
            .finish_non_exhaustive()
    }
}

/// Gives what the subject's SEQUENCE holds. A trust anchor is little more than a subject and a
/// key, so the parser of roots finds it in any certificate.
fn subject(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let mut store = RootCertStore::empty();
    store.add(certificate.clone().into_owned()).ok()?;
    Some(store.roots.first()?.subject.to_vec())
}

/// Finds the last common name: a SET holds a SEQUENCE of a type and a value.
fn common_name(mut subject: &[u8]) -> Option<String> {
    let mut found = None;
    while !subject.is_empty() {
        let (SET, mut attributes, rest) = element(subject)? else {
            return None;
        };
        subject = rest;
        while !attributes.is_empty() {
            let (SEQUENCE, attribute, rest) = element(attributes)? else {
                return None;
            };
            attributes = rest;
            let (_, kind, rest) = element(attribute)?;
            let (form, value, _) = element(rest)?;
            if kind == COMMON_NAME && TEXTS.contains(&form) {
                found = String::from_utf8(value.to_vec()).ok();
            }
        }
    }
    found
}

/// Splits the first element of DER off: its tag, what it holds, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // Longer lengths are written in one or two bytes; no name needs more.
        0x81 => rest
            .split_first()
            .map(|(len, rest)| (usize::from(*len), rest))?,
        0x82 => rest
            .split_first_chunk()
            .map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest))?,
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(len)?;
    Some((*tag, value, rest))
}

const SET: u8 = 0x31;
const SEQUENCE: u8 = 0x30;
/// `UTF8String`, `PrintableString`, `IA5String`.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
/// The object identifier 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_common_name_is_found_and_broken_names_have_none() {
        let cn = |text: &[u8], form: u8| {
            let len = |n: usize| u8::try_from(n).unwrap();
            let value = [&[0x06, 3, 0x55, 4, 3, form, len(text.len())], text].concat();
            let sequence = [&[SEQUENCE, len(value.len())], &*value].concat();
            [&[SET, len(sequence.len())], &*sequence].concat()
        };
        let name = |subject: &[u8]| common_name(subject);
        assert_eq!(name(&cn(b"buoy", 0x0c)).as_deref(), Some("buoy"));
        let two = [cn(b"fleet", 0x0c), cn(b"buoy", 0x13)].concat();
        assert_eq!(name(&two).as_deref(), Some("buoy"));
        assert_eq!(name(&[]), None);
        assert_eq!(name(&cn(b"\xff", 0x0c)), None);
        assert_eq!(name(&cn(b"buoy", 0x02)), None);
        let whole = cn(b"buoy", 0x0c);
        for end in 1..whole.len() {
            assert_eq!(name(&whole[..end]), None, "{end}");
        }
    }
}
