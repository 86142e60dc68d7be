//! Connecting through proxies that work.

use bowline::{
    Connector, Error, Message, NoProxy, Proxy, ProxyChoice, ProxyError, ProxyVariables, SocksReply,
    Stream, TlsError,
};

use crate::{
    dial_server::{Answer, Identity, Server, Table},
    ends::soon,
    proxy_server::{ProxyServer, Rules, Speaks},
};

/// The kinds of proxy, by scheme.
const KINDS: [&str; 3] = ["http", "https", "socks5"];

/// Starts a proxy of a kind; gives how to connect through it.
async fn start(kind: &str, berth: &Server, has_login: bool) -> (ProxyServer, Proxy) {
    let identity = Identity::for_names(&["localhost"]);
    let rules = Rules {
        speaks: if kind == "socks5" {
            Speaks::Socks5
        } else {
            Speaks::Connect
        },
        tls: (kind == "https").then(|| identity.server()),
        login: has_login.then_some(("me", "s3cret")),
        berth: berth.address,
    };
    let server = ProxyServer::start(rules).await;
    let url = format!("{kind}://localhost:{}", server.address.port());
    let proxy = Proxy::parse(&url).unwrap().with_tls(identity.client());
    (server, proxy)
}

async fn accepting() -> Server {
    Server::start(|_| Answer::Accept).await
}

/// Talks to a server through a proxy of a kind.
async fn carry(kind: &str, has_login: bool, berth: &Server, url: &str, identity: &Identity) {
    let (server, mut proxy) = start(kind, berth, has_login).await;
    if has_login {
        proxy = proxy.with_login("me", "s3cret");
    }
    let connector = Connector {
        // The name of the server is not looked up here.
        resolver: Some(Table::of("localhost", &["127.0.0.1"])),
        ..Connector::default()
    };
    let connector = connector.with_proxy(proxy).with_tls(identity.client());
    let mut ws = soon(connector.connect(url)).await.unwrap();
    ws.send("ahoy").await.unwrap();
    assert_eq!(soon(ws.recv()).await, Some(Message::text("ahoy")));
    let is_secure = url.starts_with("wss");
    assert_eq!(ws.with_stream(Stream::is_tls), Some(is_secure));
    let peer = ws.with_stream(|stream| stream.tcp().peer_addr().unwrap());
    assert_eq!(peer, Some(server.address), "TCP ends at the proxy");
    let port = if is_secure { 443 } else { 80 };
    assert_eq!(server.asked(), [format!("berth.test:{port}")]);
}

#[tokio::test]
async fn each_kind_of_proxy_carries_plain_websockets_and_those_under_tls() {
    let identity = Identity::for_names(&["berth.test"]);
    let plain = accepting().await;
    let secure = Server::start_with(Some(identity.server()), |_| Answer::Accept).await;
    for kind in KINDS {
        for has_login in [false, true] {
            carry(kind, has_login, &plain, "ws://berth.test:80/", &identity).await;
            carry(kind, has_login, &secure, "wss://berth.test:443/", &identity).await;
        }
    }
    for head in plain.heads().iter().chain(&*secure.heads()) {
        assert!(!head.contains("Proxy-Authorization"), "{head}");
        assert!(head.contains("Host: berth.test\r\n"), "{head}");
    }
}

#[tokio::test]
async fn big_messages_pass_through_tls_in_tls() {
    let identity = Identity::for_names(&["berth.test"]);
    let berth = Server::start_with(Some(identity.server()), |_| Answer::Accept).await;
    let (_server, proxy) = start("https", &berth, false).await;
    let connector = Connector::default()
        .with_proxy(proxy)
        .with_tls(identity.client());
    let mut ws = soon(connector.connect("wss://berth.test/")).await.unwrap();
    let big: Vec<u8> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[1]).collect();
    ws.send(big.clone()).await.unwrap();
    assert_eq!(soon(ws.recv()).await, Some(Message::binary(big)));
}

#[tokio::test]
async fn addresses_are_asked_for_as_they_are() {
    let berth = accepting().await;
    let port = berth.address.port();
    for kind in KINDS {
        let (server, proxy) = start(kind, &berth, false).await;
        let connector = Connector::default().with_proxy(proxy);
        soon(connector.connect(&berth.url("/"))).await.unwrap();
        let unreachable = soon(connector.connect("ws://[::1]:1/")).await;
        match (kind, unreachable.unwrap_err()) {
            ("socks5", Error::Proxy(error)) => assert!(
                matches!(*error, ProxyError::Socks { reply, .. } if reply == SocksReply::CONNECTION_REFUSED)
            ),
            (_, Error::Proxy(error)) => {
                let ProxyError::Refused { refused, .. } = *error else {
                    panic!("{error}");
                };
                assert_eq!(refused.response.status_line(), b"HTTP/1.1 502 Gone");
                assert_eq!(&*refused.body, b"gone");
            }
            (_, other) => panic!("{other}"),
        }
        let expected = [format!("127.0.0.1:{port}"), "[::1]:1".to_owned()];
        assert_eq!(server.asked(), expected);
    }
}

