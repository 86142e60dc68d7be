//! What an attempt to open a link needs.

use bowline_connector::{
    ElementSettings,
    machine::{AttemptError, ProxyUse, Value},
    plan::{
        BusAddress, Handshake, HandshakeCredentials, HandshakeProxy, Link, LinkId, ParameterId,
        RequestPath, ResponseTargets, SessionId, Source,
    },
};

use super::sketch::{Bench, Sketch, endpoint, link, settings, words};

const LINK: LinkId = LinkId(0);

fn parameter(id: u32) -> Source {
    Source::Parameter(ParameterId(id))
}

fn handshake() -> Handshake {
    Handshake {
        name: String::new(),
        timeout: None,
        path: RequestPath::From(parameter(2)),
        headers: vec![
            ("Sec-WebSocket-Extensions".to_owned(), parameter(3)),
            ("Authorization".to_owned(), parameter(4)),
        ],
        query: Vec::new(),
        targets: ResponseTargets::default(),
        credentials: None,
        proxy: None,
    }
}

/// Parameter 1 is the endpoint, 2 to 6 are texts.
fn bench(
    declared: Link,
    handshake: Option<Handshake>,
    adjust: impl Fn(&mut ElementSettings),
) -> Bench {
    let declared = Link {
        handshake: handshake.is_some().then_some(SessionId(7)),
        ..declared
    };
    let mut sketch = Sketch::default()
        .link(0, declared)
        .parameter(1, endpoint(0));
    for id in 2..=6 {
        sketch = sketch.text(id);
    }
    if let Some(handshake) = handshake {
        sketch.0.handshakes.insert(SessionId(7), handshake).unwrap();
    }
    let mut settings = settings(&sketch.0);
    adjust(&mut settings);
    sketch.start_with(settings, [])
}

#[test]
fn endpoints_are_read_in_all_their_forms() {
    let with_port = |port: Option<u16>| Link { port, ..link() };
    for (port, text, expected) in [
        (
            None,
            "ws://127.0.0.1:8050/x-nmos/events/ws",
            Ok("ws://127.0.0.1:8050/x-nmos/events/ws"),
        ),
        (Some(8050), "ws://127.0.0.1", Ok("ws://127.0.0.1:8050/")),
        (Some(8050), "127.0.0.1", Ok("ws://127.0.0.1:8050/")),
        (Some(8050), "127.0.0.1:99", Ok("ws://127.0.0.1:99/")),
        (None, "device.example", Ok("ws://device.example/")),
        (Some(443), "device.example", Ok("wss://device.example:443/")),
        (None, "device.example:443", Ok("wss://device.example:443/")),
        (
            Some(443),
            "ws://device.example",
            Ok("ws://device.example:443/"),
        ),
        (
            None,
            "HTTPS://device.example/a?b=1",
            Ok("wss://device.example/a?b=1"),
        ),
        (
            None,
            "http://device.example?b=1",
            Ok("ws://device.example/?b=1"),
        ),
        (Some(9), "[2001:db8::1]", Ok("ws://[2001:db8::1]:9/")),
        (Some(9), "2001:db8::1", Ok("ws://[2001:db8::1]:9/")),
        (Some(9), "[2001:db8::1]:80", Ok("ws://[2001:db8::1]:80/")),
        (Some(0), "device.example", Err(AttemptError::Port(LINK))),
        (None, "device.example:0", Err(AttemptError::Port(LINK))),
        (None, "device.example:65536", Err(AttemptError::Port(LINK))),
        (None, "device.example:http", Err(AttemptError::Port(LINK))),
        (
            None,
            "ftp://device.example",
            Err(AttemptError::Scheme(LINK)),
        ),
        (None, "ws:///path", Err(AttemptError::Host(LINK))),
        (None, "ws://a b/path", Err(AttemptError::Host(LINK))),
        (
            None,
            "ws://device.example/a b",
            Err(AttemptError::Path(LINK)),
        ),
        (
            None,
            "ws://device.example/a\r\nX: 1",
            Err(AttemptError::Path(LINK)),
        ),
        (
            None,
            "ws://device.example/a#b",
            Err(AttemptError::Path(LINK)),
        ),
    ] {
        let mut bench = bench(with_port(port), None, |_| {});
        bench.set(1, words(text));
        let url = bench.machine.attempt(LINK).map(|attempt| attempt.url);
        assert_eq!(url.as_deref(), expected.as_ref().map(|url| *url), "{text}");
    }
}

