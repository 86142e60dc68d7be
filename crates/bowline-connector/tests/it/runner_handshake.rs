//! What an element's opening handshakes say, and which way they go.

use bowline_connector::{
    Plan,
    element::LinkSettings,
    machine::LossClass,
    plan::{
        Handshake, HandshakeCredentials, HandshakeProxy, LinkId, ParameterId, RequestPath,
        SessionId, Source, Table,
    },
    runner::{LinkStatus, RunnerOptions},
};

use crate::{
    runner_device::{Device, Habits},
    runner_fixture::{
        ANSWER_HEADER, Element, LINK, NAME, OFFER, PATH, STATE, STATUS_LINE, options, plan, put,
        settings, to,
    },
    runner_server::{Answer, Certificate, ProxyServer, Server},
};

async fn link(element: &Element) -> LinkStatus {
    element.snapshot().await.link(LINK).unwrap().clone()
}

/// The connector with another handshake.
fn plan_with(change: impl FnOnce(&mut Handshake)) -> Plan {
    let mut plan = plan();
    let session = SessionId(25);
    let mut handshake = plan.handshakes.get(session).unwrap().clone();
    change(&mut handshake);
    plan.handshakes = Table::default();
    put(&mut plan.handshakes, session, handshake);
    plan
}

fn literal(text: &str) -> Source {
    Source::Literal(text.into())
}

#[tokio::test]
async fn an_offer_in_a_header_is_kept() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    let opened = device.tells("opened").await;
    assert_eq!(opened["extensions"][0], "PerMessageDeflate");
    element.becomes(STATE, 1.0).await;
    assert!(link(&element).await.is_compressed);

    element.handle.assign(OFFER, "").await.unwrap();
    element.handle.reconnect(LINK).await.unwrap();
    let opened = device.tells("opened").await;
    assert_eq!(opened["headers"].get("sec-websocket-extensions"), None);
    element.becomes(STATE, 0.0).await;
    element.becomes(STATE, 1.0).await;
    assert!(!link(&element).await.is_compressed);
    element.shutdown().await;
}

