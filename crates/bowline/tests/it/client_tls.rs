//! TLS of clients: who is trusted, what is presented, under which name.

use std::sync::Arc;

use bowline::{
    ClientTls, Connector, Credentials, Error, Message, ServerTls, Stream, TlsError, TlsVersion,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    dial_server::{Answer, Identity, Server},
    ends::soon,
};

/// What a server saw of a client.
#[derive(Debug, PartialEq)]
struct Seen {
    server_name: Option<String>,
    alpn: Option<Vec<u8>>,
    certificate_count: usize,
    version: u16,
}

/// A server that asks for a client certificate of `client`, and tells what it saw.
async fn asking(
    identity: &Identity,
    client: Option<&Identity>,
) -> (String, JoinHandle<Option<Seen>>) {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .unwrap();
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let mut roots = RootCertStore::empty();
            let pem = client.certificate.as_bytes();
            roots
                .add(CertificateDer::from_pem_slice(pem).unwrap())
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let tls = ServerTls::from_config(builder.with_single_cert(vec![chain], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = tls.accept(stream).await.ok()?;
        let Stream::Tls(tls) = &stream else {
            unreachable!("it was accepted under TLS");
        };
        let (_, session) = tls.get_ref();
        let certificates = session.peer_certificates();
        let tokio_rustls::TlsStream::Server(server) = &**tls else {
            unreachable!("it is a server");
        };
        let seen = Seen {
            server_name: server.get_ref().1.server_name().map(str::to_owned),
            alpn: session.alpn_protocol().map(<[u8]>::to_vec),
            certificate_count: certificates.map_or(0, <[_]>::len),
            version: session.protocol_version().unwrap().into(),
        };
        let mut ws = bowline::accept(stream).await.ok()?;
        ws.send("hello").await.ok()?;
        Some(seen)
    });
    (url, serving)
}

/// Connects and expects the greeting.
async fn greet(tls: ClientTls, url: &str) -> Result<(), Error> {
    let mut ws = soon(Connector::default().with_tls(tls).connect(url)).await?;
    match soon(ws.recv()).await {
        Some(message) => assert_eq!(message, Message::text("hello")),
        None => return Err(Error::Closed(ws.ending().map(Box::new))),
    }
    Ok(())
}

