//! The signals that stop the program.

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Failure;

/// Listens for SIGTERM and SIGINT from now on; the future is over when one came.
pub(crate) fn stop_requested() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|source| Failure::System {
            what: "listen for signals",
            source,
        })
    };
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
