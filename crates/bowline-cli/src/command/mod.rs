//! One module for each subcommand.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod connect;
mod device;
pub(crate) mod echo;
mod fanout;
pub(crate) mod get;
pub(crate) mod man;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod set;
pub(crate) mod simulate;
mod stop;
pub(crate) mod test;

use std::path::Path;

use bowline::ClientTls;

pub(crate) use self::connect::hex;
pub(crate) use self::connect::{Expect, FormError, WaitFor};
use crate::exit::Failure;

/// Gives the trust in the certificates of a file; `None` for what the system trusts.
fn trust(roots: Option<&Path>) -> Result<Option<ClientTls>, Failure> {
    Ok(roots.map(ClientTls::with_roots_file).transpose()?)
}

/// Makes a runtime on this thread.
fn current_thread() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System {
            what: "start the runtime",
            source,
        })
}
