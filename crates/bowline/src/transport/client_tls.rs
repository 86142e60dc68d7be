//! TLS of clients.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error as RustlsError, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
    client::{
        ResolvesClientCert, Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};
use rustls_platform_verifier::{BuilderVerifierExt, Verifier};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use super::{
    Stream, Transport,
    tls::{HTTP_1_1, certificates, pem_error, provider, read_certificates},
};
use crate::error::TlsError;

/// How a client checks servers and presents itself.
#[derive(Clone, Debug)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    /// What stands in for the host of the URL.
    server_name: Option<ServerName<'static>>,
}

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
        Self::builder().only_roots_file(path)?.build()
    }

    /// Begins with what the operating system trusts, no client certificate, and TLS 1.2 and 1.3.
    pub fn builder() -> ClientTlsBuilder {
        ClientTlsBuilder::default()
    }

    /// Takes a configuration made elsewhere; offers `http/1.1` if it names no protocol.
    pub fn from_config(mut config: ClientConfig) -> Self {
        if config.alpn_protocols.is_empty() {
            config.alpn_protocols.push(HTTP_1_1.to_vec());
        }
        Self {
            config: Arc::new(config),
            server_name: None,
        }
    }

    /// Makes the TLS handshake with the server `host`.
    ///
    /// Not cancel-safe: a dropped handshake drops the stream.
    ///
    /// # Errors
    /// [`TlsError::ServerName`] if no certificate can be for `host`, [`TlsError::Handshake`] if
    /// the server is not who it should be or breaks off.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> Result<Stream, TlsError> {
        let stream = self.handshake(host, stream).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// Makes the TLS handshake over any stream.
    pub(crate) async fn handshake<S: Transport>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<TlsStream<S>, TlsError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host)?,
        };
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(name, stream).await;
        Ok(stream.map_err(TlsError::Handshake)?.into())
    }

    /// Gives what is used with a server that the user did not name: without the client
    /// certificate, and without the name that was meant for another.
    pub(crate) fn for_another_origin(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        if config.client_auth_cert_resolver.has_certs() {
            config.client_auth_cert_resolver = Arc::new(NoCertificate);
            // An old session would show who the client is.
            config.resumption = Resumption::default();
        }
        Self {
            config: Arc::new(config),
            server_name: None,
        }
    }
}

/// The same configuration, not an equal one.
impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.server_name == other.server_name
    }
}

/// Puts a [`ClientTls`] together.
#[derive(Debug, Default)]
#[must_use]
pub struct ClientTlsBuilder {
    trust: Trust,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    server_name: Option<ServerName<'static>>,
    min_version: TlsVersion,
}

