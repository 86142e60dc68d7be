//! What `-v` shows of a link: the heads of the opening handshake, and with `-vv` every frame.

use bowline::{
    Endpoint, Stream, Tap, Wiretap,
    proto::{FrameHeader, Opcode, apply_mask},
    server::auth::TOKEN_PREFIX,
};

use super::{form::hex, notices::Notices};

/// Shows what passes over the links of a connector.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) notices: Notices,
    /// Whether frames are shown.
    pub(super) with_frames: bool,
}

impl Wiretap for Watch {
    fn begin(&self, endpoint: &Endpoint, stream: &Stream) -> Box<dyn Tap> {
        let peer = stream.tcp().peer_addr();
        let peer = peer.map_or_else(|_| String::new(), |address| format!(" through {address}"));
        let tls = if stream.is_tls() { ", under TLS" } else { "" };
        self.notices.say(format_args!("* {endpoint:?}{peer}{tls}"));
        let flow = |arrow| Flow {
            arrow,
            stage: Stage::Head(Vec::new()),
        };
        Box::new(Shown {
            notices: self.notices.clone(),
            with_frames: self.with_frames,
            sent: flow('>'),
            received: flow('<'),
        })
    }
}

/// One link.
#[derive(Debug)]
struct Shown {
    notices: Notices,
    with_frames: bool,
    sent: Flow,
    received: Flow,
}

impl Tap for Shown {
    fn sent(&mut self, bytes: &[u8]) {
        self.sent.take(bytes, &self.notices, self.with_frames);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.received.take(bytes, &self.notices, self.with_frames);
    }
}

/// One direction of a link.
#[derive(Debug)]
struct Flow {
    arrow: char,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The head of the request or the answer, as far as it is there.
    Head(Vec<u8>),
    /// The header of a frame, as far as it is there.
    Header(Vec<u8>),
    Payload(Payload),
    /// Nothing more is shown.
    Over,
}

#[derive(Debug)]
struct Payload {
    header: FrameHeader,
    left: u64,
    shown: Vec<u8>,
}

impl Flow {
    fn take(&mut self, mut bytes: &[u8], notices: &Notices, with_frames: bool) {
        while !bytes.is_empty() {
            let (stage, rest) = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Head(head) => self.head(head, bytes, notices),
                Stage::Over => return,
                Stage::Header(_) | Stage::Payload(_) if !with_frames => return,
                Stage::Header(header) => self.header(header, bytes, notices),
                Stage::Payload(payload) => self.payload(payload, bytes, notices),
            };
            self.stage = stage;
            bytes = rest;
        }
    }

    fn head<'a>(&self, mut head: Vec<u8>, bytes: &'a [u8], notices: &Notices) -> (Stage, &'a [u8]) {
        let before = head.len();
        head.extend(bytes);
        // Its end may have begun before these bytes.
        let seen = before.saturating_sub(3);
        let mut new = head.get(seen..).unwrap_or_default().windows(4);
        let end = new.position(|end| end == b"\r\n\r\n");
        let Some(end) = end.map(|end| seen + end) else {
            let is_kept = head.len() <= HEAD_LEN_MAX;
            let stage = if is_kept {
                Stage::Head(head)
            } else {
                Stage::Over
            };
            return (stage, &[]);
        };
        let (_, rest) = bytes
            .split_at_checked(end + 4 - before)
            .unwrap_or((bytes, &[]));
        head.truncate(end);
        let head = String::from_utf8_lossy(&head);
        for line in head.lines() {
            notices.say(format_args!("{} {}", self.arrow, without_secret(line)));
        }
        // After a refusal comes a body, which is told with the failure.
        let is_open = self.arrow == '>' || head.split(' ').nth(1) == Some("101");
        let stage = if is_open {
            Stage::Header(Vec::new())
        } else {
            Stage::Over
        };
        (stage, rest)
    }

    fn header<'a>(
        &self,
        mut known: Vec<u8>,
        bytes: &'a [u8],
        notices: &Notices,
    ) -> (Stage, &'a [u8]) {
        let Some((first, rest)) = bytes.split_first() else {
            return (Stage::Header(known), bytes);
        };
        known.push(*first);
        match FrameHeader::decode(&known) {
            Ok(None) => (Stage::Header(known), rest),
            // The engine tells which rule is broken.
            Err(_) => (Stage::Over, rest),
            Ok(Some((header, _))) => {
                let payload = Payload {
                    header,
                    left: header.payload_len,
                    shown: Vec::new(),
                };
                (self.settle(payload, notices), rest)
            }
        }
    }

    fn payload<'a>(
        &self,
        mut payload: Payload,
        bytes: &'a [u8],
        notices: &Notices,
    ) -> (Stage, &'a [u8]) {
        let len = usize::try_from(payload.left).unwrap_or(usize::MAX);
        let (taken, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        payload.left -= taken.len() as u64;
        let room = SHOWN_LEN_MAX - payload.shown.len();
        payload.shown.extend(taken.iter().take(room));
        (self.settle(payload, notices), rest)
    }

    /// Shows a frame once it is whole.
    fn settle(&self, payload: Payload, notices: &Notices) -> Stage {
        if payload.left > 0 {
            return Stage::Payload(payload);
        }
        notices.say(format_args!("{} {}", self.arrow, payload.told()));
        Stage::Header(Vec::new())
    }
}

