//! Redirects: off by default, bounded, never out of TLS, without secrets to strangers.

use std::sync::{Arc, Mutex};

use bowline::{
    ClientTls, Connector, Credentials, Error, RedirectError, UrlError,
    proto::deflate::negotiate::{ClientWindowBits, DeflateOffer},
};

use crate::{
    dial_server::{Answer, Identity, Server},
    ends::soon,
};

/// A server that redirects `/start` to a place that is told later, and accepts everything else.
async fn sending(tls: Option<&Identity>) -> (Server, Arc<Mutex<String>>) {
    let location = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&location);
    let server = Server::start_with(tls.map(Identity::server), move |head| {
        if head.starts_with("GET /start ") {
            Answer::redirect(&told.lock().unwrap())
        } else {
            Answer::Accept
        }
    })
    .await;
    (server, location)
}

fn targets(server: &Server) -> Vec<String> {
    let heads = server.heads();
    let target = |head: &String| head.split(' ').nth(1).unwrap().to_owned();
    heads.iter().map(target).collect()
}

/// Connects with up to `redirect_count_max` redirects; gives why that failed.
async fn fail(url: &str, redirect_count_max: usize) -> RedirectError {
    let connector = Connector::default().with_redirects(redirect_count_max);
    let Err(Error::Redirect(failed)) = soon(connector.connect(url)).await else {
        panic!("the redirect was followed");
    };
    *failed
}