#[tokio::test]
async fn a_login_that_is_wrong_or_missing_is_told() {
    let berth = accepting().await;
    for kind in KINDS {
        let (server, proxy) = start(kind, &berth, true).await;
        let wrong = proxy.clone().with_login("me", "s3cret!");
        for proxy in [proxy, wrong.clone()] {
            let is_wrong = proxy == wrong;
            let connector = Connector::default().with_proxy(proxy);
            let failed = soon(connector.connect("ws://berth.test/")).await;
            let Err(Error::Proxy(failed)) = failed else {
                panic!("it let somebody in");
            };
            let shown = format!("{failed} {failed:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
            if let ProxyError::Refused { refused, .. } = &*failed {
                assert_ne!(kind, "socks5");
                assert_eq!(refused.response.status(), 407);
                assert_eq!(&*refused.body, b"log in: ");
                assert!(shown.contains("name and password"), "{shown}");
            } else if is_wrong {
                assert!(
                    matches!(*failed, ProxyError::LoginRefused { .. }),
                    "{shown}"
                );
            } else {
                let has_login = matches!(
                    *failed,
                    ProxyError::LoginMethod {
                        has_login: true,
                        ..
                    }
                );
                assert!(matches!(*failed, ProxyError::LoginMethod { .. }), "{shown}");
                assert!(!has_login, "{shown}");
            }
        }
        assert_eq!(server.asked().len(), 0);
    }
}

#[tokio::test]
async fn a_login_that_socks_has_no_room_for_is_refused_here() {
    let berth = accepting().await;
    let (_server, proxy) = start("socks5", &berth, true).await;
    let long = "x".repeat(256);
    let connector = Connector::default().with_proxy(proxy.with_login(&long, ""));
    let failed = soon(connector.connect("ws://berth.test/")).await;
    let Err(Error::Proxy(failed)) = failed else {
        panic!("it was sent");
    };
    assert!(matches!(*failed, ProxyError::Login), "{failed}");
}

#[tokio::test]
async fn the_certificate_of_the_proxy_is_checked() {
    let berth = accepting().await;
    let (server, proxy) = start("https", &berth, false).await;
    let stranger = Identity::for_names(&["localhost"]);
    let connector = Connector::default()
        .with_proxy(proxy.with_tls(stranger.client()))
        .with_tls(stranger.client());
    let failed = soon(connector.connect("ws://berth.test/")).await;
    let Err(Error::Proxy(failed)) = failed else {
        panic!("it was trusted");
    };
    assert!(
        matches!(
            *failed,
            ProxyError::Tls {
                source: TlsError::Handshake(_),
                ..
            }
        ),
        "{failed}"
    );
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn a_proxy_that_nobody_runs_is_told_from_a_server_that_nobody_runs() {
    let proxy = Proxy::parse("http://127.0.0.1:1").unwrap();
    let connector = Connector::default().with_proxy(proxy);
    let failed = soon(connector.connect("ws://berth.test/")).await;
    let failed = failed.unwrap_err().to_string();
    assert!(
        failed.starts_with("the proxy 127.0.0.1:1 cannot be reached"),
        "{failed}"
    );
}

#[tokio::test]
async fn hosts_in_the_list_and_this_computer_are_reached_without_the_proxy() {
    let berth = accepting().await;
    let (server, proxy) = start("http", &berth, false).await;
    let url = format!("http://{}", server.address);
    let variables = ProxyVariables::read(|name| (name == "http_proxy").then(|| url.clone()));
    let choice = |bypass: &str| ProxyChoice::Use {
        proxy: Box::new(proxy.clone()),
        bypass: NoProxy::parse(bypass),
    };
    for (choice, is_used) in [
        (ProxyChoice::Direct, false),
        (ProxyChoice::Variables(variables.clone()), false),
        (choice("127.0.0.0/8"), false),
        (choice("10.0.0.0/8"), true),
    ] {
        let before = server.asked().len();
        let connector = Connector::default().with_proxy(choice.clone());
        soon(connector.connect(&berth.url("/"))).await.unwrap();
        assert_eq!(server.asked().len() > before, is_used, "{choice:?}");
    }
    let connector = Connector::default().with_proxy(ProxyChoice::Variables(variables));
    soon(connector.connect("ws://berth.test/")).await.unwrap();
    assert_eq!(server.asked().last().unwrap(), "berth.test:80");
}

#[tokio::test]
async fn a_redirect_is_followed_through_the_proxy() {
    let berth = Server::start(|head| {
        if head.starts_with("GET / ") {
            Answer::redirect("http://berth.test:81/next")
        } else {
            Answer::Accept
        }
    })
    .await;
    let (server, proxy) = start("socks5", &berth, false).await;
    let connector = Connector::default().with_proxy(proxy).with_redirects(1);
    soon(connector.connect("ws://berth.test/")).await.unwrap();
    assert_eq!(server.asked(), ["berth.test:80", "berth.test:81"]);
}
