//! Whom a listener lets in.

use std::net::{IpAddr, SocketAddr};

use bowline::proto::handshake::RequestHead;

use crate::config::Config;

/// Decides by the names a request carries: the host it is for, and the origin of the page that
/// sent it.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    origins: Vec<String>,
    /// Names a listener on loopback answers to, besides loopback itself; `None` is any name.
    hosts: Option<Vec<String>>,
}

impl Access {
    /// Makes the rules of the listener at `address`.
    ///
    /// On loopback only loopback names are answered: else a web page could give its own name the
    /// address 127.0.0.1 and be of the same origin as the hub (DNS rebinding).
    pub(crate) fn new(config: &Config, address: SocketAddr) -> Self {
        Self {
            origins: config.origins.clone(),
            hosts: address.ip().is_loopback().then(|| config.hosts.clone()),
        }
    }

    /// Says whether the listener answers to this authority, a host with or without port.
    pub(crate) fn admits_host(&self, authority: Option<&str>) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let host = without_port(authority.unwrap_or_default());
        is_loopback_name(host) || hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Says whether the page that sent an opening handshake may use the hub: its origin is the
    /// hub's own or a listed one, or it is no page because it has none (CWE-1385).
    pub(crate) fn admits_origin(&self, head: &RequestHead) -> bool {
        if head.is_same_origin() {
            return true;
        }
        match head.headers().first("origin") {
            None => true,
            Some(origin) => self
                .origins
                .iter()
                .any(|known| known.as_bytes().eq_ignore_ascii_case(origin)),
        }
    }
}

/// Takes the port from an authority; an IPv6 address keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn is_loopback_name(host: &str) -> bool {
    let lower = host.to_ascii_lowercase();
    let bare = lower
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(&lower);
    lower == "localhost"
        || lower.ends_with(".localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(address: &str, hosts: &[&str]) -> Access {
        let config = Config {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Config::default()
        };
        Access::new(&config, address.parse().unwrap())
    }

    #[test]
    fn a_listener_on_loopback_answers_to_loopback_names_only() {
        let access = access("127.0.0.1:8080", &["hub.example"]);
        for (authority, admitted) in [
            ("localhost:8080", true),
            ("LocalHost", true),
            ("hub.localhost:1", true),
            ("127.0.0.1:8080", true),
            ("127.1.2.3", true),
            ("[::1]:8080", true),
            ("[::1]", true),
            ("hub.example", true),
            ("HUB.example:8080", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("192.168.0.1:8080", false),
            ("", false),
        ] {
            assert_eq!(access.admits_host(Some(authority)), admitted, "{authority}");
        }
        assert!(!access.admits_host(None));
    }

    #[test]
    fn other_listeners_answer_to_any_name() {
        assert!(access("0.0.0.0:8080", &[]).admits_host(Some("anything.example")));
    }
}
