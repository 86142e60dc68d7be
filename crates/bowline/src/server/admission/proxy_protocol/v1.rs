//! Version 1: one line of text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{HEADER_LEN_MAX_V1, ProxyHeader, ProxyHeaderError, Step};

pub(super) const FIRST_BYTE: u8 = b'P';

/// Looks at the bytes so far; it was given all but the last before.
pub(super) fn step(kept: &[u8]) -> Result<Step, ProxyHeaderError> {
    let (begin, line) = kept.split_at(kept.len().min(PREFIX.len()));
    if !PREFIX.starts_with(begin) {
        return Err(ProxyHeaderError::Missing);
    }
    match line {
        [line @ .., b'\r', b'\n'] => Ok(Step::Complete {
            header: parse(line)?,
            skip_len: 0,
        }),
        // Neither may stand alone.
        [.., b'\n'] | [.., b'\r', _] => Err(ProxyHeaderError::Malformed),
        _ if kept.len() == HEADER_LEN_MAX_V1 => Err(ProxyHeaderError::TooLong),
        _ => Ok(Step::More),
    }
}

fn parse(line: &[u8]) -> Result<ProxyHeader, ProxyHeaderError> {
    // What follows UNKNOWN does not count, whatever it is.
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Ok(ProxyHeader::Unknown);
    }
    parse_addresses(line).ok_or(ProxyHeaderError::Malformed)
}

fn parse_addresses(line: &[u8]) -> Option<ProxyHeader> {
    let mut parts = str::from_utf8(line).ok()?.split(' ');
    let read: fn(&str) -> Option<IpAddr> = match parts.next()? {
        "TCP4" => |text| Some(text.parse::<Ipv4Addr>().ok()?.into()),
        "TCP6" => |text| Some(text.parse::<Ipv6Addr>().ok()?.into()),
        _ => return None,
    };
    let source = read(parts.next()?)?;
    let destination = read(parts.next()?)?;
    let source_port = parse_port(parts.next()?)?;
    let destination_port = parse_port(parts.next()?)?;
    if parts.next().is_some() {
        return None;
    }
    Some(ProxyHeader::Forwarded {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

/// Reads a port from 0 to 65535 without leading zeros.
fn parse_port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

const PREFIX: &[u8] = b"PROXY ";
