//! The certificate of every server in these tests, and the authority that vouches for it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use bowline::{ClientTls, ServerTls};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

/// Files of one authority and one certificate for `127.0.0.1` and `localhost`.
pub(crate) struct Identity {
    folder: TempDir,
}

impl Identity {
    /// Gives the one identity of this run.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Identity> = OnceLock::new();
        SHARED.get_or_init(Self::generate)
    }

    /// The authority that clients trust.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub(super) fn client(&self) -> ClientTls {
        ClientTls::with_roots_file(self.authority()).unwrap()
    }

    pub(crate) fn server(&self) -> ServerTls {
        ServerTls::from_files(self.certificate(), self.key()).unwrap()
    }

    fn generate() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let write = |name: &str, text: &str| fs::write(Path::join(folder.path(), name), text);

        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "Interop authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = authority.self_signed(&authority_key).unwrap();
        write("authority.pem", &certificate.pem()).unwrap();

        let key = KeyPair::generate().unwrap();
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let mut leaf = CertificateParams::new(names).unwrap();
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let issuer = Issuer::new(authority, authority_key);
        let certificate = leaf.signed_by(&key, &issuer).unwrap();
        write("certificate.pem", &certificate.pem()).unwrap();
        write("key.pem", &key.serialize_pem()).unwrap();
        Self { folder }
    }
}