#[test]
fn the_dynamic_parameter_wins_over_the_element_and_the_elements_port_over_the_connectors() {
    let declared = Link {
        port: Some(1),
        ..link()
    };
    let url = |declared: Link, dynamic: &str, port: Option<u16>| {
        let mut bench = bench(declared, None, |settings| {
            let link = settings.links.get_mut(&LINK).unwrap();
            link.endpoints = vec!["element.example".to_owned()];
            link.port = port;
        });
        bench.set(1, words(dynamic));
        bench.machine.attempt(LINK).unwrap().url
    };
    assert_eq!(url(declared.clone(), "", None), "ws://element.example:1/");
    assert_eq!(
        url(declared.clone(), "", Some(2)),
        "ws://element.example:2/"
    );
    assert_eq!(
        url(declared.clone(), "dynamic.example", Some(2)),
        "ws://dynamic.example:2/"
    );
    let fixed = Link {
        port_fixed: true,
        ..declared
    };
    assert_eq!(url(fixed, "", Some(2)), "ws://element.example:1/");
}

#[test]
fn an_endpoint_nobody_gives_and_a_link_nobody_declares_are_told() {
    let bench = bench(link(), None, |settings| settings.links.clear());
    assert_eq!(
        bench.machine.attempt(LINK),
        Err(AttemptError::NoEndpoint(LINK))
    );
    let other = LinkId(3);
    assert_eq!(
        bench.machine.attempt(other),
        Err(AttemptError::NoLink(other))
    );
}

#[test]
fn the_session_gives_the_path_and_headers_by_the_values_of_the_moment() {
    let mut bench = bench(link(), Some(handshake()), |_| {});
    bench.set(1, words("ws://127.0.0.1:8050/own"));
    for (path, expected) in [
        (
            "x-nmos/events/ws",
            Ok("ws://127.0.0.1:8050/x-nmos/events/ws"),
        ),
        (
            "/x-nmos/events/ws",
            Ok("ws://127.0.0.1:8050/x-nmos/events/ws"),
        ),
        ("", Ok("ws://127.0.0.1:8050/own")),
        ("wss://other.example/a", Ok("wss://other.example/a")),
        ("a b", Err(AttemptError::Path(LINK))),
        ("a\0b", Err(AttemptError::Path(LINK))),
    ] {
        bench.set(2, words(path));
        let url = bench.machine.attempt(LINK).map(|attempt| attempt.url);
        assert_eq!(url.as_deref(), expected.as_ref().map(|url| *url), "{path}");
    }
    bench.set(2, Value::Empty);
    assert_eq!(bench.machine.attempt(LINK).unwrap().headers, []);
    let offer = "permessage-deflate; client_max_window_bits";
    bench.set(3, words(offer));
    let header = (
        "Sec-WebSocket-Extensions".to_owned(),
        offer.as_bytes().to_vec(),
    );
    assert_eq!(bench.machine.attempt(LINK).unwrap().headers, [header]);
    for bad in ["a\rb", "a\nb", "a\0b"] {
        bench.set(4, words(bad));
        let error = AttemptError::Header {
            link: LINK,
            index: 2,
        };
        assert_eq!(bench.machine.attempt(LINK), Err(error));
    }
}

#[test]
fn header_values_come_from_parameters_or_the_file() {
    let literal = |text: &str| Source::Literal(text.to_owned());
    let asked = Handshake {
        headers: vec![
            ("X-Token".to_owned(), parameter(5)),
            ("X-Kind".to_owned(), literal("tank")),
            ("X-Empty".to_owned(), literal("")),
        ],
        ..handshake()
    };
    let mut bench = bench(link(), Some(asked), |_| {});
    bench.set(5, Value::Bytes(bytes::Bytes::from_static(b"\xFC7")));
    let headers = bench.machine.attempt(LINK).unwrap().headers;
    let token = ("X-Token".to_owned(), b"\xFC7".to_vec());
    assert_eq!(headers, [token, ("X-Kind".to_owned(), b"tank".to_vec())]);
}