#[tokio::test]
async fn a_client_certificate_is_presented_to_a_server_that_wants_one() {
    let (server, client) = (
        Identity::for_names(&["localhost"]),
        Identity::for_names(&["buoy"]),
    );
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["c.pem", "k.pem"].map(|name| folder.path().join(name));
    std::fs::write(&certificate, &client.certificate).unwrap();
    std::fs::write(&key, &client.key).unwrap();
    let from_text = server
        .client_builder()
        .client_certificate_pem(client.certificate.as_bytes(), client.key.as_bytes());
    let from_files = server
        .client_builder()
        .client_certificate_files(certificate, key);
    for builder in [from_text.unwrap(), from_files.unwrap()] {
        assert!(!format!("{builder:?}").contains("PRIVATE"));
        let (url, serving) = asking(&server, Some(&client)).await;
        greet(builder.build().unwrap(), &url).await.unwrap();
        let seen = serving.await.unwrap().unwrap();
        assert_eq!(seen.certificate_count, 1);
        assert_eq!(seen.alpn.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(seen.server_name.as_deref(), Some("localhost"));
    }
    let stranger = Identity::for_names(&["buoy"]);
    let wrong = server
        .client_builder()
        .client_certificate_pem(stranger.certificate.as_bytes(), stranger.key.as_bytes());
    for builder in [server.client_builder(), wrong.unwrap()] {
        let (url, serving) = asking(&server, Some(&client)).await;
        greet(builder.build().unwrap(), &url).await.unwrap_err();
        assert_eq!(serving.await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_client_certificate_is_not_presented_to_another_origin() {
    let (identity, client) = (
        Identity::for_names(&["localhost"]),
        Identity::for_names(&["buoy"]),
    );
    let (url, other) = asking(&identity, Some(&client)).await;
    let location = url.replace("wss", "https");
    let server = Server::start_with(Some(identity.server()), move |_| {
        Answer::redirect(&location)
    })
    .await;
    let tls = identity
        .client_builder()
        .client_certificate_pem(client.certificate.as_bytes(), client.key.as_bytes());
    let connector = Connector::default()
        .with_tls(tls.unwrap().build().unwrap())
        .with_credentials(Credentials::basic("me", "s3cret"))
        .with_redirects(1);
    let first = format!("wss://localhost:{}/", server.address.port());
    soon(connector.connect(&first)).await.unwrap_err();
    assert_eq!(other.await.unwrap(), None, "it got no certificate");
}

#[tokio::test]
async fn another_name_is_asked_for_and_checked() {
    let identity = Identity::for_names(&["berth.test"]);
    let tls = |name: &str| {
        let builder = identity.client_builder().server_name(name).unwrap();
        builder.build().unwrap()
    };
    let (url, serving) = asking(&identity, None).await;
    greet(tls("berth.test"), &url).await.unwrap();
    let seen = serving.await.unwrap().unwrap();
    assert_eq!(seen.server_name.as_deref(), Some("berth.test"));

    let (url, _serving) = asking(&identity, None).await;
    let failed = greet(tls("other.test"), &url).await.unwrap_err();
    assert!(
        failed.to_string().contains("not valid for name"),
        "{failed}"
    );

    let failed = identity
        .client_builder()
        .server_name("no name")
        .unwrap_err();
    assert!(matches!(failed, TlsError::ServerName(_)), "{failed}");
}

#[tokio::test]
async fn without_verification_anyone_is_taken_who_has_the_key() {
    let identity = Identity::for_names(&["elsewhere.test"]);
    let tls = ClientTls::builder()
        .dangerously_without_verification()
        .build()
        .unwrap();
    let (url, serving) = asking(&identity, None).await;
    greet(tls, &url).await.unwrap();
    let seen = serving.await.unwrap().unwrap();
    assert_eq!(seen.server_name.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn more_roots_add_to_those_of_the_system_or_to_a_list() {
    let [one, other] = [(); 2].map(|()| Identity::for_names(&["localhost"]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    std::fs::write(&file, &one.certificate).unwrap();
    for (builder, trusts_other) in [
        (ClientTls::builder().extra_roots_file(&file), false),
        (
            ClientTls::builder().extra_roots_pem(one.certificate.as_bytes()),
            false,
        ),
        (other.client_builder().extra_roots_file(&file), true),
        (other.client_builder().only_roots_file(&file), false),
    ] {
        let tls = builder.unwrap().build().unwrap();
        let (url, _serving) = asking(&one, None).await;
        greet(tls.clone(), &url).await.unwrap();
        let (url, _serving) = asking(&other, None).await;
        assert_eq!(greet(tls, &url).await.is_ok(), trusts_other);
    }
    for pem in ["", "nothing here"] {
        let failed = ClientTls::builder().extra_roots_pem(pem.as_bytes());
        assert!(matches!(failed, Err(TlsError::Pem { .. })));
    }
}

#[tokio::test]
async fn old_versions_can_be_refused() {
    let identity = Identity::for_names(&["localhost"]);
    let config = || {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap()
    };
    let old = Server::start_with(Some(ServerTls::from_config(config())), |_| Answer::Accept).await;
    let url = format!("wss://localhost:{}/", old.address.port());
    for (version, is_taken) in [(TlsVersion::Tls12, true), (TlsVersion::Tls13, false)] {
        let builder = identity.client_builder().min_version(version);
        let connector = Connector::default().with_tls(builder.build().unwrap());
        let connected = soon(connector.connect(&url)).await;
        assert_eq!(connected.is_ok(), is_taken, "{version:?}");
    }
    let (url, serving) = asking(&identity, None).await;
    greet(identity.client(), &url).await.unwrap();
    assert_eq!(serving.await.unwrap().unwrap().version, 0x0304, "TLS 1.3");
}
