//! Whether another attempt makes sense, and when.

use std::time::{Duration, SystemTime};

use bowline_proto::{
    Ending, Retry,
    handshake::{HandshakeError, ResponseHead},
};

use super::failure::Failure;
use crate::error::{CredentialsError, Error, ProxyError, SocksReply, TlsError};

/// Judges whether another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// After the time the back-off gives.
    Retry,
    /// After [`Backoff::later`](super::Backoff::later): the server asked for a pause.
    Later,
    /// After this time, which the server named, and never sooner.
    RetryAfter(Duration),
    /// Never: it would fail alike.
    Fatal,
}

impl Verdict {
    /// Judges a failure as clients do unless told otherwise.
    ///
    /// | failure | verdict |
    /// |---|---|
    /// | looking the name up, connecting, a deadline, a stream that fails | `Retry` |
    /// | HTTP 408, 425, 429 and 5xx | `RetryAfter` if the answer has a usable `Retry-After`, else `Retry` |
    /// | any other HTTP status; a redirect that was not followed | `Fatal` |
    /// | an answer that breaks a rule of the opening handshake | `Fatal` |
    /// | a URL, a header or TLS that cannot be set up; a certificate that is not trusted | `Fatal` |
    /// | a proxy | as a server: what it refuses for good and what is no proxy are `Fatal` |
    /// | the hook that gives the bearer token | `Retry` |
    /// | other credentials that cannot be sent | `Fatal` |
    /// | a link that ended | as [`Ending::retry`]: `No` is `Fatal`, `Yes` is `Retry` |
    /// | the on-open hook, a dialer of the application's own | `Retry` |
    pub fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Connect(error) => Self::of_error(error),
            Failure::Ended(ending) | Failure::EndedInHook(ending) => Self::of_ending(ending),
            Failure::Hook(_) | Failure::HookTimeout => Self::Retry,
        }
    }

    fn of_error(error: &Error) -> Self {
        if let Error::Refused(refused) = error {
            return Self::of_response(&refused.response);
        }
        if let Error::Proxy(error) = error {
            return Self::of_proxy(error);
        }
        let is_fatal = if let Error::Tls(error) = error {
            is_fatal_tls(error)
        } else if let Error::Handshake(error) = error {
            *error != HandshakeError::Eof
        } else {
            is_fatal_setup(error)
        };
        if is_fatal { Self::Fatal } else { Self::Retry }
    }

    fn of_proxy(error: &ProxyError) -> Self {
        if let ProxyError::Refused { refused, .. } = error {
            return Self::of_response(&refused.response);
        }
        let is_transient = match error {
            ProxyError::Unreachable { .. } | ProxyError::Io { .. } | ProxyError::Eof { .. } => true,
            ProxyError::Tls { source, .. } => !is_fatal_tls(source),
            ProxyError::Socks { reply, .. } => is_transient_reply(*reply),
            ProxyError::Url { .. }
            | ProxyError::Scheme { .. }
            | ProxyError::Login
            | ProxyError::HostTooLong
            | ProxyError::Refused { .. }
            | ProxyError::Head { .. }
            | ProxyError::Answer { .. }
            | ProxyError::EarlyBytes { .. }
            | ProxyError::NotSocks { .. }
            | ProxyError::LoginMethod { .. }
            | ProxyError::LoginRefused { .. } => false,
        };
        if is_transient {
            Self::Retry
        } else {
            Self::Fatal
        }
    }

    fn of_response(response: &ResponseHead) -> Self {
        match response.status() {
            408 | 425 | 429 | 500..=599 => {
                retry_after(response).map_or(Self::Retry, Self::RetryAfter)
            }
            _ => Self::Fatal,
        }
    }

    const fn of_ending(ending: &Ending) -> Self {
        match ending.retry() {
            Retry::No => Self::Fatal,
            Retry::Yes => Self::Retry,
            Retry::Later => Self::Later,
        }
    }
}

/// What was asked for cannot be done, by whomever. A hook that fails to give a token may have one
/// the next time.
fn is_fatal_setup(error: &Error) -> bool {
    matches!(
        error,
        Error::Url(_)
            | Error::Misuse(_)
            | Error::Redirect(_)
            | Error::Credentials(
                CredentialsError::Token
                    | CredentialsError::Challenge(_)
                    | CredentialsError::Cookie(_)
            )
    )
}

/// A rule of the proxy, or something it does not do, stays so.
fn is_transient_reply(reply: SocksReply) -> bool {
    ![
        SocksReply::NOT_ALLOWED,
        SocksReply::COMMAND_NOT_SUPPORTED,
        SocksReply::ADDRESS_TYPE_NOT_SUPPORTED,
    ]
    .contains(&reply)
}

/// A handshake cut off or refused by an alert may go better next time; a certificate that is not
/// trusted will not.
fn is_fatal_tls(error: &TlsError) -> bool {
    let TlsError::Handshake(error) = error else {
        return true;
    };
    let rustls = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(rustls, Some(rustls::Error::InvalidCertificate(_)))
}

/// Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date, which is taken relative to
/// the server's own clock if the answer has one.
fn retry_after(response: &ResponseHead) -> Option<Duration> {
    let value = response.headers().text("retry-after")?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = |value: &str| httpdate::parse_http_date(value.trim()).ok();
    let then = date(value)?;
    let now = response.headers().text("date").and_then(date);
    let now = now.unwrap_or_else(SystemTime::now);
    Some(then.duration_since(now).unwrap_or_default())
}