#[test]
fn query_pairs_extend_the_path() {
    let asked = Handshake {
        path: RequestPath::Endpoint,
        query: vec![
            ("token".to_owned(), parameter(5)),
            ("v".to_owned(), Source::Literal("1".to_owned())),
        ],
        ..handshake()
    };
    let mut bench = bench(link(), Some(asked), |_| {});
    bench.set(5, words("a%20b"));
    bench.set(1, words("ws://device.example/feed"));
    let attempt = bench.machine.attempt(LINK).unwrap();
    assert_eq!(attempt.url, "ws://device.example/feed?token=a%20b&v=1");
    bench.set(1, words("ws://device.example/feed?a=b"));
    let attempt = bench.machine.attempt(LINK).unwrap();
    assert_eq!(attempt.url, "ws://device.example/feed?a=b&token=a%20b&v=1");
}

#[test]
fn the_proxy_of_the_session_is_always_used_otherwise_the_bus_address_decides() {
    let with_proxy = || Handshake {
        proxy: Some(HandshakeProxy {
            server: parameter(5),
            user: Some(parameter(6)),
            password: Some(Source::Literal("secret".to_owned())),
        }),
        ..handshake()
    };
    let address = |text: &str| Link {
        bus_address: BusAddress {
            default: Some(text.to_owned()),
            ..BusAddress::default()
        },
        ..link()
    };
    let explicit = ProxyUse::Explicit {
        server: "proxy.example:3128".to_owned(),
        credentials: Some(("me".to_owned(), "secret".to_owned())),
    };
    for (declared, session, server, expected) in [
        (
            address("bypassProxy"),
            Some(with_proxy()),
            "proxy.example:3128",
            explicit.clone(),
        ),
        (link(), Some(with_proxy()), "proxy.example:3128", explicit),
        (
            address("byPassProxy"),
            Some(with_proxy()),
            "",
            ProxyUse::Bypass,
        ),
        (link(), Some(with_proxy()), "", ProxyUse::Default),
        (address("bypassproxy"), None, "", ProxyUse::Bypass),
        (address("7"), None, "", ProxyUse::Default),
    ] {
        let mut bench = bench(declared, session, |_| {});
        bench.set(5, words(server));
        bench.set(6, words("me"));
        assert_eq!(bench.machine.attempt(LINK).unwrap().proxy, expected);
    }
}

#[test]
fn the_element_may_change_the_bus_address_unless_it_is_fixed() {
    for (is_fixed, expected) in [(false, ProxyUse::Default), (true, ProxyUse::Bypass)] {
        let declared = Link {
            bus_address: BusAddress {
                default: Some("bypassProxy".to_owned()),
                is_fixed,
                ..BusAddress::default()
            },
            ..link()
        };
        let bench = bench(declared, None, |settings| {
            let link = settings.links.get_mut(&LINK).unwrap();
            link.bus_address = Some("3".to_owned());
        });
        assert_eq!(bench.machine.attempt(LINK).unwrap().proxy, expected);
    }
}

#[test]
fn credentials_come_from_the_session_or_the_endpoint() {
    let login = Handshake {
        credentials: Some(HandshakeCredentials {
            user: parameter(5),
            password: parameter(6),
        }),
        ..handshake()
    };
    let mut bench = bench(link(), Some(login), |_| {});
    bench.set(1, words("ws://user:word@device.example"));
    let told = |bench: &Bench| {
        bench
            .machine
            .attempt(LINK)
            .map(|attempt| attempt.credentials)
    };
    let own = Some(("user".to_owned(), "word".to_owned()));
    assert_eq!(told(&bench), Ok(own));
    bench.set(5, words("me"));
    bench.set(6, words("secret"));
    assert_eq!(
        told(&bench),
        Ok(Some(("me".to_owned(), "secret".to_owned())))
    );
    assert_eq!(
        bench.machine.attempt(LINK).unwrap().url,
        "ws://device.example/"
    );
    bench.set(6, words("a\nb"));
    assert_eq!(told(&bench), Err(AttemptError::Credentials(LINK)));
}
