//! TLS of servers, and what both roles share; the provider is chosen here and nowhere else.

use std::{path::Path, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    crypto::aws_lc_rs,
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{
    CertificateDer,
    pem::{Error as PemError, PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{ServerCertificates, Stream};
use crate::error::TlsError;

/// How a server presents itself and checks its clients.
#[derive(Clone, Debug)]
pub struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// Reads a certificate chain and its private key from PEM files; clients are not asked for
    /// theirs.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if a file cannot be read, [`TlsError::Setup`] if the key does not belong
    /// to the certificate.
    pub fn from_files(
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        Self::builder(&ServerCertificates::from_files(certificates, key)?).build()
    }

    /// Begins with certificates to present, which can be replaced later, and no question for those
    /// of clients.
    pub fn builder(certificates: &ServerCertificates) -> ServerTlsBuilder {
        ServerTlsBuilder {
            certificates: certificates.clone(),
            clients: Clients::NotAsked,
        }
    }

    /// Takes a configuration made elsewhere; accepts `http/1.1` if it names no protocol.
    pub fn from_config(mut config: ServerConfig) -> Self {
        if config.alpn_protocols.is_empty() {
            config.alpn_protocols.push(HTTP_1_1.to_vec());
        }
        Self(Arc::new(config))
    }

    /// Makes the TLS handshake with a client.
    ///
    /// Not cancel-safe: a dropped handshake drops the stream.
    ///
    /// # Errors
    /// [`TlsError::Handshake`] if the client breaks off, speaks something else, or shows a
    /// certificate that leads to no root that is trusted, or none where one is required.
    pub async fn accept(&self, stream: TcpStream) -> Result<Stream, TlsError> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0));
        // On the heap for as long as it takes: a task is as large as the largest future it ever waits
        // for, as long as it lives.
        let stream = Box::pin(acceptor.accept(stream)).await;
        let stream = stream.map_err(TlsError::Handshake)?;
        Ok(Stream::Tls(Box::new(stream.into())))
    }
}

/// Puts a [`ServerTls`] together.
#[derive(Debug)]
#[must_use]
pub struct ServerTlsBuilder {
    certificates: ServerCertificates,
    clients: Clients,
}

/// What is asked of clients.
#[derive(Debug)]
enum Clients {
    NotAsked,
    Asked(Vec<CertificateDer<'static>>),
    Required(Vec<CertificateDer<'static>>),
}

impl ServerTlsBuilder {
    /// Asks clients for a certificate that leads to one of the roots in a PEM file, and takes
    /// those without as well. One that leads to no root ends the handshake.
    ///
    /// [`Stream::peer_certificate`] gives it.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if the file cannot be read.
    pub fn ask_clients_file(self, roots: impl AsRef<Path>) -> Result<Self, TlsError> {
        Ok(self.with_clients(Clients::Asked(read_certificates(roots.as_ref())?)))
    }

    /// The same with roots in PEM text.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if there are none.
    pub fn ask_clients_pem(self, roots: &[u8]) -> Result<Self, TlsError> {
        Ok(self.with_clients(Clients::Asked(certificates(roots)?)))
    }

    /// Takes only clients with a certificate that leads to one of the roots in a PEM file; the
    /// handshake with any other fails.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if the file cannot be read.
    pub fn require_clients_file(self, roots: impl AsRef<Path>) -> Result<Self, TlsError> {
        Ok(self.with_clients(Clients::Required(read_certificates(roots.as_ref())?)))
    }

    /// The same with roots in PEM text.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if there are none.
    pub fn require_clients_pem(self, roots: &[u8]) -> Result<Self, TlsError> {
        Ok(self.with_clients(Clients::Required(certificates(roots)?)))
    }

    /// Puts the configuration together: TLS 1.2 and 1.3. It accepts `http/1.1` (RFC 7301).
    ///
    /// # Errors
    /// [`TlsError::Setup`] if a certificate cannot be a root.
    pub fn build(self) -> Result<ServerTls, TlsError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(self.clients.verifier()?)
            .with_cert_resolver(Arc::new(self.certificates));
        Ok(ServerTls::from_config(config))
    }

    fn with_clients(self, clients: Clients) -> Self {
        Self { clients, ..self }
    }
}

impl Clients {
    fn verifier(self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let (certificates, is_required) = match self {
            Self::NotAsked => return Ok(Arc::new(NoClientAuth)),
            Self::Asked(certificates) => (certificates, false),
            Self::Required(certificates) => (certificates, true),
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate)?;
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
        if !is_required {
            builder = builder.allow_unauthenticated();
        }
        // No root was found wrong above, so all that is left is that there is none.
        let verifier = builder.build();
        Ok(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

pub(super) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|reason| pem_error(path, reason))?;
    if certificates.is_empty() {
        return Err(pem_error(path, PemError::NoItemsFound));
    }
    Ok(certificates)
}

/// Reads the certificates in PEM text; at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fail = |reason| TlsError::Pem {
        path: "the certificates".into(),
        reason,
    };
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(fail)?;
    if certificates.is_empty() {
        return Err(fail(PemError::NoItemsFound));
    }
    Ok(certificates)
}

pub(super) fn pem_error(path: &Path, reason: PemError) -> TlsError {
    TlsError::Pem {
        path: path.display().to_string().into(),
        reason,
    }
}

pub(super) const HTTP_1_1: &[u8] = b"http/1.1";
