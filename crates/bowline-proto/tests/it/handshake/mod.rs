//! The opening handshake (RFC 6455 section 4, RFC 7692 section 7.1).

mod client;
mod deflate;
mod head;
mod properties;
mod refused_body;
mod server;

use bowline_proto::handshake::{HeadError, HeadLimits, HeadParser, RequestHead};

/// The head of a browser, with the key of RFC 6455 section 1.3.
const BROWSER: &str = "GET /chat?room=1 HTTP/1.1\r\n\
    Host: server.example.com:8080\r\n\
    Connection: keep-alive, Upgrade\r\n\
    Pragma: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0\r\n\
    Upgrade: websocket\r\n\
    Origin: http://server.example.com:8080\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Cookie: session=abc; theme=dark\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";

/// Parses a whole request head.
fn request(text: &str) -> Result<RequestHead, HeadError> {
    let parsed = HeadParser::new(HeadLimits::default()).handle_input(text.as_bytes())?;
    let parsed = parsed.expect("the head is whole");
    assert_eq!(parsed.consumed, text.len());
    Ok(parsed.head)
}
