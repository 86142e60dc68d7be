//! What the program ends with.

use std::{fmt, io, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use bowline::proto::handshake::HandshakeError;
use bowline::{
    Cause, CloseCode, CredentialsError, EndedBy, Ending, Error, ProxyError, UrlError, managed,
};
use bowline_connector::store::StoreError;
use thiserror::Error;

use crate::{command::FormError, control::ControlError, conversation::ConversationError};

/// Says why the program did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// No connection could be made.
    #[error("no connection to {url}: {error}{}", hint(error))]
    Connect {
        url: String,
        #[source]
        error: Error,
    },
    /// The connection ended in another way than by an ordinary close.
    #[error("the connection ended: {}", told(.0))]
    Ended(Ending),
    /// The connection failed in a call.
    #[error("{0}{hint}", hint = hint(.0))]
    Connection(#[from] Error),
    /// A link that comes back will not come back any more.
    #[error("the link is given up: {0}")]
    GivenUp(Arc<managed::Failure>),
    /// Some lines were given to a link that broke for good.
    #[error("{0} messages could not be sent, or it is not known whether they arrived")]
    Undelivered(usize),
    /// It was told twice to stop, and had not closed the connection yet.
    #[error("stopped before the connection was closed in order")]
    Interrupted,
    /// It was not over in time.
    #[error("it is not over after {} s{}", .after.as_secs_f64(), and_missing(.missing.as_deref()))]
    TimedOut {
        after: Duration,
        missing: Option<String>,
    },
    /// It is over, and not everything came that was waited for.
    #[error("the connection is over, and {0}")]
    Missed(String),
    /// The system does not let a file be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Access {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// A recorded conversation makes no sense.
    #[error("{}: {error}", path.display())]
    Conversation {
        path: PathBuf,
        #[source]
        error: ConversationError,
    },
    /// A conversation went otherwise than recorded.
    #[error("{0} differences from the recording")]
    Differences(u64),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}{}", listen_hint(source))]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] bowline::TlsError),
    /// The hub cannot start.
    #[error("{}{}", .0, start_hint(.0))]
    Start(#[from] bowline_hub::StartError),
    /// The hub failed while it ran.
    #[error(transparent)]
    Run(#[from] bowline_hub::RunError),
    /// Standard input holds something that cannot be sent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Connector files are wrong.
    #[error("{0}")]
    Connector(Findings),
    /// A file cannot be used.
    #[error("{}: {what}", path.display())]
    File {
        path: PathBuf,
        /// What is wrong with it, and where.
        what: String,
    },
    /// The data folder and the socket in it.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The saved values.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An element cannot be started.
    #[error("cannot start {name}: {error}")]
    StartElement {
        name: String,
        error: bowline_connector::runner::StartError,
    },
    /// Elements or their connectors have errors, which were told.
    #[error("{}, so nothing was started", wrong_files(*.0))]
    Invalid(usize),
    /// Several elements go by one name.
    #[error("two elements are called {0:?}: give each a name of its own")]
    SameName(String),
    /// A folder has no elements.
    #[error("there are no element files (*.toml) in {}", .0.display())]
    NoElements(PathBuf),
    /// Elements were given several connectors.
    #[error(
        "--element runs with one connector: name one FILE, or none if the elements name theirs"
    )]
    ManyConnectors,
    /// An endpoint could be that of several elements.
    #[error("--endpoint is for one element: say the endpoints of several in their files")]
    EndpointOfMany,
    /// A connector has no links.
    #[error("the connector has no WebSocket connection that --endpoint could lead anywhere")]
    NoLinks,
    /// An endpoint is for a connection that there is not.
    #[error("--endpoint {link}: there is no connection {link}; the connector has {links}")]
    NoSuchLink { link: u32, links: String },
    /// A conversation cannot be played.
    #[error("{}: {error}", path.display())]
    Play {
        path: PathBuf,
        error: bowline_connector::replay::ReplayError,
    },
    /// The system refused something the program needs.
    #[error("cannot {what}: {source}")]
    System {
        what: &'static str,
        source: io::Error,
    },
    /// A part of the program panicked.
    #[error("a part of the program failed; this is a bug")]
    Panic,
}

