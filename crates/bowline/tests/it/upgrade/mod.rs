//! Accepting inside the handlers of other HTTP servers.

mod accepting;
mod examples;
mod peers;
mod refusing;
mod streams;
mod users;

use std::{convert::Infallible, net::SocketAddr};

use axum::{Router, body::Body, extract::Request, response::Response, routing::any_service};
use bowline::{Error, Offer, Rejection, ServerTls, Stream, UpgradedStream, WebSocket};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What a handler does with a request, whatever server it runs in.
type Answer<B> = fn(http::Request<Incoming>) -> http::Response<B>;

/// Runs a handler in hyper itself, one connection after the other.
async fn hyper_server(answer: Answer<Full<Bytes>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let service = service_fn(move |mut request| {
                let extensions = http::Request::extensions_mut(&mut request);
                extensions.insert(peer);
                async move { Ok::<_, Infallible>(answer(request)) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

/// Runs a handler as a tower service, in the server of hyper-util that finds out the HTTP version.
async fn tower_server(answer: Answer<Full<Bytes>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service =
                tower::service_fn(
                    move |request| async move { Ok::<_, Infallible>(answer(request)) },
                );
            tokio::spawn(async move {
                auto::Builder::new(TokioExecutor::new())
                    .serve_connection_with_upgrades(
                        TokioIo::new(stream),
                        TowerToHyperService::new(service),
                    )
                    .await
            });
        }
    });
    address
}

/// Runs a handler behind a router of axum.
async fn axum_server(answer: fn(Request) -> Response) -> SocketAddr {
    let service =
        tower::service_fn(
            move |request: Request| async move { Ok::<_, Infallible>(answer(request)) },
        );
    router_server(Router::new().route("/", any_service(service))).await
}

async fn router_server(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Accepts and sends back what arrives; a page for plain HTTP.
fn echo<B, R: From<Bytes>>(mut request: http::Request<B>) -> http::Response<R> {
    if !Offer::is_offered(&request) {
        return http::Response::new(Bytes::from_static(b"a page").into());
    }
    Offer::from_request(&mut request)
        .and_then(|offer| offer.on_upgrade(send_back))
        .unwrap_or_else(Rejection::response)
}

async fn send_back(ws: Result<WebSocket<UpgradedStream>, Error>) {
    let mut ws = ws.unwrap();
    while let Some(message) = ws.recv().await {
        ws.send(message).await.unwrap();
    }
}

/// Reads the head of an answer and nothing behind it.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

/// Sends a handshake, `count` messages and a close frame at once; gives what came behind the
/// answer 101.
async fn send_with_handshake<S>(stream: &mut S, count: usize) -> Vec<u8>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let messages = HI_MASKED.repeat(count);
    let bytes = [HANDSHAKE.as_bytes(), &messages, CLOSE_MASKED].concat();
    stream.write_all(&bytes).await.unwrap();
    assert!(read_head(stream).await.starts_with("http/1.1 101 "));
    // A server that lost a byte would wait for it; so it sees the end instead.
    stream.shutdown().await.unwrap();
    let mut frames = Vec::new();
    stream.read_to_end(&mut frames).await.unwrap();
    frames
}

/// Sends bytes and reads the answer until the server ends the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Accepts TLS connections for axum.
struct TlsListener {
    tcp: TcpListener,
    tls: ServerTls,
}

impl axum::serve::Listener for TlsListener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            let (tcp, peer) = self.tcp.accept().await.unwrap();
            // Who fails at TLS is gone; the next may do better.
            if let Ok(stream) = self.tls.accept(tcp).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Serves a router of axum under TLS.
async fn tls_router_server(router: Router, tls: ServerTls) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listener = TlsListener { tcp, tls };
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A text frame with `hi` of a client whose masking key is zero.
const HI_MASKED: &[u8] = b"\x81\x82\0\0\0\0hi";
/// The same of a server.
const HI: &[u8] = b"\x81\x02hi";
/// A close frame without a code, of a client and of a server.
const CLOSE_MASKED: &[u8] = b"\x88\x80\0\0\0\0";
const CLOSE: &[u8] = b"\x88\0";

/// One server of each kind with the same handler.
async fn echo_servers() -> [(&'static str, SocketAddr); 3] {
    [
        ("hyper", hyper_server(echo).await),
        ("tower", tower_server(echo).await),
        ("axum", axum_server(echo::<Body, Body>).await),
    ]
}