/// Which servers are trusted.
#[derive(Debug)]
enum Trust {
    /// What the system trusts, and these.
    System(Vec<CertificateDer<'static>>),
    /// Only these.
    Only(Vec<CertificateDer<'static>>),
    /// Anyone.
    Everyone,
}

impl Default for Trust {
    fn default() -> Self {
        Self::System(Vec::new())
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl ClientTlsBuilder {
    /// Trusts the certificates in a PEM file, besides those trusted already.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if the file cannot be read.
    pub fn extra_roots_file(self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        Ok(self.extra_roots(read_certificates(path.as_ref())?))
    }

    /// Trusts the certificates in PEM text, besides those trusted already.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if there are none.
    pub fn extra_roots_pem(self, pem: &[u8]) -> Result<Self, TlsError> {
        Ok(self.extra_roots(certificates(pem)?))
    }

    /// Trusts only the certificates in a PEM file, and not the system's.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if the file cannot be read.
    pub fn only_roots_file(mut self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        self.trust = Trust::Only(read_certificates(path.as_ref())?);
        Ok(self)
    }

    /// Trusts only the certificates in PEM text, and not the system's.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if there are none.
    pub fn only_roots_pem(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        self.trust = Trust::Only(certificates(pem)?);
        Ok(self)
    }

    /// Presents a certificate to servers that ask for one: a chain and its private key, in PEM
    /// files.
    ///
    /// It is not presented where a redirect leads to another origin.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if a file cannot be read.
    pub fn client_certificate_files(
        mut self,
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        let key = key.as_ref();
        let chain = read_certificates(certificates.as_ref())?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|reason| pem_error(key, reason))?;
        self.identity = Some((chain, key));
        Ok(self)
    }

    /// Presents a certificate to servers that ask for one: a chain and its private key, as PEM
    /// text. Otherwise as [`client_certificate_files`](Self::client_certificate_files).
    ///
    /// # Errors
    /// [`TlsError::Pem`] if either is missing.
    pub fn client_certificate_pem(mut self, chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|reason| TlsError::Pem {
            path: "the private key".into(),
            reason,
        })?;
        self.identity = Some((chain, key));
        Ok(self)
    }

    /// Asks for another name than the URL has (RFC 6066 section 3), and checks the certificate
    /// against it. A redirect to another origin is not asked for it.
    ///
    /// # Errors
    /// [`TlsError::ServerName`] if no certificate can be for it.
    pub fn server_name(mut self, name: &str) -> Result<Self, TlsError> {
        self.server_name = Some(server_name(name)?);
        Ok(self)
    }

    /// Refuses versions below this one.
    pub const fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Trusts everyone: **whoever sits on the way can read and change everything**, passwords
    /// too. For a server on the desk in front of you. To reach one with a certificate of its own,
    /// trust that certificate with [`extra_roots_file`](Self::extra_roots_file) in place of this.
    pub fn dangerously_without_verification(mut self) -> Self {
        self.trust = Trust::Everyone;
        self
    }

    /// Puts the configuration together. It offers `http/1.1` (RFC 7301).
    ///
    /// # Errors
    /// [`TlsError::Setup`] if a certificate cannot be a root, the system's trust store cannot be
    /// read, or the key does not belong to the client certificate.
    pub fn build(self) -> Result<ClientTls, TlsError> {
        let provider = provider();
        let versions: &[&SupportedProtocolVersion] = match self.min_version {
            TlsVersion::Tls12 => &[&TLS12, &TLS13],
            TlsVersion::Tls13 => &[&TLS13],
        };
        let verifier = self.trust.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        };
        Ok(ClientTls {
            server_name: self.server_name,
            ..ClientTls::from_config(config)
        })
    }

    fn extra_roots(mut self, more: Vec<CertificateDer<'static>>) -> Self {
        match &mut self.trust {
            Trust::System(roots) | Trust::Only(roots) => roots.extend(more),
            Trust::Everyone => {}
        }
        self
    }
}

impl Trust {
    fn verifier(
        self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let provider = Arc::clone(provider);
        match self {
            Self::System(roots) => system_verifier(roots, provider),
            Self::Only(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates {
                    roots.add(certificate)?;
                }
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
                // No root was found wrong above, so all that is left is that there is none.
                let verifier = verifier
                    .build()
                    .map_err(|error| RustlsError::General(error.to_string()))?;
                Ok(verifier)
            }
            Self::Everyone => Ok(Arc::new(NoVerification(provider))),
        }
    }
}

#[cfg(not(target_os = "android"))]
fn system_verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    Ok(Arc::new(Verifier::new_with_extra_roots(roots, provider)?))
}

/// The verifier of this system takes no roots besides its own.
#[cfg(target_os = "android")]
fn system_verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    if !roots.is_empty() {
        let told = "this system takes no extra roots";
        return Err(RustlsError::General(told.into()).into());
    }
    Ok(Arc::new(Verifier::new(provider)?))
}

/// Takes any certificate. The signatures of the handshake are checked: they must be those of the
/// key in it.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, RustlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Presents no certificate.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::ServerName(host.into()))
}
