//! What a client says about itself: headers, cookies, credentials.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bowline::{ConnectPhase, Connector, Credentials, CredentialsError, Error};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::{
    dial_server::{Answer, Server, header},
    ends::soon,
};

const BASIC: &str = "Basic bWU6czNjcmV0";

async fn accepting() -> Server {
    Server::start(|_| Answer::Accept).await
}

/// The URL of a server, with a name and password.
fn url_with_login(server: &Server) -> String {
    format!("ws://me:s3cret@{}/", server.address)
}

#[tokio::test]
async fn headers_cookies_and_the_name_of_the_client_are_sent_each_once() {
    let server = accepting().await;
    let connector = Connector::default()
        .with_header("X-Trace", "7")
        .with_header("cookie", "old=1")
        .with_header("user-agent", "not this")
        .with_cookie("id", "a/b=")
        .with_cookie("quoted", "\"x\"")
        .with_user_agent("buoy/2.0");
    soon(connector.connect(&server.url("/"))).await.unwrap();
    for (name, value) in [
        ("X-Trace", "7"),
        ("Cookie", "old=1; id=a/b=; quoted=\"x\""),
        ("User-Agent", "buoy/2.0"),
    ] {
        assert_eq!(server.values(name), [Some(value.to_owned())]);
    }
}

#[tokio::test]
async fn a_cookie_cannot_hold_another_one() {
    let server = accepting().await;
    for (name, value) in [
        ("a", "1; b=2"),
        ("a", "1,2"),
        ("a", "1 2"),
        ("a", "\""),
        ("a", "\r\nX: y"),
        ("a", "\u{e4}"),
        ("a=b", ""),
        ("", "1"),
    ] {
        let connector = Connector::default().with_cookie(name, value);
        let failed = connector.connect(&server.url("/")).await.unwrap_err();
        assert!(
            matches!(failed, Error::Credentials(CredentialsError::Cookie(_))),
            "{name:?} {value:?}: {failed}"
        );
    }
    assert_eq!(server.heads().len(), 0, "nothing was sent");
}

#[tokio::test]
async fn one_authorization_is_sent_and_the_most_exact_wish_wins() {
    let basic = || Some(Credentials::basic("me", "s3cret"));
    let url = Some(BASIC);
    for (credentials, has_header, has_login, expected) in [
        (None, false, false, None),
        (None, false, true, url),
        (None, true, true, Some("Own")),
        (basic(), true, false, url),
        (basic(), false, false, url),
        (Some(Credentials::digest("a", "b")), false, true, None),
    ] {
        let server = accepting().await;
        let mut connector = Connector::default();
        if let Some(credentials) = credentials {
            connector = connector.with_credentials(credentials);
        }
        if has_header {
            connector = connector.with_header("authorization", "Own");
        }
        let url = if has_login {
            url_with_login(&server)
        } else {
            server.url("/")
        };
        soon(connector.connect(&url)).await.unwrap();
        let sent = server.values("Authorization");
        assert_eq!(sent, [expected.map(str::to_owned)]);
    }
}

