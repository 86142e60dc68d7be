use bowline_proto::deflate::WindowBits;
use bowline_proto::deflate::negotiate::{
    ClientWindowBits, DeflateNegotiation, DeflateOffer, DeflateParams, DeflateViolation,
    check_answer,
};
use bowline_proto::handshake::parse_extensions;
use bytes::BytesMut;

const KEEP_ALL: DeflateNegotiation = DeflateNegotiation {
    enabled: true,
    send_context_takeover: true,
    receive_context_takeover: true,
    ..DeflateNegotiation::DISABLED
};

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

/// Reads the offers of a header value as a server does; `d` stands for the extension's name.
fn offers(value: &str) -> Vec<Result<DeflateOffer, DeflateViolation>> {
    let value = expanded(value);
    let extensions = parse_extensions([value.as_bytes()]).unwrap();
    extensions
        .iter()
        .map(DeflateOffer::from_extension)
        .collect()
}

/// Writes out the short names used in the tables below.
fn expanded(value: &str) -> String {
    value
        .replace('d', "permessage-deflate")
        .replace("SN", "server_no_context_takeover")
        .replace("CN", "client_no_context_takeover")
        .replace("SW", "server_max_window_bits")
        .replace("CW", "client_max_window_bits")
}

fn params_of(server_no: u8, client_no: u8, server_bits: u8, client_bits: u8) -> DeflateParams {
    DeflateParams {
        server_no_context_takeover: server_no == 1,
        client_no_context_takeover: client_no == 1,
        server_max_window_bits: WindowBits::new(server_bits).unwrap(),
        client_max_window_bits: WindowBits::new(client_bits).unwrap(),
    }
}

// RFC 7692 sections 7.1.1 and 7.1.2.
#[test]
fn malformed_offers_are_declined_with_the_reason() {
    use DeflateViolation as V;
    for (value, violation) in [
        ("x", V::NotOffered),
        ("Permessage-Deflate", V::NotOffered),
        ("d; x", V::UnknownParameter),
        ("d; CN; x=1", V::UnknownParameter),
        ("d; SN; SN", V::RepeatedParameter),
        ("d; CN; CN", V::RepeatedParameter),
        ("d; SW=9; SW=9", V::RepeatedParameter),
        ("d; CW; CW=9", V::RepeatedParameter),
        ("d; SN=1", V::ValueInvalid),
        ("d; CN=true", V::ValueInvalid),
        ("d; SW", V::ValueInvalid),
        ("d; SW=7", V::ValueInvalid),
        ("d; SW=16", V::ValueInvalid),
        ("d; SW=08", V::ValueInvalid),
        ("d; SW=015", V::ValueInvalid),
        ("d; SW=+9", V::ValueInvalid),
        ("d; SW=1", V::ValueInvalid),
        ("d; SW=100", V::ValueInvalid),
        ("d; CW=7", V::ValueInvalid),
        ("d; CW=99999999999999999999", V::ValueInvalid),
        ("d; CW=x", V::ValueInvalid),
    ] {
        assert_eq!(offers(value), [Err(violation)], "{value}");
    }
}

#[test]
fn offers_are_read_and_written_alike() {
    for (value, expected) in [
        ("d", (false, false, None, ClientWindowBits::Absent)),
        ("d; SN", (true, false, None, ClientWindowBits::Absent)),
        ("d; CN; CW", (false, true, None, ClientWindowBits::Any)),
        ("d; SW=8", (false, false, Some(8), ClientWindowBits::Absent)),
        (
            "d; SW=15",
            (false, false, Some(15), ClientWindowBits::Absent),
        ),
        (
            "d; CW=10",
            (false, false, None, ClientWindowBits::AtMost(bits(10))),
        ),
        (
            "d; SN; CN; SW=9; CW=12",
            (true, true, Some(9), ClientWindowBits::AtMost(bits(12))),
        ),
    ] {
        let offer = offers(value)[0].unwrap();
        let (server_no, client_no, server_bits, client_bits) = expected;
        assert_eq!(offer.server_no_context_takeover, server_no, "{value}");
        assert_eq!(offer.client_no_context_takeover, client_no, "{value}");
        assert_eq!(
            offer.server_max_window_bits.map(WindowBits::get),
            server_bits,
            "{value}"
        );
        assert_eq!(offer.client_max_window_bits, client_bits, "{value}");
        let mut out = BytesMut::new();
        offer.write(&mut out);
        assert_eq!(str::from_utf8(&out).unwrap(), expanded(value));
    }
    assert_eq!(
        offers("d; CW=\"10\""),
        offers("d; CW=10"),
        "a value may be quoted"
    );
}

