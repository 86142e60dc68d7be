//! Servers that record what clients ask, a resolver with a table, and certificates.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use bowline::{
    ClientTls, ClientTlsBuilder, Resolver, ServerTls, Transport, proto::handshake::accept_key,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a server does with a request.
pub(crate) enum Answer {
    /// Opens a WebSocket and echoes one message.
    Accept,
    /// Sends these bytes and ends the stream.
    Bytes(String),
}

impl Answer {
    /// Sends a status and headers, without a body.
    pub(crate) fn status(status: u16, headers: &str) -> Self {
        Self::Bytes(format!(
            "HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n{headers}\r\n"
        ))
    }

    /// Sends a redirect.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::status(302, &format!("Location: {location}\r\n"))
    }
}

/// A server over real sockets that keeps the heads of all requests.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request as `answer` says to its head.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

    /// Does the same under TLS.
    pub(crate) async fn start_with(
        tls: Option<ServerTls>,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            heads: Arc::default(),
        };
        let heads = Arc::clone(&server.heads);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, heads, answer) = (tls.clone(), Arc::clone(&heads), Arc::clone(&answer));
                tokio::spawn(async move { arrive(stream, tls, &heads, &*answer).await });
            }
        });
        server
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("ws://{}{target}", self.address)
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&self) -> MutexGuard<'_, Vec<String>> {
        self.heads.lock().unwrap()
    }

    /// The values of a header in the requests so far; each request may have it once.
    pub(crate) fn values(&self, name: &str) -> Vec<Option<String>> {
        self.heads().iter().map(|head| header(head, name)).collect()
    }
}

async fn arrive(
    stream: TcpStream,
    tls: Option<ServerTls>,
    heads: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
) {
    let Some(tls) = tls else {
        return serve(stream, heads, answer).await;
    };
    if let Ok(stream) = tls.accept(stream).await {
        serve(stream, heads, answer).await;
    }
}

/// Reads one request and answers it.
async fn serve<S: Transport>(
    mut stream: S,
    heads: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
) {
    let Ok(head) = read_head(&mut stream).await else {
        return;
    };
    heads.lock().unwrap().push(head.clone());
    match answer(&head) {
        Answer::Bytes(bytes) => {
            stream.write_all(bytes.as_bytes()).await.unwrap();
            // The client may have left before.
            drop(stream.shutdown().await);
        }
        Answer::Accept => {
            let key = header(&head, "Sec-WebSocket-Key").unwrap();
            let accept = accept_key(key.as_bytes());
            let accept = str::from_utf8(&accept).unwrap();
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            let mut ws = crate::ends::server(stream, bowline::Config::default());
            if let Some(message) = ws.recv().await {
                ws.send(message).await.unwrap();
            }
            while ws.recv().await.is_some() {}
        }
    }
}

/// Reads a head, byte by byte, so that nothing behind it is touched.
pub(crate) async fn read_head<S: Transport>(stream: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

/// Finds a header, which may be there once only.
pub(crate) fn header(head: &str, wanted: &str) -> Option<String> {
    let mut found = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
    });
    let first = found.next();
    assert_eq!(found.next(), None, "{wanted} comes twice in {head}");
    first
}

/// Finds addresses in a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(HashMap<String, Vec<IpAddr>>);

impl Table {
    pub(crate) fn of(name: &str, addresses: &[&str]) -> Arc<Self> {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self(HashMap::from([(name.to_owned(), addresses)])))
    }
}

impl Resolver for Table {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        let found = self
            .0
            .get(host)
            .ok_or_else(|| io::ErrorKind::NotFound.into());
        let found = found.map(|found| found.iter().map(|ip| SocketAddr::new(*ip, port)).collect());
        Box::pin(async { found })
    }
}

/// A certificate that vouches for itself.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    pub(crate) fn for_names(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        Self {
            certificate: cert.pem(),
            key: signing_key.serialize_pem(),
        }
    }

    pub(crate) fn server(&self) -> ServerTls {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] =
            ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&certificate, &self.certificate).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        ServerTls::from_files(certificate, key).unwrap()
    }

    /// A client that trusts this identity only.
    pub(crate) fn client_builder(&self) -> ClientTlsBuilder {
        let pem = self.certificate.as_bytes();
        ClientTls::builder().only_roots_pem(pem).unwrap()
    }

    pub(crate) fn client(&self) -> ClientTls {
        self.client_builder().build().unwrap()
    }
}
