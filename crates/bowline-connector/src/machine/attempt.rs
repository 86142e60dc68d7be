//! What an attempt to open a link needs, by the values of the moment.

use std::borrow::Cow;

use super::{Attempt, AttemptError, HeaderList, Machine, ProxyUse, Value, convert};
use crate::plan::{
    BusAddress, Handshake, HandshakeProxy, Link, LinkId, ParameterId, ParameterKind, RequestPath,
    Source,
};

impl Machine {
    /// Builds what an attempt to open the link needs, by the values of this moment.
    ///
    /// The endpoint is that of the dynamic parameter, else of the element; the session of the
    /// link gives path, headers, credentials and proxy.
    ///
    /// # Errors
    /// [`AttemptError`] says what is missing or could not stand in a request.
    pub fn attempt(&self, link: LinkId) -> Result<Attempt, AttemptError> {
        let declared = self.plan.links.get(link);
        let declared = declared.ok_or(AttemptError::NoLink(link))?;
        let handshake = declared.handshake;
        let handshake = handshake.and_then(|id| self.plan.handshakes.get(id));
        let endpoint = self.endpoint_text(link);
        let endpoint = endpoint.ok_or(AttemptError::NoEndpoint(link))?;
        let mut endpoint = Endpoint::parse(link, &endpoint, self.port_of(link, declared))?;
        let mut headers = HeaderList::new();
        let mut credentials = endpoint.credentials.take();
        if let Some(handshake) = handshake {
            self.apply_path(link, handshake, &mut endpoint)?;
            headers = self.headers(link, handshake)?;
            if let Some(login) = &handshake.credentials {
                let user = self.plain_text(link, &login.user)?;
                if !user.is_empty() {
                    credentials = Some((user, self.plain_text(link, &login.password)?));
                }
            }
        }
        let proxy = handshake.and_then(|handshake| handshake.proxy.as_ref());
        Ok(Attempt {
            url: endpoint.url(),
            headers,
            proxy: self.proxy(link, declared, proxy)?,
            credentials,
        })
    }

    /// Finds the parameter that holds the endpoint of a link.
    pub(super) fn endpoint_parameter(&self, link: LinkId) -> Option<ParameterId> {
        let mut parameters = self.plan.parameters.iter();
        parameters
            .find(|(_, parameter)| parameter.endpoint_of == Some(link))
            .map(|(id, _)| id)
    }

    /// Gives the endpoint of a link as it is written; none if nobody says it.
    pub(super) fn endpoint_text(&self, link: LinkId) -> Option<Cow<'_, str>> {
        if let Some(parameter) = self.endpoint_parameter(link) {
            let text = self.values.get(parameter).text();
            if !text.trim().is_empty() {
                return Some(text);
            }
        }
        let endpoints = &self.settings.links.get(&link)?.endpoints;
        let preferred = self.links.get(&link).map_or(0, |state| state.endpoint);
        let chosen = endpoints.get(preferred % endpoints.len().max(1))?;
        (!chosen.trim().is_empty()).then_some(Cow::Borrowed(chosen))
    }

    fn port_of(&self, link: LinkId, declared: &Link) -> Option<u16> {
        let settings = self.settings.links.get(&link);
        let chosen = settings.and_then(|settings| settings.port);
        chosen
            .filter(|_| !declared.port_fixed)
            .or(declared.port)
            .or(chosen)
    }

    fn apply_path(
        &self,
        link: LinkId,
        handshake: &Handshake,
        endpoint: &mut Endpoint,
    ) -> Result<(), AttemptError> {
        if let RequestPath::From(source) = &handshake.path {
            let path = self.source(source);
            let path = std::str::from_utf8(&path).map_err(|_| AttemptError::Path(link))?;
            if path.contains("://") {
                *endpoint = Endpoint::parse(link, path, None)?;
            } else if !path.is_empty() {
                endpoint.path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
            }
        }
        for (name, source) in &handshake.query {
            let value = self.source(source);
            let value = std::str::from_utf8(&value).map_err(|_| AttemptError::Path(link))?;
            let joint = if endpoint.path.contains('?') {
                '&'
            } else {
                '?'
            };
            endpoint.path.push(joint);
            endpoint.path.push_str(name);
            endpoint.path.push('=');
            endpoint.path.push_str(value);
        }
        check_path(link, &endpoint.path)
    }

    fn headers(&self, link: LinkId, handshake: &Handshake) -> Result<HeaderList, AttemptError> {
        let mut headers = HeaderList::new();
        for (place, (name, source)) in handshake.headers.iter().enumerate() {
            let value = self.source(source);
            if value.is_empty() {
                continue;
            }
            if value.iter().any(|byte| b"\r\n\0".contains(byte)) {
                let index = place + 1;
                return Err(AttemptError::Header { link, index });
            }
            headers.push((name.clone(), value.into_owned()));
        }
        Ok(headers)
    }

    /// A proxy of the session is always used; without one the bus address may bypass all.
    fn proxy(
        &self,
        link: LinkId,
        declared: &Link,
        proxy: Option<&HandshakeProxy>,
    ) -> Result<ProxyUse, AttemptError> {
        if let Some(proxy) = proxy {
            let server = self.plain_text(link, &proxy.server)?;
            if !server.is_empty() {
                return Ok(ProxyUse::Explicit {
                    server,
                    credentials: self.proxy_credentials(link, proxy)?,
                });
            }
        }
        if self.bypasses_proxy(link, &declared.bus_address) {
            Ok(ProxyUse::Bypass)
        } else {
            Ok(ProxyUse::Default)
        }
    }

    fn proxy_credentials(
        &self,
        link: LinkId,
        proxy: &HandshakeProxy,
    ) -> Result<Option<(String, String)>, AttemptError> {
        let part = |source: &Option<Source>| match source {
            Some(source) => self.plain_text(link, source),
            None => Ok(String::new()),
        };
        let user = part(&proxy.user)?;
        let password = part(&proxy.password)?;
        Ok((!user.is_empty()).then_some((user, password)))
    }

    fn bypasses_proxy(&self, link: LinkId, address: &BusAddress) -> bool {
        let settings = self.settings.links.get(&link);
        let chosen = settings.and_then(|settings| settings.bus_address.as_ref());
        let text = chosen
            .filter(|_| !address.is_fixed)
            .or(address.default.as_ref());
        text.is_some_and(|text| BusAddress::bypasses_proxy(text))
    }

    /// Gives the bytes of a value from the file or from a parameter.
    pub(super) fn source<'a>(&'a self, source: &'a Source) -> Cow<'a, [u8]> {
        match source {
            Source::Parameter(id) => convert::text_bytes(self.values.get(*id)),
            Source::Literal(text) => Cow::Borrowed(text.as_bytes()),
        }
    }

    fn plain_text(&self, link: LinkId, source: &Source) -> Result<String, AttemptError> {
        let bytes = self.source(source);
        let text = std::str::from_utf8(&bytes).ok();
        text.filter(|text| !text.chars().any(char::is_control))
            .map(str::to_owned)
            .ok_or(AttemptError::Credentials(link))
    }

    /// Fills the parameters that stand for the address of the main link.
    pub(super) fn fill_address_parameters(&mut self) {
        let main = LinkId(0);
        let settings = self.settings.links.get(&main);
        let bus = settings.and_then(|settings| settings.bus_address.clone());
        let bus = bus.or_else(|| self.plan.links.get(main)?.bus_address.default.clone());
        let address = self.endpoint_text(main).map(Cow::into_owned);
        let plan = std::sync::Arc::clone(&self.plan);
        for (id, parameter) in plan.parameters.iter() {
            let text = match parameter.kind {
                ParameterKind::Bus => bus.clone(),
                ParameterKind::Ip | ParameterKind::PollingIp => address.clone(),
                ParameterKind::Read
                | ParameterKind::Write
                | ParameterKind::Fixed
                | ParameterKind::Header
                | ParameterKind::Trailer
                | ParameterKind::Length
                | ParameterKind::Dummy
                | ParameterKind::ElementId
                | ParameterKind::ElementName => None,
            };
            if let Some(text) = text
                && *self.values.get(id) == Value::Empty
                && let Ok(value) = convert::read_text(&parameter.interpretation, &text)
            {
                self.values.put(id, value);
            }
        }
    }
}

