//! The elements of `Forwarded` (RFC 7239) and `X-Forwarded-For`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::authority::{Authority, Scheme, parse_port};

/// What one proxy says of the request that it received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Who sent it; `None` if the proxy hides that.
    pub(super) address: Option<IpAddr>,
    pub(super) scheme: Option<Scheme>,
    /// The host and port that it was for.
    pub(super) authority: Option<String>,
}

/// Reads an element of `X-Forwarded-For`: an address, or an address and a port.
pub(super) fn parse_forwarded_for(element: &str) -> Option<Hop> {
    let address = match element.parse::<Ipv6Addr>() {
        Ok(address) => IpAddr::V6(address),
        Err(_) => node_address(element)?,
    };
    Some(Hop {
        address: Some(address.to_canonical()),
        ..Hop::default()
    })
}

/// Reads an element of `Forwarded` (RFC 7239 section 4).
///
/// Elements were split at every comma, even one in quotes: no value that counts here holds one,
/// and whoever can make a proxy quote a comma could otherwise add an element of his own. A part
/// in broken quotes makes the element malformed.
pub(super) fn parse_forwarded(element: &str) -> Option<Hop> {
    let mut hop = Hop::default();
    let mut seen: Vec<&str> = Vec::new();
    let mut has_for = false;
    for pair in element.split(';').map(str::trim_ascii) {
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        // RFC 7239 section 4: no parameter comes twice.
        let is_repeated = seen.iter().any(|seen| seen.eq_ignore_ascii_case(name));
        if !is_token(name) || is_repeated || seen.len() == PARAMETER_COUNT_MAX {
            return None;
        }
        seen.push(name);
        let value = unquote(value)?;
        if name.eq_ignore_ascii_case("for") {
            has_for = true;
            hop.address = match parse_node(value)? {
                Node::Address(address) => Some(address),
                Node::Hidden => None,
            };
        } else if name.eq_ignore_ascii_case("proto") {
            hop.scheme = Some(Scheme::parse(value)?);
        } else if name.eq_ignore_ascii_case("host") {
            Authority::parse(value)?;
            hop.authority = Some(value.to_owned());
        }
    }
    has_for.then_some(hop)
}

/// Takes the quotes off; only plain text may stand in them.
fn unquote(value: &str) -> Option<&str> {
    let Some(inner) = value.strip_prefix('"') else {
        return is_token(value).then_some(value);
    };
    let inner = inner.strip_suffix('"')?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    inner.bytes().all(is_plain).then_some(inner)
}

/// Who sent a request (RFC 7239 section 6).
enum Node {
    Address(IpAddr),
    Hidden,
}

fn parse_node(text: &str) -> Option<Node> {
    let name = text.split(':').next().unwrap_or_default();
    let is_hidden = name.starts_with('_') && name.bytes().all(is_obfuscated_byte);
    if is_hidden || name.eq_ignore_ascii_case("unknown") {
        return Some(Node::Hidden);
    }
    Some(Node::Address(node_address(text)?.to_canonical()))
}

/// Reads `1.2.3.4` or `[2001:db8::1]`, with an optional port.
fn node_address(text: &str) -> Option<IpAddr> {
    let (address, port): (IpAddr, _) = if let Some(rest) = text.strip_prefix('[') {
        let (literal, rest) = rest.split_once(']')?;
        (literal.parse::<Ipv6Addr>().ok()?.into(), rest)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (literal, rest) = text.split_at_checked(end)?;
        (literal.parse::<Ipv4Addr>().ok()?.into(), rest)
    };
    match port.strip_prefix(':') {
        None => port.is_empty().then_some(address),
        // RFC 7239 section 6.3: a port may be hidden too.
        Some(port) if port.starts_with('_') => {
            port.bytes().all(is_obfuscated_byte).then_some(address)
        }
        Some("0") => Some(address),
        Some(port) => parse_port(port).map(|_| address),
    }
}

/// RFC 7239 section 6.3.
const fn is_obfuscated_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Parameters in one element; RFC 7239 defines four.
const PARAMETER_COUNT_MAX: usize = 16;
