use bowline_proto::handshake::{HeadError, HeadLimits, HeadParser, RequestHead, ResponseHead};

use super::BROWSER;

const SMALL: HeadLimits = HeadLimits {
    head_size_max: 64,
    header_count_max: 3,
};

/// Feeds bytes one by one; returns how many the parser took before it found a head or an error.
fn fed_bytewise(bytes: &[u8], limits: HeadLimits) -> (usize, Result<bool, HeadError>) {
    let mut parser = HeadParser::<RequestHead>::new(limits);
    for (index, byte) in bytes.iter().enumerate() {
        match parser.handle_input(&[*byte]) {
            Ok(None) => {}
            Ok(Some(parsed)) => {
                assert_eq!(parsed.consumed, 1);
                return (index + 1, Ok(true));
            }
            Err(error) => {
                assert_eq!(
                    parser.handle_input(b"x").unwrap_err(),
                    error,
                    "errors are repeated"
                );
                return (index + 1, Err(error));
            }
        }
    }
    (bytes.len(), Ok(false))
}

#[test]
fn browser_head_is_read_in_one_piece_and_byte_by_byte() {
    assert_eq!(
        fed_bytewise(BROWSER.as_bytes(), HeadLimits::default()),
        (BROWSER.len(), Ok(true))
    );
    let head = super::request(BROWSER).unwrap();
    assert_eq!(head.method(), "GET");
    assert_eq!((head.path(), head.query()), ("/chat", Some("room=1")));
    assert_eq!(head.headers().len(), 12);
    assert_eq!(
        head.headers().text("cookie"),
        Some("session=abc; theme=dark")
    );
    assert_eq!(head.as_bytes(), BROWSER.as_bytes());
    assert!(head.is_same_origin());
}

#[test]
fn bytes_after_the_head_belong_to_the_connection() {
    let mut bytes = BROWSER.as_bytes().to_vec();
    bytes.extend_from_slice(&[0x81, 0x80, 1, 2, 3, 4]);
    let mut parser = HeadParser::<RequestHead>::new(HeadLimits::default());
    assert!(parser.handle_input(&bytes[..100]).unwrap().is_none());
    assert_eq!(parser.buffered(), &bytes[..100]);
    let parsed = parser.handle_input(&bytes[100..]).unwrap().unwrap();
    assert_eq!(&bytes[100 + parsed.consumed..], [0x81, 0x80, 1, 2, 3, 4]);
    assert_eq!(
        parser.buffered(),
        b"",
        "a parser that is done holds nothing"
    );
}

// RFC 9112 sections 2.2, 3, 5.1 and 5.2.
#[test]
fn sloppy_heads_are_refused_at_the_byte_that_shows_it() {
    for (bytes, taken, error) in [
        (&b"\x16\x03\x01"[..], 1, HeadError::NotHttp),
        (b"\r\nGET / HTTP/1.1\r\n\r\n", 1, HeadError::NotHttp),
        (b" GET / HTTP/1.1\r\n\r\n", 1, HeadError::NotHttp),
        (b"\0", 1, HeadError::NotHttp),
        (b"\x80", 1, HeadError::NotHttp),
        (b"GET / HTTP/1.1\nA: b\n\n", 15, HeadError::BareLf),
        (b"GET / HTTP/1.1\r\n\nx", 17, HeadError::BareLf),
        (b"GET / HTTP/1.1\rA: b", 16, HeadError::BareCr),
        (b"GET / HTTP/1.1\r\n\rx", 18, HeadError::BareCr),
        (b"GET / HTTP/1.1\r\nA: \0", 20, HeadError::ControlByte),
        (b"GET / HTTP/1.1\r\nA: \x1b", 20, HeadError::ControlByte),
        (b"GET / HTTP/1.1\r\nA: \x7f", 20, HeadError::ControlByte),
        (
            b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            23,
            HeadError::FoldedLine,
        ),
        (
            b"GET / HTTP/1.1\r\n A: b\r\n\r\n",
            17,
            HeadError::FoldedLine,
        ),
        (
            b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
            25,
            HeadError::HeaderName,
        ),
        (b"GET / HTTP/1.1\r\n: b\r\n\r\n", 23, HeadError::HeaderName),
        (b"GET / HTTP/1.1\r\nAb\r\n\r\n", 22, HeadError::HeaderName),
        (b"GET / HTTP/2.0\r\n\r\n", 18, HeadError::Version),
        (b"GET / HTTP/1.2\r\n\r\n", 18, HeadError::Version),
        (b"GET / FTP/1.1\r\n\r\n", 17, HeadError::Version),
        (b"GET\r\n\r\n", 7, HeadError::StartLine),
        (b"GET  / HTTP/1.1\r\n\r\n", 19, HeadError::StartLine),
        (b"GET / HTTP/1.1 \r\n\r\n", 19, HeadError::StartLine),
        (b"G(T / HTTP/1.1\r\n\r\n", 18, HeadError::StartLine),
    ] {
        let shown = bytes.escape_ascii();
        assert_eq!(
            fed_bytewise(bytes, HeadLimits::default()),
            (taken, Err(error)),
            "{shown}"
        );
        let mut parser = HeadParser::<RequestHead>::new(HeadLimits::default());
        assert_eq!(parser.handle_input(bytes).unwrap_err(), error, "{shown}");
    }
}

