//! Version 2: a binary header.

use std::net::{IpAddr, SocketAddr};

use super::{HEADER_LEN_MAX_V2, ProxyHeader, ProxyHeaderError, Step};

pub(super) const FIRST_BYTE: u8 = b'\r';

/// Looks at the bytes so far; it was given all but the last before.
pub(super) fn step(kept: &[u8]) -> Result<Step, ProxyHeaderError> {
    let begin = kept.get(..SIGNATURE.len()).unwrap_or(kept);
    if !SIGNATURE.starts_with(begin) {
        return Err(ProxyHeaderError::Missing);
    }
    let Some((fixed, addresses)) = kept.split_first_chunk::<FIXED_LEN>() else {
        return Ok(Step::More);
    };
    let [.., version_command, transport, len_high, len_low] = *fixed;
    let len = usize::from(u16::from_be_bytes([len_high, len_low]));
    if FIXED_LEN + len > HEADER_LEN_MAX_V2 {
        return Err(ProxyHeaderError::TooLong);
    }
    let address_len = match (version_command >> 4, version_command & 0x0F) {
        (2, LOCAL) => {
            let header = ProxyHeader::Local;
            return Ok(Step::Complete {
                header,
                skip_len: len,
            });
        }
        (2, PROXY) => match transport {
            UNSPECIFIED | UNIX_STREAM => {
                let header = ProxyHeader::Unknown;
                return Ok(Step::Complete {
                    header,
                    skip_len: len,
                });
            }
            TCP_OVER_IPV4 => 4,
            TCP_OVER_IPV6 => 16,
            _ => return Err(ProxyHeaderError::Transport(transport)),
        },
        (2, command) => return Err(ProxyHeaderError::Command(command)),
        (version, _) => return Err(ProxyHeaderError::Version(version)),
    };
    // Two addresses and two ports.
    let block_len = 2 * address_len + 4;
    if len < block_len {
        return Err(ProxyHeaderError::TooShort);
    }
    if addresses.len() < block_len {
        return Ok(Step::More);
    }
    let header = parse_addresses(addresses, address_len).ok_or(ProxyHeaderError::TooShort)?;
    Ok(Step::Complete {
        header,
        skip_len: len - block_len,
    })
}

/// Reads source, destination, source port and destination port.
fn parse_addresses(block: &[u8], address_len: usize) -> Option<ProxyHeader> {
    let (source, rest) = block.split_at_checked(address_len)?;
    let (destination, ports) = rest.split_at_checked(address_len)?;
    let (source_port, rest) = ports.split_first_chunk::<2>()?;
    let destination_port = rest.first_chunk::<2>()?;
    Some(ProxyHeader::Forwarded {
        source: SocketAddr::new(parse_address(source)?, u16::from_be_bytes(*source_port)),
        destination: SocketAddr::new(
            parse_address(destination)?,
            u16::from_be_bytes(*destination_port),
        ),
    })
}

fn parse_address(bytes: &[u8]) -> Option<IpAddr> {
    match <[u8; 4]>::try_from(bytes) {
        Ok(bytes) => Some(bytes.into()),
        Err(_) => Some(<[u8; 16]>::try_from(bytes).ok()?.into()),
    }
}

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version with command, transport, and length of the rest.
const FIXED_LEN: usize = 16;
const LOCAL: u8 = 0;
const PROXY: u8 = 1;
const UNSPECIFIED: u8 = 0x00;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;
