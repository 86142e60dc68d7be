//! A listener: one port for HTTP and WebSocket behind rules, limits and a load balancer.

use std::net::SocketAddr;

use bowline::{
    Connector, Error, Message,
    server::{
        Arrival, ConnectionGroup, GroupOptions, GroupTable, GroupTableLimits, Listener,
        ListenerConfig, ListenerName, ProxyHeaderUse, Registry,
        admission::{Admission, AdmissionLimits, AdmissionOptions},
        auth::{Authenticator, Identity, PasswordList},
        rules::{RuleSet, Rules},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

struct Running {
    address: SocketAddr,
    rules: Rules,
    registry: Registry,
    group: ConnectionGroup,
    _stop: oneshot::Sender<()>,
}

impl Running {
    async fn start(rules: &str, change: impl FnOnce(&mut ListenerConfig)) -> Self {
        let rules = Rules::new(RuleSet::parse(rules).unwrap());
        let limits = AdmissionLimits {
            connection_count_max: 3,
            ..AdmissionLimits::default()
        };
        let admission = Admission::new(AdmissionOptions {
            limits,
            ..AdmissionOptions::default()
        });
        let name = "main".parse().unwrap();
        let mut config = ListenerConfig::new(name, rules.clone(), admission);
        change(&mut config);
        let listener = Listener::bind("127.0.0.1:0", config).await.unwrap();
        let address = listener.local_addr();
        let registry = Registry::new();
        let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
        let group = groups.create("all", GroupOptions::default()).unwrap();
        group.on_text(|connection, text| {
            let about = connection.attributes();
            let user = about.user.as_deref().unwrap_or("nobody");
            let listener = about.listener.as_deref().unwrap();
            let peer = about.peer.unwrap();
            let path = about.request.as_ref().unwrap().path();
            connection.post(format!("{text} {user} {listener} {path} {}", peer.ip()));
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let handler = (registry.clone(), group.clone());
        tokio::spawn(listener.serve(
            move |arrival| handle(arrival, handler.clone()),
            async move { drop(stopped.await) },
        ));
        Self {
            address,
            rules,
            registry,
            group,
            _stop: stop,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Sends a request head; gives the status and the whole answer.
    async fn ask(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        ))
        .await
    }
}

async fn handle(arrival: Arrival, (registry, group): (Registry, ConnectionGroup)) {
    match arrival {
        Arrival::WebSocket(arrival) => {
            let reserved = registry.reserve().unwrap();
            arrival.accept_into(&group, reserved, None).await.unwrap();
        }
        Arrival::Http(arrival) => {
            let body = format!(
                "page {} for {}",
                arrival.routed().name,
                arrival.routed().path
            );
            arrival
                .answer(200, &[("Content-Type", b"text/plain")], body.as_bytes())
                .await
                .unwrap();
        }
    }
}

fn status(refused: Result<bowline::WebSocket, Error>) -> u16 {
    match refused {
        Err(Error::Refused(refused)) => refused.response.status(),
        other => panic!("not refused: {other:?}"),
    }
}

const RULES: &str = "
allow /*
deny  /secret*
allow /secret* user anna
redirect /old/* /pages/*
route /* pages
route /chat chat websocket-only
";

#[tokio::test]
async fn one_port_serves_pages_and_websockets_and_refuses_with_the_status_that_fits() {
    let server = Running::start(RULES, |_| ()).await;
    let (status_code, answer) = server.get("/x/../index").await;
    assert_eq!(status_code, 200);
    assert!(answer.ends_with("page pages for /index"), "{answer}");
    assert_eq!(server.get("/chat").await.0, 426);
    assert_eq!(server.get("/secret/page").await.0, 403);
    let (status_code, answer) = server.get("/old/a?b").await;
    assert_eq!(status_code, 307);
    assert!(answer.contains("\r\nLocation: /pages/a"), "{answer}");
    assert_eq!(status(bowline::connect(&server.url("/index")).await), 403);
    let mut chat = bowline::connect(&server.url("/chat?room=1")).await.unwrap();
    chat.send("hello").await.unwrap();
    assert_eq!(
        chat.recv().await,
        Some(Message::text("hello nobody main /chat 127.0.0.1"))
    );
}

#[tokio::test]
async fn rules_are_replaced_while_running_and_the_user_is_asked_for() {
    let server = Running::start("", |config| {
        config.realm = Some("hub".into());
        let users = PasswordList::new().with(Identity::new("anna"), "pw");
        config.authenticator = Some(Authenticator::new(users));
    })
    .await;
    assert_eq!(
        server.get("/secret").await.0,
        403,
        "without rules nobody comes in"
    );
    assert!(server.rules.replace_text("nonsense").is_err());
    server
        .rules
        .replace_text(&RULES.replace("websocket-only", "websocket"))
        .unwrap();
    let (status_code, answer) = server.get("/secret").await;
    assert_eq!(status_code, 401);
    assert!(
        answer.contains("WWW-Authenticate: Basic realm=\"hub\""),
        "{answer}"
    );
    let request = "GET /secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
        Authorization: Basic YW5uYTpwdw==\r\n\r\n";
    assert_eq!(server.ask(request).await.0, 200);
    let url = format!("ws://anna:pw@{}/chat", server.address);
    let mut chat = bowline::connect(&url).await.unwrap();
    chat.send("I am").await.unwrap();
    assert_eq!(
        chat.recv().await,
        Some(Message::text("I am anna main /chat 127.0.0.1"))
    );
}

#[tokio::test]
async fn a_full_listener_says_so_and_a_place_is_free_again_when_a_connection_is_over() {
    let server = Running::start(RULES, |_| ()).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(bowline::connect(&server.url("/chat")).await.unwrap());
    }
    let (status_code, answer) = server.get("/index").await;
    assert_eq!(status_code, 503);
    assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    drop(clients);
    server.registry.until_empty().await;
    assert!(server.group.is_empty());
    assert_eq!(server.get("/index").await.0, 200);
}

#[tokio::test]
async fn a_foreign_page_is_kept_out_and_the_own_one_is_not() {
    let server = Running::start(RULES, |_| ()).await;
    let origin = |origin: &str| Connector::default().with_origin(origin);
    let url = server.url("/chat");
    assert_eq!(
        status(origin("http://evil.example").connect(&url).await),
        403
    );
    let own = format!("http://{}", server.address);
    assert!(origin(&own).connect(&url).await.is_ok());
}

#[tokio::test]
async fn behind_a_load_balancer_the_source_it_names_is_the_peer() {
    let server = Running::start("allow /* address 192.0.2.7\nroute /* pages", |config| {
        config.proxy_header = ProxyHeaderUse::Required;
    })
    .await;
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let from = |source: &str| format!("PROXY TCP4 {source} 192.0.2.1 1 2\r\n{get}");
    assert_eq!(server.ask(&from("192.0.2.7")).await.0, 200);
    assert_eq!(server.ask(&from("192.0.2.8")).await.0, 403);
    let mut bare = TcpStream::connect(server.address).await.unwrap();
    bare.write_all(get.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Nothing is said to who comes past the load balancer: the connection just ends.
    let _reset = bare.read_to_end(&mut answer).await.is_err();
    assert_eq!(answer, b"");
}

#[test]
fn names_of_listeners_have_one_to_thirty_characters() {
    for (name, is_good) in [
        ("a", true),
        (&"ä".repeat(30), true),
        ("", false),
        (&"x".repeat(31), false),
        ("a\n", false),
    ] {
        assert_eq!(name.parse::<ListenerName>().is_ok(), is_good, "{name:?}");
    }
}