/// Says what is wrong with standard input.
#[derive(Debug, Error)]
pub(crate) enum InputError {
    /// A line is no message of the form that was asked for.
    #[error("line {line} of standard input {error}")]
    Form { line: u64, error: FormError },
    /// A line is longer than is sent as one message.
    #[error("line {line} of standard input is longer than {max} bytes")]
    TooLong { line: u64, max: u64 },
    /// It cannot be read.
    #[error("cannot read standard input: {0}")]
    Read(io::Error),
}

/// What was found in connector files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) files: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

/// `2 files checked: 1 error, 2 warnings, 0 notes`
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: usize, word: &str| {
            let s = if count == 1 { "" } else { "s" };
            format!("{count} {word}{s}")
        };
        write!(
            f,
            "{} checked: {}, {}, {}",
            counted(self.files, "file"),
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
            counted(self.notes, "note"),
        )
    }
}

impl Failure {
    /// Gives the number the program ends with; [`EXIT_CODES`] explains them.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// Gives the same as a number.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Connect { error, .. } | Self::Connection(error) => code_of(error),
            Self::Ended(ending) => code_of_ending(ending),
            Self::GivenUp(failure) => code_of_failure(failure),
            Self::Undelivered(_) | Self::Interrupted => CLOSED,
            Self::ManyConnectors
            | Self::EndpointOfMany
            | Self::NoLinks
            | Self::NoSuchLink { .. } => USAGE,
            Self::TimedOut { missing: None, .. } => TIMEOUT,
            Self::TimedOut { .. } | Self::Missed(_) => MISSED,
            Self::Connector(_) | Self::Invalid(_) => WRONG_FILE,
            Self::Listen { .. }
            | Self::Tls(_)
            | Self::Start(_)
            | Self::Run(_)
            | Self::Input(_)
            | Self::Access { .. }
            | Self::File { .. }
            | Self::Control(_)
            | Self::Store(_)
            | Self::StartElement { .. }
            | Self::SameName(_)
            | Self::NoElements(_)
            | Self::Play { .. }
            | Self::Conversation { .. }
            | Self::Differences(_)
            | Self::System { .. }
            | Self::Panic => OTHER,
        }
    }
}

/// Says whether a connection that ended so did what it should: both ends said goodbye, and the
/// other one not because something was wrong. `chosen` is the code this program closes with.
pub(crate) fn check_ending(ending: Option<Ending>, chosen: CloseCode) -> Result<(), Failure> {
    match ending {
        Some(ending) if !(ending.is_clean() && is_wanted(&ending, chosen)) => {
            Err(Failure::Ended(ending))
        }
        Some(_) | None => Ok(()),
    }
}

/// A code that this program chose is what was asked for, but the peer may answer with another.
fn is_wanted(ending: &Ending, chosen: CloseCode) -> bool {
    is_ordinary(ending.code) || ending.by == EndedBy::Local && ending.code == chosen
}

const fn is_ordinary(code: CloseCode) -> bool {
    matches!(
        code,
        CloseCode::NORMAL | CloseCode::GOING_AWAY | CloseCode::NO_STATUS
    )
}

const fn code_of_ending(ending: &Ending) -> u8 {
    if let Cause::Violation(_) = ending.cause {
        PROTOCOL
    } else {
        CLOSED
    }
}

fn code_of_failure(failure: &managed::Failure) -> u8 {
    if let managed::Failure::Connect(error) = failure {
        return code_of(error);
    }
    if let managed::Failure::Ended(ending) | managed::Failure::EndedInHook(ending) = failure {
        return code_of_ending(ending);
    }
    OTHER
}

/// Errors a later version of the library adds are other errors.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the error type of the library may grow"
)]
fn code_of(error: &Error) -> u8 {
    match error {
        Error::Url(_)
        | Error::Handshake(HandshakeError::Misuse(_))
        | Error::Credentials(CredentialsError::Cookie(_) | CredentialsError::Token) => USAGE,
        Error::Resolve { .. } => RESOLVE,
        Error::Connect { .. } | Error::Io(_) => NOT_CONNECTED,
        Error::Tls(_) => TLS,
        Error::Timeout(_) => TIMEOUT,
        Error::Proxy(error) => match **error {
            ProxyError::Url { .. } | ProxyError::Scheme { .. } => USAGE,
            _ => PROXY,
        },
        Error::Refused(_) | Error::Handshake(_) | Error::Redirect(_) | Error::Credentials(_) => {
            REFUSED
        }
        Error::Closed(_) => CLOSED,
        _ => OTHER,
    }
}

