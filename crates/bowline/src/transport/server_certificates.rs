//! The certificates of a server, which can be replaced while it runs.

use std::{fmt, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    client::verify_server_name,
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};

use super::tls::{certificates, pem_error, provider, read_certificates};
use crate::error::TlsError;

/// The certificates a server presents, one or several.
///
/// A client that asks for a name (RFC 6066 section 3) gets the first certificate that is valid for
/// it, any other client the first of all. Clones are handles on the same certificates:
/// [`replace`](Self::replace) changes them for every handshake that begins afterwards, while
/// connections that are open stay as they are.
///
/// ```no_run
/// use bowline::{ServerCertificates, ServerTls};
///
/// let certificates = ServerCertificates::from_files("example.com.pem", "example.com.key")?
///     .and_files("example.org.pem", "example.org.key")?;
/// let tls = ServerTls::builder(&certificates).build()?;
/// // Later, when the files are new:
/// certificates.replace(&ServerCertificates::from_files("new.pem", "new.key")?);
/// # drop(tls);
/// # Ok::<_, bowline::TlsError>(())
/// ```
#[derive(Clone)]
pub struct ServerCertificates {
    /// Never empty.
    active: Arc<ArcSwap<Vec<Arc<CertifiedKey>>>>,
}

impl ServerCertificates {
    /// Reads a certificate chain and its private key from PEM files.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if a file cannot be read, [`TlsError::Setup`] if the key does not belong
    /// to the certificate.
    pub fn from_files(
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        read_files(certificates.as_ref(), key.as_ref()).map(Self::new)
    }

    /// Reads a certificate chain and its private key from PEM text.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        read_pem(chain, key).map(Self::new)
    }

    /// Adds a certificate for other names, from PEM files. Made before the server is: what is
    /// added is in the new value only.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn and_files(
        self,
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        read_files(certificates.as_ref(), key.as_ref()).map(|more| self.and(more))
    }

    /// Adds a certificate for other names, from PEM text; otherwise as
    /// [`and_files`](Self::and_files).
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn and_pem(self, chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        read_pem(chain, key).map(|more| self.and(more))
    }

    /// Replaces all certificates by those of another list, at once. Whatever can be wrong with
    /// them was found when that list was made, so nothing fails here.
    pub fn replace(&self, new: &Self) {
        self.active.store(new.active.load_full());
    }

    fn new(first: CertifiedKey) -> Self {
        Self {
            active: Arc::new(ArcSwap::from_pointee(vec![Arc::new(first)])),
        }
    }

    fn and(&self, more: CertifiedKey) -> Self {
        let mut list = Vec::clone(&self.active.load());
        list.push(Arc::new(more));
        Self {
            active: Arc::new(ArcSwap::from_pointee(list)),
        }
    }
}

/// Says how many there are; keys are not shown.
impl fmt::Debug for ServerCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificates")
            .field("count", &self.active.load().len())
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ServerCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let active = self.active.load();
        let name = hello
            .server_name()
            .and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| {
            active
                .iter()
                .find(|certified| is_valid_for(certified, &name))
        });
        named.or_else(|| active.first()).cloned()
    }
}

fn is_valid_for(certified: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = certified.cert.first().map(ParsedCertificate::try_from);
    let parsed = parsed.and_then(Result::ok);
    parsed.is_some_and(|parsed| verify_server_name(&parsed, name).is_ok())
}

fn read_files(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = read_certificates(chain)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|reason| pem_error(key, reason))?;
    certified(chain, key)
}

fn read_pem(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|reason| TlsError::Pem {
        path: "the private key".into(),
        reason,
    })?;
    certified(chain, key)
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}