#[tokio::test]
async fn the_hook_gives_a_new_token_for_each_attempt() {
    let server = accepting().await;
    let count = Arc::new(AtomicUsize::new(0));
    let connector = Connector::default().with_credentials(Credentials::bearer(move |endpoint| {
        let token = format!(
            "{}.{}",
            endpoint.port(),
            count.fetch_add(1, Ordering::Relaxed)
        );
        async { Ok::<_, io::Error>(token) }
    }));
    for _ in 0..2 {
        soon(connector.connect(&server.url("/"))).await.unwrap();
    }
    let port = server.address.port();
    let expected = [0, 1].map(|n| Some(format!("Bearer {port}.{n}")));
    assert_eq!(server.values("Authorization"), expected);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_lies_or_sleeps_ends_the_attempt_before_anything_is_sent() {
    // Nobody listens there, and nobody finds out.
    let url = "ws://127.0.0.1:1/";
    let connect = async |credentials| {
        let connector = Connector::default().with_credentials(credentials);
        connector.connect(url).await.unwrap_err()
    };
    let failed = connect(Credentials::bearer(|_| async {
        Err::<String, _>(io::Error::other("the vault is shut"))
    }))
    .await;
    assert!(
        matches!(failed, Error::Credentials(CredentialsError::Hook(_))),
        "{failed}"
    );
    assert!(failed.to_string().contains("the vault is shut"), "{failed}");

    for token in ["", "a b", "a\r\nX: y", "s3cret\u{e4}"] {
        let failed = connect(Credentials::bearer(move |_| async move {
            Ok::<_, io::Error>(token.to_owned())
        }))
        .await;
        assert!(
            matches!(failed, Error::Credentials(CredentialsError::Token)),
            "{token:?}: {failed}"
        );
        assert!(!format!("{failed:?} {failed}").contains("s3cret"));
    }

    let failed = connect(Credentials::bearer(|_| async {
        sleep(Duration::from_secs(11)).await;
        Ok::<_, io::Error>("late".to_owned())
    }))
    .await;
    assert!(
        matches!(failed, Error::Timeout(ConnectPhase::Credentials)),
        "{failed}"
    );
}

/// A challenge for MD5 and one for SHA-256.
fn challenge() -> Answer {
    Answer::status(
        401,
        "WWW-Authenticate: Digest realm=\"harbour\", qop=\"auth\", nonce=\"n1\"\r\n\
         WWW-Authenticate: Digest realm=\"harbour\", qop=\"auth\", nonce=\"n2\", \
         algorithm=SHA-256, opaque=\"o\"\r\n",
    )
}

/// Finds a parameter of Digest credentials.
fn parameter(credentials: &str, name: &str) -> String {
    let (_, rest) = credentials.split_once(&format!(" {name}=")).unwrap();
    rest.split(',').next().unwrap().trim_matches('"').to_owned()
}

fn sha256(text: &str) -> String {
    let hash = Sha256::digest(text);
    let digits: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[tokio::test]
async fn a_digest_challenge_is_answered_and_the_password_never_sent() {
    let server = Server::start(|head| match header(head, "Authorization") {
        None => challenge(),
        Some(credentials) => {
            let client_nonce = parameter(&credentials, "cnonce");
            let first = sha256("me:harbour:s3cret");
            let second = sha256("GET:/berth?n=4");
            let expected = sha256(&format!("{first}:n2:00000001:{client_nonce}:auth:{second}"));
            assert_eq!(parameter(&credentials, "response"), expected);
            assert_eq!(parameter(&credentials, "opaque"), "o");
            Answer::Accept
        }
    })
    .await;
    let connector = Connector::default().with_credentials(Credentials::digest("me", "s3cret"));
    for _ in 0..2 {
        soon(connector.connect(&server.url("/berth?n=4")))
            .await
            .unwrap();
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 4);
    let text = heads.concat();
    assert!(
        !text.contains("s3cret") && !text.contains("Basic"),
        "{text}"
    );
    assert_ne!(
        parameter(&heads[1], "cnonce"),
        parameter(&heads[3], "cnonce"),
        "it is random"
    );
}

#[tokio::test]
async fn a_login_in_the_url_answers_a_digest_challenge_too() {
    let server = Server::start(|head| match header(head, "Authorization") {
        Some(credentials) if credentials.starts_with("Digest ") => Answer::Accept,
        _ => challenge(),
    })
    .await;
    soon(bowline::connect(&url_with_login(&server)))
        .await
        .unwrap();
    assert_eq!(server.values("Authorization")[0].as_deref(), Some(BASIC));
}

#[tokio::test]
async fn a_challenge_is_answered_once_and_one_that_cannot_be_is_an_error() {
    let server = Server::start(|_| challenge()).await;
    let connector = Connector::default().with_credentials(Credentials::digest("me", "wrong"));
    let failed = soon(connector.connect(&server.url("/"))).await.unwrap_err();
    assert!(
        matches!(&failed, Error::Refused(refused) if refused.response.status() == 401),
        "{failed}"
    );
    assert_eq!(server.heads().len(), 2);

    let server = Server::start(|_| {
        Answer::status(
            401,
            "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"n\", algorithm=X\r\n",
        )
    })
    .await;
    let failed = soon(connector.connect(&server.url("/"))).await.unwrap_err();
    assert!(
        matches!(failed, Error::Credentials(CredentialsError::Challenge(_))),
        "{failed}"
    );
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_challenge_without_a_password_to_answer_it_is_a_refusal() {
    let server = Server::start(|_| challenge()).await;
    let own = Connector::default().with_header("Authorization", "Own");
    for (connector, url) in [
        (Connector::default(), server.url("/")),
        (own, url_with_login(&server)),
    ] {
        let failed = soon(connector.connect(&url)).await.unwrap_err();
        assert!(matches!(failed, Error::Refused(_)), "{failed}");
    }
    assert_eq!(server.heads().len(), 2);
}