// RFC 7692 sections 5 and 7.1: the answer never allows more than the offer.
#[test]
fn server_answers_the_first_offer_it_can_accept() {
    let small = DeflateNegotiation {
        send_window_bits_max: bits(12),
        receive_window_bits_max: bits(10),
        ..KEEP_ALL
    };
    let thrifty = DeflateNegotiation::default();
    for (wish, value, answer, params) in [
        (KEEP_ALL, "d", "d", (0, 0, 15, 15)),
        (KEEP_ALL, "d; CW", "d", (0, 0, 15, 15)),
        (KEEP_ALL, "d; SN", "d; SN", (1, 0, 15, 15)),
        (KEEP_ALL, "d; CN", "d; CN", (0, 1, 15, 15)),
        (KEEP_ALL, "d; SW=15", "d; SW=15", (0, 0, 15, 15)),
        (KEEP_ALL, "d; SW=8", "d; SW=8", (0, 0, 8, 15)),
        (KEEP_ALL, "d; CW=9", "d; CW=9", (0, 0, 15, 9)),
        (KEEP_ALL, "d; CW=15", "d", (0, 0, 15, 15)),
        (KEEP_ALL, "d; x, d; SW=9, d", "d; SW=9", (0, 0, 9, 15)),
        (KEEP_ALL, "x, d", "d", (0, 0, 15, 15)),
        (thrifty, "d", "d; SN; CN", (1, 1, 15, 15)),
        (thrifty, "d; CW", "d; SN; CN", (1, 1, 15, 15)),
        (small, "d; CW", "d; SW=12; CW=10", (0, 0, 12, 10)),
        (small, "d; SW=9; CW=8", "d; SW=9; CW=8", (0, 0, 9, 8)),
        (small, "d; SW=15; CW=15", "d; SW=12; CW=10", (0, 0, 12, 10)),
        (small, "d; SN, d; CW", "d; SW=12; CW=10", (0, 0, 12, 10)),
    ] {
        let offers: Vec<_> = offers(value).into_iter().flatten().collect();
        let found = wish.answer(&offers).unwrap();
        let mut out = BytesMut::new();
        found.write(&mut out);
        assert_eq!(str::from_utf8(&out).unwrap(), expanded(answer), "{value}");
        let (server_no, client_no, server_bits, client_bits) = params;
        let params = params_of(server_no, client_no, server_bits, client_bits);
        assert_eq!(found.params(), params, "{value}");
        // What the server says, a client that made the offers takes.
        let text = String::from_utf8(out.to_vec()).unwrap();
        let parsed = parse_extensions([text.as_bytes()]).unwrap();
        assert_eq!(check_answer(&offers, &parsed[0]), Ok(params), "{value}");
    }
}

#[test]
fn server_declines_what_it_cannot_keep() {
    let small = DeflateNegotiation {
        receive_window_bits_max: bits(14),
        ..KEEP_ALL
    };
    for (wish, value) in [
        (DeflateNegotiation::DISABLED, "d; CW"),
        (small, "d"),
        (small, "d; SN; SW=9"),
        (KEEP_ALL, "x"),
        (KEEP_ALL, "d; SW=7"),
    ] {
        let offers: Vec<_> = offers(value).into_iter().flatten().collect();
        assert_eq!(wish.answer(&offers), None, "{value}");
    }
}

