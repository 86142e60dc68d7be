//! A device, a proxy and certificates, made of the library itself.

use std::{
    collections::BTreeSet,
    fs,
    io::Cursor,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bowline::{Acceptor, Config, Limits, Message, Options, Request, ServerTls, Transport};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional, join, split},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// What a server does with a request.
pub(crate) enum Answer {
    /// Opens a WebSocket, with this subprotocol if it is not empty, and echoes.
    Accept(&'static str),
    /// Sends these bytes and ends the stream.
    Bytes(String),
    /// Opens a WebSocket and is silent, also to pings.
    Silence,
}

impl Answer {
    /// Sends a status and headers, without a body.
    pub(crate) fn status(status: u16, headers: &str) -> Self {
        Self::Bytes(format!(
            "HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n{headers}\r\n"
        ))
    }
}

/// A server that keeps the heads of all requests.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    facts: Arc<Facts>,
}

#[derive(Default)]
struct Facts {
    heads: Mutex<Vec<String>>,
    met: AtomicUsize,
    most: AtomicUsize,
}

impl Server {
    /// Answers each request as `answer` says to its head.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

    /// Opens a WebSocket for everyone.
    pub(crate) async fn echo() -> Self {
        Self::start(|_| Answer::Accept("")).await
    }

    /// Does the same under TLS.
    pub(crate) async fn start_with(
        tls: Option<ServerTls>,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            facts: Arc::default(),
        };
        let (own, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (own, answer, tls) = (own.clone(), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move { own.meet(stream, tls, &*answer).await });
            }
        });
        server
    }

    async fn meet(
        &self,
        stream: TcpStream,
        tls: Option<ServerTls>,
        answer: &(dyn Fn(&str) -> Answer + Sync),
    ) {
        // The table of the system is long, so it is not looked at each time.
        if self.facts.met.fetch_add(1, Ordering::SeqCst) % 8 == 3 {
            let mut sockets = self.client_sockets();
            // A process that is being started has a copy of every socket, for a moment. The client
            // has to wait for an answer meanwhile.
            for _ in 0..100 {
                if sockets > 1 {
                    sleep(Duration::from_millis(1)).await;
                    sockets = self.client_sockets();
                }
            }
            self.facts.most.fetch_max(sockets, Ordering::SeqCst);
        }
        match tls {
            None => serve(stream, &self.facts, answer).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    serve(stream, &self.facts, answer).await;
                }
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The values of a header in all requests so far.
    pub(crate) fn values(&self, name: &str) -> Vec<Option<String>> {
        let heads = self.facts.heads.lock().unwrap();
        heads.iter().map(|head| header(head, name)).collect()
    }

    /// The first lines of all requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let heads = self.facts.heads.lock().unwrap();
        let first = |head: &String| head.lines().next().unwrap().to_owned();
        heads.iter().map(first).collect()
    }

    /// How many sockets clients had at once, at most, when one of them asked for something.
    pub(crate) fn most(&self) -> usize {
        self.facts.most.load(Ordering::SeqCst)
    }

    /// How many sockets clients have that they did not close.
    pub(crate) fn client_sockets(&self) -> usize {
        let port = format!(":{:04X}", self.address.port());
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let mut sockets = BTreeSet::new();
        for line in table.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            // One that was closed belongs to nobody, whatever the system still does with it.
            if fields[2].ends_with(&port) && fields[9] != "0" {
                sockets.insert(fields[1].to_owned());
            }
        }
        sockets.len()
    }
}

async fn serve<S: Transport>(
    mut stream: S,
    facts: &Facts,
    answer: &(dyn Fn(&str) -> Answer + Sync),
) {
    let Some(head) = read_head(&mut stream).await else {
        return;
    };
    let answer = answer(&head);
    facts.heads.lock().unwrap().push(head.clone());
    let subprotocol = match answer {
        Answer::Accept(subprotocol) => Some(subprotocol),
        Answer::Silence => None,
        Answer::Bytes(bytes) => {
            stream.write_all(bytes.as_bytes()).await.unwrap();
            drop(stream.shutdown().await);
            return;
        }
    };
    let config = Config {
        limits: Limits::NONE,
        ..Config::default()
    };
    let acceptor = Acceptor {
        options: Options {
            config: Arc::new(config),
            ..Options::default()
        },
        ..Acceptor::default()
    };
    let (rest, writing) = split(stream);
    let whole = join(Cursor::new(head).chain(rest), writing);
    let Ok(Request::WebSocket(offer)) = acceptor.read_request(whole).await else {
        panic!("not a WebSocket");
    };
    let offer = match subprotocol.filter(|name| !name.is_empty()) {
        Some(subprotocol) => offer.with_subprotocol(subprotocol),
        None => offer,
    };
    let Ok(mut ws) = offer.accept().await else {
        return;
    };
    if subprotocol.is_none() {
        sleep(Duration::from_hours(1)).await;
    }
    while let Some(message) = ws.recv().await {
        let asked = message
            .as_text()
            .and_then(|text| text.strip_prefix("long "));
        let reply = match asked {
            Some(length) => Message::binary(vec![7; length.parse().unwrap()]),
            None => message,
        };
        drop(ws.send(reply).await);
    }
}

async fn read_head<S: Transport>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let field = fields.find(|(found, _)| found.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.trim().to_owned())
}

/// A proxy that keeps what it was asked for: the target and the credentials.
pub(crate) struct ProxyServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ProxyServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&proxy.asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(tunnel(stream, Arc::clone(&asked)));
            }
        });
        proxy
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn tunnel(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>) {
    let head = read_head(&mut stream).await.unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let login = header(&head, "Proxy-Authorization").unwrap_or_default();
    asked
        .lock()
        .unwrap()
        .push(format!("{target} {login}").trim().to_owned());
    let mut server = TcpStream::connect(target).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 Yes\r\n\r\n").await.unwrap();
    drop(copy_bidirectional(&mut stream, &mut server).await);
}

/// A certificate for `localhost`, and the folder where it is.
pub(crate) struct Certificate {
    pub(crate) folder: TempDir,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        fs::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        Self { folder }
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn server(&self) -> ServerTls {
        ServerTls::from_files(self.file("cert.pem"), self.file("key.pem")).unwrap()
    }
}
