//! From what a machine says about an attempt to a connector of the library.

use bowline::{
    Config, Connector, Credentials, Endpoint, Keepalive, Proxy, ProxyChoice, ProxyError, UrlError,
    proto::{
        deflate::{
            DeflateNegotiation,
            negotiate::{DeflateOffer, DeflateViolation},
        },
        handshake::{ExtensionError, parse_extensions},
    },
};
use thiserror::Error;

use super::error::LinkSettingsError;
use crate::{
    element::LinkSettings,
    machine::{Attempt, AttemptError, ProxyUse},
    plan::{Handshake, Link},
};

/// Says why an attempt was not even begun. Later it may be, with other values.
#[derive(Debug, Error)]
pub(super) enum AttemptFailure {
    /// The values of the moment make no request.
    #[error(transparent)]
    Values(#[from] AttemptError),
    /// The URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The offer of extensions is none.
    #[error("{0}")]
    Extensions(#[from] ExtensionError),
    /// An extension that the link does not have.
    #[error(
        "the header Sec-WebSocket-Extensions offers {0}: only permessage-deflate can be offered"
    )]
    UnknownExtension(String),
    /// A wrong offer of permessage-deflate.
    #[error("the header Sec-WebSocket-Extensions offers permessage-deflate wrongly: {0}")]
    Deflate(#[from] DeflateViolation),
    /// A header that only the handshake itself writes.
    #[error("the header {0} is the opening handshake's own: take it out of the session")]
    Reserved(String),
    /// A value that has to be text.
    #[error("the header {0} is not ASCII text")]
    NotText(String),
    /// The element ended.
    #[error("the element has stopped")]
    Stopped,
}

/// Makes the connector that all attempts of a link begin with.
pub(super) fn base(
    (link, handshake): (&Link, Option<&Handshake>),
    settings: &LinkSettings,
    defaults: &Connector,
) -> Result<Connector, LinkSettingsError> {
    let mut connector = Connector {
        headers: Vec::new(),
        cookies: Vec::new(),
        credentials: Credentials::default(),
        subprotocols: Vec::new(),
        deflate_offers: Vec::new(),
        host: None,
        origin: None,
        redirect_count_max: settings.redirects,
        ..defaults.clone()
    };
    connector.options.deflate = DeflateNegotiation::DISABLED;
    connector.options.config = std::sync::Arc::new(Config {
        keepalive: settings
            .keepalive
            .map(|(interval, timeout)| Keepalive { interval, timeout }),
        ..(*defaults.options.config).clone()
    });
    let timeout = handshake.and_then(|handshake| handshake.timeout);
    if let Some(timeout) = timeout.or(settings.timeout).or(link.timeout) {
        connector.timeouts.total = timeout;
    }
    if let Some(proxy) = &settings.proxy {
        connector.proxy = Proxy::parse(proxy)?.into();
    }
    add_tls(&mut connector, link, settings)?;
    Ok(connector)
}

fn add_tls(
    connector: &mut Connector,
    link: &Link,
    settings: &LinkSettings,
) -> Result<(), LinkSettingsError> {
    let is_unverified = link.is_unverified || settings.danger_skip_verification;
    let is_plain = settings.ca_file.is_none() && settings.certificate.is_none() && !is_unverified;
    if is_plain {
        return Ok(());
    }
    let mut tls = bowline::ClientTls::builder();
    if let Some(file) = &settings.ca_file {
        tls = tls.extra_roots_file(file)?;
    }
    if let Some((chain, key)) = &settings.certificate {
        tls = tls.client_certificate_files(chain, key)?;
    }
    if is_unverified {
        tls = tls.dangerously_without_verification();
    }
    connector.tls = Some(tls.build()?);
    Ok(())
}

/// Makes the connector of one attempt.
pub(super) fn prepare(
    base: &Connector,
    attempt: Attempt,
) -> Result<(Endpoint, Connector), AttemptFailure> {
    let endpoint = Endpoint::parse(&attempt.url)?;
    let mut connector = base.clone();
    for (name, value) in attempt.headers {
        add_header(&mut connector, name, &value)?;
    }
    match attempt.proxy {
        ProxyUse::Default => {}
        ProxyUse::Bypass => connector.proxy = ProxyChoice::Direct,
        ProxyUse::Explicit {
            server,
            credentials,
        } => {
            let url = if server.contains("://") {
                server
            } else {
                format!("http://{server}")
            };
            let mut proxy = Proxy::parse(&url)?;
            if let Some((user, password)) = credentials {
                proxy = proxy.with_login(&user, &password);
            }
            connector.proxy = proxy.into();
        }
    }
    if let Some((user, password)) = attempt.credentials {
        connector.credentials = Credentials::basic(&user, &password);
    }
    Ok((endpoint, connector))
}

fn add_header(connector: &mut Connector, name: String, value: &[u8]) -> Result<(), AttemptFailure> {
    let value = value.trim_ascii();
    let text = || match std::str::from_utf8(value) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(AttemptFailure::NotText(name.clone())),
    };
    match &*name.to_ascii_lowercase() {
        "sec-websocket-extensions" => connector.deflate_offers.extend(offers(value)?),
        "sec-websocket-protocol" => {
            let list = text()?;
            let subprotocols = list.split(',').map(str::trim);
            let subprotocols = subprotocols.filter(|name| !name.is_empty());
            connector
                .subprotocols
                .extend(subprotocols.map(str::to_owned));
        }
        "host" => connector.host = Some(text()?),
        "origin" => connector.origin = Some(text()?),
        "user-agent" => connector.user_agent = Some(text()?),
        "connection"
        | "upgrade"
        | "sec-websocket-key"
        | "sec-websocket-version"
        | "sec-websocket-accept" => return Err(AttemptFailure::Reserved(name)),
        _ => connector.headers.push((name, value.to_vec())),
    }
    Ok(())
}

