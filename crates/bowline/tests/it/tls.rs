//! Connections under TLS.

use std::{path::PathBuf, time::Duration};

use bowline::{
    Acceptor, Cause, ClientTls, CloseCode, ConnectPhase, Connector, EndedBy, Error, Message,
    ServerTls, Stream, Timeouts, TlsError, WebSocket,
};
use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::ends::soon;

/// A certificate and its key in files.
struct Identity {
    directory: TempDir,
    tls: ServerTls,
}

impl Identity {
    fn for_names(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let certificate = directory.path().join("cert.pem");
        let key = directory.path().join("key.pem");
        std::fs::write(&certificate, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        let tls = ServerTls::from_files(&certificate, &key).unwrap();
        Self { directory, tls }
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }

    /// A connector that trusts this identity only.
    fn connector(&self) -> Connector {
        Connector {
            tls: Some(ClientTls::with_roots_file(self.certificate()).unwrap()),
            ..Connector::default()
        }
    }

    /// Serves one connection; gives its port.
    async fn serve(&self) -> (u16, JoinHandle<Result<WebSocket<Stream>, Error>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = self.tls.clone();
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = tls.accept(stream).await?;
            assert!(stream.is_tls());
            Acceptor::default().accept(stream).await
        });
        (port, serving)
    }
}

#[tokio::test]
async fn names_and_addresses_of_the_certificate_are_accepted() {
    let identity = Identity::for_names(&["localhost", "127.0.0.1"]);
    for host in ["localhost", "127.0.0.1"] {
        let (port, serving) = identity.serve().await;
        let url = format!("wss://{host}:{port}/");
        let mut client = soon(identity.connector().connect(&url)).await.unwrap();
        let mut server = serving.await.unwrap().unwrap();
        assert_eq!(client.with_stream(Stream::is_tls), Some(true));
        client.send("secret").await.unwrap();
        assert_eq!(server.recv().await, Some(Message::text("secret")));
    }
}

