//! `bowline serve`: the hub.

use std::num::NonZeroUsize;

use bowline_hub::{Config, Limits, Server};
use tracing::{info, warn};

use crate::{
    args::{ElementArgs, ServeArgs},
    connectors::Connectors,
    elements,
    exit::Failure,
    output,
    signals::stop_requested,
};

/// Runs a hub until a signal stops it.
pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System {
            what: "start the runtime",
            source,
        })?;
    runtime.block_on(serve(args))
}

async fn serve(args: ServeArgs) -> Result<(), Failure> {
    let stop = stop_requested()?;
    let loaded = if args.connectors.is_empty() {
        Vec::new()
    } else {
        elements::load(&ElementArgs::of(args.connectors))?
    };
    let workers = args.workers.map(usize::from).and_then(NonZeroUsize::new);
    let defaults = Config::default();
    let config = Config {
        workers: workers.unwrap_or(defaults.workers),
        listen: args.listen,
        data: args.data,
        origins: args.origin,
        hosts: args.allow_host,
        limits: Limits {
            connections_max: args.connections_max,
            ..Limits::default()
        },
        ..defaults
    };
    let is_loopback_only = config.is_loopback_only();
    let data = config.data.clone();
    let server = Server::bind(config).await?;
    if is_loopback_only {
        info!("only this computer can reach the hub; --listen 0.0.0.0:8080 opens it to others");
    } else {
        warn!("whoever reaches this computer can read and publish: there is no login yet");
    }
    if let Some(folder) = &data {
        let (folder, restored) = (folder.display(), server.restored());
        info!(%folder, restored, "the last values are kept on disk");
    } else {
        info!("the last values are kept in memory; --data DIR keeps them on disk");
    }
    let connectors = Connectors::start(loaded, data.as_deref(), &server.participant())?;
    for url in server.urls() {
        output::line(format_args!("listening on {url}"))?;
    }
    let stop = async {
        stop.await;
        info!("stopping");
        connectors.stop().await;
    };
    let drained = server.run(stop).await?;
    info!(
        closed = drained.closed,
        aborted = drained.aborted,
        "stopped"
    );
    Ok(())
}
