//! Admission decides about requests: clients behind proxies, the origin, the hook.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use bowline::server::admission::{
    Admission, AdmissionLimits, AdmissionOptions, AdmissionReason, AdmissionRefusal,
    AdmissionRequest, Answer, Counts, Facts, OriginPolicy, Scheme, TrustedProxies, Verdict,
};

use crate::admission::{head, ip, wide};

fn proxied(limits: AdmissionLimits) -> Admission {
    Admission::new(AdmissionOptions {
        limits,
        trusted_proxies: TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]),
        ..AdmissionOptions::default()
    })
}

#[test]
fn clients_behind_a_trusted_proxy_are_counted_each() {
    let now = Instant::now();
    let admission = proxied(AdmissionLimits {
        address_connection_count_max: 1,
        ..wide()
    });
    let peer: SocketAddr = "10.0.0.1:1".parse().unwrap();
    let mut permits = Vec::new();
    for (client, refused) in [
        ("192.0.2.1", false),
        ("192.0.2.2", false),
        ("192.0.2.1", true),
    ] {
        let mut permit = admission.admit(peer.ip(), now).unwrap();
        assert_eq!(permit.address(), None);
        let head = head(&[("Host", "a"), ("X-Forwarded-For", client)]);
        let request = AdmissionRequest {
            peer,
            is_tls: false,
            head: &head,
        };
        let decided = permit.decide(&request, now);
        if refused {
            let refusal = decided.unwrap_err();
            assert_eq!(refusal.reason(), AdmissionReason::AddressConnectionCount);
        } else {
            let client = ip(client);
            assert_eq!(decided.unwrap().address, client);
            assert_eq!(permit.address(), Some(client));
            permits.push(permit);
        }
    }
    drop(permits);
    assert_eq!(admission.counts(), Counts::default());
}

#[test]
fn source_of_a_proxy_header_is_counted_instead_of_the_peer() {
    let now = Instant::now();
    let admission = proxied(AdmissionLimits {
        address_connection_count_max: 1,
        ..wide()
    });
    let count = |address| {
        admission
            .counts_of(ip(address), now)
            .address_connection_count
    };
    let mut permit = admission.admit(ip("198.51.100.1"), now).unwrap();
    permit.attribute(ip("192.0.2.1"), now).unwrap();
    assert_eq!((count("198.51.100.1"), count("192.0.2.1")), (0, 1));
    let mut other = admission.admit(ip("10.0.0.1"), now).unwrap();
    let refusal = other.attribute(ip("192.0.2.1"), now).unwrap_err();
    assert_eq!(refusal.reason(), AdmissionReason::AddressConnectionCount);
    // The source is another proxy: who the client is, the request will tell.
    permit.attribute(ip("10.0.0.2"), now).unwrap();
    assert_eq!((permit.address(), count("192.0.2.1")), (None, 0));
    drop((permit, other));
    assert_eq!(admission.counts(), Counts::default());
}

fn decide(admission: &Admission, fields: &[(&str, &str)]) -> Result<(), AdmissionRefusal> {
    let now = Instant::now();
    let head = head(fields);
    let peer = SocketAddr::from(([192, 0, 2, 1], 5_000));
    let mut permit = admission.admit(peer.ip(), now)?;
    let request = AdmissionRequest {
        peer,
        is_tls: true,
        head: &head,
    };
    permit.decide(&request, now).map(|_| ())
}

#[test]
fn origin_is_checked_by_default() {
    let admission = Admission::default();
    let host = ("Host", "a.example");
    for (origin, status) in [
        ("https://a.example", None),
        ("https://b.example", Some(403)),
        ("http://a.example", Some(403)),
        ("null", Some(403)),
        ("nonsense", Some(400)),
    ] {
        let decided = decide(&admission, &[host, ("Origin", origin)]);
        let refused = decided.err().map(|refusal| refusal.status());
        assert_eq!(refused, status, "{origin}");
    }
    assert_eq!(decide(&admission, &[host]), Ok(()));
    let counters = admission.counters();
    assert_eq!(counters.refused_count(AdmissionReason::OriginForeign), 3);
    assert_eq!(counters.refused_count(AdmissionReason::OriginMalformed), 1);
}

#[test]
fn hook_sees_all_facts_and_decides() {
    let hook = |facts: &Facts<'_>| {
        assert_eq!(facts.peer, "192.0.2.1:5000".parse().unwrap());
        assert_eq!((facts.client, facts.hop_count), (ip("192.0.2.1"), 0));
        assert!(facts.is_tls);
        assert_eq!(facts.scheme(), Some(Scheme::Https));
        assert_eq!(facts.reached.authority, Some("a"));
        assert_eq!(facts.origin(), Some("https://b"));
        assert_eq!(
            (facts.head.path(), facts.head.query()),
            ("/chat", Some("room=1"))
        );
        assert_eq!(facts.subprotocols().collect::<Vec<_>>(), ["x", "y", "z"]);
        assert_eq!(facts.counts.connection_count, 1);
        assert_eq!(facts.counts.handshake_count, 1);
        assert_eq!(facts.counts.address_connection_count, 1);
        match facts.cookie("id") {
            Some(b"good") => Verdict::Admit,
            Some(b"broken") => Answer::new(99).into(),
            Some(_) | None => Answer::new(401)
                .with_header("WWW-Authenticate", "Basic realm=\"r\"")
                .with_body("Sign in.\n")
                .into(),
        }
    };
    let admission = Admission::new(AdmissionOptions {
        origin_policy: OriginPolicy::Any,
        hook: Some(Arc::new(hook)),
        ..AdmissionOptions::default()
    });
    let with_cookie = |cookie| {
        decide(
            &admission,
            &[
                ("Host", "a"),
                ("Origin", "https://b"),
                ("Sec-WebSocket-Protocol", "x, y"),
                ("Sec-WebSocket-Protocol", "z"),
                ("Cookie", cookie),
            ],
        )
    };
    assert_eq!(with_cookie("a=1; id=good"), Ok(()));
    let refusal = with_cookie("id=bad").unwrap_err();
    assert_eq!(
        (refusal.reason(), refusal.status()),
        (AdmissionReason::Hook, 401)
    );
    let mut answer = bytes::BytesMut::new();
    refusal.write(&mut answer);
    assert_eq!(
        str::from_utf8(&answer).unwrap(),
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\
         WWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 9\r\n\r\nSign in.\n"
    );
    let refusal = with_cookie("id=broken").unwrap_err();
    assert_eq!(refusal.reason(), AdmissionReason::HookAnswerInvalid);
    assert_eq!(refusal.status(), 500);
    let counters = admission.counters();
    assert_eq!(counters.refused_count(AdmissionReason::Hook), 1);
    assert_eq!(
        counters.refused_count(AdmissionReason::HookAnswerInvalid),
        1
    );
}
