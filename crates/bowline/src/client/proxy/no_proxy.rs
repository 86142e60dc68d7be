//! Who is reached without a proxy.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::client::Endpoint;

/// The hosts that are reached without a proxy, as in the variable `NO_PROXY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<Entry>);

/// One host or many.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None` stands for every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name, in lower case, and all names below it.
    Domain(String),
    Network(IpNet),
}

impl NoProxy {
    /// Reads a list, divided by commas or blanks. An entry is one of
    ///
    /// - `*`: every host;
    /// - `example.com`, `.example.com` or `*.example.com`: this name and all names below it;
    /// - `192.0.2.7`, `2001:db8::7`: this address;
    /// - `10.0.0.0/8`, `fd00::/8`: the addresses of this network;
    ///
    /// and may end in `:port` (an IPv6 address then stands in brackets). Case does not matter.
    /// Addresses are compared with addresses in URLs only: no name is looked up.
    pub fn parse(list: &str) -> Self {
        let entries = list.split([',', ' ', '\t', '\n']);
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Tells whether the list has a host.
    pub fn has(&self, endpoint: &Endpoint) -> bool {
        let name = endpoint.host.trim_end_matches('.');
        let address = name.parse().ok();
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|port| port == endpoint.port) && entry.hosts.has(name, address)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(network) = network(text) {
            return Some(Self {
                hosts: Hosts::Network(network),
                port: None,
            });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let hosts = match network(host) {
            Some(network) => Hosts::Network(network),
            None if host == "*" => Hosts::All,
            None => {
                let name = host.strip_prefix('*').unwrap_or(host);
                let name = name.trim_matches('.').to_ascii_lowercase();
                if name.is_empty() {
                    return None;
                }
                Hosts::Domain(name)
            }
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn has(&self, name: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Network(network) => address.is_some_and(|address| network.contains(&address)),
            Self::Domain(domain) => {
                let above = name.strip_suffix(domain.as_str());
                // The numbers of an address are no names below one another.
                address.is_none()
                    && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
        }
    }
}

/// Reads an address, perhaps in brackets, or a network.
fn network(text: &str) -> Option<IpNet> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    match bare.parse::<IpAddr>() {
        Ok(address) => Some(address.into()),
        Err(_) => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_names_below_its_names_networks_and_ports() {
        let cases = [
            ("", "ws://a.example/", false),
            ("*", "ws://a.example/", true),
            ("a.example", "ws://a.example/", true),
            ("a.example", "ws://b.a.example/", true),
            ("a.example", "ws://ba.example/", false),
            ("a.example", "ws://example/", false),
            (".a.example", "ws://a.example/", true),
            (".a.example", "ws://b.a.example/", true),
            ("*.a.example", "ws://b.a.example/", true),
            ("A.Example", "ws://B.a.EXAMPLE./", true),
            ("a.example.", "ws://a.example/", true),
            ("a.example:81", "ws://a.example:81/", true),
            ("a.example:81", "ws://a.example/", false),
            ("a.example:443", "wss://a.example/", true),
            ("*:81", "ws://b.example:81/", true),
            ("10.0.0.1", "ws://10.0.0.1:9/", true),
            ("10.0.0.1:8", "ws://10.0.0.1:9/", false),
            ("10.0.0.0/8", "ws://10.200.0.1/", true),
            ("10.0.0.0/8", "ws://11.0.0.1/", false),
            ("10.0.0.0/8", "ws://10.example/", false),
            ("1", "ws://10.0.0.1/", false),
            ("::1", "ws://[::1]/", true),
            ("[::1]", "ws://[::1]/", true),
            ("[::1]:81", "ws://[::1]:81/", true),
            ("[::1]:81", "ws://[::1]/", false),
            ("fd00::/8", "ws://[fd12::1]/", true),
            ("x, ,y\ta.example ,", "ws://a.example/", true),
            (".", "ws://a.example/", false),
            ("a.example:http", "ws://a.example/", false),
        ];
        for (list, url, expected) in cases {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(
                NoProxy::parse(list).has(&endpoint),
                expected,
                "{list} {url}"
            );
        }
    }
}
