//! Where the stream of an offer inside a handler comes from.

use std::net::SocketAddr;

use hyper::upgrade::OnUpgrade;

use crate::transport::PeerCertificate;

/// The stream of a request inside somebody else's HTTP server, to be handed over behind the
/// answer.
#[derive(Debug)]
pub struct Handover {
    on_upgrade: OnUpgrade,
    peer_addr: Option<SocketAddr>,
    peer_certificate: Option<PeerCertificate>,
}

impl Handover {
    pub(super) const fn new(
        on_upgrade: OnUpgrade,
        peer_addr: Option<SocketAddr>,
        peer_certificate: Option<PeerCertificate>,
    ) -> Self {
        Self {
            on_upgrade,
            peer_addr,
            peer_certificate,
        }
    }

    /// Gives the peer's address, if the request knows it.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer_addr
    }

    /// Gives the certificate that the client has shown, if the request knows it.
    pub const fn peer_certificate(&self) -> Option<&PeerCertificate> {
        self.peer_certificate.as_ref()
    }

    pub(super) fn into_future(self) -> OnUpgrade {
        self.on_upgrade
    }
}