#[tokio::test]
async fn a_redirect_is_a_refusal_unless_asked_for() {
    let server = Server::start(|_| Answer::redirect("/next")).await;
    let failed = soon(bowline::connect(&server.url("/"))).await.unwrap_err();
    let Error::Refused(refused) = failed else {
        panic!("{failed}");
    };
    assert_eq!(refused.response.status(), 302);
    assert_eq!(refused.response.headers().text("location"), Some("/next"));
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn every_kind_of_location_is_followed() {
    let (other, _) = sending(None).await;
    let there = other.address;
    for (location, target) in [
        ("next?x=1".to_owned(), "/next?x=1"),
        ("/next".to_owned(), "/next"),
        ("?x".to_owned(), "/start?x"),
        (format!("//{there}/a"), "/a"),
        (format!("http://{there}/b#c"), "/b"),
        (format!("ws://{there}/d"), "/d"),
    ] {
        let (server, told) = sending(None).await;
        told.lock().unwrap().clone_from(&location);
        let connector = Connector::default().with_redirects(1);
        soon(connector.connect(&server.url("/start")))
            .await
            .unwrap();
        let last = if location.contains("//") {
            &other
        } else {
            &server
        };
        assert_eq!(targets(last).last().unwrap(), target, "{location}");
    }
}

#[tokio::test]
async fn statuses_that_name_a_place_for_the_same_request_are_followed() {
    for (status, is_followed) in [
        (300, false),
        (301, true),
        (302, true),
        (303, true),
        (304, false),
        (307, true),
        (308, true),
        (404, false),
    ] {
        let server = Server::start(move |head| {
            if head.starts_with("GET /start ") {
                Answer::status(status, "Location: /next\r\n")
            } else {
                Answer::Accept
            }
        })
        .await;
        let connector = Connector::default().with_redirects(1);
        let connected = soon(connector.connect(&server.url("/start"))).await;
        assert_eq!(connected.is_ok(), is_followed, "{status}");
    }
}

#[tokio::test]
async fn too_many_redirects_and_circles_are_told_apart() {
    let server = Server::start(|head| {
        let number = head.split(['/', ' ', '?']).nth(2).unwrap();
        let number: usize = number.parse().unwrap();
        match number {
            90 => Answer::redirect("/91"),
            91 => Answer::redirect("/90?"),
            92 => Answer::redirect("/92"),
            number => Answer::redirect(&format!("/{}", number + 1)),
        }
    })
    .await;
    let failed = fail(&server.url("/0"), 3).await;
    let told = failed.to_string();
    assert!(
        matches!(
            &failed,
            RedirectError::TooMany {
                redirect_count_max: 3,
                ..
            }
        ),
        "{told}"
    );
    assert!(told.contains("/4"), "{told}");
    assert_eq!(failed.refused().response.status(), 302);
    assert_eq!(targets(&server), ["/0", "/1", "/2", "/3"]);

    let failed = fail(&server.url("/92"), 3).await;
    assert!(matches!(failed, RedirectError::Loop { .. }), "{failed}");
    let failed = fail(&server.url("/90?"), 3).await;
    assert!(matches!(failed, RedirectError::Loop { .. }), "{failed}");
}

#[tokio::test]
async fn a_location_that_is_none_is_an_error() {
    for (headers, expected) in [
        ("", None),
        ("Location: /a\r\nLocation: /b\r\n", None),
        ("Location: ftp://a/\r\n", Some("ftp")),
        ("Location: http://[/\r\n", Some("not a URL")),
    ] {
        let server = Server::start(move |_| Answer::status(302, headers)).await;
        let failed = fail(&server.url("/"), 3).await;
        match (expected, &failed) {
            (None, RedirectError::NoLocation { .. }) => {}
            (Some(text), RedirectError::Location { .. }) => {
                assert!(failed.to_string().contains(text), "{failed}");
            }
            _ => panic!("{headers}: {failed}"),
        }
    }
    let server = Server::start(|_| Answer::redirect("wss://")).await;
    let failed = fail(&server.url("/"), 3).await;
    assert!(matches!(
        failed,
        RedirectError::Location {
            reason: UrlError::Syntax(_),
            ..
        }
    ));
}

#[tokio::test]
async fn tls_is_never_left() {
    let identity = Identity::for_names(&["localhost"]);
    let (plain, _) = sending(None).await;
    let (server, told) = sending(Some(&identity)).await;
    let url = format!("wss://localhost:{}/start", server.address.port());
    let connector = Connector::default()
        .with_tls(identity.client())
        .with_redirects(5);
    for scheme in ["ws", "http"] {
        *told.lock().unwrap() = format!("{scheme}://{}/?token=s3cret", plain.address);
        let failed = soon(connector.connect(&url)).await.unwrap_err();
        let text = failed.to_string();
        let Error::Redirect(failed) = failed else {
            panic!("{text}");
        };
        assert!(matches!(*failed, RedirectError::LeavesTls { .. }), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert_eq!(plain.heads().len(), 0);

    told.lock().unwrap().clone_from(&"/next".to_owned());
    soon(connector.connect(&url)).await.unwrap();
}

/// A connector with every kind of secret.
fn loaded() -> Connector {
    Connector::default()
        .with_redirects(3)
        .with_header("X-Api-Key", "s3cret")
        .with_header("Cookie", "a=s3cret")
        .with_header("Proxy-Authorization", "s3cret")
        .with_cookie("id", "s3cret")
        .with_user_agent("buoy")
        .with_subprotocol("chat")
}

#[tokio::test]
async fn secrets_stay_within_the_origin() {
    let bearer = || Credentials::bearer(|_| async { Ok::<_, Error>("s3cret".to_owned()) });
    for connector in [
        loaded(),
        loaded().with_credentials(Credentials::basic("me", "s3cret")),
        loaded().with_credentials(bearer()),
        loaded().with_header("Authorization", "s3cret"),
    ] {
        let (other, back) = sending(None).await;
        let (server, told) = sending(None).await;
        let url = format!("ws://me:s3cret@{}/start", server.address);

        "/next".clone_into(&mut told.lock().unwrap());
        soon(connector.connect(&url)).await.unwrap();
        let authorization = server.values("Authorization");
        assert!(authorization[0].is_some(), "sent to the first place");
        assert_eq!(authorization[0], authorization[1], "and within its origin");
        assert_eq!(
            server.values("Cookie")[1].as_deref(),
            Some("a=s3cret; id=s3cret")
        );

        // Away and back again: what was left behind stays there.
        *told.lock().unwrap() = format!("http://you:pw@{}/start", other.address);
        *back.lock().unwrap() = format!("http://{}/home", server.address);
        soon(connector.connect(&url)).await.unwrap();
        let home = server.heads().last().unwrap().clone();
        // Away and further there.
        "/inner".clone_into(&mut back.lock().unwrap());
        soon(connector.connect(&url)).await.unwrap();
        assert_eq!(targets(&other), ["/start", "/start", "/inner"]);
        for head in other.heads().iter().chain([&home]) {
            for secret in ["s3cret", "Authorization", "Cookie", "X-Api-Key"] {
                assert!(!head.contains(secret), "{secret} in {head}");
            }
            assert!(head.contains("User-Agent: buoy\r\n"), "{head}");
            assert!(head.contains("Sec-WebSocket-Protocol: chat\r\n"), "{head}");
        }
    }
}

#[tokio::test]
async fn another_origin_gets_no_answer_to_its_digest_challenge() {
    let thief = Server::start(|_| {
        Answer::status(
            401,
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n",
        )
    })
    .await;
    let (server, told) = sending(None).await;
    *told.lock().unwrap() = format!("http://{}/", thief.address);
    let connector = Connector::default()
        .with_redirects(1)
        .with_credentials(Credentials::digest("me", "s3cret"));
    let failed = soon(connector.connect(&server.url("/start"))).await;
    assert!(matches!(failed, Err(Error::Refused(_))));
    assert_eq!(thief.heads().len(), 1);
}

#[tokio::test]
async fn another_origin_is_checked_under_its_own_name() {
    let identity = Identity::for_names(&["berth.test"]);
    let (other, _) = sending(Some(&identity)).await;
    let (server, told) = sending(Some(&identity)).await;
    let tls: ClientTls = identity
        .client_builder()
        .server_name("berth.test")
        .unwrap()
        .build()
        .unwrap();
    let connector = Connector::default().with_tls(tls).with_redirects(1);
    let url = format!("wss://localhost:{}/start", server.address.port());
    "/next".clone_into(&mut told.lock().unwrap());
    soon(connector.connect(&url)).await.unwrap();

    *told.lock().unwrap() = format!("https://localhost:{}/", other.address.port());
    let failed = soon(connector.connect(&url)).await.unwrap_err();
    assert!(
        failed.to_string().contains("not valid for name"),
        "{failed}"
    );
}

#[tokio::test]
async fn another_host_and_other_offers_are_asked_with_and_the_host_stays_with_the_origin() {
    let (server, location) = sending(None).await;
    let other = Server::start(|_| Answer::Accept).await;
    *location.lock().unwrap() = other.url("/");
    let offer = DeflateOffer {
        server_no_context_takeover: false,
        client_no_context_takeover: true,
        server_max_window_bits: None,
        client_max_window_bits: ClientWindowBits::Absent,
    };
    let connector = Connector {
        host: Some("device.test:8050".into()),
        deflate_offers: vec![offer],
        ..Connector::default()
    };
    let connecting = connector.with_redirects(1);
    soon(connecting.connect(&server.url("/start")))
        .await
        .unwrap();
    assert_eq!(server.values("Host"), [Some("device.test:8050".into())]);
    assert_eq!(other.values("Host"), [Some(other.address.to_string())]);
    let offered = Some("permessage-deflate; client_no_context_takeover".to_owned());
    for asked in [server, other] {
        let expected = std::slice::from_ref(&offered);
        assert_eq!(asked.values("Sec-WebSocket-Extensions"), expected);
    }
}

#[tokio::test]
async fn a_host_that_is_none_is_not_asked_for() {
    let connector = Connector {
        host: Some("a b".into()),
        ..Connector::default()
    };
    let failed = soon(connector.connect("ws://127.0.0.1:1/")).await;
    assert!(matches!(failed, Err(Error::Handshake(_))), "{failed:?}");
}
