//! Who the client says it is.

use std::{error::Error as StdError, fmt, future::Future, sync::Arc};

use futures_core::future::BoxFuture;

use super::{Endpoint, login::Login};
use crate::error::CredentialsError;

/// How a client proves who it is to the server, in the header `Authorization`.
///
/// They go to the origin of the first URL only: a redirect to another one drops them. They replace
/// a name and password in the URL and an `Authorization` among
/// [`Connector::headers`](crate::Connector::headers). What they hold never shows in `Debug`.
#[derive(Clone, Default)]
pub struct Credentials(pub(super) Kind);

/// The ways to prove who one is.
#[derive(Clone, Default)]
pub(super) enum Kind {
    /// What the URL or the headers have.
    #[default]
    OfUrl,
    Basic(Login),
    Digest(Login),
    Bearer(Arc<Hook>),
}

/// What is asked for a token before each attempt.
pub(super) type Hook =
    dyn Fn(&Endpoint) -> BoxFuture<'static, Result<String, HookError>> + Send + Sync;

/// What a hook may fail with.
type HookError = Box<dyn StdError + Send + Sync>;

impl Credentials {
    /// Sends name and password with each request (RFC 7617). Use it under TLS only: anyone on the
    /// way can read them.
    ///
    /// A server that wants Digest instead is answered so, once.
    pub fn basic(name: &str, password: &str) -> Self {
        Self(Kind::Basic(Login::new(name, password)))
    }

    /// Answers a Digest challenge, once (RFC 7616): the first request has no credentials, and the
    /// password itself is never sent.
    ///
    /// SHA-256 is preferred to MD5, and the only quality of protection is `auth`.
    pub fn digest(name: &str, password: &str) -> Self {
        Self(Kind::Digest(Login::new(name, password)))
    }

    /// Asks `hook` for a token before each request, also those of redirects, and sends it
    /// (RFC 6750 section 2.1). The time it takes is bounded by
    /// [`Timeouts::credentials`](crate::Timeouts::credentials).
    ///
    /// When it fails, so does the attempt, with [`CredentialsError::Hook`].
    pub fn bearer<F, R, E>(hook: F) -> Self
    where
        F: Fn(&Endpoint) -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(Kind::Bearer(Arc::new(move |endpoint: &Endpoint| {
            let asked = hook(endpoint);
            Box::pin(async move { asked.await.map_err(Into::into) })
        })))
    }

    /// Tells whether they stand in for what the URL and the headers have.
    pub(super) const fn is_set(&self) -> bool {
        !matches!(self.0, Kind::OfUrl)
    }

    /// Makes the value of `Authorization` that is sent without being asked for.
    pub(super) async fn unasked(
        &self,
        endpoint: &Endpoint,
    ) -> Result<Option<Vec<u8>>, CredentialsError> {
        match &self.0 {
            Kind::OfUrl => Ok(endpoint.login.as_ref().map(Login::basic)),
            Kind::Basic(login) => Ok(Some(login.basic())),
            Kind::Digest(_) => Ok(None),
            Kind::Bearer(hook) => {
                let token = hook(endpoint).await.map_err(CredentialsError::Hook)?;
                if token.is_empty() || !token.bytes().all(is_token_byte) {
                    return Err(CredentialsError::Token);
                }
                Ok(Some([b"Bearer ", token.as_bytes()].concat()))
            }
        }
    }

    /// Gives the name and password that can answer a challenge.
    pub(super) const fn login<'a>(&'a self, endpoint: &'a Endpoint) -> Option<&'a Login> {
        match &self.0 {
            Kind::OfUrl => endpoint.login.as_ref(),
            Kind::Basic(login) | Kind::Digest(login) => Some(login),
            Kind::Bearer(_) => None,
        }
    }
}

/// Only the kind is shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::OfUrl => "Credentials(of the URL)",
            Kind::Basic(_) => "Credentials(Basic)",
            Kind::Digest(_) => "Credentials(Digest)",
            Kind::Bearer(_) => "Credentials(Bearer)",
        })
    }
}

/// RFC 6750 section 2.1.
const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9'
        | b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}