#[test]
fn client_offers_what_it_wishes() {
    let small = DeflateNegotiation {
        send_window_bits_max: bits(12),
        receive_window_bits_max: bits(10),
        ..KEEP_ALL
    };
    for (wish, value) in [
        (DeflateNegotiation::default(), Some("d; SN; CN; CW")),
        (KEEP_ALL, Some("d; CW")),
        (small, Some("d; SW=10; CW=12")),
        (DeflateNegotiation::DISABLED, None),
    ] {
        let written = wish.offer().map(|offer| {
            let mut out = BytesMut::new();
            offer.write(&mut out);
            String::from_utf8(out.to_vec()).unwrap()
        });
        assert_eq!(written, value.map(expanded));
    }
}

// RFC 7692 section 7.1.
#[test]
fn client_takes_only_answers_that_fit_an_offer() {
    use DeflateViolation as V;
    for (offered, answer, result) in [
        ("d", "d", Ok((0, 0, 15, 15))),
        ("d", "d; SN", Ok((1, 0, 15, 15))),
        ("d", "d; CN", Ok((0, 1, 15, 15))),
        ("d; CN", "d", Ok((0, 1, 15, 15))),
        ("d; SN", "d; SN", Ok((1, 0, 15, 15))),
        ("d; SN", "d", Err(V::TakeoverNotRuledOut)),
        ("d", "d; SW=8", Ok((0, 0, 8, 15))),
        ("d; SW=10", "d; SW=10", Ok((0, 0, 10, 15))),
        ("d; SW=10", "d; SW=9", Ok((0, 0, 9, 15))),
        ("d; SW=10", "d; SW=11", Err(V::WindowTooLarge)),
        ("d; SW=10", "d", Err(V::WindowTooLarge)),
        ("d", "d; SW", Err(V::ValueInvalid)),
        ("d; SW=10", "d; SW", Err(V::ValueInvalid)),
        ("d; CW", "d; CW=9", Ok((0, 0, 15, 9))),
        ("d; CW", "d", Ok((0, 0, 15, 15))),
        ("d; CW=10", "d", Ok((0, 0, 15, 10))),
        ("d; CW=10", "d; CW=10", Ok((0, 0, 15, 10))),
        ("d; CW=10", "d; CW=8", Ok((0, 0, 15, 8))),
        ("d; CW=10", "d; CW=11", Err(V::WindowTooLarge)),
        ("d; CW", "d; CW", Err(V::ValueInvalid)),
        ("d", "d; CW", Err(V::ValueInvalid)),
        ("d", "d; CW=15", Err(V::WindowNotOffered)),
        ("d; CW", "d; CW=9; CW=9", Err(V::RepeatedParameter)),
        ("d", "d; SN; SN", Err(V::RepeatedParameter)),
        ("d", "d; SN=1", Err(V::ValueInvalid)),
        ("d", "d; x", Err(V::UnknownParameter)),
        ("d; CW", "d; CW=16", Err(V::ValueInvalid)),
        ("d; SW=9, d; CW", "d; CW=9", Ok((0, 0, 15, 9))),
        ("d; SW=9, d; CW", "d; SW=8", Ok((0, 0, 8, 15))),
        ("d; SN, d; SW=9", "d; SW=10", Err(V::WindowTooLarge)),
        ("", "d", Err(V::NotOffered)),
        ("d", "x", Err(V::NotOffered)),
    ] {
        let offers: Vec<_> = if offered.is_empty() {
            Vec::new()
        } else {
            offers(offered)
        };
        let offers: Vec<_> = offers.into_iter().map(Result::unwrap).collect();
        let answer = expanded(answer);
        let parsed = parse_extensions([answer.as_bytes()]).unwrap();
        let expected = result.map(|(server_no, client_no, server_bits, client_bits)| {
            params_of(server_no, client_no, server_bits, client_bits)
        });
        assert_eq!(
            check_answer(&offers, &parsed[0]),
            expected,
            "{offered} -> {answer}"
        );
    }
}
