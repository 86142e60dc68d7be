//! TLS for both roles, with the provider chosen here and nowhere else.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::CryptoProvider, crypto::aws_lc_rs,
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName,
    pem::{Error as PemError, PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::Stream;
use crate::error::TlsError;

/// How a client checks servers and presents itself.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

impl ClientTls {
    /// Trusts what the operating system trusts. Made once and shared.
    ///
    /// # Errors
    /// [`TlsError::Setup`] if the system's trust store cannot be read.
    pub fn native() -> Result<Self, TlsError> {
        static NATIVE: OnceLock<ClientTls> = OnceLock::new();
        if let Some(tls) = NATIVE.get() {
            return Ok(tls.clone());
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        Ok(NATIVE.get_or_init(|| Self::from_config(config)).clone())
    }

    /// Trusts only the certificates in a PEM file.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if the file cannot be read, [`TlsError::Setup`] if a certificate in it
    /// cannot be a root.
    pub fn with_roots_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in read_certificates(path.as_ref())? {
            roots.add(certificate)?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::from_config(config))
    }

    /// Takes a configuration made elsewhere; offers `http/1.1` if it names no protocol.
    pub fn from_config(mut config: ClientConfig) -> Self {
        if config.alpn_protocols.is_empty() {
            config.alpn_protocols.push(HTTP_1_1.to_vec());
        }
        Self(Arc::new(config))
    }

    /// Makes the TLS handshake with the server `host`.
    ///
    /// Not cancel-safe: a dropped handshake drops the stream.
    ///
    /// # Errors
    /// [`TlsError::ServerName`] if no certificate can be for `host`, [`TlsError::Handshake`] if
    /// the server is not who it should be or breaks off.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> Result<Stream, TlsError> {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let name =
            ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::ServerName(host.into()))?;
        let connector = TlsConnector::from(Arc::clone(&self.0));
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(TlsError::Handshake)?;
        Ok(Stream::Tls(Box::new(stream.into())))
    }
}

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

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|reason| pem_error(path, reason))?;
    if certificates.is_empty() {
        return Err(pem_error(path, PemError::NoItemsFound));
    }
    Ok(certificates)
}

fn pem_error(path: &Path, reason: PemError) -> TlsError {
    TlsError::Pem {
        path: path.display().to_string().into(),
        reason,
    }
}

const HTTP_1_1: &[u8] = b"http/1.1";
