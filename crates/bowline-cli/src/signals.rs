//! The signals that stop the program.

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Failure;

/// Listens for SIGTERM and SIGINT from now on; the future is over when one came.
pub(crate) fn stop_requested() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    stop_requests(1)
}

/// Listens from now on for a second SIGTERM or SIGINT, of somebody who does not want to wait until
/// everything is in order.
pub(crate) fn stop_demanded() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    stop_requests(2)
}

fn stop_requests(count: usize) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|source| Failure::System {
            what: "listen for signals",
            source,
        })
    };
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        for _ in 0..count {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}
