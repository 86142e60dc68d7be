//! Whether another attempt makes sense, and when.

use std::time::{Duration, SystemTime};

use bowline_proto::{
    Ending, Retry,
    handshake::{HandshakeError, ResponseHead},
};

use super::failure::Failure;
use crate::error::{CredentialsError, Error, TlsError};

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
    /// | any other HTTP status | `Fatal` |
    /// | an answer that breaks a rule of the opening handshake | `Fatal` |
    /// | a URL, a header or TLS that cannot be set up; a certificate that is not trusted | `Fatal` |
    /// | a link that ended | as [`Ending::retry`]: `No` is `Fatal`, `Yes` is `Retry` |
    /// | the on-open hook | `Retry` |
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
        let is_fatal = if let Error::Tls(error) = error {
            is_fatal_tls(error)
        } else if let Error::Handshake(error) = error {
            *error != HandshakeError::Eof
        } else if let Error::Credentials(error) = error {
            // A hook that fails may have more luck the next time.
            !matches!(error, CredentialsError::Hook(_))
        } else {
            matches!(error, Error::Url(_) | Error::Misuse(_) | Error::Redirect(_))
        };
        if is_fatal { Self::Fatal } else { Self::Retry }
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
