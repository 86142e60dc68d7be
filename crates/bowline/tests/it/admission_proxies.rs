//! The client behind trusted proxies, and ranges of addresses.

use std::net::IpAddr;

use bowline::server::admission::{ForwardedHeader, Scheme, TrustedProxies};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::admission::head;

fn proxies(header: ForwardedHeader) -> TrustedProxies {
    let ranges = ["10.0.0.0/8", "fd00::/8"].map(|range| range.parse().unwrap());
    TrustedProxies {
        header,
        ..TrustedProxies::new(ranges)
    }
}

fn client(proxies: &TrustedProxies, peer: &str, fields: &[(&str, &str)]) -> String {
    let head = head(fields);
    let found = proxies.resolve(peer.parse().unwrap(), false, head.headers());
    format!("{} {}", found.address, found.hop_count)
}

#[test]
fn forwarded_for_is_read_from_its_end_through_trusted_proxies() {
    let trust = proxies(ForwardedHeader::XForwardedFor);
    for (peer, field, found) in [
        ("10.0.0.1", "192.0.2.1", "192.0.2.1 1"),
        ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1 1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1 1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1 1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1 1"),
        ("10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1 1"),
        ("fd00::1", "192.0.2.1", "192.0.2.1 1"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1 1"),
        // What the client wrote itself.
        ("10.0.0.1", "1.1.1.1, 192.0.2.1", "192.0.2.1 1"),
        ("10.0.0.1", "10.0.0.9, 192.0.2.1", "192.0.2.1 1"),
        ("10.0.0.1", "\u{ff}garbage, 192.0.2.1", "192.0.2.1 1"),
        // A chain of proxies.
        ("10.0.0.1", "1.1.1.1, 192.0.2.1, 10.0.0.2", "192.0.2.1 2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3 2"),
        ("10.0.0.1", ", ,192.0.2.1 , ", "192.0.2.1 1"),
        // Malformed: the last address that is known.
        ("10.0.0.1", "unknown", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.2.1, nonsense, 10.0.0.2", "10.0.0.2 1"),
        ("10.0.0.1", "192.0.2.256", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.02.1", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.2.1:", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.2.1:x", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.2.1:99999", "10.0.0.1 0"),
        ("10.0.0.1", "[192.0.2.1]", "10.0.0.1 0"),
        ("10.0.0.1", "[2001:db8::1", "10.0.0.1 0"),
        ("10.0.0.1", "[2001:db8::1]4711", "10.0.0.1 0"),
        ("10.0.0.1", "fe80::1%eth0", "10.0.0.1 0"),
        ("10.0.0.1", "\"192.0.2.1\"", "10.0.0.1 0"),
        ("10.0.0.1", "192.0.2.1 192.0.2.2", "10.0.0.1 0"),
        ("10.0.0.1", "", "10.0.0.1 0"),
        // Nobody to trust.
        ("192.0.2.9", "192.0.2.1", "192.0.2.9 0"),
        ("11.0.0.1", "192.0.2.1", "11.0.0.1 0"),
    ] {
        let fields = [("Host", "h"), ("X-Forwarded-For", field)];
        assert_eq!(client(&trust, peer, &fields), found, "{peer} {field}");
        // The other field is not read.
        let fields = [("X-Forwarded-For", field), ("Forwarded", "for=6.6.6.6")];
        assert_eq!(client(&trust, peer, &fields), found, "{peer} {field}");
    }
    let lines = [
        ("X-Forwarded-For", "1.1.1.1, 192.0.2.1"),
        ("x-forwarded-for", "10.0.0.2"),
    ];
    assert_eq!(client(&trust, "10.0.0.1", &lines), "192.0.2.1 2");
    assert_eq!(client(&trust, "10.0.0.1", &[]), "10.0.0.1 0");
}

#[test]
fn hops_are_bounded() {
    let field = [("X-Forwarded-For", "192.0.2.1, 10.0.0.4, 10.0.0.3, 10.0.0.2")];
    for (hop_count_max, found) in [
        (0, "10.0.0.1 0"),
        (1, "10.0.0.2 1"),
        (3, "10.0.0.4 3"),
        (4, "192.0.2.1 4"),
        (9, "192.0.2.1 4"),
    ] {
        let trust = TrustedProxies {
            hop_count_max,
            ..proxies(ForwardedHeader::XForwardedFor)
        };
        assert_eq!(client(&trust, "10.0.0.1", &field), found);
    }
}

// RFC 7239 sections 4 and 6.
#[test]
fn forwarded_elements_are_read_from_the_end() {
    let trust = proxies(ForwardedHeader::Forwarded);
    for (field, found) in [
        ("for=192.0.2.1", "192.0.2.1 1"),
        ("For=\"192.0.2.1:4711\"", "192.0.2.1 1"),
        ("for=\"[2001:db8::1]\"", "2001:db8::1 1"),
        ("for=\"[2001:db8::1]:4711\"", "2001:db8::1 1"),
        ("for=\"[2001:db8::1]:_port\"", "2001:db8::1 1"),
        (
            "proto=https;for=192.0.2.1;by=10.0.0.1;host=a",
            "192.0.2.1 1",
        ),
        ("for=192.0.2.1; proto=http;", "192.0.2.1 1"),
        ("for=1.1.1.1, for=192.0.2.1", "192.0.2.1 1"),
        ("for=1.1.1.1, for=192.0.2.1, for=10.0.0.2", "192.0.2.1 2"),
        ("for=192.0.2.1;secret=\"a;b", "10.0.0.1 0"),
        ("for=unknown", "10.0.0.1 0"),
        ("for=_hidden", "10.0.0.1 0"),
        ("for=192.0.2.1, for=_hidden", "10.0.0.1 0"),
        ("for=192.0.2.1, for=_hidden, for=10.0.0.2", "10.0.0.2 1"),
        ("for=2001:db8::1", "10.0.0.1 0"),
        ("for=\"2001:db8::1\"", "10.0.0.1 0"),
        ("for=[2001:db8::1]", "10.0.0.1 0"),
        ("for=", "10.0.0.1 0"),
        ("for", "10.0.0.1 0"),
        ("for =192.0.2.1", "10.0.0.1 0"),
        ("for=\"192.0.2.1", "10.0.0.1 0"),
        ("for=192.0.2.1\"", "10.0.0.1 0"),
        ("for=\"192.0.2\\.1\"", "10.0.0.1 0"),
        ("for=192.0.2.1;for=192.0.2.2", "10.0.0.1 0"),
        ("for=192.0.2.1;proto=ftp", "10.0.0.1 0"),
        ("for=192.0.2.1;host=\"a/b\"", "10.0.0.1 0"),
        ("proto=https", "10.0.0.1 0"),
        // Quotes that a client left open, and commas that it made a proxy quote.
        ("for=\"6.6.6.6, for=192.0.2.1", "192.0.2.1 1"),
        ("x=\", for=192.0.2.1;host=\";for=6.6.6.6;y=\"", "10.0.0.1 0"),
        ("for=192.0.2.1;host=\"a,for=6.6.6.6;y=\"", "10.0.0.1 0"),
    ] {
        let fields = [("Forwarded", field), ("X-Forwarded-For", "6.6.6.6")];
        assert_eq!(client(&trust, "10.0.0.1", &fields), found, "{field}");
    }
}

fn reached(
    header: ForwardedHeader,
    peer: &str,
    fields: &[(&str, &str)],
) -> (Option<Scheme>, String) {
    let head = head(fields);
    let found = proxies(header).resolve(peer.parse().unwrap(), false, head.headers());
    let reached = found.reached(&head);
    (reached.scheme, reached.authority.unwrap().to_owned())
}

#[test]
fn x_forwarded_scheme_and_host_count_from_trusted_proxies_only() {
    for (peer, chain, proto, host, scheme, authority) in [
        ("192.0.2.1", "", "https", "b", None, "own"),
        ("10.0.0.1", "192.0.2.1", "", "", None, "own"),
        ("10.0.0.1", "", "HTTPS", "b:81", Some(Scheme::Https), "b:81"),
        // The proxy added its own value after the client's.
        (
            "10.0.0.1",
            "192.0.2.1",
            "https, http",
            "a, b",
            Some(Scheme::Http),
            "b",
        ),
        // Of two proxies the outer one knows; what the inner one wrote anew stands.
        (
            "10.0.0.1",
            "192.0.2.1, 10.0.0.2",
            "https, http",
            "a",
            Some(Scheme::Https),
            "a",
        ),
        ("10.0.0.1", "192.0.2.1", "gopher", "a/b", None, "own"),
    ] {
        let fields = [
            ("Host", "own"),
            ("X-Forwarded-For", chain),
            ("X-Forwarded-Proto", proto),
            ("X-Forwarded-Host", host),
        ];
        let found = reached(ForwardedHeader::XForwardedFor, peer, &fields);
        assert_eq!(found, (scheme, authority.to_owned()), "{peer} {fields:?}");
        // The fields are not read where `Forwarded` is.
        let found = reached(ForwardedHeader::Forwarded, peer, &fields);
        assert_eq!(found, (None, "own".to_owned()));
    }
}

#[test]
fn forwarded_scheme_and_host_are_those_of_the_element_that_names_the_client() {
    for (peer, field, scheme, authority) in [
        ("192.0.2.1", "for=1.1.1.1;proto=https;host=b", None, "own"),
        (
            "10.0.0.1",
            "for=1.1.1.1;proto=https;host=b",
            Some(Scheme::Https),
            "b",
        ),
        (
            "10.0.0.1",
            "for=1.1.1.1;proto=http;host=x, for=_a;proto=https;host=\"b:81\"",
            Some(Scheme::Https),
            "b:81",
        ),
        (
            "10.0.0.1",
            "for=1.1.1.1;proto=https;host=b, for=10.0.0.2;proto=http;host=inner",
            Some(Scheme::Https),
            "b",
        ),
        ("10.0.0.1", "nonsense;proto=https;host=b", None, "own"),
    ] {
        let fields = [("Host", "own"), ("Forwarded", field)];
        let found = reached(ForwardedHeader::Forwarded, peer, &fields);
        assert_eq!(found, (scheme, authority.to_owned()), "{peer} {field}");
    }
}

#[test]
fn scheme_is_known_from_tls_unless_a_proxy_stands_between() {
    let head = head(&[("Host", "own")]);
    for (peer, scheme) in [("192.0.2.1", Some(Scheme::Https)), ("10.0.0.1", None)] {
        let trust = proxies(ForwardedHeader::default());
        let found = trust.resolve(peer.parse().unwrap(), true, head.headers());
        assert_eq!(found.scheme, scheme);
    }
}

#[test]
fn any_field_gives_an_address_that_somebody_trusted_wrote() {
    let mut rng = StdRng::seed_from_u64(1);
    let pieces = [
        "for=",
        "10.0.0.2",
        "192.0.2.1",
        "[2001:db8::1]",
        "\"",
        ",",
        ";",
        ":",
        "=",
        "\\",
        " ",
        "_",
        "unknown",
        "proto=https",
        "host=",
        "\t",
        "%",
        "1",
        "a",
        "\u{ff}",
    ];
    for _ in 0..5_000 {
        let count = rng.random_range(0..12);
        let junk: String = (0..count)
            .map(|_| pieces[rng.random_range(0..pieces.len())])
            .collect();
        for (header, name, last) in [
            (
                ForwardedHeader::XForwardedFor,
                "X-Forwarded-For",
                "198.51.100.7",
            ),
            (ForwardedHeader::Forwarded, "Forwarded", "for=198.51.100.7"),
        ] {
            let trust = proxies(header);
            let peer: IpAddr = "10.0.0.1".parse().unwrap();
            // Never panics, whatever it is.
            let alone = head(&[(name, junk.trim_ascii())]);
            drop(trust.resolve(peer, false, alone.headers()));
            // What the proxy adds at the end cannot be changed by what stands before.
            let field = format!("{junk}, {last}");
            let appended = head(&[(name, field.trim_ascii())]);
            let found = trust.resolve(peer, false, appended.headers());
            assert_eq!(found.address.to_string(), "198.51.100.7", "{field}");
            let second_line = head(&[(name, junk.trim_ascii()), (name, last)]);
            let found = trust.resolve(peer, false, second_line.headers());
            assert_eq!(found.address.to_string(), "198.51.100.7", "{field}");
        }
    }
}
