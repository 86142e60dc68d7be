//! What the program ends with.

use std::{fmt, io, net::SocketAddr, path::PathBuf, process::ExitCode};

use bowline::{CloseCode, Ending, Error};
use thiserror::Error;

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
    #[error(transparent)]
    Connection(#[from] Error),
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
    /// A line is not text.
    #[error("line {line} of standard input is not UTF-8; --binary sends lines as binary messages")]
    NotUtf8 { line: u64 },
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
        ExitCode::from(match self {
            Self::Connect { error, .. } | Self::Connection(error) => code_of(error),
            Self::Ended(_) => CLOSED,
            Self::Connector(_) => WRONG_FILE,
            Self::Listen { .. }
            | Self::Tls(_)
            | Self::Start(_)
            | Self::Run(_)
            | Self::Input(_)
            | Self::File { .. }
            | Self::System { .. }
            | Self::Panic => OTHER,
        })
    }
}

/// Says whether a connection that ended so did what it should: both ends said goodbye, and not
/// because something was wrong.
pub(crate) fn check_ending(ending: Option<Ending>) -> Result<(), Failure> {
    match ending {
        Some(ending) if !(ending.is_clean() && is_ordinary(ending.code)) => {
            Err(Failure::Ended(ending))
        }
        Some(_) | None => Ok(()),
    }
}

const fn is_ordinary(code: CloseCode) -> bool {
    matches!(
        code,
        CloseCode::NORMAL | CloseCode::GOING_AWAY | CloseCode::NO_STATUS
    )
}

/// Errors a later version of the library adds are other errors.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the error type of the library may grow"
)]
const fn code_of(error: &Error) -> u8 {
    match error {
        Error::Url(_) => USAGE,
        Error::Resolve { .. }
        | Error::Connect { .. }
        | Error::Tls(_)
        | Error::Timeout(_)
        | Error::Proxy(_)
        | Error::Io(_) => NOT_CONNECTED,
        Error::Refused(_) | Error::Handshake(_) | Error::Redirect(_) | Error::Credentials(_) => {
            REFUSED
        }
        Error::Closed(_) => CLOSED,
        _ => OTHER,
    }
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
    } else if let Error::Refused(refused) = error {
        let body = String::from_utf8_lossy(&refused.body);
        return match body.trim_end() {
            "" => String::new(),
            body => format!("\n{}", printable(body)),
        };
    } else {
        return String::new();
    };
    format!("\n{hint}")
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

fn told(ending: &Ending) -> String {
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
  0  done; every connection was closed in order
  1  something else went wrong; standard error says what
  2  the command line or a URL makes no sense
  3  no connection: name, network, TLS or a deadline
  4  the server refused the WebSocket, or its answer broke the rules
  5  the connection ended without a proper close, or was closed with an error code
  6  a connector file has errors, or warnings that are denied";

const OTHER: u8 = 1;
const USAGE: u8 = 2;
const NOT_CONNECTED: u8 = 3;
const REFUSED: u8 = 4;
const CLOSED: u8 = 5;
const WRONG_FILE: u8 = 6;
