//! What becomes of the stream below an HTTP server.

use std::convert::Infallible;

use bowline::{ClientTls, Connector, Error, Message, Offer, ServerTls, UpgradedStream, WebSocket};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    net::{TcpListener, TcpStream, UnixStream},
    sync::mpsc,
};

use super::{
    CLOSE, HANDSHAKE, HI, axum_server, hyper_server, read_head, send_with_handshake, tower_server,
};

fn report_stream<B, R: From<Bytes>>(mut request: http::Request<B>) -> http::Response<R> {
    let offer = Offer::from_request(&mut request).unwrap();
    offer.on_upgrade(report).unwrap()
}

async fn report(ws: Result<WebSocket<UpgradedStream>, Error>) {
    let mut ws = ws.unwrap();
    let found = ws.with_stream(|stream| match stream.recovered() {
        Some(stream) if stream.is_tls() => "tls",
        Some(_) => "tcp",
        None => "wrapped",
    });
    ws.send(found.unwrap()).await.unwrap();
    ws.recv().await;
}

#[tokio::test]
async fn tcp_is_taken_out_of_every_server() {
    for address in [
        hyper_server(report_stream).await,
        tower_server(report_stream).await,
        axum_server(report_stream).await,
    ] {
        let mut client = bowline::connect(&format!("ws://{address}/")).await.unwrap();
        assert_eq!(client.recv().await, Some(Message::text("tcp")));
    }
}

#[tokio::test]
async fn tls_is_taken_out_of_the_server() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let tls = ServerTls::from_files(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let stream = tls
            .accept(listener.accept().await.unwrap().0)
            .await
            .unwrap();
        let service = service_fn(async |request: http::Request<Incoming>| {
            Ok::<_, Infallible>(report_stream::<_, Full<Bytes>>(request))
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connection.with_upgrades().await.unwrap();
    });
    let connector = Connector {
        tls: Some(ClientTls::with_roots_file(&certificate).unwrap()),
        ..Connector::default()
    };
    let url = format!("wss://localhost:{port}/");
    let mut client = connector.connect(&url).await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("tls")));
}

/// Serves one connection in hyper over a pipe with room for `room` bytes; gives the client's end.
fn serve_pipe<F>(room: usize, answer: F) -> DuplexStream
where
    F: Fn(Offer) -> http::Response<Full<Bytes>> + Send + Sync + 'static,
{
    let (client, server) = duplex(room);
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        let response = answer(Offer::from_request(&mut request).unwrap());
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service);
    tokio::spawn(connection.with_upgrades());
    client
}

#[tokio::test]
async fn another_stream_stays_wrapped_and_loses_nothing() {
    let mut client = serve_pipe(4096, |offer| offer.on_upgrade(super::send_back).unwrap());
    let frames = send_with_handshake(&mut client, 1).await;
    assert_eq!(frames, [HI, CLOSE].concat());
}

#[tokio::test]
async fn a_stream_of_a_type_the_program_names_is_handed_over() {
    let mut client = serve_pipe(4096, |offer| {
        let (response, pending) = offer.accept().unwrap();
        tokio::spawn(async move {
            let mut ws: WebSocket<DuplexStream> = pending.over().await.unwrap();
            while let Some(message) = ws.recv().await {
                ws.send(message).await.unwrap();
            }
        });
        response
    });
    let frames = send_with_handshake(&mut client, 1).await;
    assert_eq!(frames, [HI, CLOSE].concat());
}

#[tokio::test]
async fn a_stream_of_another_type_than_named_is_an_error() {
    let (sender, mut errors) = mpsc::unbounded_channel();
    let mut client = serve_pipe(4096, move |offer| {
        let (response, pending) = offer.accept().unwrap();
        let sender = sender.clone();
        tokio::spawn(async move { sender.send(pending.over::<UnixStream>().await.err()) });
        response
    });
    client.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.starts_with("http/1.1 101 "));
    let error = errors.recv().await.unwrap();
    assert!(matches!(error, Some(Error::NotHandedOver(_))), "{error:?}");
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_the_answer_is_given_up_at_the_deadline() {
    let (sender, mut errors) = mpsc::unbounded_channel();
    let mut client = serve_pipe(16, move |offer| {
        let (response, pending) = offer.accept().unwrap();
        let sender = sender.clone();
        tokio::spawn(async move { sender.send(pending.await.err()) });
        response
    });
    client.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    let error = errors.recv().await.unwrap();
    assert!(matches!(error, Some(Error::Timeout(_))), "{error:?}");
}

#[tokio::test]
async fn a_server_without_upgrades_is_told_apart() {
    let (sender, mut errors) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            let offer = Offer::from_request(&mut request).unwrap();
            assert!(Offer::from_request(&mut request).is_err(), "taken once");
            let (response, pending) = offer.accept::<Full<Bytes>>().unwrap();
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(pending.await.err()) });
            async { Ok::<_, Infallible>(response) }
        });
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await
    });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    let error = errors.recv().await.unwrap();
    assert!(matches!(error, Some(Error::NotHandedOver(_))), "{error:?}");
}
