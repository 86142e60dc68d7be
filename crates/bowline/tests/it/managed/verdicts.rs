//! Which failures end the attempts.

use std::time::Duration;

use bowline::{
    CloseCode, Connector, CredentialsError, Endpoint, Error, ProxyError, RedirectError, SocksReply,
    managed::{Client, ClosedWhy, Dialer, Failure, Verdict},
    proto::handshake::ClientRefused,
};
use bowline_testkit::Frame;

use super::{Lab, Outcome, next, word};
use crate::ends::{settle, soon};

fn answer(head: &str) -> Outcome {
    Outcome::Answer(format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n"))
}

/// Says what a client does after its first attempt met this.
async fn after(outcome: Outcome) -> &'static str {
    let (lab, _peers) = Lab::new(&[outcome], Outcome::Hang);
    let (client, _events) = lab.start();
    settle().await;
    match word(&client.state()).as_str() {
        "fatal" => "fatal",
        "connecting 2" | "waiting" => "retry",
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_are_fatal_or_transient() {
    for status in [
        "408 a", "425 a", "429 a", "500 a", "502 a", "503 a", "504 a", "599 a",
    ] {
        assert_eq!(after(answer(status)).await, "retry", "{status}");
    }
    for status in [
        "200 a", "301 a", "400 a", "401 a", "403 a", "404 a", "407 a", "426 a", "499 a",
    ] {
        assert_eq!(after(answer(status)).await, "fatal", "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_break_the_handshake_are_fatal_and_those_cut_off_are_not() {
    let switched = "101 a\r\nUpgrade: websocket\r\nConnection: Upgrade";
    let wrong_key = answer(&format!("{switched}\r\nSec-WebSocket-Accept: no"));
    assert_eq!(after(wrong_key).await, "fatal");
    assert_eq!(after(answer(switched)).await, "fatal");
    assert_eq!(
        after(Outcome::Answer("SSH-2.0-x\r\n".into())).await,
        "fatal"
    );
    assert_eq!(after(Outcome::Answer("HTTP/1.1 1".into())).await, "retry");
    assert_eq!(after(Outcome::Answer(String::new())).await, "retry");
    assert_eq!(after(Outcome::Fail).await, "retry");
}

#[tokio::test(start_paused = true)]
async fn close_codes_are_fatal_or_transient() {
    let cases = [
        (1000, "fatal"),
        (1001, "connecting 2"),
        (1002, "fatal"),
        (1003, "fatal"),
        (1007, "fatal"),
        (1008, "fatal"),
        (1009, "fatal"),
        (1010, "fatal"),
        (1011, "connecting 2"),
        (1012, "waiting"),
        (1013, "waiting"),
        (1014, "waiting"),
        (3000, "connecting 2"),
        (4000, "connecting 2"),
    ];
    for (code, expected) in cases {
        let (lab, mut peers) = Lab::new(&[Outcome::Link], Outcome::Hang);
        let (client, _events) = lab.start();
        let mut peer = next(&mut peers).await;
        peer.close(CloseCode(code), "").await.unwrap();
        settle().await;
        assert_eq!(word(&client.state()), expected, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_breaks_the_protocol_is_not_tried_again() {
    // A masked frame from a server breaks RFC 6455 section 5.1.
    let frame = Frame::text("a").masked([1; 4]).encode();
    assert_eq!(after(Outcome::Bytes(frame)).await, "fatal");
    let frame = Frame::text("a").encode();
    assert_eq!(
        after(Outcome::Bytes(frame)).await,
        "retry",
        "a stream that ends is tried again"
    );
}

#[tokio::test(start_paused = true)]
async fn the_application_may_judge_otherwise() {
    let script = [answer("401 Log In"), Outcome::Fail];
    let (lab, _peers) = Lab::new(&script, Outcome::Hang);
    let judge = |failure: &Failure| match Verdict::of(failure) {
        Verdict::Fatal => Some(Verdict::Retry),
        Verdict::Retry => Some(Verdict::Fatal),
        Verdict::Later | Verdict::RetryAfter(_) => None,
    };
    let (client, _events) = lab.builder().classify(judge).start();
    let why = soon(client.opened()).await.unwrap_err();
    assert_eq!(
        lab.attempts(),
        2,
        "401 was tried again, what failed then was not"
    );
    let failure = why.failure().unwrap();
    assert!(failure.to_string().contains("cannot connect"), "{failure}");
}

#[tokio::test]
async fn what_cannot_be_set_up_is_fatal_and_says_why() {
    let connector = Connector::default().with_header("Host", "forged");
    let builder = Client::builder_to(Endpoint::parse("ws://127.0.0.1:1/").unwrap());
    let (client, _events) = builder.with_connector(connector).start();
    let why = soon(client.opened()).await.unwrap_err();
    assert!(matches!(why, ClosedWhy::Fatal(_)), "{why}");
    assert!(
        client.state().to_string().contains("header"),
        "{}",
        client.state()
    );
    assert!(Client::builder("http://a/").is_err());
}

fn verdict(error: impl Into<Error>) -> Verdict {
    Verdict::of(&Failure::Connect(error.into()))
}

/// Gives the answer of a server.
async fn refusal(head: &str) -> Box<ClientRefused> {
    let (lab, _peers) = Lab::new(&[answer(head)], Outcome::Hang);
    let endpoint = Endpoint::parse("ws://a/").unwrap();
    match lab.make_link(&endpoint).await {
        Err(Error::Refused(refused)) => refused,
        Err(error) => panic!("{error}"),
        Ok(link) => panic!("{link:?}"),
    }
}

#[tokio::test]
async fn proxies_are_judged_as_servers_are() {
    let proxy = || Box::<str>::from("proxy:3128");
    for (status, expected) in [
        ("407 Log In", Verdict::Fatal),
        ("403 No", Verdict::Fatal),
        ("502 Away", Verdict::Retry),
        (
            "503 Busy\r\nRetry-After: 9",
            Verdict::RetryAfter(Duration::from_secs(9)),
        ),
    ] {
        let refused = refusal(status).await;
        let proxy = proxy();
        let error = ProxyError::Refused { proxy, refused };
        assert_eq!(verdict(error), expected, "{status}");
    }
    for (reply, expected) in [
        (SocksReply::HOST_UNREACHABLE, Verdict::Retry),
        (SocksReply::CONNECTION_REFUSED, Verdict::Retry),
        (SocksReply::NOT_ALLOWED, Verdict::Fatal),
        (SocksReply::COMMAND_NOT_SUPPORTED, Verdict::Fatal),
        (SocksReply::ADDRESS_TYPE_NOT_SUPPORTED, Verdict::Fatal),
    ] {
        let proxy = proxy();
        let error = ProxyError::Socks { proxy, reply };
        assert_eq!(verdict(error), expected, "{reply}");
    }
    let eof = ProxyError::Eof { proxy: proxy() };
    assert_eq!(verdict(eof), Verdict::Retry);
    let refused = ProxyError::LoginRefused { proxy: proxy() };
    assert_eq!(verdict(refused), Verdict::Fatal);
    let other = ProxyError::NotSocks { proxy: proxy() };
    assert_eq!(verdict(other), Verdict::Fatal);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_now_may_be_had_later() {
    let failed = CredentialsError::Hook("the token server is away".into());
    assert_eq!(verdict(failed), Verdict::Retry);
    assert_eq!(verdict(CredentialsError::Token), Verdict::Fatal);
    let refused = refusal("301 Moved").await;
    let moved = RedirectError::NoLocation { refused };
    assert_eq!(verdict(moved), Verdict::Fatal);
}
