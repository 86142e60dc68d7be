//! Elements on a hub: their parameters are topics.

mod bridge;
mod topics;

use std::path::Path;

use bowline_connector::{
    Runner, Store,
    runner::{ElementHandle, RunnerOptions},
};
use bowline_hub::Participant;
use futures_util::future::join_all;
use tokio::task::JoinSet;
use tracing::{error, info};

use self::bridge::Bridge;
use crate::{control::Door, elements::Loaded, exit::Failure};

/// Elements that run beside a hub.
#[derive(Debug)]
pub(crate) struct Connectors {
    elements: Vec<ElementHandle>,
    bridges: JoinSet<()>,
    serving: JoinSet<()>,
}

impl Connectors {
    /// Starts elements; with a data folder they find what they saved, and `bowline set` and
    /// `bowline get` find them.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn start(
        loaded: Vec<Loaded>,
        data: Option<&Path>,
        hub: &Participant,
    ) -> Result<Self, Failure> {
        let mut all = Self {
            elements: Vec::new(),
            bridges: JoinSet::new(),
            serving: JoinSet::new(),
        };
        if loaded.is_empty() {
            return Ok(all);
        }
        let door = data.map(Door::open).transpose()?;
        let store = data.map(Store::open).transpose()?;
        if store.is_none() {
            info!("saved parameters are kept in memory; --data DIR keeps them on disk");
        }
        for one in loaded {
            let options = RunnerOptions {
                store: store.clone(),
                hooks: one.hooks,
                ..RunnerOptions::default()
            };
            let name = one.settings.name.clone();
            let started = Runner::start(one.plan, one.settings, &options);
            let failure = |error| Failure::StartElement { name, error };
            let (element, events) = started.map_err(failure)?;
            info!(element = element.settings().name, "started");
            let bridge = Bridge::new(element.clone(), hub.clone());
            all.bridges.spawn(async move {
                if let Err(error) = bridge.run(events).await {
                    error!(%error, "an element is on the topics of the hub no more");
                }
            });
            all.elements.push(element);
        }
        if let Some(door) = door {
            all.serving.spawn(door.serve(all.elements.clone()));
        }
        Ok(all)
    }

    /// Stops all elements; what becomes of their links is told before this is over.
    pub(crate) async fn stop(mut self) {
        self.serving.shutdown().await;
        join_all(self.elements.iter().map(ElementHandle::shutdown)).await;
        while self.bridges.join_next().await.is_some() {}
    }
}
