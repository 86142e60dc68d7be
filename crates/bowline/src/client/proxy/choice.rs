//! Which proxy, if any.

use std::{fmt, net::IpAddr};

use super::{NoProxy, Proxy};
use crate::client::{Endpoint, error::ProxyError};

/// Says which proxy leads to a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ProxyChoice {
    /// What the environment variables say while connecting, as [`ProxyVariables`] reads them.
    #[default]
    Environment,
    /// What these variables say.
    Variables(ProxyVariables),
    /// None.
    Direct,
    /// This one, but for the hosts in the list.
    Use {
        /// The proxy.
        proxy: Box<Proxy>,
        /// Who is reached without it.
        bypass: NoProxy,
    },
}

impl ProxyChoice {
    /// Chooses for a server.
    pub(in crate::client) fn choose(
        &self,
        endpoint: &Endpoint,
    ) -> Result<Option<Proxy>, ProxyError> {
        match self {
            Self::Environment => {
                ProxyVariables::read(|name| std::env::var(name).ok()).choose(endpoint)
            }
            Self::Variables(variables) => variables.choose(endpoint),
            Self::Direct => Ok(None),
            Self::Use { proxy, bypass } if bypass.has(endpoint) => Ok(None),
            Self::Use { proxy, .. } => Ok(Some((**proxy).clone())),
        }
    }
}

impl From<Proxy> for ProxyChoice {
    /// Uses the proxy for every host.
    fn from(proxy: Proxy) -> Self {
        Self::Use {
            proxy: Box::new(proxy),
            bypass: NoProxy::default(),
        }
    }
}

/// The environment variables that name proxies.
///
/// For `wss://` the first of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY` that is not
/// empty counts, for `ws://` the first of `http_proxy`, `HTTP_PROXY`, `all_proxy` and `ALL_PROXY`.
/// `no_proxy` or else `NO_PROXY` lists, as [`NoProxy`] reads it, who is reached without; so are
/// `localhost`, names below it and loopback addresses, always.
///
/// In a CGI program, which has `REQUEST_METHOD`, `HTTP_PROXY` is not looked at: there anyone can
/// set it with a request header `Proxy`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    ws: Option<Variable>,
    wss: Option<Variable>,
    bypass: NoProxy,
}

/// A name and its value.
type Variable = (&'static str, String);

impl ProxyVariables {
    /// Asks `lookup` for the value of each variable.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let find = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = lookup(name).filter(|value| !value.trim().is_empty())?;
                Some((*name, value))
            })
        };
        let mut http = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].as_slice();
        if lookup("REQUEST_METHOD").is_some() {
            // Where the names of variables have no case, both are the one that cannot be trusted.
            http = if cfg!(windows) {
                &["all_proxy", "ALL_PROXY"]
            } else {
                &["http_proxy", "all_proxy", "ALL_PROXY"]
            };
        }
        let bypass = find(&["no_proxy", "NO_PROXY"]);
        Self {
            ws: find(http),
            wss: find(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            bypass: bypass.map_or_else(NoProxy::default, |(_, list)| NoProxy::parse(&list)),
        }
    }

    fn choose(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, ProxyError> {
        let variable = if endpoint.secure { &self.wss } else { &self.ws };
        match variable {
            Some((name, url)) if !is_local(endpoint) && !self.bypass.has(endpoint) => {
                Proxy::parse_from(Some(name), url).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }
}

/// The values may hold passwords.
impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |variable: &Option<Variable>| variable.as_ref().map(|(name, _)| *name);
        f.debug_struct("ProxyVariables")
            .field("ws", &name(&self.ws))
            .field("wss", &name(&self.wss))
            .field("bypass", &self.bypass)
            .finish()
    }
}

/// Tells whether the host is this computer (RFC 6761 section 6.3).
fn is_local(endpoint: &Endpoint) -> bool {
    let name = endpoint.host.trim_end_matches('.');
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = [(&'a str, &'a str)];

    /// Reads variables from a table and chooses.
    fn choose(variables: &Variables<'_>, url: &str) -> Result<Option<Proxy>, ProxyError> {
        let variables = ProxyVariables::read(|name| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let endpoint = Endpoint::parse(url).map_err(|reason| ProxyError::Url {
            variable: None,
            reason,
        })?;
        ProxyChoice::Variables(variables).choose(&endpoint)
    }

    fn chosen(variables: &Variables<'_>, url: &str) -> Option<String> {
        let proxy = choose(variables, url).unwrap();
        proxy.map(|proxy| format!("{proxy:?}"))
    }

    #[test]
    fn variables_choose_by_scheme_and_host() {
        let (http, https) = (("http_proxy", "h:1"), ("HTTPS_PROXY", "https://s:2"));
        let all = ("ALL_PROXY", "socks5://a:3");
        let cases: [(&Variables<'_>, &str, Option<&str>); 17] = [
            (&[], "ws://x/", None),
            (&[http], "ws://x/", Some("http://h:1")),
            (&[http], "wss://x/", None),
            (&[https], "ws://x/", None),
            (&[https], "wss://x/", Some("https://s:2")),
            (&[all], "ws://x/", Some("socks5://a:3")),
            (&[all, https], "wss://x/", Some("https://s:2")),
            (&[("HTTP_PROXY", "H:1")], "ws://x/", Some("http://h:1")),
            (
                &[("HTTP_PROXY", "i:1"), http],
                "ws://x/",
                Some("http://h:1"),
            ),
            (&[("http_proxy", " "), all], "ws://x/", Some("socks5://a:3")),
            (
                &[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")],
                "ws://x/",
                None,
            ),
            (
                &[https, ("REQUEST_METHOD", "GET")],
                "wss://x/",
                Some("https://s:2"),
            ),
            (&[all, ("NO_PROXY", "x")], "ws://y.x/", None),
            (
                &[all, ("no_proxy", "z"), ("NO_PROXY", "x")],
                "ws://x/",
                Some("socks5://a:3"),
            ),
            (&[all], "ws://localhost:80/", None),
            (&[all], "ws://a.localhost/", None),
            (&[all], "wss://[::1]/", None),
        ];
        for (variables, url, expected) in cases {
            let found = chosen(variables, url);
            assert_eq!(found.as_deref(), expected, "{variables:?} {url}");
        }
        assert_eq!(chosen(&[all], "ws://127.9.9.9/"), None);
    }

    #[test]
    fn a_variable_that_is_no_proxy_is_an_error_that_names_it_unless_it_is_not_needed() {
        let bad = [("all_proxy", "socks4://me:s3cret@a"), ("no_proxy", "y")];
        let error = choose(&bad, "ws://x/").unwrap_err().to_string();
        assert!(
            error.contains("all_proxy") && error.contains("socks4"),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
        assert_eq!(chosen(&bad, "ws://y/"), None);
    }
}
