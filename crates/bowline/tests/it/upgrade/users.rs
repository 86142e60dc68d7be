//! Users of a handler of axum.

use axum::{Extension, Router, response::Response, routing::any};
use bowline::{
    Connector, Error, Offer, PeerCertificate, Rejection, ServerCertificates, ServerTls, Stream,
    server::auth::{Authenticator, Credentials, Identity, PasswordList, UserStore as _},
};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;

use super::router_server;
use crate::{dial_server, front::told};

/// Known by password or certificate.
fn users(credentials: &Credentials) -> Option<Identity> {
    if let Credentials::Certificate(certificate) = credentials {
        assert_eq!(certificate.chain().count(), 1);
        return Some(Identity::new(certificate.common_name()?));
    }
    let list = PasswordList::new().with(Identity::new("anna"), "pw");
    list.identify(credentials)
}

async fn greet(
    Extension(authenticator): Extension<Authenticator>,
    offer: Offer,
) -> Result<Response, Rejection> {
    let Some(identity) = authenticator.identify(offer.request(), offer.peer_certificate()) else {
        return offer
            .with_basic_challenge("the \"harbour\"")
            .refuse(401, "Sign in.\n");
    };
    offer.on_upgrade(async move |ws| {
        let mut ws = ws.unwrap();
        ws.send(&*identity.user).await.unwrap();
        ws.recv().await;
    })
}

fn router() -> Router {
    Router::new()
        .route("/", any(greet))
        .layer(Extension(Authenticator::new(users)))
}

#[tokio::test]
async fn a_handler_asks_for_name_and_password_before_the_101() {
    let address = router_server(router()).await;
    for user in ["", "anna:no@", "ben:pw@"] {
        let refused = Connector::default()
            .connect(&format!("ws://{user}{address}/"))
            .await;
        let Err(Error::Refused(refused)) = refused else {
            panic!("not refused: {refused:?}");
        };
        assert_eq!(refused.response.status(), 401);
        assert_eq!(
            refused.response.headers().text("www-authenticate"),
            Some("Basic realm=\"the \\\"harbour\\\"\", charset=\"UTF-8\"")
        );
        assert_eq!(refused.body, "Sign in.\n");
    }
    let url = format!("ws://anna:pw@{address}/");
    let mut ws = bowline::connect(&url).await.unwrap();
    assert_eq!(told(&mut ws).await, "anna");
}

#[tokio::test]
async fn a_handler_sees_the_certificate_that_the_server_below_it_verified() {
    let [server, client] =
        [&["localhost"], &["buoy"]].map(|names| dial_server::Identity::for_names(names));
    let certificates =
        ServerCertificates::from_pem(server.certificate.as_bytes(), server.key.as_bytes());
    let tls = ServerTls::builder(&certificates.unwrap())
        .require_clients_pem(client.certificate.as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let stream: Stream = tls
            .accept(listener.accept().await.unwrap().0)
            .await
            .unwrap();
        let certificate: PeerCertificate = stream.peer_certificate().unwrap();
        let service = TowerToHyperService::new(router().layer(Extension(certificate)));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connection.with_upgrades().await.unwrap();
    });
    let tls = server
        .client_builder()
        .client_certificate_pem(client.certificate.as_bytes(), client.key.as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let url = format!("wss://localhost:{port}/");
    let mut ws = Connector::default()
        .with_tls(tls)
        .connect(&url)
        .await
        .unwrap();
    assert_eq!(told(&mut ws).await, "rcgen self signed cert");
}