#[test]
fn limits_bind_at_the_first_byte_beyond_them() {
    // 64 bytes with the empty line.
    let fitting = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(41));
    assert_eq!(fitting.len(), 64);
    assert_eq!(fed_bytewise(fitting.as_bytes(), SMALL), (64, Ok(true)));
    let longer = fitting.replace("A: ", "AA: ");
    assert_eq!(
        fed_bytewise(longer.as_bytes(), SMALL),
        (64, Err(HeadError::SizeLimit))
    );
    let three = "GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\nA: 3\r\n\r\n";
    assert_eq!(
        fed_bytewise(three.as_bytes(), SMALL),
        (three.len(), Ok(true))
    );
    let four = "GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n\r\n";
    let end_of_fourth = four.len() - 2;
    assert_eq!(
        fed_bytewise(four.as_bytes(), SMALL),
        (end_of_fourth, Err(HeadError::HeaderCountLimit))
    );
}

#[test]
fn a_limit_of_nothing_is_no_special_path() {
    let none = HeadLimits {
        head_size_max: 0,
        header_count_max: 0,
    };
    assert_eq!(fed_bytewise(b"GET", none), (1, Err(HeadError::SizeLimit)));
    let no_headers = HeadLimits {
        header_count_max: 0,
        ..HeadLimits::default()
    };
    assert_eq!(
        fed_bytewise(b"GET / HTTP/1.1\r\n\r\n", no_headers),
        (18, Ok(true))
    );
    assert_eq!(
        fed_bytewise(b"GET / HTTP/1.1\r\nA: b\r\n\r\n", no_headers),
        (22, Err(HeadError::HeaderCountLimit))
    );
}

#[test]
fn more_headers_than_usual_are_read_within_the_limit() {
    let lines: Vec<_> = (0..100)
        .map(|number| format!("X-{number}: {number}\r\n"))
        .collect();
    let lines = lines.concat();
    let head = super::request(&format!("GET / HTTP/1.1\r\n{lines}\r\n")).unwrap();
    assert_eq!(head.headers().len(), 100);
    assert_eq!(head.headers().text("x-99"), Some("99"));
}

#[test]
fn each_byte_is_looked_at_once_for_any_chunk_size() {
    let head = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(16_000));
    for chunk_size in [1, 2, 7, 1000, head.len()] {
        let mut parser = HeadParser::<RequestHead>::new(HeadLimits::default());
        let mut parsed = None;
        for chunk in head.as_bytes().chunks(chunk_size) {
            parsed = parser.handle_input(chunk).unwrap();
        }
        assert!(parsed.is_some());
        assert_eq!(
            parser.scanned_bytes(),
            head.len() as u64,
            "chunks of {chunk_size}"
        );
    }
}

#[test]
fn memory_of_an_oversized_head_stops_at_the_limit() {
    let mut parser = HeadParser::<RequestHead>::new(SMALL);
    parser.handle_input(b"GET / HTTP/1.1\r\nA: ").unwrap();
    assert_eq!(
        parser.handle_input(&vec![b'b'; 100_000]).unwrap_err(),
        HeadError::SizeLimit
    );
    assert!(parser.buffered().len() <= SMALL.head_size_max);
    assert!(parser.scanned_bytes() <= 64);
}

#[test]
fn answers_that_do_not_begin_like_http_are_refused_at_once() {
    for (bytes, error) in [
        (&b"SSH-2.0"[..], HeadError::NotHttp),
        (b"HTTQ", HeadError::NotHttp),
        (b"\x15\x03", HeadError::NotHttp),
        (b"HTTP/1.1 20 OK\r\n\r\n", HeadError::StartLine),
        (b"HTTP/1.1 2000 OK\r\n\r\n", HeadError::StartLine),
        (b"HTTP/1.1 099 Low\r\n\r\n", HeadError::StartLine),
        (b"HTTP/1.1 abc\r\n\r\n", HeadError::StartLine),
        (b"HTTP/2.0 200 OK\r\n\r\n", HeadError::Version),
        (b"HTTP/1.1 200 OK\r\nA b\r\n\r\n", HeadError::HeaderName),
    ] {
        let mut parser = HeadParser::<ResponseHead>::new(HeadLimits::default());
        let result = parser.handle_input(bytes);
        assert_eq!(result.unwrap_err(), error, "{}", bytes.escape_ascii());
    }
}
