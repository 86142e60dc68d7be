//! HTTP sessions to opening handshakes.

use super::{
    Builder,
    headers::{bad_in_path, bad_in_value, is_forbidden, is_token, shown},
    own_id,
};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    plan::{
        Handshake, HandshakeCredentials, HandshakeProxy, ParameterId, RequestPath, ResponseTargets,
        SessionId, Source,
    },
    vocabulary::{Field, Node, number_in},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn handshakes(&mut self) {
        for node in self.parts("HTTP", "Session") {
            let Some(id) = own_id(node).map(SessionId) else {
                continue;
            };
            let is_used = self
                .plan
                .links
                .iter()
                .any(|(_, link)| link.handshake == Some(id));
            if !is_used && !self.is_excerpt {
                let message = format!("no WebSocket connection uses {id}");
                self.said.add(
                    Diagnostic::warning(Code::UnusedSession, node.span(), message)
                        .label("never run")
                        .help(format!("a connection names it by `<WebSocketHandshake>{}</WebSocketHandshake>`", id.0)),
                );
                continue;
            }
            if let Some(handshake) = self.handshake(node) {
                let _taken = self.plan.handshakes.insert(id, handshake);
            }
        }
        self.session_names();
    }

    fn session_names(&mut self) {
        let mut names: Vec<(String, Span)> = Vec::new();
        for node in self.parts("HTTP", "Session") {
            let Some(name) = node.attribute("name") else {
                continue;
            };
            let text = name.text().to_owned();
            if let Some((_, first)) = names.iter().find(|(known, _)| *known == text) {
                let message = format!("two sessions are called `{text}`");
                self.said.add(
                    Diagnostic::warning(Code::DuplicateName, name.span(), message)
                        .related(*first, "the first one"),
                );
            } else if names.len() < NAMES_MAX {
                names.push((text, name.span()));
            }
        }
    }

    fn handshake(&mut self, node: &Node<'d>) -> Option<Handshake> {
        let connections: Vec<_> = node.children("Connection").collect();
        let &[connection] = connections.as_slice() else {
            let message = format!(
                "a handshake session has {} connections instead of one",
                connections.len()
            );
            let span = connections
                .get(1)
                .map_or_else(|| node.span(), |second| second.span());
            let diagnostic = Diagnostic::error(Code::SessionConnections, span, message);
            self.said.add(match connections.first() {
                Some(first) => diagnostic
                    .label("one too many")
                    .related(first.span(), "the first one"),
                None => diagnostic.label("needs one `<Connection>` with a `<Request>`"),
            });
            return None;
        };
        let time = |node: &Node<'_>| {
            let time = node.attribute("timeout")?.value.time();
            time.filter(|time| !time.is_zero())
        };
        let request = connection.child("Request");
        if request.is_none() {
            self.said.add(
                Diagnostic::error(
                    Code::Missing,
                    connection.span(),
                    "`Connection` has no `Request`",
                )
                .label("needs the element `Request`: what is asked for"),
            );
        }
        if let Some(request) = request {
            self.check_verb(request);
        }
        let response = connection.child("Response");
        let name = node.attribute("name").map(|name| name.text().to_owned());
        Some(Handshake {
            name: name.unwrap_or_default(),
            timeout: time(connection).or_else(|| time(node)),
            path: request.map_or(RequestPath::Endpoint, |request| self.path(request)),
            headers: request
                .map(|request| self.headers(request))
                .unwrap_or_default(),
            query: request
                .map(|request| self.query(request))
                .unwrap_or_default(),
            targets: response
                .map(|response| self.targets(response))
                .unwrap_or_default(),
            credentials: self.credentials(node),
            proxy: self.proxy(node),
        })
    }

    /// A verb that is no word counts as GET, as the format says.
    fn check_verb(&mut self, request: &Node<'d>) {
        let Some(verb) = request.attribute("verb") else {
            return;
        };
        let text = verb.text();
        let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_word && !text.eq_ignore_ascii_case("GET") {
            let message = format!("an opening handshake cannot be a `{text}`");
            let diagnostic = Diagnostic::error(Code::SessionVerb, verb.span(), message);
            self.said.add(diagnostic.label("has to be `GET`"));
        } else if !is_word {
            let message = format!("`{text}` is not a verb");
            let diagnostic = Diagnostic::warning(Code::SessionVerb, verb.span(), message);
            self.said.add(diagnostic.label("counts as `GET`"));
        }
    }

    fn path(&mut self, request: &Node<'d>) -> RequestPath {
        let (pid, url) = (request.attribute("pid"), request.attribute("url"));
        if let (Some(pid), Some(url)) = (pid, url) {
            self.said.add(
                Diagnostic::warning(
                    Code::PathTwice,
                    pid.span(),
                    "the request has both `pid` and `url`",
                )
                .label("left out")
                .related(url.span(), "`url` counts"),
            );
        }
        let Some(url) = url else {
            let parameter = self.parameter_of(request, "pid");
            return parameter.map_or(RequestPath::Endpoint, |id| {
                RequestPath::From(Source::Parameter(id))
            });
        };
        let source = self.source_of(url);
        if let Some(Source::Literal(path)) = &source {
            self.literal(url.span(), "the path");
            if let Some(bad) = bad_in_path(path) {
                let message = format!("a path cannot hold {}", shown(bad));
                let diagnostic = Diagnostic::error(Code::BadPath, url.span(), message);
                self.said
                    .add(diagnostic.help("write such characters as `%20` and the like"));
            }
        }
        source.map_or(RequestPath::Endpoint, RequestPath::From)
    }

    fn headers(&mut self, request: &Node<'d>) -> Vec<(String, Source)> {
        let headers = request.child("Headers");
        let headers = headers
            .into_iter()
            .flat_map(|headers| headers.children("Header"));
        headers.filter_map(|header| self.header(header)).collect()
    }

    fn header(&mut self, header: &Node<'d>) -> Option<(String, Source)> {
        let key = header.attribute("key")?;
        let name = key.text();
        if !is_token(name) {
            let message = format!("`{name}` cannot be the name of a header");
            self.said.add(
                Diagnostic::error(Code::BadHeader, key.span(), message)
                    .help("it is letters, digits and `-`"),
            );
            return None;
        }
        if is_forbidden(name) {
            let message = format!("the header `{name}` cannot be given");
            self.said.add(
                Diagnostic::error(Code::ForbiddenHeader, key.span(), message)
                    .label("belongs to the handshake itself")
                    .help("leave it out"),
            );
            return None;
        }
        let source = self.pair_value(header, &format!("the header `{name}`"))?;
        if let Source::Literal(value) = &source
            && let Some(bad) = bad_in_value(value)
        {
            let message = format!("the value of a header cannot hold {}", shown(bad));
            self.said.add(Diagnostic::error(
                Code::BadHeader,
                header.value_span(),
                message,
            ));
            return None;
        }
        Some((name.to_owned(), source))
    }

    fn query(&mut self, request: &Node<'d>) -> Vec<(String, Source)> {
        let pairs = request.child("Parameters");
        let pairs = pairs
            .into_iter()
            .flat_map(|pairs| pairs.children("Parameter"));
        let pairs = pairs.filter_map(|pair| {
            let name = pair.attribute("key")?.text().to_owned();
            let value = self.pair_value(pair, &format!("`{name}` of the query"))?;
            Some((name, value))
        });
        pairs.collect()
    }

    /// Gives the value of a header or a pair of the query: a parameter's, else the text.
    fn pair_value(&mut self, node: &Node<'d>, what: &str) -> Option<Source> {
        let text = node.value.text().map(str::trim).unwrap_or_default();
        if node.attribute("pid").is_some() {
            if !text.is_empty() {
                self.said.add(
                    Diagnostic::warning(
                        Code::Literal,
                        node.value_span(),
                        format!("{what} has both `pid` and a text"),
                    )
                    .label("left out; the parameter counts"),
                );
            }
            return self.parameter_of(node, "pid").map(Source::Parameter);
        }
        if text.is_empty() {
            let message = format!("{what} has no value");
            self.said.add(
                Diagnostic::error(Code::Empty, node.span(), message)
                    .help("name the parameter that holds it by `pid`, or write it as text"),
            );
            return None;
        }
        self.literal(node.value_span(), what);
        Some(Source::Literal(text.to_owned()))
    }

    fn literal(&mut self, span: Span, what: &str) {
        self.said.add(
            Diagnostic::warning(
                Code::Literal,
                span,
                format!("{what} is written in the file"),
            )
            .label("taken as it stands")
            .help(
                "the original product takes values of a handshake from parameters only, by their ids",
            ),
        );
    }

    fn targets(&self, response: &Node<'d>) -> ResponseTargets {
        let headers = response.child("Headers");
        let headers = headers
            .into_iter()
            .flat_map(|headers| headers.children("Header"));
        let headers = headers.filter_map(|header| {
            let name = header.attribute("key")?;
            let parameter = self.parameter_of(header, "pid")?;
            Some((name.text().to_owned(), parameter))
        });
        let content = response.child("Content");
        ResponseTargets {
            status_line: self.parameter_of(response, "statusCode"),
            body: content.and_then(|content| self.parameter_of(content, "pid")),
            headers: headers.collect(),
        }
    }

    fn credentials(&mut self, session: &Node<'d>) -> Option<HandshakeCredentials> {
        let method = session.attribute("loginMethod");
        let user = session.attribute("userName");
        if let Some(method) = method.filter(|method| method.value.word() == Some("credentials"))
            && user.is_none()
        {
            let diagnostic = Diagnostic::warning(
                Code::Missing,
                method.span(),
                "there is no user name to log in with",
            );
            self.said
                .add(diagnostic.label("needs the attribute `userName`"));
        }
        let user = self.secret(user, "the user name")?;
        let password = self.secret(session.attribute("password"), "the password");
        Some(HandshakeCredentials {
            user,
            password: password.unwrap_or_else(|| Source::Literal(String::new())),
        })
    }

    fn proxy(&mut self, session: &Node<'d>) -> Option<HandshakeProxy> {
        let server = self.secret(session.attribute("proxyServer"), "the proxy")?;
        Some(HandshakeProxy {
            server,
            user: self.secret(
                session.attribute("proxyUser"),
                "the user name for the proxy",
            ),
            password: self.secret(
                session.attribute("proxyPassword"),
                "the password for the proxy",
            ),
        })
    }

    fn secret(&mut self, field: Option<&Field<'d>>, what: &str) -> Option<Source> {
        let field = field?;
        let source = self.source_of(field);
        let is_number = number_in(field.text(), 0, u32::MAX).is_some();
        if source.is_some() && !is_number {
            self.literal(field.span(), what);
        }
        source
    }

    /// Gives the parameter a number names, if it is one.
    pub(super) fn as_parameter(&self, text: &str) -> Option<ParameterId> {
        let id = number_in(text, 0, u32::MAX)?;
        let part = crate::vocabulary::Part::Parameter;
        self.ids.has(part, id).then_some(ParameterId(id))
    }
}

/// Sessions whose names are compared: the comparison is of each with all.
const NAMES_MAX: usize = 256;
