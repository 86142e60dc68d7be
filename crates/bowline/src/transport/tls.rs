//! TLS of servers, and what both roles share; the provider is chosen here and nowhere else.

use std::{path::Path, sync::Arc};

use rustls::{ServerConfig, crypto::CryptoProvider, crypto::aws_lc_rs};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error as PemError, PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::Stream;
use crate::error::TlsError;

/// The certificate a server presents.
#[derive(Clone, Debug)]
pub struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// Reads a certificate chain and its private key from PEM files.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if a file cannot be read, [`TlsError::Setup`] if the key does not belong
    /// to the certificate.
    pub fn from_files(
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        let key = key.as_ref();
        let chain = read_certificates(certificates.as_ref())?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|reason| pem_error(key, reason))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self::from_config(config))
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
    /// [`TlsError::Handshake`] if the client breaks off or speaks something else.
    pub async fn accept(&self, stream: TcpStream) -> Result<Stream, TlsError> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0));
        let stream = acceptor.accept(stream).await.map_err(TlsError::Handshake)?;
        Ok(Stream::Tls(Box::new(stream.into())))
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

pub(super) fn pem_error(path: &Path, reason: PemError) -> TlsError {
    TlsError::Pem {
        path: path.display().to_string().into(),
        reason,
    }
}

pub(super) const HTTP_1_1: &[u8] = b"http/1.1";
