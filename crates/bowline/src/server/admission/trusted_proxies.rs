//! The client behind proxies.

use std::net::IpAddr;

use bowline_proto::handshake::{Headers, RequestHead};

use super::{
    AddressRange,
    authority::{Authority, Scheme},
    forwarded::{Hop, parse_forwarded, parse_forwarded_for},
    origin_policy::Reached,
};

/// Names the proxies whose word on the client is taken, and the field in which they give it.
///
/// The field is read from its end, as far as trusted proxies wrote it: an element counts only if
/// the address that wrote it is trusted. What clients put before that is never looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies {
    /// The addresses of the proxies. Default none: nobody's word is taken.
    pub ranges: Vec<AddressRange>,
    /// The field that the proxies write. They must write or remove it on every request, and the
    /// other one is not read, because a client could send it.
    pub header: ForwardedHeader,
    /// Proxies that one request may come through, and elements that are read. Default 8.
    pub hop_count_max: u8,
}

impl TrustedProxies {
    /// Creates the trust in proxies that write `X-Forwarded-For`.
    pub fn new(ranges: impl IntoIterator<Item = AddressRange>) -> Self {
        Self {
            ranges: ranges.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Tells whether an address is that of a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    /// Finds the client of a request that came from a peer.
    ///
    /// A malformed or hidden element ends the search: the client is the address found last then,
    /// that of a proxy. Never fails.
    pub fn resolve(&self, peer: IpAddr, is_tls: bool, headers: &Headers) -> ForwardedClient {
        let mut client = ForwardedClient {
            address: peer.to_canonical(),
            hop_count: 0,
            scheme: None,
            authority: None,
        };
        if !self.trusts(peer) {
            client.scheme = is_tls.then_some(Scheme::Https);
            return client;
        }
        match self.header {
            ForwardedHeader::XForwardedFor => {
                let elements = from_the_end(headers, "x-forwarded-for");
                self.walk(&mut client, elements, parse_forwarded_for);
                let hop = usize::from(client.hop_count.saturating_sub(1));
                client.scheme = value_of_hop(headers, "x-forwarded-proto", hop)
                    .and_then(|text| Scheme::parse(&text));
                client.authority = value_of_hop(headers, "x-forwarded-host", hop)
                    .filter(|text| Authority::parse(text).is_some());
            }
            ForwardedHeader::Forwarded => {
                let elements = from_the_end(headers, "forwarded");
                self.walk(&mut client, elements, parse_forwarded);
            }
        }
        client
    }

    /// Takes elements as long as trusted proxies wrote them.
    fn walk<'h>(
        &self,
        client: &mut ForwardedClient,
        elements: impl Iterator<Item = &'h [u8]>,
        parse: fn(&str) -> Option<Hop>,
    ) {
        for element in elements.take(usize::from(self.hop_count_max)) {
            if !self.trusts(client.address) {
                return;
            }
            let Some(hop) = str::from_utf8(element).ok().and_then(parse) else {
                return;
            };
            client.scheme = hop.scheme;
            client.authority = hop.authority;
            let Some(address) = hop.address else {
                return;
            };
            client.address = address;
            client.hop_count += 1;
        }
    }
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self {
            ranges: Vec::new(),
            header: ForwardedHeader::default(),
            hop_count_max: 8,
        }
    }
}

/// The field in which proxies name the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// What is known of the client of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedClient {
    /// The address of the client, or of the proxy that could not or would not name it.
    pub address: IpAddr,
    /// How many trusted proxies the request came through, as far as they said so.
    pub hop_count: u8,
    /// How the client reached the first trusted proxy, or the server itself; `None` if unknown.
    pub scheme: Option<Scheme>,
    /// The host and port that the client asked the first trusted proxy for, if it says so.
    pub authority: Option<String>,
}

impl ForwardedClient {
    /// Returns the address under which the client reached the server, to compare an origin with.
    pub fn reached<'a>(&'a self, head: &'a RequestHead) -> Reached<'a> {
        Reached {
            scheme: self.scheme,
            authority: self.authority.as_deref().or_else(|| head.authority()),
        }
    }
}

/// Returns the elements of a list that may span several fields, the last one first. Blank ones
/// are left out.
fn from_the_end<'h>(headers: &'h Headers, name: &str) -> impl Iterator<Item = &'h [u8]> {
    let fields: Vec<_> = headers.all(name).collect();
    fields
        .into_iter()
        .rev()
        .flat_map(|field| field.rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Returns the value that the proxy at a place wrote, counted from the end. Where there are fewer
/// values, a later proxy wrote them anew, and the first one counts.
fn value_of_hop(headers: &Headers, name: &str, hop: usize) -> Option<String> {
    let value = from_the_end(headers, name).take(hop + 1).last()?;
    str::from_utf8(value).ok().map(str::to_owned)
}
