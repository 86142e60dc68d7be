//! A client's end under TLS, and the certificate it trusts.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process,
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::{
    Outcome,
    connection::{read_answer, request},
    frames::{Dialect, Frames},
};

/// A certificate of its own for `localhost`, in files for the servers. They go with it.
#[derive(Debug)]
pub struct Certificate {
    folder: PathBuf,
    config: Arc<ClientConfig>,
}

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Certificate {
    pub fn new() -> Outcome<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let folder = env::temp_dir().join(format!("bowline-load-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let certificate = Self {
            config: Arc::new(config(&made)?),
            folder,
        };
        let [chain, key] = certificate.files();
        fs::write(chain, made.cert.pem())?;
        fs::write(key, made.signing_key.serialize_pem())?;
        Ok(certificate)
    }

    /// Where the certificate and its key are.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.folder.join("certificate"), self.folder.join("key")]
    }

    /// Connects, makes the handshakes, and has one message echoed.
    pub fn open(&self, address: SocketAddr, dialect: Dialect) -> Outcome<Stream> {
        let client = ClientConnection::new(Arc::clone(&self.config), "localhost".try_into()?)?;
        let tcp = TcpStream::connect(address)?;
        tcp.set_nodelay(true)?;
        let mut stream = StreamOwned::new(client, tcp);
        if dialect != Dialect::Bytes {
            stream.write_all(request("/").as_bytes())?;
            drop(read_answer(&mut stream)?);
        }
        let frames = Frames::new(16, 1, dialect);
        stream.write_all(&frames.sent[..frames.frame_len])?;
        let mut reply = vec![0; frames.reply_len];
        stream.read_exact(&mut reply)?;
        if reply != frames.replies[..frames.reply_len] {
            return Err("a reply differs from its message".into());
        }
        Ok(stream)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nothing.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn config(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone())?;
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}