fn wrong_files(count: usize) -> String {
    match count {
        1 => "there are errors".to_owned(),
        count => format!("{count} elements have errors"),
    }
}

fn and_missing(missing: Option<&str>) -> String {
    missing
        .map(|missing| format!(", and {missing}"))
        .unwrap_or_default()
}

/// Says what may help.
fn hint(error: &Error) -> String {
    let hint = if let Error::Connect { source, .. } = error
        && source.kind() == io::ErrorKind::ConnectionRefused
    {
        "Nothing listens there. Is the server running, and is the port right?"
    } else if let Error::Tls(bowline::TlsError::Handshake(source)) = error {
        if source.to_string().contains("UnknownIssuer") {
            "The server's certificate is not one this computer trusts; --ca FILE trusts the \
             certificates in a file."
        } else {
            "Does the server speak TLS on this port? ws:// connects without it."
        }
    } else if let Error::Url(UrlError::Scheme(_)) = error {
        "A URL looks like ws://127.0.0.1:9001/path or, with TLS, wss://example.com/path."
    } else if let Error::Refused(refused) = error {
        return shown_body(&refused.body);
    } else {
        return String::new();
    };
    format!("\n{hint}")
}

/// Gives the body of a refusal, which is for people, as far as people read.
fn shown_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_end();
    if text.is_empty() {
        return String::new();
    }
    let shown: String = text.chars().take(BODY_CHARS_MAX).collect();
    let left = text.len() - shown.len();
    let shown = printable(&shown);
    if left == 0 {
        format!("\n{shown}")
    } else {
        format!("\n{shown}\n... and {left} more bytes")
    }
}

fn listen_hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::AddrInUse {
        "\nAnother program listens there already; --listen chooses another address or port."
    } else {
        ""
    }
}

fn start_hint(error: &bowline_hub::StartError) -> &'static str {
    if let bowline_hub::StartError::Listen { source, .. } = error {
        listen_hint(source)
    } else {
        ""
    }
}

/// Keeps what a server sent from commanding the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// Tells how a connection ended.
pub(crate) fn told(ending: &Ending) -> String {
    let reason = if ending.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", printable(&ending.reason))
    };
    if ending.is_clean() {
        format!("closed with {}{reason}", ending.code)
    } else {
        format!("{} ({}{reason})", ending.cause, ending.code)
    }
}

/// The meaning of the numbers, for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; every connection was closed in order, and everything came that was waited for
  1  something else went wrong; standard error says what
  2  the command line or a URL makes no sense
  3  no connection: nothing listens there, or the network failed
  4  the server refused the WebSocket, or its answer broke the rules
  5  the connection ended without a proper close, or was closed with an error code
  6  the name of the server has no address
  7  TLS failed
  8  the proxy failed, or refused
  9  a deadline passed: of connecting, or --timeout
  10  what --expect, --wait-for or --count waits for did not come
  11  the server broke the rules of WebSocket after the opening handshake
  12  a connector or an element file has errors, or a connector warnings that are denied";

/// Characters that are shown of the body of a refusal.
const BODY_CHARS_MAX: usize = 2000;

const OTHER: u8 = 1;
const USAGE: u8 = 2;
const NOT_CONNECTED: u8 = 3;
const REFUSED: u8 = 4;
const CLOSED: u8 = 5;
const RESOLVE: u8 = 6;
const TLS: u8 = 7;
const PROXY: u8 = 8;
const TIMEOUT: u8 = 9;
const MISSED: u8 = 10;
const PROTOCOL: u8 = 11;
const WRONG_FILE: u8 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_refusal_is_shown_as_far_as_people_read() {
        assert_eq!(shown_body(b" \r\n"), "");
        assert_eq!(shown_body(b"busy\x1b[2J\n"), "\nbusy\u{fffd}[2J");
        let long = "\u{e4}".repeat(BODY_CHARS_MAX + 3);
        let shown = shown_body(long.as_bytes());
        assert_eq!(shown.matches('\u{e4}').count(), BODY_CHARS_MAX);
        assert!(shown.ends_with("\n... and 6 more bytes"), "{shown}");
    }

    #[test]
    fn a_url_without_its_scheme_is_explained() {
        let error = bowline::Endpoint::parse("localhost:9001").unwrap_err();
        let told = Failure::from(Error::from(error)).to_string();
        assert!(told.contains("ws://127.0.0.1:9001/"), "{told}");
    }
}
