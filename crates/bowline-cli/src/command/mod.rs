//! One module for each subcommand.

use crate::exit::Failure;

pub(crate) mod check;
pub(crate) mod connect;
mod device;
pub(crate) mod echo;
mod fanout;
mod pipe;
pub(crate) mod serve;
pub(crate) mod simulate;

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
