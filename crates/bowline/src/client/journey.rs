//! From a URL to a connection: challenges are answered and redirects followed.

use bowline_proto::handshake::ClientRefused;

use super::{
    Connector, Endpoint,
    credentials::{Credentials, Kind},
    dial::dial,
    digest::Challenges,
    error::{CredentialsError, RedirectError},
    opening,
    request::{Asked, has_authorization_header, request},
};
use crate::{
    error::Error,
    socket::WebSocket,
    transport::{ClientTls, Stream, Tapped},
};

/// One way from a URL to a connection.
pub(super) struct Journey<'a> {
    connector: &'a Connector,
    endpoint: Endpoint,
    /// Where it has been before, without names and passwords.
    visited: Vec<Endpoint>,
    /// Whether it never left the origin of the first URL.
    is_home: bool,
}

impl<'a> Journey<'a> {
    pub(super) fn new(connector: &'a Connector, endpoint: &Endpoint) -> Self {
        Self {
            connector,
            endpoint: endpoint.clone(),
            visited: Vec::new(),
            is_home: true,
        }
    }

    /// Goes on until there is a connection or an error.
    pub(super) async fn make(mut self) -> Result<WebSocket, Error> {
        loop {
            let asked = if self.is_home {
                Asked::AtFirst
            } else {
                Asked::Elsewhere
            };
            let mut refused = match self.attempt(asked).await {
                Err(Error::Refused(refused)) => refused,
                done => return done,
            };
            if let Some(answer) = self.answer(&refused)? {
                let asked = Asked::Again {
                    authorization: &answer,
                };
                refused = match self.attempt(asked).await {
                    Err(Error::Refused(refused)) => refused,
                    done => return done,
                };
            }
            let status = refused.response.status();
            if self.connector.redirect_count_max == 0 || !is_redirect(status) {
                return Err(Error::Refused(refused));
            }
            self.redirect(refused)?;
        }
    }

    /// Makes one request over a connection of its own.
    async fn attempt(&self, asked: Asked<'_>) -> Result<WebSocket, Error> {
        let request = request(self.connector, &self.endpoint, asked).await?;
        let tls = self.tls()?;
        let mut stream = dial(self.connector, &self.endpoint, tls.as_ref()).await?;
        if let Some(wiretap) = &self.connector.wiretap {
            let tap = wiretap.begin(&self.endpoint, &stream);
            stream = Stream::Tapped(Box::new(Tapped::new(stream, tap)));
        }
        opening::handshake(self.connector, &request, stream, self.endpoint.path()).await
    }

    fn tls(&self) -> Result<Option<ClientTls>, Error> {
        if !self.endpoint.secure {
            return Ok(None);
        }
        Ok(Some(match &self.connector.tls {
            Some(tls) if self.is_home => tls.clone(),
            Some(tls) => tls.for_another_origin(),
            None => ClientTls::native()?,
        }))
    }

    /// Answers a Digest challenge, if that is what the server wants and there is a password.
    fn answer(&self, refused: &ClientRefused) -> Result<Option<Vec<u8>>, CredentialsError> {
        let Credentials(kind) = &self.connector.credentials;
        let is_of_header = matches!(kind, Kind::OfUrl) && has_authorization_header(self.connector);
        if refused.response.status() != 401 || !self.is_home || is_of_header {
            return Ok(None);
        }
        let Some(login) = self.connector.credentials.login(&self.endpoint) else {
            return Ok(None);
        };
        let challenges = Challenges::read(refused.response.headers());
        match challenges.digest {
            Some(challenge) => {
                let client_nonce = format!("{:032x}", rand::random::<u128>());
                let target = &self.endpoint.target;
                Ok(Some(challenge.answer(login, target, &client_nonce)))
            }
            None if challenges.wants_digest && matches!(kind, Kind::Digest(_)) => {
                Err(CredentialsError::Challenge(Box::new(refused.clone())))
            }
            None => Ok(None),
        }
    }

    /// Moves to where a redirect leads.
    fn redirect(&mut self, refused: Box<ClientRefused>) -> Result<(), RedirectError> {
        let mut locations = refused.response.headers().all("location");
        let location = match (locations.next(), locations.next()) {
            (Some(location), None) => str::from_utf8(location).ok(),
            _ => None,
        };
        let followed = location.map(|location| self.endpoint.follow(location));
        drop(locations);
        let mut next = match followed {
            None => return Err(RedirectError::NoLocation { refused }),
            Some(Err(reason)) => return Err(RedirectError::Location { reason, refused }),
            Some(Ok(next)) => next,
        };
        let target = || format!("{next:?}").into_boxed_str();
        if self.endpoint.secure && !next.secure {
            return Err(RedirectError::LeavesTls {
                target: target(),
                refused,
            });
        }
        let mut here = self.endpoint.clone();
        let login = here.login.take();
        self.visited.push(here);
        if self.visited.contains(&next) {
            return Err(RedirectError::Loop {
                target: target(),
                refused,
            });
        }
        let redirect_count_max = self.connector.redirect_count_max;
        if self.visited.len() > redirect_count_max {
            return Err(RedirectError::TooMany {
                redirect_count_max,
                target: target(),
                refused,
            });
        }
        self.is_home &= self.endpoint.is_same_origin(&next);
        if self.is_home {
            next.login = login;
        }
        self.endpoint = next;
        Ok(())
    }
}

/// RFC 9110 section 15.4: those that say where the same request is to be made.
const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}
