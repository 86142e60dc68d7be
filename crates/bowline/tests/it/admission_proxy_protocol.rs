//! The PROXY protocol, versions 1 and 2, in chunks of any size.

use bowline::server::admission::proxy_protocol::{
    HEADER_LEN_MAX_V1, HEADER_LEN_MAX_V2, ParsedProxyHeader, ProxyHeader, ProxyHeaderError,
    ProxyHeaderParser,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Parses in chunks whose lengths a function chooses; gives the header and all bytes it took.
fn parse_in(
    bytes: &[u8],
    mut len: impl FnMut() -> usize,
) -> Result<Option<(ProxyHeader, usize)>, ProxyHeaderError> {
    let mut parser = ProxyHeaderParser::new();
    let mut given = 0;
    loop {
        let end = (given + len()).min(bytes.len());
        let parsed = parser.handle_input(&bytes[given..end]);
        match parsed {
            Ok(Some(ParsedProxyHeader { header, consumed })) => {
                assert!(consumed <= end - given);
                let again = ParsedProxyHeader {
                    header,
                    consumed: 0,
                };
                assert_eq!(parser.handle_input(b"more"), Ok(Some(again)));
                return Ok(Some((header, given + consumed)));
            }
            Ok(None) if end == bytes.len() => return Ok(None),
            Ok(None) => given = end,
            Err(error) => {
                assert_eq!(parser.handle_input(b"more"), Err(error));
                return Err(error);
            }
        }
    }
}

/// Parses at once and byte by byte, which must agree.
fn parse(bytes: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyHeaderError> {
    let at_once = parse_in(bytes, || usize::MAX / 2);
    assert_eq!(parse_in(bytes, || 1), at_once, "{}", bytes.escape_ascii());
    at_once
}

fn forwarded(source: &str, destination: &str) -> ProxyHeader {
    ProxyHeader::Forwarded {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

#[test]
fn version_1_lines_are_read() {
    let longest = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
                   ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535";
    let all_ones = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    for (line, header) in [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443",
            forwarded("192.0.2.1:4711", "198.51.100.1:443"),
        ),
        (
            "PROXY TCP4 255.255.255.255 0.0.0.0 0 65535",
            forwarded("255.255.255.255:0", "0.0.0.0:65535"),
        ),
        (
            "PROXY TCP6 2001:db8::1 ::1 4711 443",
            forwarded("[2001:db8::1]:4711", "[::1]:443"),
        ),
        (longest, forwarded(all_ones, all_ones)),
        ("PROXY UNKNOWN", ProxyHeader::Unknown),
        ("PROXY UNKNOWN ffff:: what ever", ProxyHeader::Unknown),
    ] {
        let bytes = format!("{line}\r\nGET / HTTP/1.1\r\n");
        assert_eq!(parse(bytes.as_bytes()), Ok(Some((header, line.len() + 2))));
        for len in 0..line.len() + 2 {
            assert_eq!(parse(&bytes.as_bytes()[..len]), Ok(None), "{line} {len}");
        }
    }
}

#[test]
fn malformed_lines_are_refused() {
    use ProxyHeaderError::{Malformed, Missing, TooLong};
    let long = format!("PROXY UNKNOWN {}", "x".repeat(HEADER_LEN_MAX_V1));
    for (line, error) in [
        ("GET / HTTP/1.1\r\n", Missing),
        ("POST / HTTP/1.1\r\n", Missing),
        ("PROXYTCP4", Missing),
        ("proxy TCP4", Missing),
        (" PROXY", Missing),
        ("\x16\x03\x01", Missing),
        ("PROXY \r\n", Malformed),
        ("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", Malformed),
        ("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", Malformed),
        ("PROXY TCP4\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", Malformed),
        ("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.02.1 192.0.2.2 1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", Malformed),
        ("PROXY TCP4 ::1 ::1 1 2\r\n", Malformed),
        ("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", Malformed),
        ("PROXY UNKNOWNX\r\n", Malformed),
        ("PROXY UNKNOWN\n", Malformed),
        ("PROXY UNKNOWN\rX", Malformed),
        ("PROXY UNKNOWN\r\r\n", Malformed),
        ("PROXY TCP4 192.0.2.1\n", Malformed),
        (&long, TooLong),
    ] {
        assert_eq!(parse(line.as_bytes()), Err(error), "{line:?}");
    }
}

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn binary(version_command: u8, transport: u8, len: u16, rest: &[u8]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([version_command, transport]);
    bytes.extend(len.to_be_bytes());
    bytes.extend(rest);
    bytes
}

const V4: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 0x01, 0xBB];

fn v6() -> Vec<u8> {
    let mut block = vec![0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    block.extend([0; 15]);
    block.extend([1, 0x12, 0x67, 0x01, 0xBB]);
    block
}

#[test]
fn version_2_headers_are_read_and_extensions_passed_over() {
    let v4_header = forwarded("192.0.2.1:4711", "198.51.100.1:443");
    let v6_header = forwarded("[2001:db8::1]:4711", "[::1]:443");
    let with = |block: &[u8], extension_len: usize| [block, &vec![0xEA; extension_len]].concat();
    for (version_command, transport, rest, header) in [
        (0x21, 0x11, V4.to_vec(), v4_header),
        (0x21, 0x11, with(V4, 7), v4_header),
        (0x21, 0x11, with(V4, HEADER_LEN_MAX_V2 - 16 - 12), v4_header),
        (0x21, 0x21, v6(), v6_header),
        (0x21, 0x21, with(&v6(), 300), v6_header),
        (0x20, 0x00, vec![], ProxyHeader::Local),
        (0x20, 0x11, V4.to_vec(), ProxyHeader::Local),
        (0x20, 0xFF, with(&[], 40), ProxyHeader::Local),
        (0x21, 0x00, vec![], ProxyHeader::Unknown),
        (0x21, 0x00, with(&[], 40), ProxyHeader::Unknown),
        (0x21, 0x31, with(&[], 216), ProxyHeader::Unknown),
    ] {
        let len = u16::try_from(rest.len()).unwrap();
        let mut bytes = binary(version_command, transport, len, &rest);
        let header_len = bytes.len();
        assert_eq!(parse(&bytes[..header_len - 1]), Ok(None));
        assert_eq!(parse(&bytes), Ok(Some((header, header_len))));
        bytes.extend(b"GET / HTTP/1.1\r\n");
        assert_eq!(parse(&bytes), Ok(Some((header, header_len))));
    }
}

#[test]
fn malformed_binary_headers_are_refused() {
    use ProxyHeaderError::{Command, Missing, TooLong, TooShort, Transport, Version};
    let len_max = u16::try_from(HEADER_LEN_MAX_V2 - 16).unwrap();
    let cases: [(Vec<u8>, _); 14] = [
        (b"\r\n\r\nGET".to_vec(), Missing),
        (b"\r\n\r\n\0\r\nQUIT\r".to_vec(), Missing),
        (binary(0x11, 0x11, 12, &[]), Version(1)),
        (binary(0x31, 0x11, 12, &[]), Version(3)),
        (binary(0x22, 0x11, 12, &[]), Command(2)),
        (binary(0x2F, 0x11, 12, &[]), Command(15)),
        (binary(0x21, 0x12, 12, &[]), Transport(0x12)),
        (binary(0x21, 0x22, 36, &[]), Transport(0x22)),
        (binary(0x21, 0x41, 36, &[]), Transport(0x41)),
        (binary(0x21, 0x10, 12, &[]), Transport(0x10)),
        (binary(0x21, 0x11, 11, &[]), TooShort),
        (binary(0x21, 0x21, 35, &[]), TooShort),
        (binary(0x21, 0x11, len_max + 1, &[]), TooLong),
        (binary(0x20, 0x00, u16::MAX, &[]), TooLong),
    ];
    for (bytes, error) in cases {
        // Known as soon as the bytes that say it are there.
        assert_eq!(parse(&bytes), Err(error), "{}", bytes.escape_ascii());
    }
}

#[test]
fn any_chunking_gives_the_same_and_arbitrary_bytes_never_panic() {
    let mut rng = StdRng::seed_from_u64(2);
    let seeds = [
        b"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\nGET".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        [binary(0x21, 0x11, 20, V4), vec![9; 12]].concat(),
        [binary(0x21, 0x21, 40, &v6()), vec![9; 12]].concat(),
        binary(0x20, 0x00, 0, b"GET"),
    ];
    for _ in 0..20_000 {
        let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
        for _ in 0..rng.random_range(0..4) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..3) {
                0 => bytes[at] = rng.random(),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, rng.random()),
            }
        }
        let at_once = parse(&bytes);
        let chunked = parse_in(&bytes, || rng.random_range(0..9));
        assert_eq!(chunked, at_once, "{}", bytes.escape_ascii());
        if let Ok(Some((_, consumed))) = at_once {
            assert!(consumed <= HEADER_LEN_MAX_V2);
        }
    }
    for _ in 0..20_000 {
        let mut bytes = vec![0; rng.random_range(1..300)];
        rng.fill(&mut bytes[..]);
        if rng.random() {
            bytes[0] = b'P';
        }
        if let Ok(Some((_, consumed))) = parse(&bytes) {
            assert!(consumed <= bytes.len());
        }
    }
}