impl Payload {
    fn told(mut self) -> String {
        let header = self.header;
        let name = match header.opcode {
            Opcode::Continuation => "continuation",
            Opcode::Text => "text",
            Opcode::Binary => "binary",
            Opcode::Close => "close",
            Opcode::Ping => "ping",
            Opcode::Pong => "pong",
        };
        let compressed = if header.rsv1 { ", compressed" } else { "" };
        let more = if header.fin { "" } else { ", more follows" };
        if let Some(key) = header.masking_key {
            apply_mask(&mut self.shown, key, 0);
        }
        let is_cut = header.payload_len > self.shown.len() as u64;
        let dots = if is_cut { "..." } else { "" };
        let shown = match str::from_utf8(&self.shown) {
            Ok(text) if header.opcode == Opcode::Text && !header.rsv1 => text.to_owned(),
            _ => hex(&self.shown),
        };
        let colon = if shown.is_empty() { "" } else { ": " };
        let len = header.payload_len;
        format!("{name}, {len} bytes{compressed}{more}{colon}{shown}{dots}")
    }
}

/// Hides what may be a secret in a line of a head.
fn without_secret(line: &str) -> String {
    if let Some((name, value)) = line.split_once(": ")
        && !name.contains(' ')
    {
        if name.eq_ignore_ascii_case("Sec-WebSocket-Protocol") {
            return format!("{name}: {}", without_tokens(value));
        }
        let is_open = !is_secret(name) || name.to_ascii_lowercase().ends_with("-authenticate");
        return if is_open {
            line.to_owned()
        } else {
            format!("{name}: (hidden)")
        };
    }
    let Some((before, query)) = line.split_once('?') else {
        return line.to_owned();
    };
    let (query, after) = query.split_once(' ').unwrap_or((query, ""));
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=(hidden)"),
            Some(_) | None => pair.to_owned(),
        })
        .collect();
    format!("{before}?{} {after}", pairs.join("&"))
}

/// Hides what is a token, or long enough to be one, among subprotocols.
fn without_tokens(subprotocols: &str) -> String {
    let shown: Vec<_> = subprotocols
        .split(',')
        .map(str::trim)
        .map(|name| {
            let is_token = name.starts_with(TOKEN_PREFIX)
                || name.len() > SUBPROTOCOL_LEN_USUAL
                || is_secret(name);
            if is_token { "(hidden)" } else { name }
        })
        .collect();
    shown.join(", ")
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let parts = [
        "auth",
        "bearer",
        "cookie",
        "token",
        "secret",
        "passw",
        "apikey",
        "api-key",
        "api_key",
        "session",
        "signature",
        "credential",
    ];
    parts.iter().any(|part| name.contains(part)) || name == "key" || name == "sig"
}

/// Bytes of a head; the library refuses longer ones.
const HEAD_LEN_MAX: usize = 64 << 10;
/// Bytes of the longest registered names of subprotocols, and some more.
const SUBPROTOCOL_LEN_USUAL: usize = 64;
/// Bytes shown of a frame.
const SHOWN_LEN_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_is_not() {
        let cases = [
            ("Host: a", "Host: a"),
            ("Authorization: Basic x", "Authorization: (hidden)"),
            ("Proxy-Authorization: x", "Proxy-Authorization: (hidden)"),
            ("Set-Cookie: a=b", "Set-Cookie: (hidden)"),
            ("X-Api-Key: x", "X-Api-Key: (hidden)"),
            ("X-Auth-Token: x", "X-Auth-Token: (hidden)"),
            ("WWW-Authenticate: Basic", "WWW-Authenticate: Basic"),
            ("Sec-WebSocket-Key: x", "Sec-WebSocket-Key: x"),
            (
                "Sec-WebSocket-Protocol: chat, bowline.token.YT9i",
                "Sec-WebSocket-Protocol: chat, (hidden)",
            ),
            (
                "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.YT9i, chat",
                "Sec-WebSocket-Protocol: (hidden), chat",
            ),
            ("GET /a HTTP/1.1", "GET /a HTTP/1.1"),
            (
                "GET /a?b=1&access_token=x&c HTTP/1.1",
                "GET /a?b=1&access_token=(hidden)&c HTTP/1.1",
            ),
            (
                "HTTP/1.1 101 Switching Protocols",
                "HTTP/1.1 101 Switching Protocols",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(without_secret(line), expected);
        }
    }

    #[test]
    fn a_frame_is_told_with_its_kind_length_and_beginning() {
        let told = |bytes: &[u8]| {
            let (header, len) = FrameHeader::decode(bytes).unwrap().unwrap();
            let payload = Payload {
                header,
                left: 0,
                shown: bytes[len..].to_vec(),
            };
            payload.told()
        };
        assert_eq!(told(b"\x81\x05hello"), "text, 5 bytes: hello");
        assert_eq!(
            told(b"\x01\x81\x01\x00\x00\x00a"),
            "text, 1 bytes, more follows: `"
        );
        assert_eq!(told(b"\xc1\x01\x00"), "text, 1 bytes, compressed: 00");
        assert_eq!(told(b"\x88\x02\x03\xe8"), "close, 2 bytes: 03e8");
        assert_eq!(told(b"\x89\x00"), "ping, 0 bytes");
        assert_eq!(told(b"\x82\x7e\x01\x00\xff"), "binary, 256 bytes: ff...");
    }
}
