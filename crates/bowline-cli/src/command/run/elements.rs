//! The elements of this process.

use std::{path::Path, sync::Arc};

use bowline_connector::{
    Plan, Runner, Store,
    runner::{ElementEvent, ElementEvents, ElementHandle, RunnerOptions},
};
use futures_util::future::join_all;
use tokio::sync::mpsc;

use super::record;
use crate::{args::RunArgs, elements::Loaded, exit::Failure};

/// Elements that run, and what happens to them.
#[derive(Debug)]
pub(super) struct Running {
    elements: Vec<ElementHandle>,
    events: mpsc::Receiver<(usize, ElementEvent)>,
}

impl Running {
    /// Starts all elements.
    pub(super) fn start(
        args: &RunArgs,
        folder: &Path,
        loaded: Vec<Loaded>,
    ) -> Result<Self, Failure> {
        let store = if args.no_save {
            None
        } else {
            Some(Store::open(folder)?)
        };
        let count = loaded.len();
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let mut elements = Vec::new();
        for (index, one) in loaded.into_iter().enumerate() {
            let mut options = RunnerOptions {
                store: store.clone(),
                hooks: one.hooks.clone(),
                ..RunnerOptions::default()
            };
            if let Some(path) = &args.record {
                let path = record::path(path, &one.settings.name, count);
                options.recorder = Some(Arc::new(record::begin(&path, &one)?));
            }
            let name = one.settings.name.clone();
            let started = Runner::start(one.plan, one.settings, &options);
            let failure = |error| Failure::StartElement { name, error };
            let (element, events) = started.map_err(failure)?;
            drop(tokio::spawn(forward(index, events, sender.clone())));
            elements.push(element);
        }
        Ok(Self { elements, events })
    }

    /// Receives what happens next, and to which element; `None` once all have stopped.
    pub(super) async fn recv(&mut self) -> Option<(usize, ElementEvent)> {
        self.events.recv().await
    }

    pub(super) fn handles(&self) -> impl ExactSizeIterator<Item = &ElementHandle> {
        self.elements.iter()
    }

    pub(super) fn name(&self, index: usize) -> &str {
        let element = self.elements.get(index);
        element.map_or("", |element| &element.settings().name)
    }

    pub(super) fn plan(&self, index: usize) -> &Plan {
        let element = self.elements.get(index);
        element
            .map(|element| &**element.plan())
            .expect("events are of elements that were started")
    }

    /// Begins to stop all elements: what still happens can be received.
    pub(super) fn begin_stop(&self) {
        for element in self.elements.clone() {
            drop(tokio::spawn(async move { element.shutdown().await }));
        }
    }

    /// Stops all elements: their links are closed then. What still happens is dropped.
    pub(super) async fn stop(&mut self) {
        let stopping = join_all(self.elements.iter().map(ElementHandle::shutdown));
        self.events.close();
        stopping.await;
    }
}

/// Hands on what happens to one element.
async fn forward(index: usize, mut events: ElementEvents, to: mpsc::Sender<(usize, ElementEvent)>) {
    while let Some(event) = events.recv().await {
        if to.send((index, event)).await.is_err() {
            return;
        }
    }
}

/// What waits here does not wait, within its own bounds, with the element.
const EVENTS_MAX: usize = 64;