#[tokio::test]
async fn an_offer_that_cannot_be_kept_is_not_made() {
    let mut device = Device::start(Habits::default()).await;
    let mut settings = settings(to(device.url()));
    settings.parameters.insert(OFFER, "x-made-up".into());
    let mut element = Element::start(settings, &options());
    element.becomes(STATE, 0.0).await;
    let loss = link(&element).await.last_loss.unwrap();
    assert!(loss.text.contains("x-made-up"), "{}", loss.text);
    let offer = "permessage-deflate; client_no_context_takeover; client_max_window_bits=12";
    element.handle.assign(OFFER, offer).await.unwrap();
    let opened = device.tells("opened").await;
    assert_eq!(opened["headers"]["sec-websocket-extensions"], offer);
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

#[tokio::test]
async fn the_answer_is_stored_and_a_path_that_is_mended_is_taken() {
    let device = Device::start(Habits::default()).await;
    let mut settings = settings(to(device.url()));
    settings.parameters.insert(PATH, "wrong".into());
    let mut element = Element::start(settings, &options());
    element.becomes(STATUS_LINE, "HTTP/1.1 404 Not Found").await;
    let loss = link(&element).await.last_loss.unwrap();
    assert_eq!(loss.class, LossClass::Refused);
    element
        .handle
        .assign(PATH, "x-nmos/events/ws")
        .await
        .unwrap();
    element
        .becomes(STATUS_LINE, "HTTP/1.1 101 Switching Protocols")
        .await;
    element.becomes(STATE, 1.0).await;
    element.holds(ANSWER_HEADER, "first\r\nsecond").await;
    element.shutdown().await;
}

#[tokio::test]
async fn path_and_headers_come_from_parameters_or_the_file() {
    let server = Server::start(|_| Answer::Accept("b")).await;
    let plan = plan_with(|handshake| {
        handshake.path = RequestPath::From(literal("/by/file?x=1"));
        handshake.headers = vec![
            ("Cookie".into(), Source::Parameter(NAME)),
            ("Host".into(), literal("device.example")),
            ("Origin".into(), literal("http://page.example")),
            ("Sec-WebSocket-Protocol".into(), literal("a, b")),
            ("User-Agent".into(), literal("old device")),
            ("X-Empty".into(), Source::Parameter(OFFER)),
        ];
    });
    let mut settings = settings(to(server.url()));
    settings.parameters.insert(NAME, "key=value".into());
    let mut element = Element::of(plan, settings, &options());
    element.handle.assign(OFFER, "").await.unwrap();
    element.handle.reconnect(LINK).await.unwrap();
    element.becomes(STATE, 1.0).await;
    assert_eq!(server.lines().last().unwrap(), "GET /by/file?x=1 HTTP/1.1");
    let expected = [
        ("Cookie", Some("key=value")),
        ("Host", Some("device.example")),
        ("Origin", Some("http://page.example")),
        ("Sec-WebSocket-Protocol", Some("a, b")),
        ("User-Agent", Some("old device")),
        ("X-Empty", None),
        ("Sec-WebSocket-Extensions", None),
    ];
    for (name, value) in expected {
        let last = server.values(name).pop().unwrap();
        assert_eq!(last.as_deref(), value, "{name}");
    }
    assert_eq!(link(&element).await.subprotocol.as_deref(), Some("b"));
    element.shutdown().await;
}

#[tokio::test]
async fn a_session_that_names_user_and_password_logs_in() {
    let server = Server::echo().await;
    let plan = plan_with(|handshake| {
        handshake.credentials = Some(HandshakeCredentials {
            user: literal("clown"),
            password: literal("big:clown"),
        });
    });
    let mut element = Element::of(plan, settings(to(server.url())), &options());
    element.becomes(STATE, 1.0).await;
    let basic = "Basic Y2xvd246YmlnOmNsb3du".to_owned();
    assert_eq!(server.values("Authorization"), [Some(basic)]);
    element.shutdown().await;
}

#[tokio::test]
async fn a_device_that_wants_digest_gets_it() {
    let challenge = "WWW-Authenticate: Digest realm=\"tanks\", qop=\"auth\", nonce=\"n\"\r\n";
    let server = Server::start(move |head| {
        if head.contains("Digest ") {
            Answer::Accept("")
        } else {
            Answer::status(401, challenge)
        }
    });
    let server = server.await;
    let plan = plan_with(|handshake| {
        handshake.credentials = Some(HandshakeCredentials {
            user: literal("clown"),
            password: literal("pw"),
        });
    });
    let mut element = Element::of(plan, settings(to(server.url())), &options());
    element.becomes(STATE, 1.0).await;
    let last = server.values("Authorization").pop().unwrap().unwrap();
    assert!(last.starts_with("Digest username=\"clown\""), "{last}");
    element.shutdown().await;
}

/// The four cases of the proxy, and where each leads.
#[tokio::test]
async fn the_proxy_is_that_of_the_session_or_the_element_or_none() {
    let server = Server::echo().await;
    let (of_session, of_element) = (ProxyServer::start().await, ProxyServer::start().await);
    let session_address = of_session.address.to_string();
    let cases = [
        (Some(session_address.as_str()), "byPassProxy", [1, 0]),
        (Some(session_address.as_str()), "", [1, 0]),
        (Some(""), "BYPASSPROXY", [0, 0]),
        (Some(""), "", [0, 1]),
        (None, "bypassproxy", [0, 0]),
        (None, "", [0, 1]),
    ];
    for (proxy, bus_address, expected) in cases {
        let plan = plan_with(|handshake| {
            handshake.proxy = proxy.map(|server| HandshakeProxy {
                server: literal(server),
                user: Some(literal("me")),
                password: Some(literal("pw")),
            });
        });
        let before = [of_session.asked().len(), of_element.asked().len()];
        let link = LinkSettings {
            bus_address: Some(bus_address.into()),
            proxy: Some(format!("http://{}", of_element.address)),
            ..to(server.url())
        };
        let mut element = Element::of(plan, settings(link), &options());
        element.becomes(STATE, 1.0).await;
        element.shutdown().await;
        let after = [of_session.asked().len(), of_element.asked().len()];
        let asked = [after[0] - before[0], after[1] - before[1]];
        assert_eq!(asked, expected, "{proxy:?} {bus_address}");
    }
    let asked = format!("{} Basic bWU6cHc=", server.address);
    assert_eq!(of_session.asked()[0], asked);
    assert_eq!(of_element.asked()[0], server.address.to_string());
}

#[tokio::test]
async fn redirects_are_followed_where_the_element_allows_them() {
    let server = Server::echo().await;
    let location = format!("Location: {}/there\r\n", server.url());
    let redirecting = Server::start(move |_| Answer::status(302, &location)).await;
    let mut element = Element::start(settings(to(redirecting.url())), &options());
    element.becomes(STATUS_LINE, "HTTP/1.1 302 Because").await;
    element.becomes(STATE, 0.0).await;
    element.shutdown().await;
    let link = LinkSettings {
        redirects: 1,
        ..to(redirecting.url())
    };
    let mut element = Element::start(settings(link), &options());
    element.becomes(STATE, 1.0).await;
    assert_eq!(server.lines(), ["GET /there HTTP/1.1"]);
    element.shutdown().await;
}

#[tokio::test]
async fn a_server_under_tls_is_verified_unless_the_element_says_otherwise() {
    let certificate = Certificate::new();
    let accept = |_: &str| Answer::Accept("");
    let server = Server::start_with(Some(certificate.server()), accept).await;
    let url = format!("wss://localhost:{}", server.address.port());
    let strict = to(url.clone());
    let trusting = LinkSettings {
        ca_file: Some(certificate.file("cert.pem")),
        ..to(url.clone())
    };
    let careless = LinkSettings {
        danger_skip_verification: true,
        ..to(url)
    };
    let mut element = Element::start(settings(strict), &options());
    element.becomes(STATE, 0.0).await;
    let loss = link(&element).await.last_loss.unwrap();
    assert!(loss.text.contains("TLS"), "{}", loss.text);
    element.shutdown().await;
    for link in [trusting, careless] {
        let mut element = Element::start(settings(link), &options());
        element.becomes(STATE, 1.0).await;
        element.shutdown().await;
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_at_start() {
    let cases = [
        (
            LinkSettings {
                ca_file: Some("/nowhere/ca.pem".into()),
                ..LinkSettings::default()
            },
            "/nowhere/ca.pem",
        ),
        (
            LinkSettings {
                proxy: Some("gopher://x".into()),
                ..LinkSettings::default()
            },
            "gopher",
        ),
    ];
    for (link, expected) in cases {
        let plan = std::sync::Arc::new(plan());
        let settings = std::sync::Arc::new(settings(link));
        let error = bowline_connector::Runner::start(plan, settings, &RunnerOptions::default());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("connection 1"), "{error}");
    }
    let hooks = bowline_connector::hooks::Hooks::new();
    let hooks = hooks.on(
        ParameterId(999),
        |_: &mut bowline_connector::hooks::HookCall<'_>| Ok(()),
    );
    let options = RunnerOptions {
        hooks,
        ..RunnerOptions::default()
    };
    let mut unknown = settings(LinkSettings::default());
    unknown.links.insert(LinkId(9), LinkSettings::default());
    let plan_of_one = std::sync::Arc::new(plan());
    let error = bowline_connector::Runner::start(plan_of_one, unknown.into(), &options);
    assert!(error.unwrap_err().to_string().contains("connection 9"));
    let settings = std::sync::Arc::new(settings(LinkSettings::default()));
    let error = bowline_connector::Runner::start(std::sync::Arc::new(plan()), settings, &options);
    assert!(error.unwrap_err().to_string().contains("parameter 999"));
}