/// Where a link goes.
#[derive(Debug)]
struct Endpoint {
    is_secure: bool,
    host: String,
    port: Option<u16>,
    path: String,
    credentials: Option<(String, String)>,
}

impl Endpoint {
    /// Reads `ws://host:port/path`, `host:port` or `host`. The port of one that names none is the
    /// configured one, else that of its scheme.
    fn parse(link: LinkId, text: &str, configured: Option<u16>) -> Result<Self, AttemptError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let is_secure = match scheme.as_deref() {
            None => None,
            Some("ws" | "http") => Some(false),
            Some("wss" | "https") => Some(true),
            Some(_) => return Err(AttemptError::Scheme(link)),
        };
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(split).unwrap_or((rest, ""));
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((login, authority)) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                (Some((user.to_owned(), password.to_owned())), authority)
            }
            None => (None, authority),
        };
        let (host, port) = split_authority(link, authority)?;
        let port = port.or(configured);
        if port == Some(0) {
            return Err(AttemptError::Port(link));
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        check_path(link, &path)?;
        Ok(Self {
            is_secure: is_secure.unwrap_or_else(|| port == Some(443)),
            host,
            port,
            path,
            credentials,
        })
    }

    fn url(&self) -> String {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}{}", self.host, self.path),
            None => format!("{scheme}://{}{}", self.host, self.path),
        }
    }
}

fn split_authority(link: LinkId, text: &str) -> Result<(String, Option<u16>), AttemptError> {
    let is_bare_v6 = !text.starts_with('[') && text.matches(':').count() > 1;
    let (host, port) = if is_bare_v6 {
        (format!("[{text}]"), None)
    } else if let Some(inner) = text.strip_prefix('[') {
        let (inner, behind) = inner.split_once(']').ok_or(AttemptError::Host(link))?;
        let port = match behind {
            "" => None,
            _ => Some(behind.strip_prefix(':').ok_or(AttemptError::Host(link))?),
        };
        (format!("[{inner}]"), port)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        }
    };
    let is_strange = |c: char| c.is_whitespace() || c.is_control() || "#%\\<>\"".contains(c);
    if host.is_empty() || host == "[]" || host.contains(is_strange) {
        return Err(AttemptError::Host(link));
    }
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| AttemptError::Port(link))?)
        }
        Some(_) => return Err(AttemptError::Port(link)),
    };
    Ok((host, port))
}

/// Values go out as they are: what would break the request line is refused.
fn check_path(link: LinkId, path: &str) -> Result<(), AttemptError> {
    let is_broken = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    if path.contains(is_broken) {
        Err(AttemptError::Path(link))
    } else {
        Ok(())
    }
}