#[tokio::test]
async fn a_wrong_name_and_an_unknown_root_are_refused_with_the_reason() {
    let identity = Identity::for_names(&["example.com"]);
    let (port, serving) = identity.serve().await;
    let url = format!("wss://localhost:{port}/");
    let failed = identity.connector().connect(&url).await.unwrap_err();
    assert!(
        matches!(failed, Error::Tls(TlsError::Handshake(_))),
        "{failed}"
    );
    assert!(
        failed.to_string().contains("not valid for name"),
        "{failed}"
    );
    assert!(matches!(
        serving.await.unwrap(),
        Err(Error::Tls(TlsError::Handshake(_)))
    ));

    let identity = Identity::for_names(&["localhost"]);
    let stranger = Identity::for_names(&["localhost"]);
    let (port, _serving) = identity.serve().await;
    let url = format!("wss://localhost:{port}/");
    let failed = stranger.connector().connect(&url).await.unwrap_err();
    assert!(
        matches!(failed, Error::Tls(TlsError::Handshake(_))),
        "{failed}"
    );
    let shown = failed.to_string();
    assert!(shown.contains("certificate"), "{shown}");

    let (port, _serving) = identity.serve().await;
    let failed = bowline::connect(&format!("wss://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::Tls(_)),
        "the system does not trust it: {failed}"
    );
}

#[tokio::test]
async fn a_client_that_speaks_plain_http_to_a_tls_port_is_refused() {
    let identity = Identity::for_names(&["localhost"]);
    let (port, serving) = identity.serve().await;
    let failed = bowline::connect(&format!("ws://127.0.0.1:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::Handshake(_) | Error::Io(_)),
        "{failed}"
    );
    let refused = soon(serving).await.unwrap().unwrap_err();
    assert!(
        matches!(refused, Error::Tls(TlsError::Handshake(_))),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_an_error_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let mut all = Vec::new();
        // How the client leaves does not matter.
        drop(stream.read_to_end(&mut all).await);
    });
    let connector = Identity::for_names(&["localhost"]).connector();
    let failed = connector
        .connect(&format!("wss://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::Tls(TlsError::Handshake(_))),
        "{failed}"
    );
    soon(serving).await.unwrap();
}

#[tokio::test]
async fn a_tls_handshake_that_stalls_is_given_up_at_its_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connector = Connector {
        timeouts: Timeouts {
            tls: Duration::from_millis(50),
            ..Timeouts::default()
        },
        ..Identity::for_names(&["localhost"]).connector()
    };
    let failed = connector
        .connect(&format!("wss://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::Timeout(ConnectPhase::Tls)),
        "{failed}"
    );
    drop(listener);
}

#[tokio::test]
async fn the_closing_handshake_works_through_tls() {
    let identity = Identity::for_names(&["localhost"]);
    for client_closes in [true, false] {
        let (port, serving) = identity.serve().await;
        let url = format!("wss://localhost:{port}/");
        let mut client = identity.connector().connect(&url).await.unwrap();
        let mut server = serving.await.unwrap().unwrap();
        let (ending, other) = if client_closes {
            let (ending, received) =
                soon(async { tokio::join!(client.close(CloseCode(3000), "tls"), server.recv()) })
                    .await;
            assert_eq!(received, None);
            (ending.unwrap(), server.ending().unwrap())
        } else {
            let (ending, received) =
                soon(async { tokio::join!(server.close(CloseCode(3000), "tls"), client.recv()) })
                    .await;
            assert_eq!(received, None);
            (ending.unwrap(), client.ending().unwrap())
        };
        assert!(ending.is_clean() && other.is_clean());
        assert_eq!((ending.by, other.by), (EndedBy::Local, EndedBy::Peer));
        assert_eq!((other.code.0, &*other.reason), (3000, "tls"));
    }
}

#[tokio::test]
async fn the_server_says_goodbye_to_tls_and_a_stream_cut_without_it_is_an_end() {
    let identity = Identity::for_names(&["localhost"]);
    let (port, serving) = identity.serve().await;
    let url = format!("wss://localhost:{port}/");
    let mut client = identity.connector().connect(&url).await.unwrap();
    let server = serving.await.unwrap().unwrap();
    drop(server);
    assert_eq!(soon(client.recv()).await, None);
    assert_eq!(client.ending().unwrap().cause, Cause::Eof);

    let (port, serving) = identity.serve().await;
    let tls = ClientTls::with_roots_file(identity.certificate()).unwrap();
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut raw = tls.connect("localhost", tcp).await.unwrap();
    let head = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    raw.write_all(head.as_bytes()).await.unwrap();
    let close = bowline_testkit::Frame::close(1000, "")
        .masked([0; 4])
        .encode();
    raw.write_all(&close).await.unwrap();
    let mut server = serving.await.unwrap().unwrap();
    let serving = tokio::spawn(async move { server.recv().await });
    let mut all = Vec::new();
    // Without close_notify this would be an error.
    soon(raw.read_to_end(&mut all)).await.unwrap();
    assert!(all.ends_with(&[0x88, 2, 3, 0xE8]));
    drop(raw);
    assert_eq!(soon(serving).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_pass_both_ways_at_once() {
    let identity = Identity::for_names(&["localhost"]);
    let (port, serving) = identity.serve().await;
    let url = format!("wss://localhost:{port}/");
    let client = identity.connector().connect(&url).await.unwrap();
    let server = serving.await.unwrap().unwrap();
    let ends = [client, server].map(|ws| {
        let (mut sender, mut receiver) = ws.split();
        let sending = tokio::spawn(async move {
            for byte in 0..4 {
                sender.send(vec![byte; 2 << 20]).await.unwrap();
            }
            sender
        });
        tokio::spawn(async move {
            for byte in 0..4 {
                let message = receiver.recv().await.unwrap();
                assert_eq!(message.len(), 2 << 20);
                assert!(message.payload().iter().all(|b| *b == byte));
            }
            drop(sending.await.unwrap());
        })
    });
    for end in ends {
        soon(end).await.unwrap();
    }
}

#[test]
fn a_missing_or_empty_pem_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.pem");
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "no certificate here\n").unwrap();
    let identity = Identity::for_names(&["localhost"]);
    let key = identity.directory.path().join("key.pem");
    for path in [&missing, &empty] {
        let failures = [
            ClientTls::with_roots_file(path).unwrap_err(),
            ServerTls::from_files(path, &key).unwrap_err(),
            ServerTls::from_files(identity.certificate(), path).unwrap_err(),
        ];
        for failed in failures {
            assert!(matches!(failed, TlsError::Pem { .. }));
            let shown = failed.to_string();
            assert!(shown.contains(path.to_str().unwrap()), "{shown}");
        }
    }
    let other = Identity::for_names(&["localhost"]);
    let failed = ServerTls::from_files(other.certificate(), &key).unwrap_err();
    assert!(
        matches!(failed, TlsError::Setup(_)),
        "the key is another's: {failed}"
    );
}
