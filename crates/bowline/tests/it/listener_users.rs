//! How a listener knows who its users are, and what each may have.

use std::time::Duration;

use bowline::{
    Connector,
    proto::handshake::{HeadLimits, HttpVersion, RequestHead},
    server::{
        admission::{Admission, AdmissionLimits, AdmissionOptions, AdmissionReason, Rate},
        auth::{
            Authenticator, Credentials, Identity, PasswordList, TicketOptions, Tickets, UserStore,
            token_subprotocol,
        },
    },
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::front::{Front, answer, refused_with, told};

const RULES: &str = "
allow /open*
allow /crew*   user-group crew realm Crew%20only
allow /log*    user *
allow /deck*   user * realm %C4%8Daj%22
route /*       all websocket
";

/// Anna by password, ben by token, and carol by cookie.
fn users(credentials: &Credentials) -> Option<Identity> {
    let passwords = PasswordList::new().with(Identity::new("anna").with_group("crew"), "pw");
    match credentials {
        Credentials::Basic(_) => passwords.identify(credentials),
        Credentials::Token(token) => token.is("ben's token").then(|| Identity::new("ben")),
        Credentials::Cookie(cookie) => cookie.is("carol's").then(|| Identity::new("carol")),
        Credentials::Certificate(_) | _ => None,
    }
}

async fn front(tickets: &Tickets) -> Front {
    Front::start(RULES, |config| {
        let authenticator = Authenticator::new(users).with_cookie("sid");
        config.authenticator = Some(authenticator.with_tickets("ticket", tickets));
        config.realm = Some("all".into());
    })
    .await
}

/// `anna:pw`, `anna:no` and `ben:pw`.
const ANNA: &str = "Authorization: Basic YW5uYTpwdw==\r\n";
const ANNA_WRONG: &str = "Authorization: Basic YW5uYTpubw==\r\n";
const BEN_WRONG: &str = "Authorization: Basic YmVuOnB3\r\n";

#[tokio::test]
async fn each_path_asks_for_its_user_in_its_realm_before_the_101() {
    let front = front(&Tickets::default()).await;
    let realm = |answer: &str| {
        let found = answer.split_once("WWW-Authenticate: Basic realm=\"");
        found.map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
    };
    for (path, fields, status, asked_in) in [
        ("/open", "", 200, None),
        ("/open", ANNA_WRONG, 200, None),
        ("/crew", "", 401, Some("Crew only")),
        ("/crew", ANNA_WRONG, 401, Some("Crew only")),
        ("/crew", BEN_WRONG, 401, Some("Crew only")),
        ("/crew", ANNA, 200, None),
        ("/crew", "Cookie: sid=carol's\r\n", 403, None),
        ("/log", "", 401, Some("all")),
        ("/deck", "", 401, Some("\u{10d}aj\\")),
        ("/log", ANNA, 200, None),
        ("/elsewhere", "", 403, None),
    ] {
        let (found, answer) = front.get(path, fields).await;
        assert_eq!(found, status, "{path} {fields}: {answer}");
        assert_eq!(realm(&answer).as_deref(), asked_in, "{path} {fields}");
    }
    assert_eq!(
        refused_with(bowline::connect(&front.url("/crew")).await),
        401
    );
    let url = format!("ws://anna:pw@{}/crew", front.address);
    let mut ws = bowline::connect(&url).await.unwrap();
    assert!(told(&mut ws).await.starts_with("user anna,"));
}

#[tokio::test]
async fn a_token_comes_as_a_subprotocol_and_is_never_chosen() {
    let front = front(&Tickets::default()).await;
    let url = front.url("/log");
    let connect = |offered: &[&str]| {
        let dial = offered
            .iter()
            .fold(Connector::default(), |dial, one| dial.with_subprotocol(one));
        let url = url.clone();
        async move { dial.connect(&url).await }
    };
    let token = token_subprotocol("ben's token");
    for (offered, chosen) in [
        (&[&*token, "chat"][..], Some("chat")),
        (&["chat", &token], Some("chat")),
        (&[&token], None),
    ] {
        let mut ws = connect(offered).await.unwrap();
        assert_eq!(ws.subprotocol(), chosen);
        assert!(told(&mut ws).await.starts_with("user ben,"));
    }
    for wrong in [
        &*token_subprotocol("anna's token"),
        "bowline.token.",
        "bowline.token.!",
        "bowline.token.YQ",
    ] {
        assert_eq!(
            refused_with(connect(&[wrong, "chat"]).await),
            401,
            "{wrong}"
        );
    }
    let bearer = "Authorization: Bearer ben's token\r\n";
    assert_eq!(front.get("/log", bearer).await.0, 200);
}

#[tokio::test]
async fn a_ticket_in_the_query_opens_one_connection() {
    let tickets = Tickets::new(TicketOptions {
        lifetime: Duration::from_mins(1),
        ..TicketOptions::default()
    });
    let front = front(&tickets).await;
    let ticket = tickets.issue(Identity::new("dora")).unwrap();
    let url = front.url(&format!("/log?room=1&ticket={}", ticket.as_str()));
    let mut ws = bowline::connect(&url).await.unwrap();
    assert!(told(&mut ws).await.starts_with("user dora,"));
    assert_eq!(refused_with(bowline::connect(&url).await), 401);
    let forged = front.url("/log?ticket=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(refused_with(bowline::connect(&forged).await), 401);
}

#[test]
fn the_first_credentials_that_are_found_count_and_no_others() {
    let tickets = Tickets::default();
    let authenticator = Authenticator::new(users)
        .with_cookie("sid")
        .with_tickets("ticket", &tickets);
    let identify = |target: &str, fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let limits = HeadLimits::default();
        let head =
            RequestHead::from_parts("GET", target, HttpVersion::Http11, fields, limits).unwrap();
        let identity = authenticator.identify(&head, None);
        // What proves somebody is not shown.
        let shown = format!("{head:?} {authenticator:?}");
        for secret in ["YW5uYTpwdw", "YmVuJ3MgdG9rZW4", "carol's", "ticket="] {
            assert!(!shown.contains(secret), "{shown}");
        }
        identity.map(|identity| identity.user.to_string())
    };
    let ticket = || {
        let ticket = tickets.issue(Identity::new("dora")).unwrap();
        format!("/?ticket={}", ticket.as_str())
    };
    let (anna, wrong) = (
        ("Authorization", "Basic YW5uYTpwdw=="),
        ("Authorization", "Basic YW5uYTpubw=="),
    );
    let token = token_subprotocol("ben's token");
    let ben = ("Sec-WebSocket-Protocol", &*token);
    let carol = ("Cookie", "a=b; sid=carol's");
    for (target, fields, user) in [
        (&*ticket(), &[anna, ben, carol][..], Some("anna")),
        (&ticket(), &[ben, carol], Some("ben")),
        (&ticket(), &[carol], Some("dora")),
        ("/?x=1&y", &[carol], Some("carol")),
        ("/", &[], None),
        (&ticket(), &[wrong, ben, carol], None),
        (&ticket(), &[("Authorization", "Digest x"), carol], None),
        ("/", &[anna, wrong], None),
        ("/", &[anna, anna], None),
        ("/?ticket=", &[carol], None),
        ("/", &[("Cookie", "sid=anna's")], None),
    ] {
        assert_eq!(identify(target, fields).as_deref(), user, "{fields:?}");
    }
}

#[tokio::test]
async fn a_user_has_so_many_connections_whatever_credentials_show_him() {
    let limits = AdmissionLimits {
        user_connection_count_max: 2,
        ..AdmissionLimits::default()
    };
    let admission = Admission::new(AdmissionOptions {
        limits,
        ..AdmissionOptions::default()
    });
    let front = Front::start_with(admission, RULES, |config| {
        config.authenticator = Some(Authenticator::new(users).with_cookie("sid"));
    })
    .await;
    let url = |user: &str| format!("ws://{user}@{}/log", front.address);
    let mut first = bowline::connect(&url("anna:pw")).await.unwrap();
    let second = bowline::connect(&url("anna:pw")).await.unwrap();
    let (status, answer) = front.get("/log", ANNA).await;
    assert_eq!(status, 429);
    assert!(answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
    assert!(
        answer.contains("too many connections of this user"),
        "{answer}"
    );
    assert_eq!(refused_with(bowline::connect(&url("anna:pw")).await), 429);
    assert_eq!(front.get("/log", "Cookie: sid=carol's\r\n").await.0, 200);
    assert_eq!(front.get("/open", "").await.0, 200);
    let counters = front.admission.counters();
    assert_eq!(
        counters.refused_count(AdmissionReason::UserConnectionCount),
        2
    );
    drop(second);
    told(&mut first).await;
    // The server sees the end of a connection when it does.
    while front.get("/log", ANNA).await.0 != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_counts_for_its_last_user_and_a_websocket_for_its_own_only() {
    let front = front(&Tickets::default()).await;
    let count = || {
        let now = tokio::time::Instant::now().into_std();
        front.admission.user_connection_count("anna", now)
    };
    let mut stream = front.connect().await;
    for (path, fields, expected) in [
        ("/log", ANNA, 1),
        ("/log", ANNA, 1),
        ("/log", "Cookie: sid=carol's\r\n", 0),
        ("/log", ANNA, 1),
        ("/open", "", 1),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(&mut stream).await;
        assert_eq!(count(), expected, "{path} {fields}");
    }
    let handshake = "GET /open HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let mut status = [0; b"HTTP/1.1 101".len()];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 101");
    assert_eq!(count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_connects_so_often() {
    let admission = Admission::new(AdmissionOptions {
        limits: AdmissionLimits {
            user_rate: Rate::per_minute(6, 2),
            ..AdmissionLimits::default()
        },
        ..AdmissionOptions::default()
    });
    let start = tokio::time::Instant::now().into_std();
    let (anna, ben) = ("anna".into(), "ben".into());
    let come = |user, after: u64| {
        let now = start + Duration::from_secs(after);
        let address = std::net::Ipv4Addr::from(u32::try_from(after).unwrap() << 12);
        let mut permit = admission.admit(address.into(), now).unwrap();
        permit.attribute_user(user, now).map(|()| {
            // Again for another request on the same connection.
            permit.attribute_user(user, now).unwrap();
            assert_eq!(permit.user(), Some(user));
            permit
        })
    };
    let first = come(&anna, 0).unwrap();
    drop(come(&anna, 1).unwrap());
    let refusal = come(&anna, 2).unwrap_err();
    assert_eq!(refusal.reason(), AdmissionReason::UserRate);
    assert_eq!(
        (refusal.status(), refusal.retry_after_secs()),
        (429, Some(8))
    );
    assert!(come(&ben, 2).is_ok());
    assert!(come(&anna, 10).is_ok());
    let now = start + Duration::from_secs(10);
    assert_eq!(admission.user_connection_count("anna", now), 1);
    drop(first);
    assert_eq!(admission.user_connection_count("anna", now), 0);
}