/// Reads an offer of extensions: what it promises, the link must keep.
fn offers(value: &[u8]) -> Result<Vec<DeflateOffer>, AttemptFailure> {
    let extensions = parse_extensions([value])?;
    let offers = extensions.iter().map(|extension| {
        if !extension.name.eq_ignore_ascii_case("permessage-deflate") {
            return Err(AttemptFailure::UnknownExtension(extension.name.to_owned()));
        }
        Ok(DeflateOffer::from_extension(extension)?)
    });
    offers.collect()
}

#[cfg(test)]
mod tests {
    use bowline::proto::deflate::negotiate::ClientWindowBits;

    use super::*;

    fn prepared(name: &str, value: &str) -> Result<Connector, AttemptFailure> {
        let attempt = Attempt {
            url: "ws://127.0.0.1:8050/".into(),
            headers: vec![(name.into(), value.into())],
            proxy: ProxyUse::Default,
            credentials: None,
        };
        prepare(&Connector::default(), attempt).map(|(_, connector)| connector)
    }

    #[test]
    fn an_offer_in_a_header_is_kept_as_it_was_written() {
        let offer = "permessage-deflate; client_max_window_bits, permessage-deflate";
        let connector = prepared("sec-websocket-extensions", offer).unwrap();
        let bits = connector
            .deflate_offers
            .iter()
            .map(|offer| offer.client_max_window_bits);
        assert_eq!(
            bits.collect::<Vec<_>>(),
            [ClientWindowBits::Any, ClientWindowBits::Absent]
        );
        let cases = [
            ("x-webkit-deflate-frame", "only permessage-deflate"),
            ("permessage-deflate; client_max_window_bits=99", "wrongly"),
            ("permessage-deflate; what", "wrongly"),
            ("=", "malformed"),
        ];
        for (offer, expected) in cases {
            let error = prepared("Sec-WebSocket-Extensions", offer).unwrap_err();
            assert!(error.to_string().contains(expected), "{offer}: {error}");
        }
    }

    #[test]
    fn headers_that_mean_something_to_the_handshake_are_told_to_it() {
        let connector = prepared("Sec-WebSocket-Protocol", "b, a").unwrap();
        assert_eq!(connector.subprotocols, ["b", "a"]);
        assert_eq!(
            prepared("host", "other").unwrap().host.as_deref(),
            Some("other")
        );
        assert_eq!(
            prepared("ORIGIN", "x").unwrap().origin.as_deref(),
            Some("x")
        );
        let connector = prepared("X-Key", " 1 ").unwrap();
        assert_eq!(connector.headers, [("X-Key".to_owned(), b"1".to_vec())]);
        for name in [
            "Upgrade",
            "connection",
            "Sec-WebSocket-Key",
            "sec-websocket-version",
        ] {
            assert!(matches!(
                prepared(name, "x"),
                Err(AttemptFailure::Reserved(_))
            ));
        }
        assert!(matches!(
            prepared("Host", "ä"),
            Err(AttemptFailure::NotText(_))
        ));
    }
}
